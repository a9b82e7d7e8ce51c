"""The token endpoint -- RFC 6749 section 3.2."""

from typing import TYPE_CHECKING
from typing import Final

from oauth_filter.authorization_server.grant_types import GrantRequest
from oauth_filter.authorization_server.http import Request
from oauth_filter.authorization_server.http import Response
from oauth_filter.authorization_server.http import endpoint
from oauth_filter.authorization_server.http import json_response
from oauth_filter.authorization_server.issue import Granted
from oauth_filter.authorization_server.issue import issue
from oauth_filter.authorization_server.origins import check_origin
from oauth_filter.errors import OAuthError
from oauth_filter.messages import Parameters
from oauth_filter.messages import decode_form

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server

PARAMETERS: Final = (
    "grant_type",
    "code",
    "redirect_uri",
    "code_verifier",
    "refresh_token",
    "scope",
    "assertion",
    "device_code",
    "username",
    "password",
)
"""Those of every grant type of ours, beside the client's own."""


@endpoint("/oauth2/token", methods=("POST",), answers="json", metadata_name="token_endpoint", cross_origin=True)
def token(server: "Server", request: Request) -> Response:
    """Authenticate the client, let the grant type decide, and issue what is due."""
    form = parameters(server, request)
    # "MUST NOT be included more than once", also where the grant type has no use for it.
    form.refuse_repeated(PARAMETERS)
    caller = server.clients.authenticate(form, request.headers.get("Authorization"))
    request.client_id = caller.client.key
    check_origin(server.settings, caller.client, request)
    name = form.single("grant_type")
    if name is None:
        raise OAuthError("invalid_request", "The parameter grant_type is missing.", reason="missing_grant_type")
    grant_type = server.grant_types.get(name)
    if grant_type is None:
        raise OAuthError("unsupported_grant_type", "The grant_type is not supported.", reason="invalid_grant_type")
    if name not in caller.client.grant_types:
        raise OAuthError("unauthorized_client", "The client may not use this grant type.", reason="grant_type_disabled")
    due = grant_type.decide(server, GrantRequest(caller=caller, form=form, http=request))
    return json_response(issue(server, request, due) if isinstance(due, Granted) else due)


def parameters(server: "Server", request: Request) -> Parameters:
    """The parameters: of the body, and of the query where `token_parameters_in_query` allows it."""
    query = request.raw_query()
    if not query:
        return request.form_parameters()
    if not server.settings.token_parameters_in_query:
        # A server that ignores them leaves its users wondering; one that takes them leaves secrets in logs.
        raise OAuthError(
            "invalid_request", "Send the parameters in the body, not in the URL.", reason="parameters_in_query"
        )
    body = request.raw_form() if request.body() else b""
    return decode_form(b"&".join(filter(None, (query, body))))
