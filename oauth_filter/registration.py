"""What a client must satisfy before it is registered, by whatever door it comes -- RFC 6749 section 2, RFC 7591."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from oauth_filter.errors import Problem
from oauth_filter.messages.redirect_uri import redirect_uri_fault
from oauth_filter.records import GRANT_TYPES
from oauth_filter.records import Client
from oauth_filter.scope import Scope
from oauth_filter.settings import is_local


def client_faults(client: Client) -> Iterator[Problem]:
    """Every reason why this client must not be registered; `option` is the name of the field.

    Does not check that its id is free, nor whom its redirect URIs belong to.
    """
    if not re.fullmatch(r"[\x20-\x7e]{1,255}", client.key) or client.key != client.key.strip():
        yield Problem(option="client_id", message="use 1 to 255 printable ASCII characters (RFC 6749 appendix A.1)")
    for uri in client.redirect_uris:
        if (fault := registration_fault(uri)) is not None:
            yield Problem(option="redirect_uris", message=fault)
    if not client.redirect_uris and "authorization_code" in client.grant_types:
        yield Problem(option="redirect_uris", message="the authorization_code grant needs at least one redirect URI")
    if unknown := [grant_type for grant_type in client.grant_types if grant_type not in GRANT_TYPES]:
        yield Problem(option="grant_types", message=f"unknown: {' '.join(unknown)}; known: {' '.join(GRANT_TYPES)}")
    try:
        Scope.parse(client.scope or "")
    except ValueError:
        message = "a scope is printable ASCII without quotes and backslashes, scopes are separated by spaces"
        yield Problem(option="scope", message=message)
    for name in ("access_token_lifetime", "refresh_token_lifetime"):
        if (lifetime := getattr(client, name)) is not None and lifetime <= 0:
            yield Problem(option=name, message="use a positive number of seconds")


def registration_fault(uri: str) -> str | None:
    """Why `uri` must not be registered as a redirect URI; None when it may.

    Beyond what makes a redirect URI illegal anywhere: cleartext http is for this machine only (RFC 8252 section
    7.3, RFC 9700 section 2.1), and so is a scheme that names no place the browser could return to.
    """
    if (fault := redirect_uri_fault(uri)) is not None:
        return fault
    url = urlsplit(uri)
    if url.scheme == "http" and not is_local(url.hostname):
        return "redirect_uri must use https; http is for localhost only"
    if url.username is not None:
        return "redirect_uri must not hold a user name"
    if url.scheme in ("about", "blob", "file", "filesystem", "ftp", "mailto", "ws", "wss"):
        return "redirect_uri has a forbidden scheme"
    return None
