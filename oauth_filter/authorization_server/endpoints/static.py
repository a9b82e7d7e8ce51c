"""The stylesheet and the one script of our pages."""

from importlib.resources import files
from typing import TYPE_CHECKING
from typing import Final

from oauth_filter.authorization_server.http import Endpoint
from oauth_filter.authorization_server.http import Request
from oauth_filter.authorization_server.http import Response

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server

TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FOLDER: Final = files("oauth_filter.authorization_server") / "static"


def static_endpoints() -> tuple[Endpoint, ...]:
    """An endpoint for each file: what is not in the folder when the process starts is never looked for."""
    found = []
    for file in sorted(FOLDER.iterdir(), key=lambda f: f.name):
        suffix = file.name[file.name.rfind(".") :]
        if suffix in TYPES:
            found.append(_endpoint(file.name, file.read_bytes(), TYPES[suffix]))
    return tuple(found)


def _endpoint(name: str, content: bytes, mimetype: str) -> Endpoint:
    def handle(server: "Server", request: Request) -> Response:
        response = Response(content, mimetype=mimetype)
        response.headers["Cache-Control"] = "public, max-age=3600"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.add_etag()
        return response.make_conditional(request)

    return Endpoint(path=f"/oauth2/static/{name}", methods=("GET",), answers="page", metadata_name=None, handle=handle)
