"""Authorization server metadata -- RFC 8414: derived from what is served, so that it cannot say anything else."""

from typing import TYPE_CHECKING
from typing import Any
from typing import Final

from oauth_filter.authorization_server.clients import AUTHENTICATION_METHODS
from oauth_filter.authorization_server.destination import RESPONSE_MODES
from oauth_filter.authorization_server.http import Request
from oauth_filter.authorization_server.http import Response
from oauth_filter.authorization_server.http import endpoint
from oauth_filter.authorization_server.http import json_response

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server

PATH: Final = "/.well-known/oauth-authorization-server"


@endpoint(PATH, methods=("GET",), answers="json")
def metadata(server: "Server", request: Request) -> Response:
    """The document. It holds nothing secret, and may be read by the scripts of any site."""
    headers = (("Cache-Control", "public, max-age=300"), ("Access-Control-Allow-Origin", "*"))
    return json_response(document(server), headers=headers)


def document(server: "Server") -> dict[str, Any]:
    """RFC 8414 section 2, for what this server serves."""
    settings = server.settings
    urls = {e.metadata_name: server.url(e.path) for e in server.endpoints if e.metadata_name is not None}
    said: dict[str, Any] = {
        "issuer": settings.issuer,
        **urls,
        "response_types_supported": ["code"],
        "response_modes_supported": list(RESPONSE_MODES),
        "grant_types_supported": list(server.grant_types),
        "token_endpoint_auth_methods_supported": list(AUTHENTICATION_METHODS),
        "revocation_endpoint_auth_methods_supported": list(AUTHENTICATION_METHODS),
        "code_challenge_methods_supported": ["S256", "plain"] if settings.allow_plain_pkce else ["S256"],
        "authorization_response_iss_parameter_supported": True,
    }
    if settings.scopes:
        said["scopes_supported"] = list(settings.scopes)
    return said
