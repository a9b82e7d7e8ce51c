"""Where our login page posts to."""

from typing import TYPE_CHECKING
from unicodedata import normalize

from oauth_filter.authorization_server.endpoints.authorize import PATH as AUTHORIZE
from oauth_filter.authorization_server.http import Request
from oauth_filter.authorization_server.http import Response
from oauth_filter.authorization_server.http import endpoint
from oauth_filter.authorization_server.http import redirect

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server


@endpoint("/oauth2/login", methods=("POST",), answers="page")
def login(server: "Server", request: Request) -> Response:
    """Sign the browser in if the password is right, and return to the authorization request either way."""
    form = request.form_parameters()
    query = server.sessions.open(form.single("ticket") or "", "login", request)
    username = normalize("NFC", form.single("username") or "")
    user = server.users.authenticate(username, form.single("password") or "")
    response = redirect(f"{server.path(AUTHORIZE)}?{query}", 303)
    if user is None:
        server.event("sign_in_failed", request, username=username, reason="invalid_user_credentials")
        server.sessions.write(response, server.sessions.sign_in_failed(username, server.sessions.read(request)))
    else:
        server.event("signed_in", request, username=user.username)
        server.sessions.write(response, server.sessions.sign_in(user))
    return response
