"""Judging the JWT by which a client authenticates -- RFC 7523 sections 2.2 and 3, OpenID Connect Core section 9."""

from dataclasses import dataclass
from functools import lru_cache
from functools import partial
from typing import Final

from oauth_filter import credentials
from oauth_filter.records import Client
from oauth_filter.signing import judging
from oauth_filter.signing.fetching import fetch
from oauth_filter.signing.judging import LEEWAY
from oauth_filter.signing.judging import Refused
from oauth_filter.signing.key_sets import PublishedKeys
from oauth_filter.signing.keys import ASYMMETRIC_ALGORITHMS
from oauth_filter.signing.keys import Key
from oauth_filter.signing.keys import read_jwks
from oauth_filter.signing.keys import select

SECRET_ALGORITHM: Final = "HS256"
"""For client_secret_jwt: the one for which every secret of ours is long enough (RFC 7518 section 3.2)."""
CLIENT_ASSERTION_ALGORITHMS: Final = (SECRET_ALGORITHM, *ASYMMETRIC_ALGORITHMS)
MAX_LIFETIME: Final = 3600.0
"""Seconds an assertion may be good for."""

_TYPES: Final = ("jwt", "application/jwt", "client-authentication+jwt")
_REMEMBERED: Final = 1000
"""How many clients' key sets a process keeps at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedAssertion:
    """How to remember an assertion that was good, so that it is good once."""

    replay_key: str
    expires_at: float
    """Until when it must be remembered: then it is refused for its age, by every machine that shares the store."""


class ClientKeys:
    """The public keys of clients, as they were registered or as they publish them."""

    def __init__(self, *, allow_private: bool) -> None:
        """`allow_private` permits a jwks_uri at an address that is not public."""
        self._fetch = partial(fetch, allow_private=allow_private)
        self._published: dict[str, PublishedKeys] = {}

    def find(self, client: Client, algorithm: str, kid: str | None, now: float) -> tuple[Key, ...]:
        """The keys that may have signed. Raise OAuthError `temporarily_unavailable` when they cannot be fetched."""
        if client.jwks is not None:
            return select(_given(client.jwks).get(algorithm, ()), kid)
        if client.jwks_uri is None:
            return ()
        published = self._published.get(client.jwks_uri)
        if published is None:
            if len(self._published) >= _REMEMBERED:
                self._published.clear()
            published = PublishedKeys(client.jwks_uri, ASYMMETRIC_ALGORITHMS, self._fetch)
            published = self._published.setdefault(client.jwks_uri, published)
        return published.find(algorithm, kid, now)


@lru_cache(maxsize=_REMEMBERED)
def _given(jwks: str) -> dict[str, tuple[Key, ...]]:
    try:
        return read_jwks(jwks.encode("utf-8", "replace"), ASYMMETRIC_ALGORITHMS)
    except ValueError:
        return {}  # it came past registration


def verify_client_assertion(
    assertion: str, *, client: Client, secret: str | None, keys: ClientKeys, issuer: str, now: float
) -> VerifiedAssertion:
    """Judge an assertion that is to prove a request comes from this client.

    With a `secret` it must be signed with that (client_secret_jwt), without one by a key of the client
    (private_key_jwt). It must be meant for us, `issuer`, or for endpoints of ours, and for nobody else. Raise Refused
    for whatever is wrong with it, and OAuthError `temporarily_unavailable` when keys cannot be fetched. Does not
    check that it is new: for that, `add` a record under `replay_key`.
    """
    jwt = judging.take_apart(assertion)
    algorithms = ASYMMETRIC_ALGORITHMS if secret is None else (SECRET_ALGORITHM,)
    judging.check_header(jwt.header, algorithms, _TYPES)
    # RFC 7523 section 3: both name the client.
    if any(judging.text_claim(jwt.claims, name) != client.key for name in ("iss", "sub")):
        raise Refused("The iss and sub of the assertion are not the client_id.", "assertion_claims")
    algorithm = jwt.header["alg"]
    if secret is None:
        found = keys.find(client, algorithm, jwt.header.get("kid"), now)
    else:
        found = (Key(material=secret.encode("utf-8", "surrogatepass")),)
    judging.check_signature(jwt, algorithm, found)
    named = judging.audience(jwt.claims)
    # One that is meant for others as well could have been sent to them first, and they would send it to us.
    if not named or not all(name == issuer or name.startswith(f"{issuer}/oauth2/") for name in named):
        raise judging.wrong_audience()
    last = judging.last_moment(jwt.claims, now, max_lifetime=MAX_LIFETIME, require_exp=True)
    jti = judging.text_claim(jwt.claims, "jti")
    return VerifiedAssertion(
        replay_key=credentials.digest(f"client jti:{len(client.key)}:{client.key}:{jti}"), expires_at=last + LEEWAY
    )
