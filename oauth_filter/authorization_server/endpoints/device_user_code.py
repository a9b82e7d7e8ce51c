"""What waits under a user code, for a page of the client's own: FusionAuth's Device User Code."""

from typing import TYPE_CHECKING

from oauth_filter.authorization_server import user_codes
from oauth_filter.authorization_server.endpoints.authorize import SILENT_SCOPES
from oauth_filter.authorization_server.http import Request
from oauth_filter.authorization_server.http import Response
from oauth_filter.authorization_server.http import endpoint
from oauth_filter.authorization_server.http import json_response
from oauth_filter.errors import OAuthError

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server


@endpoint("/oauth2/device/user-code", methods=("POST",), answers="json")
def device_user_code(server: "Server", request: Request) -> Response:
    """Tell a client that has authenticated about a device of its own."""
    form = request.form_parameters()
    caller = server.clients.authenticate(form, request.headers.get("Authorization"))
    if not caller.is_authenticated:
        raise OAuthError("invalid_client", "The client must authenticate.", reason="missing_client_secret")
    waiting = user_codes.guess_as_client(server, form.single("user_code"), client_id=caller.client.key)
    code = waiting.device_code
    return json_response(
        {
            "client_id": caller.client.key,
            "deviceInfo": dict(code.device or {}),
            "expires_in": int(code.ends_at - server.now()),
            "scope": " ".join(token for token in code.scope.split() if token not in SILENT_SCOPES),
            "user_code": user_codes.shown(code.user_code),
        }
    )
