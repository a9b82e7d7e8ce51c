"""The logout endpoint -- OpenID Connect RP-Initiated Logout 1.0 section 2."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

from oauth_filter.authorization_server.destination import page
from oauth_filter.authorization_server.endpoints.signed_out import signed_out_page
from oauth_filter.authorization_server.http import Request
from oauth_filter.authorization_server.http import Response
from oauth_filter.authorization_server.http import endpoint
from oauth_filter.authorization_server.http import redirect
from oauth_filter.authorization_server.interaction import SignedIn
from oauth_filter.authorization_server.interaction import signed_in
from oauth_filter.authorization_server.logout import end_session
from oauth_filter.authorization_server.redirect_uris import is_post_logout_redirect_uri
from oauth_filter.authorization_server.redirect_uris import is_redirect_uri
from oauth_filter.authorization_server.sessions import Session
from oauth_filter.errors import OAuthError
from oauth_filter.messages import Parameters
from oauth_filter.messages import decode_form
from oauth_filter.messages.form import encode_form
from oauth_filter.messages.redirect_uri import redirect_uri_fault
from oauth_filter.messages.redirect_uri import with_query
from oauth_filter.records import Client

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server

PATH: Final = "/oauth2/logout"
PARAMETERS: Final = ("id_token_hint", "logout_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutRequest:
    """What a client asks for, checked. `logout_hint` and `ui_locales` are wishes that may be ignored."""

    sent: Parameters
    client: Client | None
    hint: Mapping[str, Any] | None
    """The claims of an ID token of this client's, which may have expired."""
    back: str | None
    """The post_logout_redirect_uri, with the state."""

    @classmethod
    def of(cls, server: "Server", form: Parameters) -> "LogoutRequest":
        """Read the request. Raise OAuthError, to be shown on a page, for what it says wrongly."""
        form.refuse_repeated(PARAMETERS)
        hint = _hint(server, form.single("id_token_hint"))
        client_id, audience = form.single("client_id"), hint.get("aud") if hint is not None else None
        if client_id is not None and hint is not None and client_id != audience:
            # "the OP MUST verify that the Client Identifier matches the one used when issuing the ID Token"
            raise OAuthError("invalid_request", "The id_token_hint is another client's.", reason="client_id_mismatch")
        named = client_id or audience
        client = server.clients.find(named) if isinstance(named, str) else None
        if client_id is not None and client is None:
            raise OAuthError(
                "invalid_request", "The application is not registered here, or is disabled.", reason="invalid_client_id"
            )
        return cls(sent=form, client=client, hint=hint, back=_back(server, client, form))

    def is_of(self, server: "Server", user: SignedIn) -> bool:
        """Whether the hint shows that the client took part in this very session of this user."""
        if self.hint is None or self.client is None or user.sid is None:
            return False
        subject = server.claims.subject(self.client, user.user.subject or "")
        sid = server.claims.session(self.client, user.sid)
        return self.hint.get("sid") == sid and self.hint.get("sub") == subject

    def destination(self, server: "Server") -> str:
        """Where the browser goes after signing out."""
        by_default = server.settings.logout_uri
        return (
            self.back
            or (self.client.logout_uri if self.client is not None else None)
            or (server.path(by_default) if by_default.startswith("/") else by_default)
        )

    def to_query(self) -> str:
        """What matters of the request, to be read again."""
        names = ["id_token_hint", "client_id", *(["post_logout_redirect_uri", "state"] if self.back else [])]
        return encode_form((name, self.sent[name]) for name in names if name in self.sent)


@endpoint(PATH, methods=("GET", "POST"), answers="page", metadata_name="end_session_endpoint")
def logout(server: "Server", request: Request) -> Response:
    """Sign the user out: at once when the client shows that it is of their session, else after asking them."""
    form = decode_form(request.raw_form() if request.method == "POST" else request.raw_query())
    if request.method == "POST" and form.single("ticket") is not None:
        return _decided(server, request, form)
    asked = LogoutRequest.of(server, form)
    if not server.users.has_login_page:
        # Somebody else keeps the session, and nobody else can end it.
        return redirect(LogoutRequest.of(server, Parameters()).destination(server), 303)
    user = signed_in(server, request)
    if user is None and request.method == "POST":
        # Browsers keep our cookie back from a form of another site, and send it with the GET that follows.
        return redirect(f"{server.path(PATH)}?{asked.to_query()}", 303)
    if user is None:
        return redirect(asked.destination(server), 303)
    if asked.is_of(server, user):
        return _sign_out(server, request, asked, user)
    # "the OP MUST ask the End-User this question if an id_token_hint was not provided or if the supplied ID Token
    # does not belong to the current OP session with the RP and/or currently logged in End-User"
    return _confirmation_page(server, request, asked, user)


def _confirmation_page(server: "Server", request: Request, asked: LogoutRequest, user: SignedIn) -> Response:
    session = server.sessions.read(request)
    html = server.pages.render(
        "logout.html",
        action=server.path(PATH),
        ticket=server.sessions.seal("logout", session, asked.to_query()),
        client_name=(asked.client.name or asked.client.key) if asked.client is not None else None,
        username=user.user.display_name,
    )
    return page(html, leads_away=True)


def _decided(server: "Server", request: Request, form: Parameters) -> Response:
    """Carry out what the user chose on our page."""
    query = server.sessions.open(form.single("ticket") or "", "logout", request)
    asked = LogoutRequest.of(server, decode_form(query))
    if form.single("decision") != "sign_out":
        # Not where one goes after signing out: that may be a page that signs out.
        return redirect(asked.back or server.path("/"), 303)
    user = signed_in(server, request)
    return redirect(asked.destination(server), 303) if user is None else _sign_out(server, request, asked, user)


def _sign_out(server: "Server", request: Request, asked: LogoutRequest, user: SignedIn) -> Response:
    session = server.sessions.read(request)
    end_session(server, request, user)
    after = asked.destination(server)
    if asked.client is None or asked.client.logout_behavior == "all_clients":
        after = signed_out_page(server, session, after) or after
    response = redirect(after, 303)
    # The browser keeps its id, so that pressing the button twice is no forgery.
    server.sessions.write(response, Session(browser=session.browser))
    return response


def _hint(server: "Server", id_token: str | None) -> Mapping[str, Any] | None:
    """Section 2: "the OP MUST verify that it was the issuer of the ID Token"; that it has expired is no fault."""
    if id_token is None:
        return None
    claims = server.keys.verify(id_token)
    if claims is None or claims.get("iss") != server.settings.issuer:
        raise OAuthError("invalid_request", "The id_token_hint is not one of ours.", reason="invalid_id_token_hint")
    return claims


def _back(server: "Server", client: Client | None, form: Parameters) -> str | None:
    """Section 3: "the OP MUST NOT perform post-logout redirection" to what is not registered for the client."""
    uri = form.single("post_logout_redirect_uri")
    if uri is None:
        return None
    if client is None or redirect_uri_fault(uri) is not None or not _is_registered(server, client, uri):
        raise OAuthError(
            "invalid_request",
            "The address to go to after signing out is not one the application has registered.",
            reason="invalid_post_logout_redirect_uri",
        )
    state = form.single("state")
    return with_query(uri, [("state", state)] if state is not None else [])


def _is_registered(server: "Server", client: Client, uri: str) -> bool:
    if is_post_logout_redirect_uri(client, uri):
        return True
    return server.settings.fusionauth_parameters and is_redirect_uri(client, uri)
