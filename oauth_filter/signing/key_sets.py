"""The keys of an issuer or a client: given as text, or fetched from where they are published -- RFC 7517."""

import math
import threading
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from oauth_filter.errors import OAuthError
from oauth_filter.settings import JWTIssuer
from oauth_filter.signing import fetching
from oauth_filter.signing.keys import Key
from oauth_filter.signing.keys import configured
from oauth_filter.signing.keys import read_jwks
from oauth_filter.signing.keys import select

JWKS_LIFETIME: Final = 300.0
"""Seconds a fetched JWK Set is used for: so long a withdrawn key stays good."""
REFETCH_INTERVAL: Final = 30.0
"""Seconds between two fetches at least: strangers can invent key ids, and must not send us on errands."""


class PublishedKeys:
    """The keys behind a URL: fetched when needed, and remembered for a while."""

    def __init__(self, uri: str, algorithms: Iterable[str], fetch: Callable[[str], bytes]) -> None:
        """`fetch` raises OSError for what cannot be had."""
        self._uri = uri
        self._algorithms = tuple(algorithms)
        self._fetch = fetch
        self._keys: Mapping[str, tuple[Key, ...]] = {}
        self._fetched_at = self._tried_at = -math.inf
        self._fetching = threading.Lock()

    def find(self, algorithm: str, kid: str | None, now: float) -> tuple[Key, ...]:
        """The keys for an algorithm, by the `kid` of the header; an unknown one makes us fetch them again.

        Raise OAuthError `temporarily_unavailable` when keys are needed that cannot be fetched.
        """
        found = self._find(algorithm, kid)
        if found and self._is_fresh(now):
            return found
        # One fetch at a time; who waits for it longer than it may take does not hold up a thread any more.
        if not self._fetching.acquire(timeout=fetching.TIMEOUT):
            raise _unavailable()
        try:
            found = self._find(algorithm, kid)
            if not (found and self._is_fresh(now)):
                self._refresh(now)
                found = self._find(algorithm, kid)
            return found
        finally:
            self._fetching.release()

    def _find(self, algorithm: str, kid: str | None) -> tuple[Key, ...]:
        return select(self._keys.get(algorithm, ()), kid)

    def _is_fresh(self, now: float) -> bool:
        return 0 <= now - self._fetched_at < JWKS_LIFETIME

    def _refresh(self, now: float) -> None:
        if 0 <= now - self._tried_at < REFETCH_INTERVAL:
            if self._tried_at == self._fetched_at:
                return
            raise _unavailable()
        self._tried_at = now
        try:
            self._keys = read_jwks(self._fetch(self._uri), self._algorithms)
        except (OSError, ValueError) as error:
            raise _unavailable(str(error)) from None
        self._fetched_at = now


class IssuerKeys:
    """The keys of one issuer of the settings, all for one algorithm."""

    def __init__(self, issuer: JWTIssuer) -> None:
        """Raise ValueError, with a sentence for a person, for key text that cannot be used."""
        self._algorithm = issuer.algorithm
        self._is_named = issuer.jwks is not None
        uri, algorithms = issuer.jwks_uri, (issuer.algorithm,)
        self._published = PublishedKeys(uri, algorithms, fetching.fetch_trusted) if uri is not None else None
        self._keys = configured(issuer) if uri is None else ()

    def find(self, kid: str | None, now: float) -> tuple[Key, ...]:
        """The keys that may have signed, by the `kid` of the header. Raise OAuthError as `PublishedKeys` does."""
        if self._published is not None:
            return self._published.find(self._algorithm, kid, now)
        return select(self._keys, kid) if self._is_named else self._keys


@lru_cache(maxsize=1024)
def keys_of(issuer: JWTIssuer) -> IssuerKeys:
    """The keys of an issuer, the same object each time, so that what it fetched is remembered."""
    return IssuerKeys(issuer)


def key_fault(issuer: JWTIssuer) -> str | None:
    """Why the key of an issuer cannot be used, as a sentence without the key; None when it can.

    Does not fetch a jwks_uri: that its server is down now is no fault of the configuration.
    """
    try:
        keys_of(issuer)
    except ValueError as error:
        return str(error)
    return None


def _unavailable(detail: str | None = None) -> OAuthError:
    return OAuthError(
        "temporarily_unavailable",
        "The keys of the assertion's issuer cannot be fetched at the moment.",
        reason="issuer_keys_unavailable",
        detail=detail,
    )
