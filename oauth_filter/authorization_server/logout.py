"""Ending a session, and telling the clients the user signed in to in it.

OpenID Connect RP-Initiated Logout 1.0 section 2, Front-Channel Logout 1.0 section 3, Back-Channel Logout 1.0.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Final

from oauth_filter import credentials
from oauth_filter.authorization_server.backchannel import Delivery
from oauth_filter.authorization_server.interaction import SignedIn
from oauth_filter.authorization_server.pages import csp_source
from oauth_filter.events import Event
from oauth_filter.messages.redirect_uri import with_query
from oauth_filter.records import Client
from oauth_filter.records import EndedSession
from oauth_filter.records import SessionGrant

if TYPE_CHECKING:
    from oauth_filter.authorization_server.http import Request
    from oauth_filter.authorization_server.server import Server

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
"""What makes a JWT a logout token -- Back-Channel Logout section 2.4."""
TOKEN_LIFETIME: Final = 120
"""Seconds: "preferably at most two minutes in the future"."""


def end_session(server: "Server", request: "Request", user: SignedIn) -> None:
    """Sign the user out of this session for good, here and at clients with a back channel.

    From now on no copy of its cookie works. Does not write the browser's cookie, and does not tell clients that want
    to be told by the browser.
    """
    if user.sid is None:
        return
    now = server.now()
    # First of all: who comes back with the cookie while we tell the others must be nobody already.
    server.store.put(
        EndedSession(key=user.sid, issued_at=now, expires_at=now + server.settings.session_lifetime),
    )
    grants = list(_grants(server, user.user.subject, user.sid))
    if server.settings.logout_revokes_refresh_tokens:
        for grant in grants:
            server.store.revoke("grant", grant.key)
    server.event("signed_out", request, username=user.user.username)
    for client in _clients(server, grants):
        if client.backchannel_logout_uri is not None:
            _tell(server, request, client, client.backchannel_logout_uri, user)


def prolong_session(server: "Server", user: SignedIn) -> None:
    """Let logout reach for longer what the user has signed in to: the session goes on by a sign-in anew."""
    ends_at = server.now() + server.settings.session_lifetime
    server.store.put(
        *[replace(grant, expires_at=ends_at) for grant in _grants(server, user.user.subject, user.sid or "")]
    )


def clients_of_session(server: "Server", subject: str, sid: str) -> list[Client]:
    """The clients the user signed in to in this session, by their ids."""
    return _clients(server, _grants(server, subject, sid))


def front_channel(server: "Server", clients: list[Client], sid: str) -> list[tuple[Client, str]]:
    """Those that end their own session in a frame, with the URL of the frame -- Front-Channel Logout section 2."""
    return [
        (client, with_query(client.logout_uri, _session_of(server, client, sid)))
        for client in clients
        if client.logout_uri is not None and _can_be_framed(client.logout_uri)
    ]


def _session_of(server: "Server", client: Client, sid: str) -> list[tuple[str, str]]:
    return [("iss", server.settings.issuer), ("sid", server.claims.session(client, sid) or "")]


def _can_be_framed(uri: str) -> bool:
    return uri.startswith(("https:", "http:")) and "#" not in uri and csp_source(uri) is not None


def _grants(server: "Server", subject: str | None, sid: str) -> Iterator[SessionGrant]:
    after = None
    while page := server.store.find(SessionGrant, subject=subject, after=after):
        yield from (grant for grant in page if grant.sid == sid)
        after = page[-1].key


def _clients(server: "Server", grants: "Iterator[SessionGrant] | list[SessionGrant]") -> list[Client]:
    found = map(server.clients.find, sorted({grant.client_id or "" for grant in grants}))
    return [client for client in found if client is not None]


def _tell(server: "Server", request: "Request", client: Client, uri: str, user: SignedIn) -> None:
    delivered = Event(
        name="logout_delivered",
        at=server.now(),
        request_id=request.id,
        client_id=client.key,
        username=user.user.username,
    )

    def report(problem: str | None) -> None:
        event = replace(delivered, at=server.now())
        if problem is not None:
            event = replace(event, name="logout_undelivered", reason="backchannel_logout_failed", detail=problem)
        server.announce(event)

    server.backchannel.send(
        Delivery(uri=uri, make_token=lambda: _logout_token(server, client, user), report=report),
    )


def _logout_token(server: "Server", client: Client, user: SignedIn) -> str:
    """Section 2.4. It is signed as the client's ID tokens are, and its type keeps it from passing for one."""
    now = int(server.now())
    claims = {
        "iss": server.settings.issuer,
        "sub": server.claims.subject(client, user.user.subject or ""),
        "aud": client.key,
        "iat": now,
        "exp": now + TOKEN_LIFETIME,
        "jti": credentials.new_id(),
        "sid": server.claims.session(client, user.sid),
        "events": {EVENT: {}},
    }
    return server.keys.sign(claims, algorithm=client.id_token_signed_response_alg, typ="logout+jwt")
