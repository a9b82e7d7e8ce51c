"""Where our consent page posts to."""

from typing import TYPE_CHECKING

from oauth_filter.authorization_server.destination import destination
from oauth_filter.authorization_server.endpoints.authorize import PATH as AUTHORIZE
from oauth_filter.authorization_server.endpoints.authorize import answer
from oauth_filter.authorization_server.http import Request
from oauth_filter.authorization_server.http import Response
from oauth_filter.authorization_server.http import endpoint
from oauth_filter.authorization_server.http import redirect
from oauth_filter.authorization_server.interaction import remember_consent
from oauth_filter.authorization_server.interaction import signed_in
from oauth_filter.authorization_server.sessions import Session
from oauth_filter.authorization_server.sessions import form_refused
from oauth_filter.errors import OAuthError
from oauth_filter.messages import AuthorizationRequest
from oauth_filter.messages import decode_form
from oauth_filter.scope import Scope

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server


@endpoint("/oauth2/consent", methods=("POST",), answers="page")
def consent(server: "Server", request: Request) -> Response:
    """Carry out what the user chose: Allow, Cancel, or to sign in as somebody else."""
    form = request.form_parameters()
    user = signed_in(server, request)
    if user is None:
        raise form_refused()
    said = decode_form(server.sessions.open(form.single("ticket") or "", "consent", request, user.user.subject))
    query, allowed = said["query"], Scope.parse(said["access"])
    asked = AuthorizationRequest.parse(query)
    to = destination(server, asked.client_id, asked.redirect_uri)
    if form.single("switch") is not None:
        response = redirect(f"{server.path(AUTHORIZE)}?{query}", 303)
        server.sessions.write(response, Session(browser=server.sessions.read(request).browser))
        return response
    if form.single("decision") != "allow":
        server.event("consent_denied", request, client_id=to.client.key, username=user.user.username)
        error = OAuthError("access_denied", "The user refused.", reason="consent_canceled")
        return to.refuse(server, error, asked)
    remember_consent(server, to.client, allowed, user.user)
    server.event("consent_given", request, client_id=to.client.key, username=user.user.username)
    return answer(server, request, query, allowed=allowed)
