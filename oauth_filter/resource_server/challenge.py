"""Refusals of protected requests -- RFC 6750 section 3."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING
from typing import Final

from oauth_filter.messages import BearerChallenge
from oauth_filter.scope import Scope

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment

Header = tuple[str, str]

RETRY_AFTER: Final = "5"
"""Seconds after which storage may be back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A response made in advance. It is a WSGI application."""

    status: str
    headers: tuple[Header, ...]
    body: bytes

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        start_response(self.status, list(self.headers))
        return [] if environ["REQUEST_METHOD"].upper() == "HEAD" else [self.body]


@lru_cache(maxsize=256)
def challenge(realm: str, scope: frozenset[str]) -> Refusal:
    """401 for a request that brought no token: the bare challenge, without an error code as RFC 6750 section 3.1 asks.

    The body says `unauthorized`, which is no code of OAuth's either, for who looks only there.
    """
    description = "An access token is needed: send the header Authorization: Bearer and the token."
    return _json_refusal(401, "unauthorized", description, _bearer(realm, scope))


@lru_cache(maxsize=256)
def refusal(realm: str, scope: frozenset[str], code: str, description: str, status: int) -> Refusal:
    """What an error is answered with; `scope` is all that the request needs.

    Storage trouble is a 503 without a challenge: the token may be perfectly good.
    """
    if status >= 500:
        return _json_refusal(status, code, description, ("Retry-After", RETRY_AFTER))
    return _json_refusal(status, code, description, _bearer(realm, scope, code, description))


def _bearer(realm: str, scope: frozenset[str], error: str | None = None, description: str | None = None) -> Header:
    value = BearerChallenge(
        realm=realm,
        error=error,
        error_description=description,
        scope=Scope(*sorted(scope)),
    )
    return "WWW-Authenticate", value.to_header()


def _json_refusal(status: int, error: str, description: str, header: Header) -> Refusal:
    body = json.dumps({"error": error, "error_description": description}).encode()
    return _refusal(status, "application/json", body, header)


def _refusal(status: int, content_type: str, body: bytes, *headers: Header) -> Refusal:
    return Refusal(
        status=f"{status} {HTTPStatus(status).phrase}",
        headers=(
            ("Content-Type", content_type),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
            *headers,
        ),
        body=body,
    )


AMBIGUOUS_PATH: Final = _refusal(
    400,
    "text/plain; charset=utf-8",
    b"The path is ambiguous: spell it without '//', '/./', '/../', '\\\\' and the like.\n",
)
