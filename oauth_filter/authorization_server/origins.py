"""Whose pages may use a client -- RFC 6454 section 7, RFC 9700 section 4.17."""

import re
from typing import TYPE_CHECKING
from typing import Final
from urllib.parse import urlsplit

from oauth_filter.authorization_server.debugging import explained
from oauth_filter.authorization_server.debugging import quoted
from oauth_filter.authorization_server.redirect_uris import is_origin
from oauth_filter.errors import OAuthError
from oauth_filter.records import Client
from oauth_filter.settings import Settings

if TYPE_CHECKING:
    from oauth_filter.authorization_server.http import Request

_REFERER: Final = re.compile(r"(https?://(?:[A-Za-z0-9.\-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?)(?:[/?#].*)?")


def check_origin(settings: Settings, client: Client, request: "Request") -> None:
    """Raise OAuthError `invalid_request` for a page that is not one of the client's, nor one of ours.

    A request that does not say where it comes from is let through: programs and the address bar do not say it. So
    this keeps honest browsers in bounds; it authenticates nobody.
    """
    if not client.origins:
        return
    origin = request.headers.get("Origin")
    # A page can choose to be "null", by way of a sandboxed frame: to look at the Referer then would let it choose
    # how it is judged.
    if origin == "null":
        raise OAuthError(
            "invalid_request",
            "The page hides its origin.",
            reason="invalid_origin_opaque",
            detail=explained(client, "Origin: null, as sandboxed frames and pages without a referrer send it"),
        )
    if origin is None:
        origin = _of_referer(request.headers.get("Referer"))
    if origin is not None and origin != _ours(settings) and not is_origin(client, origin):
        raise OAuthError(
            "invalid_request",
            "The client is not for pages of this origin.",
            reason="invalid_origin",
            detail=explained(client, f"{quoted(origin)} is not among its origins {' '.join(client.origins)}"),
        )


def _of_referer(referer: str | None) -> str | None:
    """The origin of a Referer, None without one. What cannot be read comes back as it is, and is nobody's origin."""
    if referer is None:
        return None
    found = _REFERER.fullmatch(referer)
    return found[1] if found else referer


def _ours(settings: Settings) -> str:
    issuer = urlsplit(settings.issuer)
    return f"{issuer.scheme}://{issuer.netloc}"
