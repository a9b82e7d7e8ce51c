"""The userinfo endpoint -- OpenID Connect Core section 5.3."""

from typing import TYPE_CHECKING

from oauth_filter.authorization_server.http import Request
from oauth_filter.authorization_server.http import Response
from oauth_filter.authorization_server.http import endpoint
from oauth_filter.authorization_server.http import json_response
from oauth_filter.authorization_server.tokens import bearer
from oauth_filter.errors import OAuthError
from oauth_filter.scope import Scope

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server


@endpoint(
    "/oauth2/userinfo", methods=("GET", "POST"), answers="json", metadata_name="userinfo_endpoint", cross_origin=True
)
def userinfo(server: "Server", request: Request) -> Response:
    """Tell the client what the token's scope lets it know of the user."""
    token = bearer(server, request.headers.get("Authorization"))
    client = server.clients.find(token.client_id or "")
    user = server.users.find(token.username) if token.username else None
    if client is None or user is None or "openid" not in Scope.parse(token.scope):
        raise OAuthError(
            "insufficient_scope", "The access token lacks the scope openid.", reason="missing_required_scope"
        )
    return json_response(
        {
            **server.claims.added(user, client, token.scope),
            **server.claims.of_scope(user, client, token.scope, token.claims_requested),
            "sub": server.claims.subject(client, token.subject or ""),
        }
    )
