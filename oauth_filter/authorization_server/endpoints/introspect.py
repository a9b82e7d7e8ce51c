"""Token introspection -- RFC 7662."""

from typing import TYPE_CHECKING
from typing import Any

from oauth_filter.authorization_server.access_token import access_token_claims
from oauth_filter.authorization_server.http import Request
from oauth_filter.authorization_server.http import Response
from oauth_filter.authorization_server.http import endpoint
from oauth_filter.authorization_server.http import json_response
from oauth_filter.authorization_server.tokens import find_token
from oauth_filter.authorization_server.tokens import is_honoured
from oauth_filter.errors import OAuthError
from oauth_filter.records import AccessToken
from oauth_filter.records import Client
from oauth_filter.records import RefreshToken

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server


@endpoint(
    "/oauth2/introspect", methods=("POST",), answers="json", metadata_name="introspection_endpoint", cross_origin=True
)
def introspect(server: "Server", request: Request) -> Response:
    """Tell the token's client, and registered resource servers, whether a token is good and for what.

    For everybody else no token is. Says nothing about why one is not good (section 2.2).
    """
    form = request.form_parameters()
    form.refuse_repeated(("token", "token_type_hint"))
    caller = server.clients.authenticate(form, request.headers.get("Authorization"))
    if not caller.is_authenticated:
        # Section 2.1: "MUST also require some form of authorization", or strangers could try tokens out here.
        raise OAuthError("invalid_client", "The client must authenticate.", reason="client_authentication_missing")
    value = form.single("token")
    if value is None:
        raise OAuthError("invalid_request", "The parameter token is missing.", reason="missing_token")
    token = find_token(server, value)
    if (
        token is None
        or token.spent_at is not None
        or not is_honoured(server, token)
        or not _may_know(server, caller.client, token, form.single("token_type_hint"))
    ):
        return json_response({"active": False})
    description = _description(server, token, value)
    return json_response({"active": description is not None, **(description or {})})


def _may_know(server: "Server", caller: Client, token: AccessToken | RefreshToken, hint: str | None) -> bool:
    """Whether the token is the caller's own, or one that a resource server may be sent."""
    if token.client_id == caller.key:
        return True
    if not caller.resource_server:
        return False
    if isinstance(token, RefreshToken):
        # One that only looks for "active" would let a refresh token in; who says what it is asks about a refresh token.
        return hint == "refresh_token"
    # Section 4: "If the token can be used only at certain resource servers, the authorization server MUST determine
    # whether or not the token can be used at the resource server making the introspection call."
    named = [client for client in map(server.clients.find, token.audience) if client and client.resource_server]
    return not named or caller.key in token.audience


def _description(server: "Server", token: AccessToken | RefreshToken, value: str) -> dict[str, Any] | None:
    """Section 2.2. What the token says itself where it is a JWT, and the same where it is opaque."""
    client = server.clients.find(token.client_id or "")
    if client is None:
        return None
    user = server.users.find(token.username) if token.username else None
    # A user name would tell a client with pairwise subjects what those are there to hide.
    about = {"username": token.username} if token.username and client.subject_type == "public" else {}
    if isinstance(token, AccessToken):
        jti = (server.keys.verify(value, typ="at+jwt") or {}).get("jti")
        said = {"jti": jti} if jti is not None else {}
        return {**access_token_claims(server, client, user, token), **about, **said, "token_type": "Bearer"}
    said = {
        "iss": server.settings.issuer,
        "sub": server.claims.subject(client, token.subject or ""),
        "client_id": client.key,
        "exp": None if token.expires_at is None else int(token.expires_at),
        "iat": int(token.issued_at),
        "scope": token.scope or None,
        "auth_time": None if token.auth_time is None else int(token.auth_time),
        "acr": token.acr,
        "amr": list(token.amr) or None,
        "sid": server.claims.session(client, token.sid),
    }
    return {**about, **{name: value for name, value in said.items() if value is not None}}
