"""What is stored: one frozen dataclass a kind.

Every record has the envelope of `Record`, which stores keep in columns of their own; everything else a class adds
travels as JSON, so that a new RFC is a new class here and no change in a store. Times are seconds since the epoch.
"""

import json
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from dataclasses import fields
from typing import Any
from typing import ClassVar
from typing import Final
from typing import Literal
from typing import TypeVar

ClientAuthentication = Literal["required", "not_required", "not_required_with_pkce"]
PKCEPolicy = Literal["required", "required_unless_client_authentication", "optional"]
SigningAlgorithm = Literal["RS256", "PS256", "ES256", "EdDSA"]
TokenFormat = Literal["opaque", "jwt"]
UnknownScope = Literal["reject", "remove", "allow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The envelope. `key` is unique within the kind; for anything secret it is `credentials.digest` of it."""

    kind: ClassVar[str]
    """The name of the table, made for the people who look at it."""
    guarded: ClassVar[bool] = False
    """Whether a protected request depends on it: then a changed record is announced to every process at once."""
    revocable: ClassVar[bool] = True
    """Whether revoking its grant, client or subject ends it. A registration is changed or deleted instead."""

    key: str
    grant_id: str | None = None
    """What was granted in one go: a code and all that was issued for it share it, and are revoked by it."""
    client_id: str | None = None
    subject: str | None = None
    issued_at: float = 0.0
    expires_at: float | None = None
    spent_at: float | None = None


ENVELOPE: Final = tuple(f.name for f in fields(Record))

R = TypeVar("R", bound=Record)


def dump_details(record: Record) -> str:
    """The fields beyond the envelope that differ from their default, as a JSON object."""
    details = {
        f.name: value
        for f in fields(record)
        if f.name not in ENVELOPE and (value := getattr(record, f.name)) != f.default
    }
    return json.dumps(details, separators=(",", ":"), ensure_ascii=False)


def load(kind: type[R], envelope: Iterable[Any], details: str) -> R:
    """The record of an envelope, in the order of `ENVELOPE`, and what `dump_details` made of the rest."""
    rest: dict[str, Any] = {name: _frozen(value) for name, value in json.loads(details).items()}
    return kind(**(dict(zip(ENVELOPE, envelope, strict=True)) | rest))


def _frozen(value: Any) -> Any:
    # JSON has no tuples. Inside of an object lists stay lists: those are claims, and go out as JSON again.
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


GRANT_TYPES: Final = (
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "urn:ietf:params:oauth:grant-type:device_code",
    "implicit",
    "password",
)
"""Every grant type a client can be registered for; `implicit` stands for tokens from the authorization endpoint."""

WEAK_GRANT_TYPES: Final = ("implicit", "password")
"""Those that a client must be registered for by name -- RFC 9700 sections 2.1.2 and 2.4."""

DEFAULT_GRANT_TYPES: Final = tuple(name for name in GRANT_TYPES if name not in WEAK_GRANT_TYPES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Client(Record):
    """A registered client -- RFC 6749 section 2. `key` is the `client_id`."""

    kind: ClassVar[str] = "client"
    guarded: ClassVar[bool] = True
    revocable: ClassVar[bool] = False

    # Who it is
    name: str = ""
    secret_hash: str | None = field(default=None, repr=False)
    """What `passwords.hash_secret` made; None is a public client (RFC 6749 section 2.1), unless it has keys."""
    old_secret_hashes: tuple[tuple[str, float], ...] = field(default=(), repr=False)
    """Secrets before the current one, each with the time until which it is still accepted."""
    sealed_secret: str | None = field(default=None, repr=False)
    """The secret encrypted under the master secret: only where client_secret_jwt needs the secret itself."""
    jwks: str | None = None
    """The client's public keys as the text of a JWK Set, for private_key_jwt."""
    jwks_uri: str | None = None
    enabled: bool = True

    # What it may do
    redirect_uris: tuple[str, ...] = ()
    redirect_uri_matching: Literal["exact", "wildcard"] = "exact"
    grant_types: tuple[str, ...] = DEFAULT_GRANT_TYPES
    scope: str | None = None
    """The scopes it may ask for, space separated; None allows all that are configured."""
    unknown_scope: UnknownScope | None = None
    origins: tuple[str, ...] = ()
    """The only origins whose pages may use it and frame our pages; empty lets every origin use it and none frame."""
    client_authentication: ClientAuthentication = "required"
    """Whether a confidential client must authenticate at the token endpoint; a secret that is sent is checked."""
    token_endpoint_auth_method: str | None = None
    """The one method it may authenticate by (RFC 7591 section 2); None allows every one it has the means for."""
    pkce: PKCEPolicy = "required_unless_client_authentication"
    resource_server: bool = False
    """Whether it may introspect the tokens of other clients (RFC 7662)."""

    # What users are asked
    auto_grant: bool = False
    """Skip the consent page for every user: only for applications of your own."""
    consent: Literal["remember", "always"] = "remember"
    registration_required: bool = False
    """Whether only users registered for this client may use it."""

    # What it gets
    access_token_format: TokenFormat | None = None
    access_token_lifetime: int | None = None
    id_token_lifetime: int | None = None
    id_token_signed_response_alg: SigningAlgorithm | None = None
    generate_refresh_tokens: bool = True
    refresh_token_lifetime: int | None = None
    scope_handling: Literal["strict", "compatibility"] | None = None
    """Whether the claims of a scope stay out of tokens that do not have it."""
    subject_type: Literal["public", "pairwise"] = "public"
    sector_identifier: str | None = None
    """What clients share to see the same pairwise subject; by default the host of the first redirect URI."""

    # Logging out
    post_logout_redirect_uris: tuple[str, ...] = ()
    logout_uri: str | None = None
    """Framed when the user signs out here (front-channel logout), and where the browser goes by default after."""
    logout_behavior: Literal["all_clients", "redirect_only"] = "all_clients"
    backchannel_logout_uri: str | None = None

    # Helping its developers
    device_verification_uri: str | None = None
    debug: bool = False
    """Write the full reason of each refusal to the event log."""

    @property
    def is_public(self) -> bool:
        """Whether it has nothing to authenticate with."""
        return self.secret_hash is None and self.jwks is None and self.jwks_uri is None


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Record):
    """A person of the built-in directory, or of whatever source `login` names. `key` is the user name.

    `subject` is what tokens are bound to. It is never reused, so a new user of an old name inherits nothing.
    """

    kind: ClassVar[str] = "user"
    guarded: ClassVar[bool] = True
    revocable: ClassVar[bool] = False

    name: str = ""
    """The name to show, if any."""
    password_hash: str | None = field(default=None, repr=False)
    enabled: bool = True
    administrator: bool = False
    claims: Mapping[str, Any] | None = None
    """What the scopes profile, email, address and phone tell of the user (OpenID Connect Core section 5.1)."""
    registrations: tuple[str, ...] = ()
    """The clients with `registration_required` that the user may use."""

    @property
    def username(self) -> str:
        return self.key

    @property
    def display_name(self) -> str:
        return self.name or self.key


@dataclass(frozen=True, slots=True, kw_only=True)
class UserGrant(Record):
    """What everything that is made of a user's grant inherits from it: who, when and how, and for what."""

    username: str = ""
    scope: str = ""
    auth_time: float | None = None
    """When the user proved who they are, where that is known."""
    nonce: str | None = None
    """For the ID token (OpenID Connect Core section 3.1.2.1)."""
    sid: str | None = None
    """The user's session with us, for logout."""
    acr: str | None = None
    amr: tuple[str, ...] = ()
    claims_requested: Mapping[str, Any] | None = None
    """The `claims` parameter (OpenID Connect Core section 5.5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationCode(UserGrant):
    """RFC 6749 section 4.1.2, with the PKCE challenge of RFC 7636 section 4.4."""

    kind: ClassVar[str] = "authorization_code"

    redirect_uri: str | None = None
    """As the authorization request sent it: None where it sent none (RFC 6749 section 4.1.3)."""
    code_challenge: str | None = None
    code_challenge_method: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken(Record):
    """RFC 6749 section 1.4. A client acting for itself has no subject and no username."""

    kind: ClassVar[str] = "access_token"

    username: str | None = None
    scope: str = ""
    audience: tuple[str, ...] = ()
    """Who it is meant for beside the filter itself (RFC 9068 section 3)."""
    claims: Mapping[str, Any] | None = None
    """What else it says, such as `permissions`."""
    claims_requested: Mapping[str, Any] | None = None
    """What the userinfo endpoint is to tell beyond the scope."""
    auth_time: float | None = None
    sid: str | None = None
    acr: str | None = None
    amr: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken(UserGrant):
    """RFC 6749 section 1.5. All of one grant are a family; at most one of them is unspent."""

    kind: ClassVar[str] = "refresh_token"

    access_token_key: str | None = None
    """The access token issued beside it, for `refresh_revokes_access_token`."""
    began_at: float = 0.0
    """When the first of the family was issued."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Successor(Record):
    """What a refresh answered, for the same client asking again within the grace.

    `key` is that of the spent refresh token. The answer is sealed under a key derived from that token, which is not
    stored: only who presents it again can read it.
    """

    kind: ClassVar[str] = "successor"

    sealed: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCode(UserGrant):
    """RFC 8628 section 3.2. It has a subject once it is approved."""

    kind: ClassVar[str] = "device_code"

    user_code: str = ""
    ends_at: float = 0.0
    """When it can no longer be used. The record stays for a while, so that the device and the user are told why."""
    state: Literal["pending", "approved", "denied"] = "pending"
    device: Mapping[str, Any] | None = None
    """What the device said about itself, for the user to recognise it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserCode(Record):
    """What a person types to reach a `DeviceCode`. `key` is its normalised text; spent by the decision."""

    kind: ClassVar[str] = "user_code"

    device_code_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePoll(Record):
    """When a device polled last, apart from its code so that a poll and an approval cannot undo each other."""

    kind: ClassVar[str] = "device_poll"

    polled_at: float = 0.0
    interval: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent(Record):
    """What a user has allowed a client, remembered. `key` comes from `Consent.key_of`."""

    kind: ClassVar[str] = "consent"

    scope: str = ""

    @staticmethod
    def key_of(subject: str, client_id: str) -> str:
        # The length keeps ("a:b", "c") and ("a", "b:c") apart.
        return f"{len(subject)}:{subject}:{client_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionGrant(Record):
    """A grant that a client got in a user's session with us, so that logout can reach it. `key` is its grant_id."""

    kind: ClassVar[str] = "session_grant"
    revocable: ClassVar[bool] = False  # a client whose tokens are revoked still has a session of its own to end

    sid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedSession(Record):
    """A session that was signed out, kept for as long as a copy of its cookie could be good. `key` is its `sid`."""

    kind: ClassVar[str] = "ended_session"
    revocable: ClassVar[bool] = False  # revoking the user must not bring the session back to life


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedAssertion(Record):
    """A JWT assertion that has been redeemed, kept until it expires -- the `jti` of RFC 7523 section 3."""

    kind: ClassVar[str] = "used_assertion"
    revocable: ClassVar[bool] = False  # what has been redeemed once must stay known until it expires


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey(Record):
    """A key of ours. `key` is its `kid`; `expires_at` is when it leaves the JWK Set."""

    kind: ClassVar[str] = "signing_key"

    algorithm: str = ""
    public_jwk: str = ""
    """As JSON."""
    sealed: str = field(default="", repr=False)
    """The private key as PEM, encrypted under the master secret."""
    signs_from: float = 0.0
    """When it may sign: after everybody who keeps the JWK Set for a while has seen it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity(Record):
    """Something that grants permissions on itself to others, such as an API. `key` is its id, readable or random."""

    kind: ClassVar[str] = "entity"

    name: str = ""
    permissions: tuple[str, ...] = ()
    """The permissions there are to grant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityGrant(Record):
    """What a client may do at an entity. `key` comes from `EntityGrant.key_of`; `client_id` is the recipient."""

    kind: ClassVar[str] = "entity_grant"
    revocable: ClassVar[bool] = False

    entity_id: str = ""
    permissions: tuple[str, ...] = ()

    @staticmethod
    def key_of(entity_id: str, client_id: str) -> str:
        return f"{len(entity_id)}:{entity_id}:{client_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt(Record):
    """One guess at something short, counted by adding as many as are allowed in a time."""

    kind: ClassVar[str] = "attempt"


KINDS: tuple[type[Record], ...] = (
    Client,
    User,
    AuthorizationCode,
    AccessToken,
    RefreshToken,
    Successor,
    DeviceCode,
    UserCode,
    DevicePoll,
    Consent,
    SessionGrant,
    EndedSession,
    UsedAssertion,
    SigningKey,
    Entity,
    EntityGrant,
    Attempt,
)
