"""The authorization response -- RFC 6749 sections 4.1.2 and 4.2.2, RFC 9207; form_post of OAuth 2.0 Form Post
Response Mode section 2."""

import hmac
from dataclasses import dataclass
from dataclasses import field
from typing import Final
from typing import Literal
from typing import get_args

from oauth_filter.errors import OAuthError
from oauth_filter.messages.errors import ProtocolError
from oauth_filter.messages.errors import is_error_code
from oauth_filter.messages.errors import is_error_text
from oauth_filter.messages.errors import legal_error_text
from oauth_filter.messages.errors import legal_error_uri
from oauth_filter.messages.form import Parameters
from oauth_filter.messages.redirect_uri import with_fragment
from oauth_filter.messages.redirect_uri import with_query
from oauth_filter.scope import Scope

ResponseMode = Literal["query", "fragment", "form_post"]

SUCCESS_PARAMETERS: Final = (
    "code",
    "access_token",
    "token_type",
    "expires_in",
    "scope",
    "id_token",
    "state",
    "iss",
)
ERROR_PARAMETERS: Final = ("error", "error_description", "error_uri", "state", "iss")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationSuccessResponse:
    """What the browser brings back to the client when the request was granted.

    At least one of `code`, `access_token` and `id_token` is there. `expires_in` is in seconds. `response_mode` is
    never None once made: without one it is fragment for tokens and query for a code alone. Raise ValueError for
    a response that carries nothing, empty texts, and a custom parameter that has a field of its own.
    """

    redirect_uri: str
    code: str | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)
    expires_in: int | None = None
    scope: Scope | None = None
    id_token: str | None = field(default=None, repr=False)
    state: str | None = field(default=None, repr=False)
    iss: str | None = None
    response_mode: ResponseMode | None = None
    custom_parameters: Parameters = Parameters()  # noqa: RUF009 -- it is immutable

    def __post_init__(self) -> None:
        token = self.access_token is not None or self.id_token is not None
        if self.code is None and not token:
            raise ValueError("a success response carries a code, an access token or an ID token")
        if "" in (self.code, self.access_token, self.id_token, self.state, self.iss):
            raise ValueError("an empty parameter means the same as none; use None")
        if self.expires_in is not None and (self.access_token is None or not 0 <= self.expires_in < 10**15):
            raise ValueError("expires_in is a number of seconds, not negative, and belongs to an access token")
        _refuse(self.custom_parameters, (*SUCCESS_PARAMETERS, "error"))
        _settle_mode(self, self.response_mode or ("fragment" if token else "query"))
        if not self.scope:
            object.__setattr__(self, "scope", None)

    def parameters(self) -> Parameters:
        """Everything that is sent, by name; what a form_post page puts into hidden fields."""
        sent = {
            "code": self.code,
            "access_token": self.access_token,
            "token_type": None if self.access_token is None else "Bearer",
            "expires_in": None if self.expires_in is None else str(self.expires_in),
            "scope": str(self.scope) if self.scope else None,
            "id_token": self.id_token,
            "state": self.state,
            "iss": self.iss,
        }
        return _joined(sent, self.custom_parameters)

    def to_uri(self) -> str:
        """The URI to redirect to. Raise ValueError in mode form_post, and for a redirect_uri with a fragment."""
        return _to_uri(self.redirect_uri, self.response_mode, self.parameters())

    def check_state(self, expected: str | None) -> bool:
        """Whether this answers the request made with `expected`; in constant time; a missing one is a mismatch."""
        return _same_state(self.state, expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationErrorResponse:
    """What the browser brings back to the client when the request was refused.

    The texts come from the server and may be shown to the user only as text. `response_mode` is never None once
    made; without one it is query, so a refused implicit request must say fragment. Raise ValueError for an
    illegal error code or description, empty texts, and a custom parameter that has a field of its own.
    """

    redirect_uri: str
    error: str
    error_description: str | None = None
    error_uri: str | None = None
    state: str | None = field(default=None, repr=False)
    iss: str | None = None
    response_mode: ResponseMode | None = None
    custom_parameters: Parameters = Parameters()  # noqa: RUF009 -- it is immutable

    def __post_init__(self) -> None:
        if not is_error_code(self.error):
            raise ValueError("error has characters it must not have (RFC 6749 section 4.1.2.1)")
        if not is_error_text(self.error_description or ""):
            raise ValueError("error_description has characters it must not have (RFC 6749 section 4.1.2.1)")
        if self.error_uri != legal_error_uri(self.error_uri):
            raise ValueError("error_uri is the address of a web page")
        if "" in (self.error_description, self.error_uri, self.state, self.iss):
            raise ValueError("an empty parameter means the same as none; use None")
        _refuse(self.custom_parameters, (*ERROR_PARAMETERS, "code", "access_token", "id_token"))
        _settle_mode(self, self.response_mode or "query")

    @classmethod
    def from_error(
        cls,
        error: OAuthError,
        *,
        redirect_uri: str,
        state: str | None = None,
        iss: str | None = None,
        response_mode: ResponseMode | None = None,
    ) -> "AuthorizationErrorResponse":
        """The response that tells of `error`; its `reason` becomes the parameter `error_reason`.

        A ProtocolError of a request that could not be parsed brings state and mode with it. Raise ValueError for a
        ProtocolError that is not redirectable. `redirect_uri` is the registered one, which the caller has verified.
        """
        if isinstance(error, ProtocolError):
            if not error.redirectable:
                raise ValueError("this error must be shown to the user, not be redirected")
            state = state if state is not None else error.state
            response_mode = response_mode or next(
                (known for known in get_args(ResponseMode) if known == error.response_mode), None
            )
        return cls(
            redirect_uri=redirect_uri,
            error=error.code,
            error_description=legal_error_text(error.description.replace('"', "'")) or None,
            state=state,
            iss=iss,
            response_mode=response_mode,
            custom_parameters=Parameters({"error_reason": error.reason} if error.reason else {}),
        )

    def parameters(self) -> Parameters:
        """Everything that is sent, by name; what a form_post page puts into hidden fields."""
        sent = {
            "error": self.error,
            "error_description": self.error_description,
            "error_uri": self.error_uri,
            "state": self.state,
            "iss": self.iss,
        }
        return _joined(sent, self.custom_parameters)

    def to_uri(self) -> str:
        """The URI to redirect to. Raise ValueError in mode form_post, and for a redirect_uri with a fragment."""
        return _to_uri(self.redirect_uri, self.response_mode, self.parameters())

    def check_state(self, expected: str | None) -> bool:
        """Whether this answers the request made with `expected`; in constant time; a missing one is a mismatch."""
        return _same_state(self.state, expected)


AuthorizationResponse = AuthorizationSuccessResponse | AuthorizationErrorResponse


def _to_uri(redirect_uri: str, mode: ResponseMode | None, parameters: Parameters) -> str:
    if mode == "form_post":
        raise ValueError("a form_post response is a page that posts parameters() to the redirect_uri")
    return (with_fragment if mode == "fragment" else with_query)(redirect_uri, parameters.pairs())


def _same_state(state: str | None, expected: str | None) -> bool:
    if not state or not expected:
        return False
    # As bytes, because compare_digest refuses a str that is not ASCII.
    return hmac.compare_digest(state.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass"))


def _joined(sent: dict[str, str | None], custom: Parameters) -> Parameters:
    standard = [(name, value) for name, value in sent.items() if value is not None]
    return Parameters([*standard, *custom.pairs()])


def _refuse(custom: Parameters, names: tuple[str, ...]) -> None:
    if any(name in custom for name in names):
        raise ValueError("a custom parameter must not have the name of a field")


def _settle_mode(response: AuthorizationResponse, mode: ResponseMode) -> None:
    if mode not in get_args(ResponseMode):
        raise ValueError("response_mode is query, fragment or form_post")
    object.__setattr__(response, "response_mode", mode)
