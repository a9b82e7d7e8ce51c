"""Metadata -- RFC 8414 and OpenID Connect Discovery: derived from what is served, so that it can say nothing else."""

from typing import TYPE_CHECKING
from typing import Any
from typing import Final

from oauth_filter.authorization_server.claims import USER_CLAIMS
from oauth_filter.authorization_server.destination import RESPONSE_MODES
from oauth_filter.authorization_server.http import Request
from oauth_filter.authorization_server.http import Response
from oauth_filter.authorization_server.http import endpoint
from oauth_filter.authorization_server.http import json_response
from oauth_filter.authorization_server.interaction import PASSWORD_ACR
from oauth_filter.authorization_server.response_types import RESPONSE_TYPES
from oauth_filter.registration import AUTHENTICATION_METHODS
from oauth_filter.scope import OPENID_SCOPES
from oauth_filter.signing import CLIENT_ASSERTION_ALGORITHMS
from oauth_filter.signing import OWN_ALGORITHMS

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server

OAUTH: Final = "/.well-known/oauth-authorization-server"
OPENID: Final = "/.well-known/openid-configuration"


@endpoint(OAUTH, methods=("GET",), answers="json", cross_origin=True)
def oauth_metadata(server: "Server", request: Request) -> Response:
    """RFC 8414. It holds nothing secret."""
    return _public(document(server))


@endpoint(OPENID, methods=("GET",), answers="json", cross_origin=True)
def openid_configuration(server: "Server", request: Request) -> Response:
    """OpenID Connect Discovery section 4: the same document under the name that OpenID clients ask for."""
    return _public(document(server))


def _public(said: dict[str, Any]) -> Response:
    return json_response(said, headers=(("Cache-Control", "public, max-age=300"),))


def document(server: "Server") -> dict[str, Any]:
    """RFC 8414 section 2 and Discovery section 3, for what this server serves."""
    settings = server.settings
    urls = {e.metadata_name: server.url(e.path) for e in server.endpoints if e.metadata_name is not None}
    methods = {}
    for name in ("token_endpoint", "revocation_endpoint", "introspection_endpoint"):
        methods[f"{name}_auth_methods_supported"] = list(AUTHENTICATION_METHODS)
        methods[f"{name}_auth_signing_alg_values_supported"] = list(CLIENT_ASSERTION_ALGORITHMS)
    # A public client has nothing to show there.
    methods["introspection_endpoint_auth_methods_supported"].remove("none")
    return {
        "issuer": settings.issuer,
        **urls,
        **methods,
        "response_types_supported": list(map(str, RESPONSE_TYPES)),
        "response_modes_supported": list(RESPONSE_MODES),
        "grant_types_supported": [*server.grant_types, "implicit"],
        "code_challenge_methods_supported": ["S256", "plain"] if settings.allow_plain_pkce else ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "scopes_supported": list(dict.fromkeys((*OPENID_SCOPES, *settings.scopes))),
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": list(OWN_ALGORITHMS),
        "claims_supported": ["sub", "iss", "auth_time", "acr", "amr", "sid", *USER_CLAIMS],
        "claims_parameter_supported": True,
        # Somebody else's session cannot be ended by us.
        "frontchannel_logout_supported": server.users.has_login_page,
        "frontchannel_logout_session_supported": server.users.has_login_page,
        "backchannel_logout_supported": server.users.has_login_page,
        "backchannel_logout_session_supported": server.users.has_login_page,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        **({"acr_values_supported": [PASSWORD_ACR]} if server.users.has_login_page else {}),
    }
