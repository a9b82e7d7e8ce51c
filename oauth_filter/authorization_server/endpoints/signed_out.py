"""The page after signing out, in whose frames clients end their sessions -- OpenID Connect Front-Channel Logout 1.0."""

from typing import TYPE_CHECKING
from typing import Final

from oauth_filter.authorization_server.destination import page
from oauth_filter.authorization_server.http import Request
from oauth_filter.authorization_server.http import Response
from oauth_filter.authorization_server.http import endpoint
from oauth_filter.authorization_server.logout import clients_of_session
from oauth_filter.authorization_server.logout import front_channel
from oauth_filter.authorization_server.sessions import Session
from oauth_filter.messages import decode_form
from oauth_filter.messages.form import encode_form

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server

PATH: Final = "/oauth2/signed_out"
DELAY: Final = 3
"""Seconds that the frames get before the browser goes on."""


def signed_out_page(server: "Server", session: Session, destination: str) -> str | None:
    """Where the browser learns of the clients to tell, before it goes on; None when there are none.

    `destination` must be one that the user may be sent to: it is not looked at again.
    """
    subject, sid = session.subject or "", session.sid or ""
    if not front_channel(server, clients_of_session(server, subject, sid), sid):
        return None
    said = encode_form([("subject", subject), ("sid", sid), ("destination", destination)])
    ticket = server.sessions.seal("signed_out", session, said)
    return f"{server.path(PATH)}?{encode_form([('ticket', ticket)])}"


@endpoint(PATH, methods=("GET",), answers="page")
def signed_out(server: "Server", request: Request) -> Response:
    """Show every client its frame, then go on. Repeating it does no harm: the session has ended before."""
    ticket = decode_form(request.raw_query()).single("ticket") or ""
    said = decode_form(server.sessions.open(ticket, "signed_out", request))
    told = front_channel(server, clients_of_session(server, said["subject"], said["sid"]), said["sid"])
    frames = [uri for _, uri in told]
    html = server.pages.render(
        "signed_out.html",
        client_names=[client.name or client.key for client, _ in told],
        frames=frames,
        destination=said["destination"],
        delay=DELAY,
    )
    return page(html, frames=frames)
