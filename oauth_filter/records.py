"""What is stored: one frozen dataclass a kind.

Every record has the envelope of `Record`, which stores keep in columns of their own; everything else a class adds
travels as JSON, so that a new RFC is a new class here and no change in a store. Times are seconds since the epoch.
"""

import json
from collections.abc import Iterable
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
    rest: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(details).items()
    }
    return kind(**(dict(zip(ENVELOPE, envelope, strict=True)) | rest))


GRANT_TYPES: Final = (
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
)
"""Every grant type a client can be registered for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client(Record):
    """A registered client -- RFC 6749 section 2. `key` is the `client_id`."""

    kind: ClassVar[str] = "client"
    guarded: ClassVar[bool] = True
    revocable: ClassVar[bool] = False

    name: str = ""
    secret_hash: str | None = field(default=None, repr=False)
    """What `credentials.hash_secret` made; None is a public client (RFC 6749 section 2.1)."""
    redirect_uris: tuple[str, ...] = ()
    grant_types: tuple[str, ...] = GRANT_TYPES
    scope: str | None = None
    """The scopes it may ask for, space separated; None allows all that are configured."""
    auto_grant: bool = False
    """Skip the consent page for every user: only for applications of your own."""
    enabled: bool = True
    client_authentication: ClientAuthentication = "required"
    """Whether a confidential client must authenticate at the token endpoint; a secret that is sent is checked."""
    pkce: PKCEPolicy = "required_unless_client_authentication"
    access_token_lifetime: int | None = None
    refresh_token_lifetime: int | None = None

    @property
    def is_public(self) -> bool:
        return self.secret_hash is None


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

    @property
    def username(self) -> str:
        return self.key

    @property
    def display_name(self) -> str:
        return self.name or self.key


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationCode(Record):
    """RFC 6749 section 4.1.2, with the PKCE challenge of RFC 7636 section 4.4."""

    kind: ClassVar[str] = "authorization_code"

    username: str = ""
    scope: str = ""
    redirect_uri: str | None = None
    """As the authorization request sent it: None where it sent none (RFC 6749 section 4.1.3)."""
    code_challenge: str | None = None
    code_challenge_method: str | None = None
    auth_time: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken(Record):
    """RFC 6749 section 1.4. A client acting for itself has no subject and no username."""

    kind: ClassVar[str] = "access_token"

    username: str | None = None
    scope: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken(Record):
    """RFC 6749 section 1.5. All of one grant are a family; at most one of them is unspent."""

    kind: ClassVar[str] = "refresh_token"

    username: str = ""
    scope: str = ""
    access_token_key: str | None = None
    """The access token issued beside it, for `refresh_revokes_access_token`."""
    auth_time: float | None = None


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
class UsedAssertion(Record):
    """A JWT assertion that has been redeemed, kept until it expires -- the `jti` of RFC 7523 section 3."""

    kind: ClassVar[str] = "used_assertion"
    revocable: ClassVar[bool] = False  # what has been redeemed once must stay known until it expires


KINDS: tuple[type[Record], ...] = (
    Client,
    User,
    AuthorizationCode,
    AccessToken,
    RefreshToken,
    Consent,
    UsedAssertion,
)
