"""The keys of an issuer: from the settings, or fetched from where it publishes them -- RFC 7517."""

import json
import math
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from functools import lru_cache
from http.client import HTTPException
from typing import Any
from typing import Final
from typing import get_args
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler
from urllib.request import ProxyHandler
from urllib.request import Request
from urllib.request import build_opener
from urllib.request import getproxies

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate
from jwt import PyJWTError
from jwt.algorithms import Algorithm
from jwt.algorithms import get_default_algorithms

from oauth_filter.errors import OAuthError
from oauth_filter.settings import Algorithm as KnownAlgorithm
from oauth_filter.settings import JWTIssuer

ALGORITHMS: Final[dict[str, Algorithm]] = {
    name: algorithm for name, algorithm in get_default_algorithms().items() if name != "none"
}
ASYMMETRIC_ALGORITHMS: Final = tuple(name for name in get_args(KnownAlgorithm) if not name.startswith("HS"))
"""Those whose keys may be public."""
FETCH_TIMEOUT: Final = 5.0
"""Seconds a JWK Set may take to arrive."""
MAX_JWKS: Final = 64 * 1024
"""The largest JWK Set read, in bytes."""
JWKS_LIFETIME: Final = 300.0
"""Seconds a fetched JWK Set is used for: so long a withdrawn key stays good."""
REFETCH_INTERVAL: Final = 30.0
"""Seconds between two fetches at least: strangers can invent key ids, and must not send us on errands."""

_CURVES: Final = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}
_BAD_KEY: Final = (PyJWTError, UnsupportedAlgorithm, ValueError, TypeError, KeyError, OverflowError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key that fits its issuer's algorithm. `kid` None belongs to one that was given without an id."""

    kid: str | None = None
    material: Any = field(repr=False)


class IssuerKeys:
    """The keys of one issuer. Those behind a jwks_uri are fetched when needed and remembered for a while."""

    def __init__(self, issuer: JWTIssuer) -> None:
        """Raise ValueError, with a sentence for a person, for key text that cannot be used."""
        self._algorithm = issuer.algorithm
        self._uri = issuer.jwks_uri
        self._keys = () if self._uri else _configured(issuer)
        self._is_named = issuer.jwks is not None or self._uri is not None
        self._fetched_at = self._tried_at = -math.inf
        self._fetching = threading.Lock()

    def find(self, kid: str | None, now: float) -> tuple[Key, ...]:
        """The keys that may have signed, by the `kid` of the header; an unknown one makes us fetch them again.

        Raise OAuthError `temporarily_unavailable` when keys are needed that cannot be fetched.
        """
        if not self._is_named:
            return self._keys
        found = _select(self._keys, kid)
        if self._uri is None or (found and self._is_fresh(now)):
            return found
        # One fetch at a time; who waits for it longer than it may take does not hold up a thread any more.
        if not self._fetching.acquire(timeout=FETCH_TIMEOUT):
            raise _unavailable()
        try:
            found = _select(self._keys, kid)
            if not (found and self._is_fresh(now)):
                self._fetch(self._uri, now)
                found = _select(self._keys, kid)
            return found
        finally:
            self._fetching.release()

    def _is_fresh(self, now: float) -> bool:
        return 0 <= now - self._fetched_at < JWKS_LIFETIME

    def _fetch(self, uri: str, now: float) -> None:
        if 0 <= now - self._tried_at < REFETCH_INTERVAL:
            if self._tried_at == self._fetched_at:
                return
            raise _unavailable()
        self._tried_at = now
        try:
            self._keys = read_jwks(fetch(uri), self._algorithm)
        except (OSError, HTTPException, ValueError):
            raise _unavailable() from None
        self._fetched_at = now


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


def _configured(issuer: JWTIssuer) -> tuple[Key, ...]:
    if issuer.secret is not None:
        if not issuer.algorithm.startswith("HS"):
            raise ValueError(f"a secret does not fit {issuer.algorithm}")
        try:
            return (Key(material=ALGORITHMS[issuer.algorithm].prepare_key(issuer.secret)),)
        except PyJWTError:
            raise ValueError("the secret looks like a public key, which everybody knows") from None
    if issuer.public_key is not None:
        return (Key(material=_fitting(_read_pem(issuer.public_key), issuer.algorithm)),)
    return read_jwks((issuer.jwks or "").encode(), issuer.algorithm)


def _read_pem(text: str) -> Any:
    if "PRIVATE KEY" in text:
        raise ValueError("that is a private key; only the issuer may have it: give the public one")
    try:
        if "BEGIN CERTIFICATE" in text:
            return load_pem_x509_certificate(text.encode()).public_key()
        return load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("that is not a public key as PEM text") from None


def _fitting(material: Any, algorithm: str) -> Any:
    """The key itself. Raise ValueError when it is not one for the algorithm, or too weak."""
    match material:
        case RSAPublicKey() if algorithm[:2] in ("RS", "PS"):
            if material.key_size < 2048:
                raise ValueError("an RSA key has 2048 bits or more (RFC 7518 section 3.3)")
        case EllipticCurvePublicKey() if material.curve.name == _CURVES.get(algorithm):
            pass
        case Ed25519PublicKey() | Ed448PublicKey() if algorithm == "EdDSA":
            pass
        case _:
            raise ValueError(f"the key is not one for {algorithm}")
    return material


def read_jwks(content: bytes, algorithm: str) -> tuple[Key, ...]:
    """The keys of a JWK Set that fit an algorithm; RFC 7517 section 5 wants all others passed over.

    Raise ValueError when it is not a JWK Set, or none fits.
    """
    keys = tuple(_readable(_members(content), algorithm))
    if not keys:
        raise ValueError(f"the JWK Set has no public key for {algorithm}")
    return keys


def jwks_fault(text: str) -> str | None:
    """Why a JWK Set cannot be the public keys of a client, as a sentence without a key; None when it can."""
    try:
        members = _members(text.encode("utf-8", "replace"))
    except ValueError as error:
        return str(error)
    if any(isinstance(member, dict) and ("d" in member or "k" in member) for member in members):
        return "there is a private or secret key in it; only the client may have that: give public keys"
    if not any(tuple(_readable(members, algorithm)) for algorithm in ASYMMETRIC_ALGORITHMS):
        return "the JWK Set has no public key that could verify a signature"
    return None


def _members(content: bytes) -> list[Any]:
    try:
        members = read_object(content)["keys"]
    except (ValueError, KeyError):
        members = None
    if not isinstance(members, list):
        raise ValueError("that is not a JWK Set (RFC 7517 section 5)")
    return members


def _readable(members: Iterable[Any], algorithm: str) -> Iterable[Key]:
    for member in members:
        if not isinstance(member, dict) or not _is_meant_for(member, algorithm):
            continue
        try:
            material = _fitting(ALGORITHMS[algorithm].from_jwk(member), algorithm)
        except _BAD_KEY:
            continue
        kid = member.get("kid")
        yield Key(kid=kid if isinstance(kid, str) else None, material=material)


def _is_meant_for(member: dict[str, Any], algorithm: str) -> bool:
    operations = member.get("key_ops", ["verify"])
    return (
        member.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        and member.get("alg", algorithm) == algorithm
        and "d" not in member
    )


def _select(keys: tuple[Key, ...], kid: str | None) -> tuple[Key, ...]:
    if kid is None:
        return keys if len(keys) == 1 else ()
    return tuple(key for key in keys if key.kid == kid)


def read_object(content: bytes) -> dict[str, Any]:
    """A JSON object. Raise ValueError for anything else, and for what two parsers may read in two ways."""
    try:
        value = json.loads(
            content.decode("utf-8"), object_pairs_hook=_without_duplicates, parse_constant=_no_such_number
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # RFC 7519 section 4 lets a parser refuse duplicate names: who takes the first and who the last would disagree.
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name stands twice in an object")
    return members


def _no_such_number(_: str) -> float:
    raise ValueError("NaN and Infinity are not JSON")


class _NoRedirects(HTTPRedirectHandler):
    """A redirect would lead away from the address that the settings vouch for."""

    def redirect_request(self, *_: Any) -> None:
        return None


def fetch(uri: str) -> bytes:
    """What stands at an address of the settings: no redirects, `MAX_JWKS` bytes and `FETCH_TIMEOUT` seconds at most.

    Raise OSError, HTTPException or ValueError. Does not bound a server that trickles its response header.
    """
    # A loopback address is not for a proxy.
    proxies = {scheme: proxy for scheme, proxy in getproxies().items() if scheme in ("https", "no")}
    opener = build_opener(_NoRedirects, ProxyHandler(proxies))
    request = Request(uri, headers={"Accept": "application/jwk-set+json, application/json"})  # noqa: S310 -- Settings checked the scheme
    deadline = time.monotonic() + FETCH_TIMEOUT
    content = bytearray()
    try:
        with opener.open(request, timeout=FETCH_TIMEOUT) as response:
            while chunk := response.read1(MAX_JWKS):
                content += chunk
                if len(content) > MAX_JWKS:
                    raise ValueError("the JWK Set is too large")
                if time.monotonic() > deadline:
                    raise TimeoutError
    except HTTPError as error:
        error.close()
        raise
    return bytes(content)


def _unavailable() -> OAuthError:
    return OAuthError(
        "temporarily_unavailable",
        "The keys of the assertion's issuer cannot be fetched at the moment.",
        reason="issuer_keys_unavailable",
    )
