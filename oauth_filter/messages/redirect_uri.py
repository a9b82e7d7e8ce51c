"""Redirect URIs: which are legal, and how a response is put on one -- RFC 6749 section 3.1.2, RFC 3986."""

import re
from collections.abc import Iterable
from typing import Final
from typing import LiteralString
from urllib.parse import urlsplit

from oauth_filter.messages.errors import ProtocolError
from oauth_filter.messages.form import decode_form
from oauth_filter.messages.form import encode_form

_URI_TEXT: Final = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*(?=:)")
_EXECUTABLE: Final = frozenset({"data", "javascript", "vbscript"})
_RESPONSE_NAMES: Final = ("code", "state", "response")


def is_uri_text(text: str) -> bool:
    """Whether `text` has only the characters of a URI, and whole percent escapes (RFC 3986 section 2)."""
    return _URI_TEXT.fullmatch(text) is not None


def redirect_uri_fault(uri: str) -> LiteralString | None:
    """Why `uri` cannot be a redirect URI, as a sentence fit for an error; None when it can.

    Refused are characters no URI has, relative and scheme-relative references, a fragment (also an empty one),
    schemes that run code in the browser, http and https without a host or with a bad port, and a query that
    already has a parameter named `code`, `state` or `response`. The same at registration and in requests. Does
    not check that the URI is registered, that it uses https, or whom its host or user part belong to.
    """
    # Before any urlsplit: it deletes TAB, CR and LF, so that "/\t/host" would become "//host".
    if not is_uri_text(uri):
        return "redirect_uri has characters a URI must not have"
    scheme = _SCHEME.match(uri)
    if scheme is None:
        return "redirect_uri must be an absolute URI"
    if scheme[0].lower() in _EXECUTABLE:
        return "redirect_uri has a forbidden scheme"
    if "#" in uri:
        return "redirect_uri must not have a fragment"
    try:
        parts = urlsplit(uri)
        hostless = parts.scheme in ("http", "https") and not parts.hostname
        parts.port  # noqa: B018 -- raises ValueError for a port that is none
    except ValueError:
        return "redirect_uri is malformed"
    if hostless:
        return "redirect_uri must have a host"
    try:
        names = decode_form(uri.partition("?")[2])
    except ProtocolError:
        return "redirect_uri has a malformed query"
    if any(name in names for name in _RESPONSE_NAMES):
        return "redirect_uri must not have response parameters in its query"
    return None


def with_query(uri: str, parameters: Iterable[tuple[str, str]]) -> str:
    """`uri` with parameters added to its query; what it has already stays byte for byte.

    Raise ValueError for a URI with a fragment: the parameters would vanish in it.
    """
    if "#" in uri:
        raise ValueError("parameters cannot be added to a URI with a fragment")
    added = encode_form(parameters)
    if not added:
        return uri
    if "?" not in uri:
        return f"{uri}?{added}"
    return uri + added if uri.endswith(("?", "&")) else f"{uri}&{added}"


def with_fragment(uri: str, parameters: Iterable[tuple[str, str]]) -> str:
    """`uri` with parameters as its fragment. Raise ValueError when it has a fragment already."""
    if "#" in uri:
        raise ValueError("the URI has a fragment already")
    return f"{uri}#{encode_form(parameters)}"
