"""The guard: a WSGI callable that lets through who may pass -- RFC 6750.

It runs before every request of the application, so a token seen before costs no request object, no exception and no
input or output: two look-ups in dicts and one SHA-256.
"""

import math
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

from oauth_filter import credentials
from oauth_filter.errors import OAuthError
from oauth_filter.records import AccessToken
from oauth_filter.resource_server import bearer
from oauth_filter.resource_server.challenge import AMBIGUOUS_PATH
from oauth_filter.resource_server.challenge import challenge
from oauth_filter.resource_server.challenge import refusal
from oauth_filter.resource_server.principal import CLIENT_ID
from oauth_filter.resource_server.principal import PRINCIPAL
from oauth_filter.resource_server.principal import SCOPE
from oauth_filter.resource_server.principal import SUBJECT
from oauth_filter.resource_server.principal import Principal
from oauth_filter.resource_server.recent import Recent
from oauth_filter.resource_server.rules import Requirement
from oauth_filter.resource_server.rules import Rules
from oauth_filter.settings import Settings
from oauth_filter.stores import Store

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment

SEEN_LIMIT: Final = 8192
"""Tokens remembered in each of two generations; about a kilobyte each."""
SEEN_LIFETIME: Final = 60.0
"""Seconds after which a remembered token is judged anew, in case something changed that nobody announced."""

_MAX_HEADER_LENGTH: Final = len("Bearer ") + bearer.MAX_TOKEN_LENGTH


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A good token, remembered by the SHA-256 of it: who reads this process's memory finds no token to use."""

    environ: Mapping[str, Any]
    scope: frozenset[str]
    is_user: bool
    generation: int | None
    """`Store.generation()` before the token was looked up. What has None here is never remembered."""
    checked_at: float
    good_until: float


class Guard:
    """Wraps `application`: checks the bearer token of each request against the rules of `settings.protect`.

    `is_honoured` says whether the client and the user of a stored token still may use it; what it depends on has to be
    announced by `store.generation()`. `now` gives seconds since the epoch. The `Authorization` header stays in the
    environ, for applications that call others with it; a token in the query does not.

    `OPTIONS` needs a token like every method: for CORS preflights, which cannot bring one, write a rule such as
    `OPTIONS / = public`. A public path is passed on as it is, even with a bad token, and without a principal.

    Does not read request bodies, does not check whether the transport was secure, and trusts the server about
    `PATH_INFO`: an application that finds its way by `REQUEST_URI` or by `SCRIPT_NAME` is not protected by rules.
    """

    def __init__(
        self,
        application: "WSGIApplication",
        settings: Settings,
        store: Store,
        *,
        is_honoured: Callable[[AccessToken], bool],
        now: Callable[[], float],
    ) -> None:
        self._application: Final = application
        self._find: Final = stored_token(store)
        self._generation: Final = store.generation
        self._is_honoured: Final = is_honoured
        self._now: Final = now
        self._accept_query_token: Final = settings.accept_query_token
        self._user_key: Final = environ_key(settings.user_header) if settings.user_header else None
        self._spoofable: Final = _spoofable(settings)
        self._requirement: Final = Rules(
            settings.protect, refuse_ambiguous_paths=settings.refuse_ambiguous_paths
        ).requirement
        self._seen: Final[Recent[bytes, _Seen]] = Recent(SEEN_LIMIT)
        self._realm: Final = settings.realm
        self._audience: Final = frozenset(settings.audience)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if not environ.keys().isdisjoint(self._spoofable):
            for key in self._spoofable:
                environ.pop(key, None)
        # An empty path is the root we are mounted at; without a mount it is a target no server should let through.
        path = environ.get("PATH_INFO") or ("/" if environ.get("SCRIPT_NAME") else "")
        requirement = self._requirement(environ["REQUEST_METHOD"], path)
        if requirement is None:
            return AMBIGUOUS_PATH(environ, start_response)
        if requirement.token == "none":
            return self._application(environ, start_response)
        # From here to the application is the way of nearly every request; it is written out because calls cost.
        authorization = environ.get("HTTP_AUTHORIZATION")
        query = environ.get("QUERY_STRING")
        if (
            authorization
            and authorization[:7] == "Bearer "
            and len(authorization) <= _MAX_HEADER_LENGTH
            and not (query and self._accept_query_token and bearer.may_hold_token(query))
        ):
            # Only well-formed tokens are remembered, so the form need not be looked at again.
            seen = self._seen.young.get(sha256(authorization[7:].encode("utf-8", "surrogatepass")).digest())
            if (
                seen is not None
                and seen.generation == self._generation()
                and seen.checked_at <= self._now() < seen.good_until
                and requirement.scope <= seen.scope
            ):
                environ.update(seen.environ)
                if seen.is_user:
                    return self._application(environ, start_response)
                environ.pop("REMOTE_USER", None)
                return self._application(environ, start_response)
        return self._decide(environ, start_response, requirement)

    def _decide(
        self, environ: "WSGIEnvironment", start_response: "StartResponse", requirement: Requirement
    ) -> Iterable[bytes]:
        """The same for everything that is not as usual, step by step."""
        try:
            token, is_in_query = self._presented(environ)
            seen = None if token is None else self._check(token)
            if seen is not None and not requirement.scope <= seen.scope:
                raise OAuthError("insufficient_scope", "The access token does not have the scopes needed here.")
        except OAuthError as error:
            refused = refusal(self._realm, requirement.scope, error.code, error.description, error.status)
            return refused(environ, start_response)
        if seen is None:
            if requirement.token == "optional":
                return self._application(environ, start_response)
            return challenge(self._realm, requirement.scope)(environ, start_response)
        if is_in_query:
            bearer.conceal(environ)
            start_response = bearer.unstored(start_response)
        return self._pass_on(environ, start_response, seen)

    def _presented(self, environ: "WSGIEnvironment") -> tuple[str | None, bool]:
        """The token, and whether it stood in the query. Raise OAuthError `invalid_request`."""
        in_header = bearer.from_header(environ.get("HTTP_AUTHORIZATION", ""))
        in_query = bearer.from_query(environ.get("QUERY_STRING", "")) if self._accept_query_token else None
        if in_header is not None and in_query is not None:
            # RFC 6750 section 2: "Clients MUST NOT use more than one method to transmit the token"
            raise OAuthError("invalid_request", "There is an access token in the header and one in the query.")
        return in_header or in_query, in_query is not None

    def _check(self, token: str) -> _Seen:
        """What there is to know about a token. Raise OAuthError `invalid_token` or `temporarily_unavailable`."""
        key = _digest(token)
        seen = self._seen.get(key)
        if seen is not None and self._is_fresh(seen):
            return seen
        # Read before the look-up: a revocation during it makes what is remembered here useless at once.
        generation = self._generation()
        found = self._find(token)
        now = self._now()
        if found is None or not self._is_honoured(found) or (found.expires_at is not None and found.expires_at <= now):
            raise OAuthError("invalid_token", "The access token is unknown, expired or revoked.")
        if self._audience and found.audience and self._audience.isdisjoint(found.audience):
            raise OAuthError("invalid_token", "The access token is meant for somebody else.")
        principal = Principal.of(found)
        seen = _Seen(
            environ=principal.environ(self._user_key),
            scope=frozenset(principal.scope),
            is_user=principal.username is not None,
            generation=generation,
            checked_at=now,
            good_until=min(now + SEEN_LIFETIME, found.expires_at or math.inf),
        )
        if generation is not None:
            self._seen.put(key, seen)
        return seen

    def _is_fresh(self, seen: _Seen) -> bool:
        # What was checked in the future was checked before the clock was set back.
        return seen.generation == self._generation() and seen.checked_at <= self._now() < seen.good_until

    def _pass_on(self, environ: "WSGIEnvironment", start_response: "StartResponse", seen: _Seen) -> Iterable[bytes]:
        environ.update(seen.environ)
        if not seen.is_user:
            # It is still there when the server in front signs users in: not the user of this token.
            environ.pop("REMOTE_USER", None)
        return self._application(environ, start_response)


def stored_token(store: Store) -> Callable[[str], AccessToken | None]:
    """A function from the text of a token to the token in the store; garbage is refused without asking it."""

    def find(token: str) -> AccessToken | None:
        if not credentials.is_access_token(token):
            return None
        return store.get(AccessToken, credentials.digest(token))

    return find


def environ_key(header: str) -> str:
    """The environ key a server makes of a request header."""
    return "HTTP_" + header.upper().replace("-", "_")


def _spoofable(settings: Settings) -> frozenset[str]:
    """The keys by which an application could take a client for somebody it is not, under all names they come in."""
    keys = {"REMOTE_USER", "AUTH_TYPE", PRINCIPAL, SUBJECT, CLIENT_ID, SCOPE}
    if settings.login == "remote_user":
        # They are how the server in front tells who signed in there; a client has no way to set them.
        keys -= {"REMOTE_USER", "AUTH_TYPE"}
    keys |= {"HTTP_REMOTE_USER", "HTTP_AUTH_TYPE"}
    if settings.user_header:
        keys.add(environ_key(settings.user_header))
    return frozenset(keys)


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
