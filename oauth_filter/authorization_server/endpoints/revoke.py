"""Token revocation -- RFC 7009."""

from typing import TYPE_CHECKING

from oauth_filter.authorization_server.http import Request
from oauth_filter.authorization_server.http import Response
from oauth_filter.authorization_server.http import endpoint
from oauth_filter.authorization_server.http import json_response
from oauth_filter.authorization_server.tokens import find_token
from oauth_filter.errors import OAuthError
from oauth_filter.records import AccessToken
from oauth_filter.records import RefreshToken

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server


@endpoint("/oauth2/revoke", methods=("POST",), answers="json", metadata_name="revocation_endpoint", cross_origin=True)
def revoke(server: "Server", request: Request) -> Response:
    """End a token. A refresh token takes everything of its grant with it (section 2.1).

    Answers 200 once that is durable, and also for a token that is none, or is another client's: to the caller it
    is ended either way (section 2.2).
    """
    form = request.form_parameters()
    form.refuse_repeated(("token", "token_type_hint"))
    caller = server.clients.authenticate(form, request.headers.get("Authorization"))
    value = form.single("token")
    if value is None:
        raise OAuthError("invalid_request", "The parameter token is missing.", reason="missing_token")
    record = find_token(server, value)
    if record is None or record.client_id != caller.client.key:
        return json_response({})
    if isinstance(record, RefreshToken) and record.grant_id is not None:
        server.store.revoke("grant", record.grant_id)
    else:
        server.store.delete(AccessToken, record.key)
    server.event(
        "token_revoked", request, client_id=caller.client.key, username=record.username, grant_id=record.grant_id
    )
    return json_response({})
