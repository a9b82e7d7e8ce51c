"""What every endpoint and grant type is given: the parts of one authorization server."""

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oauth_filter.authorization_server.backchannel import Backchannel
from oauth_filter.authorization_server.claims import Claims
from oauth_filter.authorization_server.clients import Clients
from oauth_filter.authorization_server.pages import Pages
from oauth_filter.authorization_server.proxies import client_address
from oauth_filter.authorization_server.proxies import subscriber
from oauth_filter.authorization_server.sessions import Sessions
from oauth_filter.authorization_server.users import Users
from oauth_filter.events import Event
from oauth_filter.events import EventName
from oauth_filter.events import Listener
from oauth_filter.settings import Settings
from oauth_filter.signing import OwnKeys
from oauth_filter.stores import Store

if TYPE_CHECKING:
    from oauth_filter.authorization_server.grant_types import GrantType
    from oauth_filter.authorization_server.http import Endpoint
    from oauth_filter.authorization_server.http import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One authorization server. There are no globals: two of them can live in one process."""

    settings: Settings
    store: Store
    now: Callable[[], float]
    keys: OwnKeys
    clients: Clients
    users: Users
    claims: Claims
    sessions: Sessions
    pages: Pages
    announce: Listener
    backchannel: Backchannel
    grant_types: "Mapping[str, GrantType]"
    endpoints: "tuple[Endpoint, ...]"

    def url(self, path: str) -> str:
        """The URL of one of our paths as clients see it, from the issuer and never from a request."""
        return self.settings.issuer + path

    def path(self, path: str) -> str:
        """The path of one of our paths as browsers see it."""
        return self.settings.issuer_path + path

    def address(self, request: "Request") -> str | None:
        """Where a request comes from, as far as that can be known."""
        return client_address(request.environ, self.settings.trusted_proxies)

    def subscriber(self, request: "Request") -> str | None:
        """Whom to count the guesses of a request against."""
        return subscriber(self.address(request))

    def event(
        self,
        name: EventName,
        request: "Request",
        *,
        client_id: str | None = None,
        username: str | None = None,
        grant_id: str | None = None,
        reason: str | None = None,
        detail: str | None = None,
    ) -> None:
        """Tell the log and whoever listens."""
        self.announce(
            Event(
                name=name,
                at=self.now(),
                request_id=request.id,
                client_id=client_id,
                username=username,
                grant_id=grant_id,
                address=self.address(request),
                reason=reason,
                detail=detail,
            )
        )
