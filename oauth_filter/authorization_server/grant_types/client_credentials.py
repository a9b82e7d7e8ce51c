"""The client credentials grant -- RFC 6749 section 4.4."""

from typing import TYPE_CHECKING

from oauth_filter.authorization_server.entities import entitlement
from oauth_filter.authorization_server.entities import split
from oauth_filter.authorization_server.grant_types import GrantRequest
from oauth_filter.authorization_server.grant_types import grant_type
from oauth_filter.authorization_server.interaction import scope_of
from oauth_filter.authorization_server.issue import Granted
from oauth_filter.errors import OAuthError

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server


@grant_type("client_credentials")
def client_credentials(server: "Server", request: GrantRequest) -> Granted:
    """A token for the client itself, and for the entities its scope names. Only one that has authenticated gets it."""
    if not request.caller.is_authenticated:
        raise OAuthError("invalid_client", "The client must authenticate.", reason="missing_client_secret")
    client = request.caller.client
    asked, targets = split(request.form.single("scope"))
    due = entitlement(server, client, targets)
    scope = scope_of(server.settings, client, asked) if asked or not targets else ""
    return Granted(
        client=client, scope=" ".join(filter(None, (scope, *targets))), audience=due.audience, claims=due.claims
    )
