"""The application behind the filter: a home page, and an API that never looks at a token itself."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING
from typing import Any
from typing import Final
from urllib.parse import urlsplit

from markupsafe import Markup
from werkzeug.wrappers import Request
from werkzeug.wrappers import Response

from oauth_filter.cli.demo.client import DemoClient
from oauth_filter.cli.demo.installation import Demo
from oauth_filter.cli.demo.pages import page
from oauth_filter.cli.demo.pages import stylesheet

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment

_HOME: Final = Markup("""\
<h1>It runs</h1>
<p class="lead">This page belongs to an ordinary WSGI application. In front of it stands oauth_filter, which answers
everything below <code>/oauth2/</code> and lets only those through to <code>/api/</code> who bring a token.</p>
<h2>See it work</h2>
<ol>
  <li>Open the demo client: another application, which wants to use the API in your name.</li>
  <li>Sign in as <strong>{username}</strong> with the password <strong>{password}</strong>, and allow it.</li>
  <li>Call the API with the token, refresh it, revoke it, and see what each answer looks like.</li>
</ol>
<div class="row">
  <a class="button primary" href="/client/">Open the demo client</a>
  <a class="button" href="/api/me">Call the API without a token</a>
</div>
<h2>More to look at</h2>
<p><a href="/.well-known/oauth-authorization-server">What this provider can do</a>, as clients read it (RFC 8414).
The terminal in which you started the demo has commands to paste.</p>
""")

_NOT_FOUND: Final = Markup("""\
<h1>Page not found</h1>
<p class="lead"><a href="/">To the start of the demo</a></p>
""")

REPORTS: Final = ({"id": 1, "title": "Rabbits, by pocket watch"}, {"id": 2, "title": "Tea parties per year"})


class DemoSite:
    """A WSGI application: the home page, the API, and the demo client below `/client/`."""

    def __init__(self, demo: Demo) -> None:
        self._demo: Final = demo
        self._host: Final = urlsplit(demo.issuer).netloc
        self._client: Final = DemoClient(demo)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        path = request.path
        if path.startswith("/api/"):
            return _api(request)
        if request.host != self._host and request.method == "GET":
            # `localhost` would have cookies of its own, and the sign-in would end in another session.
            return Response(status=302, headers={"Location": self._demo.url(path)})
        if path.startswith("/client/"):
            return self._client.answer(request)
        if path == "/":
            return page("Start", _HOME.format(username=self._demo.username, password=self._demo.password))
        if path == "/demo.css":
            return stylesheet()
        return page("Page not found", _NOT_FOUND, status=404)


def _api(request: Request) -> Response:
    """What the filter has found out stands in the environ; there is nothing else to do."""
    environ = request.environ
    match request.path:
        case "/api/me":
            return _json(
                {
                    "username": environ.get("REMOTE_USER"),
                    "subject": environ.get("oauth_filter.subject"),
                    "client_id": environ["oauth_filter.client_id"],
                    "scope": environ["oauth_filter.scope"],
                }
            )
        case "/api/reports":
            return _json({"for": environ.get("REMOTE_USER") or environ["oauth_filter.client_id"], "reports": REPORTS})
        case _:
            return _json({"error": "not_found"}, 404)


def _json(data: Any, status: int = 200) -> Response:
    return Response(json.dumps(data, indent=2) + "\n", status, mimetype="application/json")
