"""Whether a URI or an origin is one that a client has registered -- RFC 6749 section 3.1.2.3, RFC 9700 section 2.1."""

import re
from collections.abc import Iterable
from typing import Final

from oauth_filter.authorization_server.debugging import quoted
from oauth_filter.records import Client
from oauth_filter.uri_pattern import differences
from oauth_filter.uri_pattern import is_pattern
from oauth_filter.uri_pattern import pattern_matches

_LOOPBACK: Final = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]|localhost))(?::[0-9]{1,5})?(/[^?#]*)?(\?[^#]*)?")


def is_redirect_uri(client: Client, uri: str) -> bool:
    """Whether users may be sent back to this URI. Does not check that it is well-formed."""
    return _is_registered(client, client.redirect_uris, uri)


def is_post_logout_redirect_uri(client: Client, uri: str) -> bool:
    """Whether users may be sent to this URI after signing out. Does not check that it is well-formed."""
    return _is_registered(client, client.post_logout_redirect_uris, uri)


def is_origin(client: Client, origin: str) -> bool:
    """Whether pages of this origin, as an Origin header writes it, may use the client."""
    return any(_is(client, registered, origin) for registered in client.origins)


def mismatch(client: Client, uri: str) -> str:
    """How a URI differs from the redirect URIs of a client, for the developers of the client."""
    told = [f"the redirect URI is {quoted(uri)}"]
    for registered in client.redirect_uris:
        if is_pattern(registered) and client.redirect_uri_matching != "wildcard":
            told.append(f"{registered} is a pattern, and redirect_uri_matching is exact")
        else:
            told.append(f"of {registered} it differs in {' and '.join(differences(registered, uri)) or 'nothing'}")
    return "; ".join(told)


def _is_registered(client: Client, registered: Iterable[str], uri: str) -> bool:
    return any(_is(client, one, uri) or _is_loopback(one, uri) for one in registered)


def _is(client: Client, registered: str, given: str) -> bool:
    # What has a * in it is never compared as it stands: it is a pattern or, without the client's consent, nothing.
    if is_pattern(registered):
        return client.redirect_uri_matching == "wildcard" and pattern_matches(registered, given)
    return given == registered


def _is_loopback(registered: str, uri: str) -> bool:
    """Whether both are the same http URI of the loopback interface, whatever the port.

    A native application takes whatever port is free (RFC 8252 section 7.3).
    """
    if is_pattern(registered):
        return False
    ours, theirs = _LOOPBACK.fullmatch(registered), _LOOPBACK.fullmatch(uri)
    return ours is not None and theirs is not None and ours.groups() == theirs.groups()
