"""Our public keys -- RFC 7517."""

from typing import TYPE_CHECKING

from oauth_filter.authorization_server.http import Request
from oauth_filter.authorization_server.http import Response
from oauth_filter.authorization_server.http import endpoint
from oauth_filter.authorization_server.http import json_response

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server


@endpoint("/oauth2/jwks", methods=("GET",), answers="json", metadata_name="jwks_uri", cross_origin=True)
def jwks(server: "Server", request: Request) -> Response:
    """The JWK Set. Whoever keeps it longer than `max-age` may miss a new key."""
    return json_response(
        server.keys.jwks(), headers=(("Cache-Control", f"public, max-age={server.settings.jwks_lifetime // 2}"),)
    )
