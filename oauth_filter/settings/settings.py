"""The settings of one filter."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from types import MappingProxyType
from typing import Any
from typing import Literal
from typing import get_args
from urllib.parse import urlsplit

from oauth_filter.errors import ConfigError
from oauth_filter.events import Listener
from oauth_filter.records import Client
from oauth_filter.records import SigningAlgorithm
from oauth_filter.records import TokenFormat
from oauth_filter.settings.faults import faults
from oauth_filter.settings.option import DAY
from oauth_filter.settings.option import HOUR
from oauth_filter.settings.option import MINUTE
from oauth_filter.settings.option import option
from oauth_filter.settings.profiles import PROFILES
from oauth_filter.settings.sections import JWTIssuer
from oauth_filter.settings.sections import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be configured. Constructing it checks all of it and raises ConfigError with every fault."""

    # Who we are
    issuer: str = option(
        "http://localhost:8080",
        "Our own URL as browsers and clients see it, with the path we are mounted at, without a slash at the end. "
        "Never taken from a request.",
        rfc="8414 2",
    )
    store: str = option(
        "sqlite:///oauth.db",
        "Where everything is kept: sqlite:///path, postgresql+psycopg://..., mysql+pymysql://..., redis://... or "
        "memory:. A relative path starts at the folder the server runs in; `%(here)s` is that of the ini.",
        kind="secret",
    )
    synchronous: Literal["FULL", "NORMAL"] = option(
        "FULL",
        "Durability: FULL survives a power cut; NORMAL is faster and may lose the last moments in one.",
        choices=("FULL", "NORMAL"),
    )
    secret: str = option(
        "", "The master secret that signs cookies and forms, 32 characters or more. Made by `init`.", kind="secret"
    )
    profile: str = option("default", "A named set of other defaults.", choices=("default", "nuxeo", "fusionauth"))
    trusted_proxies: tuple[str, ...] = option(
        (),
        "Addresses or networks of proxies whose X-Forwarded-For, and header of remote_user_key, are believed; the "
        "word unix stands for whoever may open the socket we listen on.",
        kind="list",
    )

    # Who the user is
    login: str = option(
        "directory",
        "Who signs users in: directory (our own users), remote_user (the server in front), application (the wrapped "
        "application), or package.module:callable given a user name and a password.",
    )
    session_lifetime: int = option(8 * HOUR, "How long a sign-in on our login page lasts.", kind="duration")
    remote_user_key: str = option("REMOTE_USER", "The environ key that names the user, for login = remote_user.")
    who_am_i: str = option(
        "", "For login = application: the path of the view that answers who is signed in, such as /whoami."
    )
    application_login: str = option(
        "", "For login = application: its login page, such as /login?next={next}; {next} is where to return to."
    )
    administrators: tuple[str, ...] = option(
        (), "User names that are administrators beside those of the directory.", kind="list"
    )

    # The authorization endpoint
    scope_handling: Literal["strict", "compatibility"] = option(
        "strict",
        "strict keeps what a scope tells of the user out of tokens without it; compatibility puts e-mail and user name "
        "into ID tokens and JWT access tokens regardless.",
        choices=("strict", "compatibility"),
    )
    claims: str = option(
        "",
        "package.module:callable given the user (or None), the client and the scope; what it returns is added to JWTs "
        "and userinfo, registered claims excepted.",
    )
    id_token_signing_alg: SigningAlgorithm = option(
        "RS256", "The algorithm of ID tokens and JWT access tokens.", choices=get_args(SigningAlgorithm), rfc="7518 3.1"
    )
    id_token_lifetime: int = option(HOUR, "Lifetime of an ID token.", kind="duration")
    jwks_lifetime: int = option(
        HOUR,
        "How long others may keep our JWK Set; a new key is published this long before it signs.",
        kind="duration",
        rfc="7517 5",
    )

    # Signing out
    logout_uri: str = option(
        "/",
        "Where the browser goes after signing out when the client says nothing else: a path, or an https URL. Where "
        "others sign users in, the page that signs them out.",
    )
    logout_revokes_refresh_tokens: bool = option(
        False, "Signing out also ends what clients got in that session.", kind="flag"
    )

    # Devices
    device_code_lifetime: int = option(
        10 * MINUTE, "How long a person may take to enter a user code.", kind="duration", rfc="8628 3.2"
    )
    device_poll_interval: int = option(
        5, "The least time between two polls of a device.", kind="duration", rfc="8628 3.2"
    )
    device_verification_uri: str = option(
        "", "A page of your own that people are told to open; empty is our own page.", rfc="8628 3.2"
    )

    # The authorization endpoint, and codes
    code_lifetime: int = option(
        MINUTE, "How long an authorization code can be redeemed.", kind="duration", rfc="6749 4.1.2"
    )
    allow_plain_pkce: bool = option(False, "Accept code_challenge_method=plain.", kind="flag", rfc="7636 4.2")
    consent_lifetime: int = option(365 * DAY, "How long a user's consent is remembered.", kind="duration")
    product: str = option("", "The name above each page of ours; empty is the host of the issuer.")
    templates: str = option(
        "",
        "A folder with pages of your own; a file there replaces ours of the same name. `%(here)s` is that of the ini.",
    )

    # Tokens
    access_token_lifetime: int = option(HOUR, "Lifetime of an access token.", kind="duration", rfc="6749 5.1")
    refresh_token_lifetime: int = option(
        30 * DAY,
        "How long a refresh token may lie unused; each refresh starts it anew.",
        kind="duration",
        rfc="9700 4.14.2",
    )
    refresh_token_expiration: Literal["sliding", "fixed", "sliding_with_maximum"] = option(
        "sliding",
        "Whether a refresh starts the lifetime anew: sliding does, fixed counts from the first, and "
        "sliding_with_maximum does until refresh_token_maximum_lifetime after the first.",
        choices=("sliding", "fixed", "sliding_with_maximum"),
        rfc="9700 4.14.2",
    )
    refresh_token_maximum_lifetime: int = option(
        365 * DAY, "The longest a family lives, for sliding_with_maximum.", kind="duration"
    )
    refresh_token_grace: int = option(
        10,
        "For how long the same client may repeat a refresh whose answer it did not get; it gets the same answer. "
        "0s turns that off.",
        kind="duration",
    )
    refresh_token_requires_offline_access: bool = option(
        False, "Issue a refresh token only for the scope offline_access.", kind="flag"
    )
    access_token_format: TokenFormat = option(
        "opaque",
        "opaque, or jwt for resource servers that check tokens themselves.",
        choices=get_args(TokenFormat),
        rfc="9068",
    )
    refresh_token_usage: Literal["one_time", "reusable"] = option(
        "one_time",
        "Whether a refresh token is replaced at each use; reuse of a replaced one revokes the whole family.",
        choices=("one_time", "reusable"),
        rfc="9700 4.14.2",
    )
    refresh_revokes_access_token: bool = option(
        False,
        "A refresh ends the access token issued before; where refresh tokens are reusable, the first one only.",
        kind="flag",
    )
    token_parameters_in_query: bool = option(
        False, "Accept the parameters of the token endpoint in the URL's query, where they end up in logs.", kind="flag"
    )
    unknown_scope: Literal["", "reject", "remove", "allow"] = option(
        "",
        "What becomes of a scope that is not in [scopes]; empty means reject when there are [scopes], else allow.",
        choices=("", "reject", "remove", "allow"),
        rfc="6749 3.3",
    )

    # The jwt-bearer grant
    jwt_secret: str = option(
        "", "Turns the jwt-bearer grant on for HS512 assertions made with this secret.", kind="secret", rfc="7523 2.1"
    )
    jwt_issuer: str = option(
        "", "The `iss` that assertions made with jwt_secret must have; empty accepts any.", rfc="7523 3"
    )
    jwt_require_exp: bool = option(True, "An assertion must say when it expires.", kind="flag", rfc="7523 3")
    jwt_require_aud: bool = option(True, "An assertion must name us as its audience.", kind="flag", rfc="7523 3")
    jwt_require_jti: bool = option(
        True,
        "An assertion must have a jti. One that has a jti can be redeemed only once, required or not.",
        kind="flag",
        rfc="7523 3",
    )
    jwt_max_lifetime: int = option(
        HOUR,
        "The longest lifetime of an assertion accepted, also of one without exp, from its iat.",
        kind="duration",
        rfc="7523 3",
    )

    # Protected requests
    realm: str = option("api", "The realm of WWW-Authenticate challenges.", rfc="6750 3")
    audience: tuple[str, ...] = option(
        (),
        "Which entities the application is: a token meant for other entities only is refused. Empty accepts all.",
        kind="list",
        rfc="9068 4",
    )
    accept_query_token: bool = option(True, "Accept ?access_token= on protected requests.", kind="flag", rfc="6750 2.3")
    user_header: str = option(
        "", "A request header, such as X-Remote-User, in which a legacy application is also told the user name."
    )
    refuse_ambiguous_paths: bool = option(
        True,
        "Answer 400 to paths with '//', '/./', '/../', '\\' or double encoding instead of judging both readings.",
        kind="flag",
    )

    # Compatibility
    nuxeo_directory_api: bool = option(
        False, "Register clients by POST /api/v1/directory/oauth2Clients, as Nuxeo's guide does.", kind="flag"
    )
    fusionauth_parameters: bool = option(
        False, "Send userId, userState and locale, and answer /api/entity/<id>/grant, as FusionAuth does.", kind="flag"
    )
    insecure_allow_private_fetch: bool = option(
        False, "Fetch keys of clients also from private addresses, where other services listen.", kind="flag"
    )
    insecure_allow_http_issuer: bool = option(
        False,
        "Allow an http issuer that is not this machine. Tokens and passwords then travel in the clear.",
        kind="flag",
    )

    # Sections
    protect: tuple[Rule, ...] = ()
    scopes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Scope token to the sentence the consent page shows."""
    clients: tuple[Client, ...] = ()
    jwt_issuers: tuple[JWTIssuer, ...] = ()

    # Python only
    on_event: Listener | None = None
    """Called with each `oauth_filter.Event`. It cannot change what happens; what it raises is logged."""

    def __post_init__(self) -> None:
        # Mappings are copied so that nobody can change the settings of a running filter.
        object.__setattr__(self, "scopes", MappingProxyType(dict(self.scopes)))
        if problems := list(faults(self)):
            raise ConfigError(problems)

    @classmethod
    def for_profile(cls, name: str, **options: Any) -> "Settings":
        """Settings with the defaults of a profile instead of ours, as `profile = name` in an ini file gives them.

        Raise ConfigError as the constructor does, also for a profile there is not.
        """
        return cls(**{"profile": name, **PROFILES.get(name, {}), **options})

    @property
    def issuer_path(self) -> str:
        """The path of the issuer: where browsers see us mounted."""
        return urlsplit(self.issuer).path

    @property
    def is_https(self) -> bool:
        return self.issuer.startswith("https:")

    @property
    def jwt_bearer_enabled(self) -> bool:
        return bool(self.jwt_secret or self.jwt_issuers)

    @property
    def scope_policy(self) -> Literal["reject", "remove", "allow"]:
        return self.unknown_scope or ("reject" if self.scopes else "allow")
