"""What an access token says -- RFC 9068 section 2.2: the same in a JWT and in what is told of an opaque one."""

from typing import TYPE_CHECKING
from typing import Any

from oauth_filter.records import AccessToken
from oauth_filter.records import Client
from oauth_filter.records import User

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server


def access_token_claims(server: "Server", client: Client, user: User | None, token: AccessToken) -> dict[str, Any]:
    """The claims of a token that was issued to this client, on behalf of this user or of none."""
    audience = token.audience or (server.settings.issuer,)
    if server.settings.fusionauth_parameters and token.username is None:
        # A client that names no entity gets no `aud` there, which RFC 9068 section 2.2 requires of a JWT.
        audience = token.audience
    claims: dict[str, Any] = {
        **server.claims.added(user, client, token.scope),
        **(server.claims.of_scope(user, client, "") if user is not None else {}),
        **(token.claims or {}),
        "iss": server.settings.issuer,
        "sub": server.claims.subject(client, token.subject) if token.subject is not None else client.key,
        "aud": audience[0] if len(audience) == 1 else list(audience) or None,
        "client_id": client.key,
        "exp": int(token.expires_at or 0),
        "iat": int(token.issued_at),
        "scope": token.scope or None,
        "auth_time": None if token.auth_time is None else int(token.auth_time),
        "acr": token.acr,
        "amr": list(token.amr) or None,
        "sid": server.claims.session(client, token.sid),
    }
    return {name: value for name, value in claims.items() if value is not None}
