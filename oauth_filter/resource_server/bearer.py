"""Finding the access token of a request -- RFC 6750 sections 2.1 and 2.3.

A token in a form body (section 2.2) is not looked for: the body belongs to the application.
"""

import re
from typing import TYPE_CHECKING
from typing import Any
from typing import Final
from urllib.parse import unquote_to_bytes

from oauth_filter.errors import OAuthError
from oauth_filter.messages import bearer_token_from_header

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment

MAX_TOKEN_LENGTH: Final = 16 * 1024
"""Characters; a JWT of ours that lists a hundred permissions has some seven thousand. Some servers let headers of any
length through, and each would be hashed."""

_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_ANOTHER_HEADER: Final = re.compile(r"(\A|,)[ \t]*bearer\b.*,|,[ \t]*bearer[ \t]", re.IGNORECASE | re.DOTALL)
_ACCESS_TOKEN: Final = b"access_token"

_RAW_URIS: Final = (
    "REQUEST_URI",
    "RAW_URI",
    "REQUEST_TARGET",
    "UNENCODED_URL",
    "HTTP_X_ORIGINAL_URI",
    "HTTP_X_ORIGINAL_URL",
    "HTTP_X_REWRITE_URL",
    "HTTP_X_FORWARDED_URI",
)
"""Environ keys in which servers, and proxies before them, hand on the request target as it was sent."""


def from_header(authorization: str) -> str | None:
    """The token of an `Authorization` header; None if there is none, or it is of another scheme, such as Basic.

    Raise OAuthError `invalid_request` unless a Bearer header holds exactly one token. Servers join repeated headers
    by a comma, which no token contains.
    """
    if _ANOTHER_HEADER.search(authorization):
        raise OAuthError("invalid_request", "There is more than one access token or Authorization header.")
    token = bearer_token_from_header(authorization.replace("\t", " "))
    return None if token is None else _checked(token)


def from_query(query: str) -> str | None:
    """The token of a query string, if there is one.

    Raise OAuthError `invalid_request` unless it is there at most once, not empty and well encoded.
    """
    found = [piece for piece in query.split("&") if _is_access_token(piece)]
    if not found:
        return None
    if len(found) > 1:
        raise OAuthError("invalid_request", "There is more than one access token.")
    _, _, value = found[0].partition("=")
    if re.search(r"%(?![0-9A-Fa-f]{2})", value):
        raise OAuthError("invalid_request", "The access token is not properly encoded.")
    return _checked(_decoded(value).decode("latin-1"))


def may_hold_token(query: str) -> bool:
    """Whether `from_query` has to look closer; quick, and never wrongly False."""
    return "access_token" in query or "%" in query


def without_token(query: str) -> str:
    """The query without the token, everything else byte for byte as it was."""
    return "&".join(piece for piece in query.split("&") if not _is_access_token(piece))


def conceal(environ: "WSGIEnvironment") -> None:
    """Take the token out of every environ key that holds the query, so that it gets into no log or template."""
    environ["QUERY_STRING"] = without_token(environ["QUERY_STRING"])
    for key in _RAW_URIS:
        uri = environ.get(key)
        if isinstance(uri, str):
            target, hash_mark, fragment = uri.partition("#")
            path, question_mark, query = target.partition("?")
            rest = without_token(query)
            if rest != query:
                environ[key] = path + (question_mark + rest if rest else "") + hash_mark + fragment


def unstored(start_response: "StartResponse") -> "StartResponse":
    """A `start_response` that keeps the answer out of caches and the URL out of Referer headers.

    RFC 6750 section 5.3: a URL with a token in it lives on in histories, logs and caches.
    """

    def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
        kept = [(name, value) for name, value in headers if name.lower() not in ("cache-control", "referrer-policy")]
        kept += [("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer")]
        return start_response(status, kept, *exc_info)

    return start


def _is_access_token(piece: str) -> bool:
    name, _, _ = piece.partition("=")
    return _decoded(name) == _ACCESS_TOKEN


def _decoded(text: str) -> bytes:
    return unquote_to_bytes(text.replace("+", " ").encode("latin-1", "replace"))


def _checked(token: str) -> str:
    if len(token) > MAX_TOKEN_LENGTH:
        raise OAuthError("invalid_request", "The access token is too long.")
    if not _TOKEN.fullmatch(token):
        raise OAuthError("invalid_request", "The access token is empty or has characters no token has.")
    return token
