"""The refresh token grant -- RFC 6749 section 6, with rotation -- RFC 9700 section 4.14.2."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any

from oauth_filter import credentials
from oauth_filter.authorization_server.debugging import explained
from oauth_filter.authorization_server.grant_types import GrantRequest
from oauth_filter.authorization_server.grant_types import grant_type
from oauth_filter.authorization_server.issue import Granted
from oauth_filter.authorization_server.reuse import refresh_token_not_found
from oauth_filter.authorization_server.reuse import repeated
from oauth_filter.authorization_server.reuse import reused
from oauth_filter.authorization_server.tokens import user_of
from oauth_filter.errors import OAuthError
from oauth_filter.records import Client
from oauth_filter.records import RefreshToken
from oauth_filter.scope import Scope

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server


@grant_type("refresh_token")
def refresh_token(server: "Server", request: GrantRequest) -> Granted | Mapping[str, Any]:
    """Replace a refresh token by a new one; a second use of the old one ends the family.

    Within the grace the second use is taken for a repetition by a client that did not get the answer: it gets the
    same one.
    """
    value = request.form.single("refresh_token")
    if value is None:
        raise OAuthError("invalid_request", "The parameter refresh_token is missing.", reason="missing_refresh_token")
    token = find_refresh_token(server, value)
    client = request.caller.client
    if token is None:
        raise refresh_token_not_found(explained(client, "there is no such refresh token, or it has expired"))
    if token.client_id != client.key:
        raise refresh_token_not_found(explained(client, "the refresh token was issued to another client"))
    if token.spent_at is not None:
        if (answer := repeated(server, request.http, token, value)) is not None:
            return answer
        raise reused(server, request.http, token)
    scope = narrowed(token, client, request.form.single("scope"))
    user = user_of(server, token)
    if user is None:
        raise refresh_token_not_found(explained(client, "the user is disabled or gone"))
    return Granted(
        client=client,
        scope=scope,
        user=user,
        basis=token,
        spent=token,
        presented=value,
        lifetime=lifetime_of(server, client, request.form.single("expires_in")),
    )


def find_refresh_token(server: "Server", value: str) -> RefreshToken | None:
    if not credentials.is_well_formed(value, credentials.REFRESH_TOKEN):
        return None
    return server.store.get(RefreshToken, credentials.digest(value))


def lifetime_of(server: "Server", client: Client, text: str | None) -> int | None:
    """The lifetime a client asks for. Raise OAuthError for none, and for a longer one than it has anyway."""
    if text is None:
        return None
    longest = client.access_token_lifetime or server.settings.access_token_lifetime
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and 0 < int(text) <= longest):
        raise OAuthError(
            "invalid_request",
            "expires_in is a number of seconds, and not more than an access token lives anyway.",
            reason="invalid_expires_in",
        )
    return int(text)


def narrowed(token: RefreshToken, client: Client, asked: str | None) -> str:
    """The scope of the new access token: all, or as much of it as is asked for -- RFC 6749 section 6.

    What the client is no longer registered for has ended, whatever was granted before.
    """
    granted = Scope.parse(token.scope)
    if client.scope is not None:
        registered = Scope.parse(client.scope)
        granted = Scope(*(name for name in granted if name in registered))
    if asked is None:
        return str(granted)
    try:
        scope = Scope.parse(asked)
    except ValueError:
        scope = None
    if not scope or not scope <= granted:
        raise OAuthError("invalid_scope", "The scope exceeds what was granted.", reason="invalid_scope")
    return str(scope)
