"""The page where people enter the code that a device shows -- RFC 8628 section 3.3.

Sign in, enter the code, allow or deny. Each form is answered by a redirect to the next step, which travels in a ticket
of this browser and this user.
"""

from typing import TYPE_CHECKING
from typing import Final
from typing import Literal
from urllib.parse import urlencode

from oauth_filter.authorization_server import user_codes
from oauth_filter.authorization_server.destination import page
from oauth_filter.authorization_server.endpoints.authorize import described
from oauth_filter.authorization_server.endpoints.login import ask_to_sign_in
from oauth_filter.authorization_server.http import Request
from oauth_filter.authorization_server.http import Response
from oauth_filter.authorization_server.http import endpoint
from oauth_filter.authorization_server.http import redirect
from oauth_filter.authorization_server.interaction import SignedIn
from oauth_filter.authorization_server.interaction import check_registered
from oauth_filter.authorization_server.interaction import signed_in
from oauth_filter.authorization_server.sessions import Session
from oauth_filter.authorization_server.sessions import form_refused
from oauth_filter.authorization_server.user_codes import Waiting
from oauth_filter.errors import OAuthError
from oauth_filter.messages import decode_form
from oauth_filter.scope import Scope

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server

PATH: Final = "/oauth2/device"

Step = Literal["enter", "wrong", "confirm", "decide", "allowed", "denied"]
"""`enter` and `decide` are what the two forms carry, the others what the URL carries after them."""


@endpoint(PATH, methods=("GET", "POST"), answers="page")
def device(server: "Server", request: Request) -> Response:
    """Show a step, or take what its form says."""
    user = signed_in(server, request)
    if request.method == "POST":
        return _entered(server, request, user)
    query = decode_form(request.raw_query())
    # Section 3.3.1: a code in the URL saves typing. It is never sent by itself.
    typed = user_codes.read(query.single("user_code"))
    if user is None:
        return ask_to_sign_in(server, request, _place(user_code=typed))
    ticket = query.single("step")
    step, _, value = _opened(server, request, user, ticket).partition(" ") if ticket else ("enter", "", "")
    match step:
        case "confirm":
            return _confirm_page(server, request, user, value)
        case "allowed" | "denied":
            return page(server.pages.render("device_done.html", is_allowed=step == "allowed", client_name=value))
        case _:
            return _enter_page(server, request, user, typed, value or None)


def _entered(server: "Server", request: Request, user: SignedIn | None) -> Response:
    form = request.form_parameters()
    form.refuse_repeated(("ticket", "user_code", "decision", "switch"))
    if user is None:
        raise form_refused()
    step, _, value = _opened(server, request, user, form.single("ticket") or "").partition(" ")
    match step:
        case "enter":
            return _check_code(server, request, user, form.single("user_code"))
        case "decide" if form.single("switch") is not None:
            response = redirect(server.path(_place(user_code=value)), 303)
            server.sessions.write(response, Session(browser=server.sessions.read(request).browser))
            return response
        case "decide":
            return _decide(server, request, user, value, is_allowed=form.single("decision") == "allow")
    raise form_refused()


def _check_code(server: "Server", request: Request, user: SignedIn, typed: str | None) -> Response:
    try:
        waiting = user_codes.guess_as_user(server, request, typed, user.user.subject)
    except OAuthError as error:
        return _wrong(server, request, user, error)
    return _go(server, request, user, "confirm", waiting.user_code.key)


def _decide(server: "Server", request: Request, user: SignedIn, user_code: str, *, is_allowed: bool) -> Response:
    try:
        waiting = user_codes.find(server, user_code)
    except OAuthError as error:
        return _wrong(server, request, user, error)
    decide = user_codes.approve if is_allowed else user_codes.deny
    if not decide(server, request, waiting, user):
        return _wrong(server, request, user, user_codes.invalid())
    return _go(server, request, user, "allowed" if is_allowed else "denied", _name(waiting))


def _wrong(server: "Server", request: Request, user: SignedIn, error: OAuthError) -> Response:
    if error.status != 400:
        raise error
    server.event("refused", request, username=user.user.username, reason=error.reason)
    return _go(server, request, user, "wrong", error.description)


def _enter_page(server: "Server", request: Request, user: SignedIn, typed: str | None, error: str | None) -> Response:
    session = server.sessions.read(request)
    html = server.pages.render(
        "device.html",
        action=server.path(PATH),
        ticket=_ticket(server, session, user, "enter"),
        user_code=user_codes.shown(typed) if typed else "",
        error=error,
        username=user.user.display_name,
    )
    return _page(server, session, html)


def _confirm_page(server: "Server", request: Request, user: SignedIn, user_code: str) -> Response:
    try:
        waiting = user_codes.find(server, user_code)
    except OAuthError as error:
        return _enter_page(server, request, user, None, error.description)
    check_registered(waiting.client, user.user)
    session = server.sessions.read(request)
    said = waiting.device_code.device or {}
    html = server.pages.render(
        "device_confirm.html",
        action=server.path(PATH),
        ticket=_ticket(server, session, user, "decide", user_code),
        client_name=_name(waiting),
        device=" · ".join(said[name] for name in ("name", "description", "type") if said.get(name)),
        user_code=user_codes.shown(user_code),
        username=user.user.display_name,
        can_switch=server.users.has_login_page,
        scopes=described(server.settings, Scope.parse(waiting.device_code.scope)),
    )
    return _page(server, session, html)


def _page(server: "Server", session: Session, html: str) -> Response:
    response = page(html)
    # Also where somebody else signs users in: the ticket is bound to what the cookie calls the browser.
    server.sessions.write(response, session)
    return response


def _name(waiting: Waiting) -> str:
    return waiting.client.name or waiting.client.key


def _go(server: "Server", request: Request, user: SignedIn, step: Step, value: str) -> Response:
    ticket = _ticket(server, server.sessions.read(request), user, step, value)
    return redirect(server.path(_place(step=ticket)), 303)


def _place(**query: str | None) -> str:
    given = {name: value for name, value in query.items() if value is not None}
    return PATH + (f"?{urlencode(given)}" if given else "")


def _ticket(server: "Server", session: Session, user: SignedIn, step: Step, value: str = "") -> str:
    return server.sessions.seal("device", session, f"{step} {value}", user.user.subject)


def _opened(server: "Server", request: Request, user: SignedIn, ticket: str) -> str:
    return server.sessions.open(ticket, "device", request, user.user.subject)
