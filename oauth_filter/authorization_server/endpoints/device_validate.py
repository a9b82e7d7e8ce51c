"""Whether a user code is good, for a page of the client's own: FusionAuth's Device Validate."""

from typing import TYPE_CHECKING

from oauth_filter.authorization_server import user_codes
from oauth_filter.authorization_server.http import NO_STORE
from oauth_filter.authorization_server.http import Request
from oauth_filter.authorization_server.http import Response
from oauth_filter.authorization_server.http import endpoint
from oauth_filter.errors import OAuthError
from oauth_filter.messages import decode_form

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server


@endpoint("/oauth2/device/validate", methods=("GET", "POST"), answers="json")
def device_validate(server: "Server", request: Request) -> Response:
    """200 without a body for a code that waits for a decision, of the client named. Who asks is not known."""
    sent = decode_form(request.raw_query()) if request.method == "GET" else request.form_parameters()
    client_id = sent.single("client_id")
    if client_id is None:
        raise OAuthError("invalid_request", "The parameter client_id is missing.", reason="missing_client_id")
    user_codes.guess_as_stranger(server, request, sent.single("user_code"), client_id=client_id)
    response = Response(status=200)
    response.headers.extend(list(NO_STORE))
    return response
