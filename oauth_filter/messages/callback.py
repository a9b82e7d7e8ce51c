"""Reading the authorization response in the client -- RFC 6749 sections 4.1.2 and 4.2.2, RFC 9207 section 2.4."""

import hmac
from typing import Final

from oauth_filter.messages.authorization_request import ResponseType
from oauth_filter.messages.authorization_response import ERROR_PARAMETERS
from oauth_filter.messages.authorization_response import SUCCESS_PARAMETERS
from oauth_filter.messages.authorization_response import AuthorizationErrorResponse
from oauth_filter.messages.authorization_response import AuthorizationResponse
from oauth_filter.messages.authorization_response import AuthorizationSuccessResponse
from oauth_filter.messages.authorization_response import ResponseMode
from oauth_filter.messages.errors import ProtocolError
from oauth_filter.messages.errors import ResponseError
from oauth_filter.messages.errors import is_error_code
from oauth_filter.messages.errors import legal_error_text
from oauth_filter.messages.errors import legal_error_uri
from oauth_filter.messages.form import Parameters
from oauth_filter.messages.form import decode_form
from oauth_filter.messages.token_response import seconds
from oauth_filter.scope import Scope

_CREDENTIALS: Final = ("code", "access_token", "id_token")
_OUTCOMES: Final = (*_CREDENTIALS, "error")


class CallbackError(ResponseError):
    """A callback that is not an authorization response, or not the answer to our request: do not use it."""


class StateMismatch(CallbackError):
    """The state is missing or another one: the callback does not belong to a request made in this session."""


class IssuerMismatch(CallbackError):
    """The response does not come from the authorization server the request was sent to (RFC 9207)."""


class AuthorizationDenied(CallbackError):
    """The authorization server refused; `response` says why (`response.error`)."""

    def __init__(self, response: AuthorizationErrorResponse) -> None:
        super().__init__("the authorization server refused the request")
        self.response: Final = response


def parse_callback(uri: str, *, form: bytes | str | None = None) -> AuthorizationResponse:
    """Read the URI the browser was sent to, or, for a POSTed callback (form_post), the body given as `form`.

    The fragment is read if it has a response, else the query. With `form` only the body is read. Raise
    CallbackError, and nothing else, for a callback that is malformed, repeats a parameter with another value,
    says neither or both of success and error, or has an access token that is not of type Bearer. Does **not**
    check state and issuer: use `verify_callback`, or `check_state` on the result.
    """
    before_fragment, _, fragment = uri.partition("#")
    try:
        if form is not None:
            return _read(decode_form(form), uri, "form_post")
        in_fragment = decode_form(fragment)
        # A fragment without a response, such as the "#_=_" some servers append, must not hide the query.
        if any(in_fragment.get(name) for name in _OUTCOMES):
            return _read(in_fragment, before_fragment, "fragment")
        base, _, query = before_fragment.partition("?")
        return _read(decode_form(query), base, "query")
    except ProtocolError:
        raise CallbackError("the callback is malformed or repeats a parameter") from None


def verify_callback(
    uri: str,
    *,
    state: str,
    issuer: str | None = None,
    response_type: ResponseType = ResponseType.CODE,
    form: bytes | str | None = None,
) -> AuthorizationSuccessResponse:
    """Read a callback and make sure that it grants the request made with `state`.

    Raise StateMismatch; with `issuer`, which the server must then send, IssuerMismatch; AuthorizationDenied for
    an error response; CallbackError for anything else, also for a success that is not what `response_type`
    asked for. All of them are CallbackErrors. Does not check ID tokens, nor that `state` is used once: remove it
    from the session.
    """
    response = parse_callback(uri, form=form)
    if not response.check_state(state):
        raise StateMismatch("the state of the callback is not the one that was sent")
    if issuer is not None and not hmac.compare_digest((response.iss or "").encode(), issuer.encode()):
        raise IssuerMismatch("the callback does not name the issuer the request was sent to")
    if isinstance(response, AuthorizationErrorResponse):
        raise AuthorizationDenied(response)
    wanted = {"token": "access_token"}
    for name in _CREDENTIALS:
        asked = any(wanted.get(value, value) == name for value in response_type)
        if asked is not (getattr(response, name) is not None):
            raise CallbackError("the callback does not bring what was asked for")
    return response


def _read(parameters: Parameters, redirect_uri: str, mode: ResponseMode) -> AuthorizationResponse:
    parameters.refuse_repeated((*SUCCESS_PARAMETERS, *ERROR_PARAMETERS))
    succeeded = any(parameters.get(name) for name in _CREDENTIALS)
    error = parameters.get("error", "").strip(" ")
    if succeeded == bool(error):
        raise CallbackError("the callback must have either an error, or a code or token")
    if error:
        return _read_error(parameters, error, redirect_uri, mode)
    access_token = parameters.single("access_token")
    lifetime = None
    if access_token is not None:
        if parameters.get("token_type", "").lower() != "bearer":
            raise CallbackError("the access token of the callback is not of type Bearer")
        sent_lifetime = parameters.single("expires_in")
        lifetime = None if sent_lifetime is None else seconds(sent_lifetime)
        if sent_lifetime is not None and lifetime is None:
            raise CallbackError("the expires_in of the callback is no number of seconds")
    try:
        scope = Scope.parse(parameters.single("scope") or "")
    except ValueError:
        raise CallbackError("the scope of the callback is illegal") from None
    return AuthorizationSuccessResponse(
        redirect_uri=redirect_uri,
        code=parameters.single("code"),
        access_token=access_token,
        expires_in=lifetime,
        scope=scope or None,
        id_token=parameters.single("id_token"),
        state=parameters.single("state"),
        iss=parameters.single("iss"),
        response_mode=mode,
        custom_parameters=parameters.without((*SUCCESS_PARAMETERS, "error")),
    )


def _read_error(
    parameters: Parameters, error: str, redirect_uri: str, mode: ResponseMode
) -> AuthorizationErrorResponse:
    if not is_error_code(error):
        raise CallbackError("the error of the callback is illegal")
    return AuthorizationErrorResponse(
        redirect_uri=redirect_uri,
        error=error,
        error_description=legal_error_text(parameters.get("error_description", "")) or None,
        error_uri=legal_error_uri(parameters.single("error_uri")),
        state=parameters.single("state"),
        iss=parameters.single("iss"),
        response_mode=mode,
        custom_parameters=parameters.without((*ERROR_PARAMETERS, *_CREDENTIALS)),
    )
