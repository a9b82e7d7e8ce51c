"""The grants a token request can make, one class a grant_type -- RFC 6749 section 4, RFC 7523, RFC 8628."""

import re
from dataclasses import dataclass
from dataclasses import field
from typing import ClassVar
from typing import Final
from typing import LiteralString

from oauth_filter.messages.errors import ProtocolError
from oauth_filter.messages.form import Parameters
from oauth_filter.messages.pkce import is_code_verifier
from oauth_filter.messages.redirect_uri import is_uri_text

_COMPACT_JWT: Final = re.compile(r"(?:[A-Za-z0-9_\-]+\.){2}[A-Za-z0-9_\-]+|(?:[A-Za-z0-9_\-]*\.){4}[A-Za-z0-9_\-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationCodeGrant:
    """RFC 6749 section 4.1.3; `redirect_uri` exactly as it was in the authorization request."""

    grant_type: ClassVar[LiteralString] = "authorization_code"
    names: ClassVar[tuple[LiteralString, ...]] = ("code", "redirect_uri", "code_verifier")
    takes_scope: ClassVar[bool] = False
    code: str = field(repr=False)
    redirect_uri: str | None = None
    code_verifier: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.code:
            raise ValueError("Missing or empty code parameter")
        if self.redirect_uri is not None and (not self.redirect_uri or not is_uri_text(self.redirect_uri)):
            raise ValueError("redirect_uri has characters a URI must not have")
        if self.code_verifier is not None and not is_code_verifier(self.code_verifier):
            raise ValueError("Malformed code_verifier parameter")


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshTokenGrant:
    """RFC 6749 section 6."""

    grant_type: ClassVar[LiteralString] = "refresh_token"
    names: ClassVar[tuple[LiteralString, ...]] = ("refresh_token",)
    takes_scope: ClassVar[bool] = True
    refresh_token: str = field(repr=False)

    def __post_init__(self) -> None:
        if not self.refresh_token:
            raise ValueError("Missing or empty refresh_token parameter")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentialsGrant:
    """RFC 6749 section 4.4."""

    grant_type: ClassVar[LiteralString] = "client_credentials"
    names: ClassVar[tuple[LiteralString, ...]] = ()
    takes_scope: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordGrant:
    """RFC 6749 section 4.3. RFC 9700 section 2.4 says that it MUST NOT be used; it is here for systems that do."""

    grant_type: ClassVar[LiteralString] = "password"
    names: ClassVar[tuple[LiteralString, ...]] = ("username", "password")
    takes_scope: ClassVar[bool] = True
    username: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        if not self.username:
            raise ValueError("Missing or empty username parameter")
        if not self.password:
            raise ValueError("Missing or empty password parameter")


@dataclass(frozen=True, slots=True, kw_only=True)
class JWTBearerGrant:
    """RFC 7523 section 2.1. Only the shape of the assertion is checked: neither signature nor claims are."""

    grant_type: ClassVar[LiteralString] = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    names: ClassVar[tuple[LiteralString, ...]] = ("assertion",)
    takes_scope: ClassVar[bool] = True
    assertion: str = field(repr=False)

    def __post_init__(self) -> None:
        # An empty signature is what "alg": "none" looks like.
        if not _COMPACT_JWT.fullmatch(self.assertion):
            raise ValueError("The assertion parameter is missing or is not a signed or encrypted JWT")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCodeGrant:
    """RFC 8628 section 3.4."""

    grant_type: ClassVar[LiteralString] = "urn:ietf:params:oauth:grant-type:device_code"
    names: ClassVar[tuple[LiteralString, ...]] = ("device_code",)
    takes_scope: ClassVar[bool] = False
    device_code: str = field(repr=False)

    def __post_init__(self) -> None:
        if not self.device_code:
            raise ValueError("Missing or empty device_code parameter")


AuthorizationGrant = (
    AuthorizationCodeGrant
    | RefreshTokenGrant
    | ClientCredentialsGrant
    | PasswordGrant
    | JWTBearerGrant
    | DeviceCodeGrant
)


def parse_grant(form: Parameters) -> AuthorizationGrant:
    """The grant of a token request.

    Raise ProtocolError `invalid_request` without a grant_type or with a parameter of the grant missing, malformed
    or repeated; `unsupported_grant_type` for a blank or unknown one. Does not check that anything was issued.
    """
    if "grant_type" not in form:
        raise ProtocolError("invalid_request", "Missing grant_type parameter", reason="missing_grant_type")
    # No table of classes: mypy then knows what each constructor is given.
    text = form.single
    try:
        match form.single("grant_type"):
            case AuthorizationCodeGrant.grant_type:
                return AuthorizationCodeGrant(
                    code=text("code") or "",
                    redirect_uri=text("redirect_uri"),
                    code_verifier=text("code_verifier"),
                )
            case RefreshTokenGrant.grant_type:
                return RefreshTokenGrant(refresh_token=text("refresh_token") or "")
            case ClientCredentialsGrant.grant_type:
                return ClientCredentialsGrant()
            case PasswordGrant.grant_type:
                return PasswordGrant(username=text("username") or "", password=text("password") or "")
            case JWTBearerGrant.grant_type:
                return JWTBearerGrant(assertion=text("assertion") or "")
            case DeviceCodeGrant.grant_type:
                return DeviceCodeGrant(device_code=text("device_code") or "")
    except ValueError as fault:
        # The texts are the constants above.
        raise ProtocolError("invalid_request", str(fault), reason="grant_malformed") from None
    raise ProtocolError("unsupported_grant_type", "The grant_type is not supported", reason="invalid_grant_type")
