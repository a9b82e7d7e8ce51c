"""How a client says who it is, at the token, revocation and introspection endpoints -- RFC 6749 section 2.3."""

import json
import re
from base64 import b64decode
from base64 import b64encode
from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from typing import Any
from typing import ClassVar
from typing import Final
from typing import Literal
from typing import LiteralString
from urllib.parse import quote_plus

from oauth_filter.messages.errors import ProtocolError
from oauth_filter.messages.form import Parameters
from oauth_filter.messages.form import decode_component

CLIENT_PARAMETERS: Final = ("client_id", "client_secret", "client_assertion", "client_assertion_type")

JWT_BEARER_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""The one `client_assertion_type` there is (RFC 7523 section 2.2)."""

_COMPACT: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+")
_SCHEME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSecretBasic:
    """Client id and secret in the Authorization header, each form-encoded (RFC 6749 section 2.3.1)."""

    method: ClassVar[Literal["client_secret_basic"]] = "client_secret_basic"
    client_id: str
    client_secret: str = field(repr=False)
    unencoded: "ClientSecretBasic | None" = field(default=None, repr=False, compare=False)
    """What a parsed header says to who does not decode it, where that differs: many clients do not encode."""

    def __post_init__(self) -> None:
        _require(self.client_id, self.client_secret)

    def authorization(self) -> str:
        """The value of the Authorization header."""
        credentials = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
        return "Basic " + b64encode(credentials.encode()).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSecretPost:
    """Client id and secret as form parameters (RFC 6749 section 2.3.1)."""

    method: ClassVar[Literal["client_secret_post"]] = "client_secret_post"
    client_id: str
    client_secret: str = field(repr=False)

    def __post_init__(self) -> None:
        _require(self.client_id, self.client_secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientAssertion:
    """A JWT the client has signed, as form parameters (RFC 7523 section 2.2)."""

    client_id: str
    """As the form has it, or else the `sub` of the JWT, which is no better known before its signature is checked."""
    client_assertion: str = field(repr=False)
    client_assertion_type: ClassVar[str] = JWT_BEARER_ASSERTION

    def __post_init__(self) -> None:
        _require(self.client_id)
        if not _COMPACT.fullmatch(self.client_assertion):
            raise ValueError("client_assertion must be a signed JWT in compact form")

    @property
    def method(self) -> Literal["client_secret_jwt", "private_key_jwt"]:
        """By the algorithm the JWT names: whether it is signed with the secret or with a key of the client."""
        algorithm = _unverified(self.client_assertion, 1).get("alg")
        is_symmetric = isinstance(algorithm, str) and algorithm.startswith("HS")
        return "client_secret_jwt" if is_symmetric else "private_key_jwt"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicClient:
    """A client that names itself and proves nothing (RFC 7591 section 2, method `none`)."""

    method: ClassVar[Literal["none"]] = "none"
    client_id: str

    def __post_init__(self) -> None:
        _require(self.client_id)


ClientAuthentication = ClientSecretBasic | ClientSecretPost | ClientAssertion | PublicClient


def parse_client_authentication(authorization: str | None, form: Parameters) -> ClientAuthentication | None:
    """Who the request says it comes from, given its Authorization header and its form; None if it does not say.

    An empty secret is no secret: such a client comes out as a PublicClient. The scheme is case-insensitive.
    Raise ProtocolError `invalid_request` for malformed Basic credentials (reason `invalid_client_authentication`; an
    endpoint may rather answer `invalid_client`), for more than one method, for different client ids, and for a secret
    without a client id; `invalid_client` for an assertion that is no JWT or names nobody, and for a method this
    parser does not know. Does not look the client up, and checks neither a secret nor a signature.
    """
    form_id = form.single("client_id")
    form_secret = form.single("client_secret")
    assertion = form.single("client_assertion")
    assertion_type = form.single("client_assertion_type")
    asserts = assertion is not None or assertion_type is not None
    basic = _parse_basic(authorization) if authorization and authorization.strip(" \t") else None

    # "The client MUST NOT use more than one authentication method in each request." (section 2.3)
    if [basic is not None, form_secret is not None, asserts].count(True) > 1:
        raise ProtocolError(
            "invalid_request",
            "More than one client authentication method is used",
            reason="several_client_authentications",
        )
    if asserts:
        return _parse_assertion(assertion, assertion_type, form_id)
    if basic is not None:
        return _of_client(basic, form_id)
    if form_id is not None and form_id.isspace():
        raise ProtocolError("invalid_request", "Missing client_id parameter", reason="missing_client_id")
    if form_secret is not None:
        if form_id is None:
            raise ProtocolError("invalid_request", "Missing client_id parameter", reason="missing_client_id")
        return ClientSecretPost(client_id=form_id, client_secret=form_secret)
    return PublicClient(client_id=form_id) if form_id is not None else None


def _parse_assertion(assertion: str | None, assertion_type: str | None, form_id: str | None) -> ClientAssertion:
    if assertion is None or assertion_type != JWT_BEARER_ASSERTION:
        raise ProtocolError(
            "invalid_client",
            "Client authentication by this kind of assertion is not supported",
            reason="invalid_client_authentication_scheme",
        )
    try:
        # RFC 7521 section 4.2: the client_id is optional, because the assertion says it.
        client_id = form_id or _unverified(assertion, 2)["sub"]
        return ClientAssertion(client_id=client_id, client_assertion=assertion)
    except (ValueError, KeyError, AttributeError, TypeError):
        raise ProtocolError(
            "invalid_client", "Malformed client assertion", reason="invalid_client_authentication"
        ) from None


def _unverified(assertion: str, part: int) -> dict[str, Any]:
    """The header (1) or the claims (2) of a JWT. Empty for what is none."""
    found = _COMPACT.fullmatch(assertion)
    try:
        said = json.loads(urlsafe_b64decode(found[part] + "=" * (-len(found[part]) % 4))) if found else {}
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _parse_basic(authorization: str) -> ClientSecretBasic | PublicClient:
    scheme, _, credentials = authorization.strip(" \t").partition(" ")
    if scheme.lower() != "basic":
        if not _SCHEME.fullmatch(scheme):
            raise _malformed_basic()
        raise ProtocolError(
            "invalid_client",
            "Client authentication by this Authorization scheme is not supported",
            reason="invalid_client_authentication_scheme",
        )
    try:
        decoded = b64decode(credentials.strip(" \t"), validate=True).decode()
        raw_id, colon, raw_secret = decoded.partition(":")
        client_id = decode_component(raw_id)
        client_secret = decode_component(raw_secret)
    except (Base64Error, ValueError, ProtocolError):
        raise _malformed_basic() from None
    if not colon or not client_id.strip():
        raise _malformed_basic()
    if not client_secret:
        return PublicClient(client_id=client_id)
    unencoded = None
    if (raw_id, raw_secret) != (client_id, client_secret) and raw_id.strip():
        unencoded = ClientSecretBasic(client_id=raw_id, client_secret=raw_secret)
    return ClientSecretBasic(client_id=client_id, client_secret=client_secret, unencoded=unencoded)


def _of_client(basic: ClientSecretBasic | PublicClient, form_id: str | None) -> ClientSecretBasic | PublicClient:
    """The header, read in such ways only as name the client of the form, where that names one."""
    if form_id is None:
        return basic
    unencoded = basic.unencoded if isinstance(basic, ClientSecretBasic) else None
    if unencoded is not None and unencoded.client_id != form_id:
        unencoded = None
    if basic.client_id == form_id:
        return replace(basic, unencoded=unencoded) if isinstance(basic, ClientSecretBasic) else basic
    if unencoded is not None:
        return unencoded
    raise ProtocolError("invalid_request", "Two different client ids are sent", reason="client_id_mismatch")


def _malformed_basic() -> ProtocolError:
    return ProtocolError("invalid_request", "Malformed Basic credentials", reason="invalid_client_authentication")


def _require(client_id: str, client_secret: str | None = None) -> None:
    fault: LiteralString | None = None
    if not client_id.strip():
        fault = "client_id must not be blank"
    elif client_secret == "":
        fault = "client_secret must not be empty; a client without one is a PublicClient"
    elif "\0" in client_id or "\0" in (client_secret or ""):
        fault = "client_id and client_secret must not contain NUL"
    if fault:
        raise ValueError(fault)
