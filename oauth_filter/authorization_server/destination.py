"""Where the browser goes with the answer -- RFC 6749 sections 3.1.2 and 4.1.2.1.

Before there is a `Destination` an error is shown on a page of ours; once there is one, every error and the success
go to it. That is the whole rule, and there is no other way to redirect a browser to a client.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Final

from oauth_filter.authorization_server.debugging import explained
from oauth_filter.authorization_server.http import Response
from oauth_filter.authorization_server.http import redirect
from oauth_filter.authorization_server.pages import page_headers
from oauth_filter.authorization_server.redirect_uris import is_redirect_uri
from oauth_filter.authorization_server.redirect_uris import mismatch
from oauth_filter.errors import OAuthError
from oauth_filter.messages import AuthorizationErrorResponse
from oauth_filter.messages import AuthorizationRequest
from oauth_filter.messages import AuthorizationResponse
from oauth_filter.messages import ProtocolError
from oauth_filter.records import Client
from oauth_filter.uri_pattern import is_pattern

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server

RESPONSE_MODES: Final = ("query", "fragment", "form_post")


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A registered redirect URI of an enabled client. Made by `destination` only."""

    client: Client
    redirect_uri: str

    @property
    def takes_posts(self) -> bool:
        """Whether a form can be sent there: an application opened by a scheme of its own gets no body."""
        return self.redirect_uri.lower().startswith(("https:", "http:"))

    def deliver(self, server: "Server", response: AuthorizationResponse) -> Response:
        """Send the browser to the client with the response, in its response mode."""
        if response.response_mode == "form_post" and not self.takes_posts:
            response = replace(response, response_mode="query")
        if response.response_mode == "form_post":
            html = server.pages.render(
                "form_post.html",
                client_name=self.client.name or self.client.key,
                action=self.redirect_uri,
                parameters=list(response.parameters().pairs()),
            )
            return page(html, leads_away=True, script=True)
        # 303, so that the POST of a login or consent form is not repeated at the client (RFC 9700 section 4.12).
        return redirect(response.to_uri(), 303)

    def refuse(self, server: "Server", error: OAuthError, asked: AuthorizationRequest | None = None) -> Response:
        """Send the browser to the client with an error; without a request it is a redirectable ProtocolError."""
        iss = server.settings.issuer
        if asked is None:
            response = AuthorizationErrorResponse.from_error(error, redirect_uri=self.redirect_uri, iss=iss)
        else:
            response = asked.error(error, redirect_uri=self.redirect_uri, iss=iss)
        return self.deliver(server, response)


def destination(server: "Server", client_id: str, redirect_uri: str | None) -> Destination:
    """The destination a request names. Raise OAuthError, to be shown on a page, when it names none of ours."""
    client = server.clients.find(client_id)
    if client is None:
        raise OAuthError(
            "invalid_request", "The application is not registered here, or is disabled.", reason="invalid_client_id"
        )
    if redirect_uri is None:
        # RFC 6749 section 3.1.2.3: the registered one, when there is just one, and nothing to be filled in.
        if len(client.redirect_uris) == 1 and not is_pattern(client.redirect_uris[0]):
            return Destination(client=client, redirect_uri=client.redirect_uris[0])
        raise OAuthError(
            "invalid_request", "The application did not say where to return to.", reason="missing_redirect_uri"
        )
    if is_redirect_uri(client, redirect_uri):
        return Destination(client=client, redirect_uri=redirect_uri)
    raise OAuthError(
        "invalid_request",
        "The address to return to is not one the application has registered.",
        reason="invalid_redirect_uri",
        detail=explained(client, mismatch(client, redirect_uri)),
    )


def destination_of(server: "Server", error: ProtocolError) -> Destination:
    """Where an error found while reading a request goes. Raise it, to be shown on a page, when it goes nowhere."""
    if not error.redirectable or error.client_id is None:
        raise error
    return destination(server, error.client_id, error.unverified_redirect_uri)


def page(
    html: str,
    status: int = 200,
    *,
    leads_away: bool = False,
    script: bool = False,
    frames: Iterable[str] = (),
    frame_ancestors: Iterable[str] = (),
) -> Response:
    """A page of ours, with the headers that keep it out of frames, caches and the hands of injected scripts.

    A page whose form `leads_away`, to a client, has no form-action: browsers apply it to every redirect that follows,
    also to those of the client, of which we know nothing.
    """
    response = Response(html, status, mimetype="text/html")
    headers = page_headers(
        form_targets=None if leads_away else (), script=script, frames=frames, frame_ancestors=frame_ancestors
    )
    response.headers.update(headers)
    return response
