"""Every option, typed, with its default and its meaning. The ini file and the documentation are read off this."""

import ipaddress
import re
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from dataclasses import fields
from types import MappingProxyType
from typing import Any
from typing import Final
from typing import Literal
from typing import get_args
from urllib.parse import urlsplit

from oauth_filter.errors import ConfigError
from oauth_filter.errors import Problem
from oauth_filter.events import Listener
from oauth_filter.records import Client
from oauth_filter.records import SigningAlgorithm
from oauth_filter.records import TokenFormat
from oauth_filter.scope import Scope

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

MAY_BE_ZERO: Final = ("refresh_token_grace",)
"""Durations that may be zero, which turns the thing off."""

Kind = Literal["text", "secret", "flag", "duration", "list"]
Algorithm = Literal[
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]


def option(default: Any, meaning: str, *, kind: Kind = "text", choices: tuple[str, ...] = (), rfc: str = "") -> Any:
    """A dataclass field that knows how it is written in an ini file and what it means."""
    return field(
        default=default,
        repr=kind != "secret",
        metadata={"meaning": meaning, "kind": kind, "choices": choices, "rfc": rfc},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A line of `[protect]`: which requests, and what they need.

    `path` ending in `/` means that folder, with or without the slash, and everything below it; any other path means
    itself. `method` None means every method; GET covers HEAD.
    """

    path: str
    method: str | None = None
    access: Literal["public", "optional", "authenticated"] = "authenticated"
    scope: Scope = field(default_factory=Scope)
    """All of these scopes are needed; only with access `authenticated`."""

    @classmethod
    def parse(cls, what: str, needs: str) -> "Rule":
        """Read `GET /reports/` and `reports:read`. Raise ValueError with a sentence for a person."""
        method, _, path = what.strip().rpartition(" ")
        method = method.strip().upper()
        if not path.startswith("/"):
            raise ValueError("a rule is '/path' or 'METHOD /path', and the path starts with '/'")
        if method and not re.fullmatch(r"[A-Z]+", method):
            raise ValueError("the method of a rule is one word, such as GET")
        if re.search(r"//|/\.{1,2}(/|$)|[\\%?#;\x00-\x20\x7f]", path):
            raise ValueError("write the path decoded and plain: no '//', '/./', '%', '?', '#', ';' or spaces in it")
        match needs.split():
            case ["public" | "optional" | "authenticated" as access]:
                return cls(path=path, method=method or None, access=access)
            case []:
                raise ValueError("say public, optional, authenticated, or the scopes that are needed")
            case tokens if {"public", "optional", "authenticated"} & set(tokens):
                raise ValueError("public, optional and authenticated stand alone")
            case _:
                return cls(path=path, method=method or None, scope=Scope.parse(needs))


@dataclass(frozen=True, slots=True, kw_only=True)
class JWTIssuer:
    """Whose assertions the jwt-bearer grant accepts -- RFC 7523. Section `[jwt_issuer:NAME]`; NAME is the `iss`."""

    issuer: str
    algorithm: Algorithm = option("RS256", "The one JWS algorithm accepted from this issuer.", rfc="7518 3.1")
    secret: str | None = option(None, "The shared secret, for HS256, HS384 and HS512.", kind="secret")
    public_key: str | None = option(None, "The public key as PEM text, for every other algorithm.")
    jwks: str | None = option(None, "The public keys as the text of a JWK Set.", rfc="7517 5")
    jwks_uri: str | None = option(None, "Where the JWK Set is fetched from, over https.", rfc="7517 5")


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
    store: str = option("sqlite:///oauth.db", "Where everything is kept: sqlite:///path or memory:.", kind="secret")
    synchronous: Literal["FULL", "NORMAL"] = option(
        "FULL",
        "SQLite durability: FULL survives a power cut; NORMAL is faster and may lose the last moments in one.",
        choices=("FULL", "NORMAL"),
    )
    secret: str = option(
        "", "The master secret that signs cookies and forms, 32 characters or more. Made by `init`.", kind="secret"
    )
    profile: str = option("default", "A named set of other defaults.", choices=("default", "nuxeo", "fusionauth"))
    trusted_proxies: tuple[str, ...] = option(
        (),
        "Addresses or networks of proxies whose X-Forwarded-For, and header of remote_user_key, are believed.",
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
    templates: str = option("", "A folder with pages of your own; a file there replaces ours of the same name.")

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
    refresh_revokes_access_token: bool = option(False, "A refresh ends the access token issued before.", kind="flag")
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
        if problems := list(_faults(self)):
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


PROFILES: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "default": {},
        "nuxeo": {
            "code_lifetime": 10 * MINUTE,
            "allow_plain_pkce": True,
            "token_parameters_in_query": True,
            "refresh_revokes_access_token": True,
            "jwt_require_exp": False,
            "jwt_require_aud": False,
            "jwt_require_jti": False,
            "nuxeo_directory_api": True,
        },
        "fusionauth": {
            "code_lifetime": 30,
            "device_code_lifetime": 5 * MINUTE,
            "refresh_token_usage": "reusable",
            "refresh_token_expiration": "fixed",
            "refresh_token_requires_offline_access": True,
            "fusionauth_parameters": True,
        },
    }
)
"""A profile is a table of other defaults and nothing else: no code asks for its name."""


def options(of: type = Settings) -> Iterator[tuple[str, Mapping[str, Any], Any]]:
    """Name, metadata and default of every option that an ini file can hold, in the order to explain them."""
    for f in fields(of):
        if "meaning" in f.metadata:
            yield f.name, f.metadata, f.default


def is_local(host: str | None) -> bool:
    """Whether a host name of a URL is this machine, where http does no harm."""
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _faults(settings: Settings) -> Iterator[Problem]:
    for name, metadata, _ in options():
        value = getattr(settings, name)
        if metadata["choices"] and value not in metadata["choices"]:
            yield Problem(option=name, message=f"use one of {', '.join(filter(None, metadata['choices']))}")
        least = 0 if name in MAY_BE_ZERO else 1
        if metadata["kind"] == "duration" and not least <= value <= 10 * 365 * DAY:
            yield Problem(option=name, message=f"use a duration from {least}s to 3650d")
    yield from _issuer_faults(settings)
    if len(settings.secret) < 32:
        yield Problem(option="secret", message="32 characters or more are needed; `oauth-filter init` makes a secret")
    # Browsers read a second slash, or a backslash, as the start of a host.
    if not re.fullmatch(r"/|(/[^/\\]|https?://[^/\\])[!-\[\]-~]*", settings.logout_uri):
        yield Problem(option="logout_uri", message="use a path that starts with one slash, or an https URL")
    for network in settings.trusted_proxies:
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError:
            yield Problem(option="trusted_proxies", message="use IP addresses or networks such as 10.0.0.0/8")
    yield from _login_faults(settings)
    # RFC 9110 section 5.6.4, and no byte that WSGI could not hand over.
    if re.search(r'["\\\x00-\x1f\x7f]', settings.realm) or not _is_latin_1(settings.realm):
        yield Problem(option="realm", message="leave out quotes, backslashes and letters beyond Latin-1")
    yield from _profile_faults(settings)
    if settings.user_header and not re.fullmatch(r"X-[A-Za-z0-9-]+", settings.user_header, re.IGNORECASE):
        # Others have a meaning already: no Authorization would ever reach the guard, no Cookie the application.
        yield Problem(option="user_header", message="use a header name that begins with X-, such as X-Remote-User")
    for token in settings.scopes:
        try:
            Scope(token)
        except ValueError:
            yield Problem(option="scopes", message="a scope is printable ASCII without spaces, quotes and backslashes")
    if settings.jwt_secret and len(settings.jwt_secret.encode()) < 32:
        yield Problem(option="jwt_secret", message="32 bytes or more are needed (RFC 7518 section 3.2)")
    for issuer in settings.jwt_issuers:
        yield from _jwt_issuer_faults(issuer)
    seen = set()
    for client in settings.clients:
        if client.key in seen:
            yield Problem(option=f"client:{client.key}", message="there is already a client of this id")
        seen.add(client.key)


def _is_latin_1(text: str) -> bool:
    return all(ord(character) < 0x100 for character in text)


def _profile_faults(settings: Settings) -> Iterator[Problem]:
    # Its name alone changes nothing: whoever writes Settings(profile="nuxeo") would believe it does.
    others = PROFILES.get(settings.profile, {})
    defaults = {name: default for name, _, default in options()}
    if others and all(getattr(settings, name) == defaults[name] for name in others):
        message = f"in Python the defaults of a profile come with Settings.for_profile({settings.profile!r}, ...)"
        yield Problem(option="profile", message=message)


def _issuer_faults(settings: Settings) -> Iterator[Problem]:
    try:
        url = urlsplit(settings.issuer)
        _ = url.port
        well_formed = url.scheme in ("http", "https") and bool(url.hostname) and not url.username
    except ValueError:
        well_formed = False
    if (
        not well_formed
        or re.search(r"[?#\x00-\x20\x7f-\U0010ffff\\]", settings.issuer)
        or settings.issuer.endswith("/")
    ):
        message = "use an https URL without query, fragment, spaces and without a slash at the end (RFC 8414 section 2)"
        yield Problem(option="issuer", message=message)
    elif url.scheme == "http" and not is_local(url.hostname) and not settings.insecure_allow_http_issuer:
        yield Problem(option="issuer", message="use https; http is for localhost only (RFC 6749 section 3.1)")


def _login_faults(settings: Settings) -> Iterator[Problem]:
    if settings.login == "application":
        if not settings.who_am_i.startswith("/"):
            yield Problem(option="who_am_i", message="login = application needs the path that answers who is signed in")
        if not settings.application_login.startswith("/") or "{next}" not in settings.application_login:
            yield Problem(
                option="application_login", message="login = application needs a login page such as /login?next={next}"
            )
    elif settings.login not in ("directory", "remote_user") and not re.fullmatch(
        r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", settings.login
    ):
        yield Problem(option="login", message="use directory, remote_user, application or package.module:callable")
    if (
        settings.login == "remote_user"
        and settings.remote_user_key.startswith("HTTP_")
        and not settings.trusted_proxies
    ):
        message = "a header can be forged by anybody: name the proxies that set it in trusted_proxies"
        yield Problem(option="remote_user_key", message=message)


def _jwt_issuer_faults(issuer: JWTIssuer) -> Iterator[Problem]:
    option_name = f"jwt_issuer:{issuer.issuer}"
    keys = [issuer.secret, issuer.public_key, issuer.jwks, issuer.jwks_uri]
    if sum(key is not None for key in keys) != 1:
        yield Problem(option=option_name, message="give exactly one of secret, public_key, jwks and jwks_uri")
    elif (issuer.secret is not None) != issuer.algorithm.startswith("HS"):
        yield Problem(option=option_name, message="a secret goes with HS algorithms, public keys with all others")
    elif issuer.secret is not None and len(issuer.secret.encode()) < 32:
        yield Problem(option=option_name, message="a secret of 32 bytes or more is needed (RFC 7518 section 3.2)")
    if issuer.jwks_uri is not None:
        try:
            url = urlsplit(issuer.jwks_uri)
            schemes = ("http", "https") if is_local(url.hostname) else ("https",)
            is_safe = bool(url.hostname) and url.scheme in schemes
        except ValueError:
            is_safe = False
        if not is_safe:
            yield Problem(option=option_name, message="fetch keys over https: jwks_uri is an https URL")
