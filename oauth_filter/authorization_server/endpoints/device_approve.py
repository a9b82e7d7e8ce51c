"""Approving a device for the user of an access token, by a page of the client's own: FusionAuth's Device Approve."""

from typing import TYPE_CHECKING

from oauth_filter.authorization_server import user_codes
from oauth_filter.authorization_server.http import Request
from oauth_filter.authorization_server.http import Response
from oauth_filter.authorization_server.http import endpoint
from oauth_filter.authorization_server.http import json_response
from oauth_filter.authorization_server.interaction import SignedIn
from oauth_filter.authorization_server.tokens import find_token
from oauth_filter.errors import OAuthError
from oauth_filter.records import AccessToken
from oauth_filter.records import Client
from oauth_filter.records import User
from oauth_filter.scope import Scope

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server


@endpoint("/oauth2/device/approve", methods=("POST",), answers="json")
def device_approve(server: "Server", request: Request) -> Response:
    """Approve a device of the client that has authenticated, for the user whose access token it has.

    The device gets nothing that the token has not: a client cannot make more of what a user has allowed it.
    """
    form = request.form_parameters()
    caller = server.clients.authenticate(form, request.headers.get("Authorization"))
    if not caller.is_authenticated:
        raise OAuthError("invalid_client", "The client must authenticate.", reason="missing_client_secret")
    token, user = _user_token(server, caller.client, form.single("token"))
    waiting = user_codes.guess_as_user(
        server, request, form.single("user_code"), user.subject, client_id=caller.client.key
    )
    if not Scope.parse(waiting.device_code.scope) <= Scope.parse(token.scope):
        raise OAuthError(
            "invalid_scope", "The device asks for more than the token has.", reason="missing_required_scope"
        )
    if not user_codes.approve(server, request, waiting, SignedIn(user=user)):
        raise user_codes.invalid()
    return json_response(
        {
            "deviceGrantStatus": "Approved",
            "deviceInfo": dict(waiting.device_code.device or {}),
            "userId": server.claims.subject(caller.client, user.subject or ""),
        }
    )


def _user_token(server: "Server", client: Client, value: str | None) -> tuple[AccessToken, User]:
    if value is None:
        raise OAuthError("invalid_request", "The parameter token is missing.", reason="missing_token")
    token = find_token(server, value)
    if isinstance(token, AccessToken) and token.client_id == client.key and token.username:
        user = server.users.find(token.username)
        if user is not None and user.subject == token.subject:
            return token, user
    raise OAuthError(
        "invalid_request", "The token is no live access token of a user of this client.", reason="access_token_invalid"
    )
