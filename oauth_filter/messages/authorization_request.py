"""The authorization request -- RFC 6749 sections 4.1.1 and 4.2.1, RFC 7636 section 4.3."""

import secrets
from dataclasses import dataclass
from dataclasses import field
from typing import ClassVar
from typing import Final
from typing import Literal
from typing import get_args

from oauth_filter.errors import OAuthError
from oauth_filter.messages.authorization_response import AuthorizationErrorResponse
from oauth_filter.messages.authorization_response import AuthorizationSuccessResponse
from oauth_filter.messages.authorization_response import ResponseMode
from oauth_filter.messages.errors import ProtocolError
from oauth_filter.messages.form import Parameters
from oauth_filter.messages.form import decode_form
from oauth_filter.messages.form import encode_form
from oauth_filter.messages.redirect_uri import redirect_uri_fault
from oauth_filter.messages.redirect_uri import with_query
from oauth_filter.scope import Scope

AUTHORIZATION_PARAMETERS: Final = (
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "response_mode",
    "code_challenge",
    "code_challenge_method",
)
"""What AuthorizationRequest has fields for; everything else is a custom parameter."""


class ResponseType(frozenset[str]):
    """A set of response type values (OAuth 2.0 Multiple Response Types); the order does not matter.

    `ResponseType("code", "id_token")`; `str()` gives the values in the order they are registered with IANA, which
    is the alphabetical one. `ResponseType.CODE` and `ResponseType.TOKEN` can stand in a `match`.
    """

    __slots__ = ()

    CODE: ClassVar["ResponseType"]
    TOKEN: ClassVar["ResponseType"]

    def __new__(cls, *values: str) -> "ResponseType":
        """Raise ValueError for no value at all, and for one that is empty or has a space."""
        if not values or any(not value or " " in value for value in values):
            raise ValueError("a response_type has one or more values without spaces")
        return super().__new__(cls, values)

    @classmethod
    def parse(cls, text: str) -> "ResponseType":
        """Split at spaces. Raise ValueError when nothing is left. Unknown values are kept: a server refuses them."""
        return cls(*(value for value in text.split(" ") if value))

    @property
    def default_mode(self) -> Literal["query", "fragment"]:
        """Where the response goes if no response_mode is asked for: tokens belong in the fragment."""
        return "query" if self.isdisjoint(("token", "id_token")) else "fragment"

    def __reduce__(self) -> tuple[type["ResponseType"], tuple[str, ...]]:
        return type(self), tuple(self)

    def __str__(self) -> str:
        return " ".join(sorted(self))

    def __repr__(self) -> str:
        return f"ResponseType({', '.join(map(repr, sorted(self)))})"


ResponseType.CODE = ResponseType("code")
ResponseType.TOKEN = ResponseType("token")


def new_state() -> str:
    """A fresh `state`: 256 random bits, 43 characters. Keep it in the user's session with the client."""
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """What a client asks for by sending a browser to the authorization endpoint.

    `custom_parameters` are all parameters this class has no field for. `endpoint` is where the request goes; it is
    no part of what is asked, and not compared. Raise ValueError for an illegal redirect_uri, for empty texts
    (None is "not sent") and for a custom parameter that has a field of its own.
    """

    client_id: str
    response_type: ResponseType = ResponseType.CODE
    redirect_uri: str | None = None
    scope: Scope | None = None
    state: str | None = field(default=None, repr=False)
    response_mode: str | None = None
    code_challenge: str | None = None
    code_challenge_method: str | None = None
    custom_parameters: Parameters = Parameters()  # noqa: RUF009 -- it is immutable
    endpoint: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        _require_type("response_type", self.response_type, ResponseType)
        _require_type("custom_parameters", self.custom_parameters, Parameters)
        if self.scope is not None:
            _require_type("scope", self.scope, Scope)
        if not self.client_id.strip():
            raise ValueError("client_id must not be blank")
        if self.redirect_uri is not None and (fault := redirect_uri_fault(self.redirect_uri)):
            raise ValueError(fault)
        if "" in (self.state, self.response_mode, self.code_challenge, self.code_challenge_method):
            raise ValueError("an empty parameter means the same as none; use None")
        if any(name in self.custom_parameters for name in AUTHORIZATION_PARAMETERS):
            raise ValueError("a custom parameter must not have the name of a field")
        if not self.scope:
            object.__setattr__(self, "scope", None)  # An empty scope cannot be sent: it reads as none.

    @classmethod
    def parse(cls, query: bytes | str) -> "AuthorizationRequest":
        """Read a raw query string (without `?`, not decoded) or the body of a form.

        Raise ProtocolError, and nothing else, as `from_parameters` does and for a malformed query.
        """
        return cls.from_parameters(decode_form(query))

    @classmethod
    def from_uri(cls, uri: str) -> "AuthorizationRequest":
        """Read the whole request URI; `endpoint` becomes the part before `?`. Raise ProtocolError only."""
        endpoint, _, query = uri.partition("#")[0].partition("?")
        return cls.from_parameters(decode_form(query), endpoint=endpoint)

    @classmethod
    def from_parameters(cls, parameters: Parameters, *, endpoint: str | None = None) -> "AuthorizationRequest":
        """Read decoded parameters.

        Raise ProtocolError: `invalid_request` that must not be redirected for a repeated parameter of the protocol,
        a missing client_id and an illegal redirect_uri; redirectable `invalid_request` for a missing
        response_type and `invalid_scope` for an illegal scope. Does not check whether the client exists, its
        redirect URIs, or whether the server supports the response type, the mode, the scope and the PKCE method.
        """
        parameters.refuse_repeated(AUTHORIZATION_PARAMETERS)
        client_id = parameters.single("client_id")
        if client_id is None or not client_id.strip():
            raise ProtocolError("invalid_request", "Missing client_id parameter", reason="missing_client_id")
        redirect_uri = parameters.single("redirect_uri")
        if redirect_uri is not None and (fault := redirect_uri_fault(redirect_uri)):
            raise ProtocolError("invalid_request", fault, reason="invalid_redirect_uri")
        state = parameters.single("state")
        response_mode = parameters.single("response_mode")
        try:
            response_type = ResponseType.parse(parameters.single("response_type") or "")
        except ValueError:
            raise ProtocolError(
                "invalid_request",
                "Missing response_type parameter",
                reason="missing_response_type",
                client_id=client_id,
                unverified_redirect_uri=redirect_uri,
                state=state,
                response_mode=response_mode or "query",
                redirectable=True,
            ) from None
        try:
            scope = Scope.parse(parameters.single("scope") or "")
        except ValueError:
            raise ProtocolError(
                "invalid_scope",
                "The scope has characters it must not have",
                reason="invalid_scope",
                client_id=client_id,
                unverified_redirect_uri=redirect_uri,
                state=state,
                response_mode=response_mode or response_type.default_mode,
                redirectable=True,
            ) from None
        return cls(
            client_id=client_id,
            response_type=response_type,
            redirect_uri=redirect_uri,
            scope=scope or None,
            state=state,
            response_mode=response_mode,
            code_challenge=parameters.single("code_challenge"),
            code_challenge_method=parameters.single("code_challenge_method"),
            custom_parameters=parameters.without(AUTHORIZATION_PARAMETERS),
            endpoint=endpoint,
        )

    @property
    def implied_response_mode(self) -> str:
        """The response_mode asked for, known to us or not, or else the default of the response type."""
        return self.response_mode or self.response_type.default_mode

    @property
    def resources(self) -> tuple[str, ...]:
        """The `resource` parameters (RFC 8707 section 2), as they came: not checked."""
        return tuple(self.custom_parameters.getlist("resource"))

    def parameters(self) -> Parameters:
        """Everything that is sent, by name."""
        sent = {
            "response_type": str(self.response_type),
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": str(self.scope) if self.scope else None,
            "state": self.state,
            "response_mode": self.response_mode,
            "code_challenge": self.code_challenge,
            "code_challenge_method": self.code_challenge_method,
        }
        standard = [(name, value) for name, value in sent.items() if value is not None]
        return Parameters([*standard, *self.custom_parameters.pairs()])

    def to_query(self) -> str:
        """The query string, or the body of a POST. Raise ValueError if a value has a NUL or a lone surrogate."""
        return encode_form(self.parameters().pairs())

    def to_uri(self, endpoint: str | None = None) -> str:
        """The URI to send the browser to; a query the endpoint has already is kept byte for byte.

        Raise ValueError when there is no endpoint, when it has a fragment (RFC 6749 section 3.1 forbids it) and when
        its query has a parameter that this request also sends.
        """
        endpoint = endpoint or self.endpoint
        if endpoint is None:
            raise ValueError("say which authorization endpoint the request goes to")
        parameters = self.parameters()
        try:
            own = decode_form(endpoint.partition("?")[2])
        except ProtocolError:
            raise ValueError("the query of the authorization endpoint is malformed") from None
        if any(name in parameters for name in own):
            raise ValueError("the query of the authorization endpoint has a parameter of the request")
        return with_query(endpoint, parameters.pairs())

    def success(
        self,
        *,
        redirect_uri: str,
        code: str | None = None,
        access_token: str | None = None,
        expires_in: int | None = None,
        scope: Scope | None = None,
        id_token: str | None = None,
        iss: str | None = None,
        custom_parameters: Parameters | None = None,
    ) -> AuthorizationSuccessResponse:
        """The answer that grants this request, with its state and response mode.

        `redirect_uri` is the registered one, which the caller has verified. Raise ValueError if the response mode
        asked for is none of query, fragment and form_post, or is query for a token, which the client would then
        leak (Multiple Response Types section 3): refuse `implied_response_mode` before.
        """
        mode = _known_mode(self.implied_response_mode)
        if mode is None:
            raise ValueError("the response_mode of the request is not supported")
        if mode == "query" and (access_token is not None or id_token is not None):
            raise ValueError("a token must not be put into the query of a redirect")
        return AuthorizationSuccessResponse(
            redirect_uri=redirect_uri,
            code=code,
            access_token=access_token,
            expires_in=expires_in,
            scope=scope,
            id_token=id_token,
            state=self.state,
            iss=iss,
            response_mode=mode,
            custom_parameters=custom_parameters or Parameters(),
        )

    def error(self, error: OAuthError, *, redirect_uri: str, iss: str | None = None) -> AuthorizationErrorResponse:
        """The answer that refuses this request, with its state and response mode.

        `redirect_uri` is the registered one, which the caller has verified. A response mode we do not know is
        answered by the default of the response type.
        """
        return AuthorizationErrorResponse.from_error(
            error,
            redirect_uri=redirect_uri,
            state=self.state,
            iss=iss,
            response_mode=_known_mode(self.implied_response_mode) or self.response_type.default_mode,
        )


def _known_mode(mode: str | None) -> ResponseMode | None:
    return next((known for known in get_args(ResponseMode) if known == mode), None)


def _require_type(name: str, value: object, kind: type) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be a {kind.__name__}")
