"""The login page, where it posts to, and the way to the application's own."""

from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Final
from urllib.parse import quote

from oauth_filter.authorization_server import sign_in
from oauth_filter.authorization_server.destination import page
from oauth_filter.authorization_server.http import Request
from oauth_filter.authorization_server.http import Response
from oauth_filter.authorization_server.http import endpoint
from oauth_filter.authorization_server.http import redirect
from oauth_filter.authorization_server.interaction import signed_in
from oauth_filter.authorization_server.logout import prolong_session
from oauth_filter.authorization_server.sessions import Session
from oauth_filter.errors import OAuthError
from oauth_filter.records import Client

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server


PATH: Final = "/oauth2/login"
WRONG_TEXT: Final = "The user name or the password is wrong."
LOCKED_TEXT: Final = "There were too many wrong passwords. Wait a minute and try again."


def ask_to_sign_in(
    server: "Server", request: Request, back: str, *, client: Client | None = None, login_hint: str | None = None
) -> Response:
    """Ask who the user is, on our page or on the application's, and come back to `back` either way.

    `back` is a path of ours below the issuer, with its query. Never take it from a request: it goes into a redirect.
    """
    settings = server.settings
    if settings.login == "application":
        place = settings.application_login.replace("{next}", quote(server.path(back), safe=""))
        return redirect(settings.issuer_path + place, 303)
    if not server.users.has_login_page:
        raise OAuthError("access_denied", "Nobody is signed in.", reason="authentication_required")
    session = server.sessions.read(request)
    html = server.pages.render(
        "login.html",
        action=server.path(PATH),
        ticket=server.sessions.seal("login", session, back),
        username=session.failed or login_hint or "",
        error=_fault(session),
        client_name=(client.name or client.key) if client is not None else None,
    )
    response = page(html, leads_away=client is not None, frame_ancestors=client.origins if client is not None else ())
    server.sessions.write(response, replace(session, failed=None, is_locked=False))
    return response


@endpoint(PATH, methods=("POST",), answers="page")
def login(server: "Server", request: Request) -> Response:
    """Sign the browser in if the password is right, and return to where it was asked for either way."""
    form = request.form_parameters()
    back = server.sessions.open(form.single("ticket") or "", "login", request)
    username = form.single("username") or ""
    session = server.sessions.read(request)
    response = redirect(server.path(back), 303)
    try:
        user = sign_in.authenticate(server, request, username, form.single("password") or "")
    except OAuthError as error:
        if error.reason != sign_in.LOCKED:
            raise
        server.event("refused", request, reason=error.reason)
        server.sessions.write(response, server.sessions.sign_in_failed(username, session, is_locked=True))
        return response
    if user is None:
        server.sessions.write(response, server.sessions.sign_in_failed(username, session))
        return response
    server.event("signed_in", request, username=user.username)
    before = signed_in(server, request)
    # Who proves again who they are goes on with the same session, so that logout reaches all of it.
    sid = before.sid if before is not None and before.user.subject == user.subject else None
    if before is not None and sid is not None:
        prolong_session(server, before)
    server.sessions.write(response, server.sessions.sign_in(user, session, sid))
    return response


def _fault(session: Session) -> str | None:
    """What went wrong with the sign-in before, for the page to say."""
    if session.failed is None:
        return None
    return LOCKED_TEXT if session.is_locked else WRONG_TEXT
