"""Finding a token that a client or a resource server presents."""

from typing import TYPE_CHECKING

from oauth_filter import credentials
from oauth_filter.errors import OAuthError
from oauth_filter.messages import bearer_token_from_header
from oauth_filter.records import AccessToken
from oauth_filter.records import RefreshToken
from oauth_filter.records import User
from oauth_filter.records import UserGrant

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server


def find_token(server: "Server", value: str) -> AccessToken | RefreshToken | None:
    """The live token of this text, of whatever kind. Its form tells the kinds apart, so no hint is needed."""
    if credentials.is_well_formed(value, credentials.REFRESH_TOKEN):
        return server.store.get(RefreshToken, credentials.digest(value))
    if credentials.is_access_token(value):
        return server.store.get(AccessToken, credentials.digest(value))
    return None


def is_honoured(server: "Server", token: AccessToken | RefreshToken) -> bool:
    """Whether the client and the user of a live token are still what they were."""
    if server.clients.find(token.client_id or "") is None:
        return False
    return not token.username or user_of(server, token) is not None


def user_of(server: "Server", granted: AccessToken | UserGrant) -> User | None:
    """The user who granted this, if they are still there: a new user of an old name is another one."""
    user = server.users.find(granted.username) if granted.username else None
    return user if user is not None and user.subject == granted.subject else None


def bearer(server: "Server", authorization: str | None) -> AccessToken:
    """The access token in the Authorization header of a request to an endpoint of ours -- RFC 6750 section 2.1.

    Raise OAuthError `invalid_token` when there is none, none that is good, or one for an entity: whoever stands for
    that is sent such tokens, and must not be able to use them here (RFC 9068 section 4). Does not check its scope.
    """
    value = bearer_token_from_header(authorization)
    if value is None:
        raise OAuthError("invalid_token", "An access token is needed.", reason="access_token_required")
    token = find_token(server, value)
    if not isinstance(token, AccessToken) or token.audience or not is_honoured(server, token):
        raise OAuthError(
            "invalid_token", "The access token is unknown, expired or revoked.", reason="access_token_invalid"
        )
    return token
