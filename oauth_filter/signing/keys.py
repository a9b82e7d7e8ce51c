"""Keys: as text of the settings or of a client, and as JWK Sets -- RFC 7517."""

import json
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from typing import Any
from typing import Final
from typing import get_args

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

from oauth_filter.settings import Algorithm as KnownAlgorithm
from oauth_filter.settings import JWTIssuer

ALGORITHMS: Final[dict[str, Algorithm]] = {
    name: algorithm for name, algorithm in get_default_algorithms().items() if name != "none"
}
ASYMMETRIC_ALGORITHMS: Final = tuple(name for name in get_args(KnownAlgorithm) if not name.startswith("HS"))
"""Those whose keys may be public."""

# RFC 9864 names the curve that EdDSA leaves open; PyJWT knows the older name only.
_SAME: Final = {"EdDSA", "Ed25519"}
ALGORITHMS["Ed25519"] = ALGORITHMS["EdDSA"]

_CURVES: Final = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}
_BAD_KEY: Final = (PyJWTError, UnsupportedAlgorithm, ValueError, TypeError, KeyError, OverflowError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key that fits its issuer's algorithm. `kid` None belongs to one that was given without an id."""

    kid: str | None = None
    material: Any = field(repr=False)


def configured(issuer: JWTIssuer) -> tuple[Key, ...]:
    """The keys of an issuer that stand in the settings. Raise ValueError for what cannot be used."""
    if issuer.secret is not None:
        if not issuer.algorithm.startswith("HS"):
            raise ValueError(f"a secret does not fit {issuer.algorithm}")
        try:
            return (Key(material=ALGORITHMS[issuer.algorithm].prepare_key(issuer.secret)),)
        except PyJWTError:
            raise ValueError("the secret looks like a public key, which everybody knows") from None
    if issuer.public_key is not None:
        return (Key(material=_fitting(_read_pem(issuer.public_key), issuer.algorithm)),)
    return read_jwks((issuer.jwks or "").encode(), (issuer.algorithm,))[issuer.algorithm]


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
        case Ed25519PublicKey() if algorithm in _SAME:
            pass
        case Ed448PublicKey() if algorithm == "EdDSA":
            pass
        case _:
            raise ValueError(f"the key is not one for {algorithm}")
    return material


def read_jwks(content: bytes, algorithms: Sequence[str]) -> dict[str, tuple[Key, ...]]:
    """The keys of a JWK Set for each of these algorithms; RFC 7517 section 5 wants all others passed over.

    Raise ValueError when it is not a JWK Set, or no key is for any of them.
    """
    members = _members(content)
    keys = {algorithm: tuple(_readable(members, algorithm)) for algorithm in algorithms}
    if not any(keys.values()):
        raise ValueError(f"the JWK Set has no public key for {algorithms[0] if len(algorithms) == 1 else 'signatures'}")
    return keys


def jwks_fault(text: str) -> str | None:
    """Why a JWK Set cannot be the public keys of a client, as a sentence without a key; None when it can."""
    content = text.encode("utf-8", "replace")
    try:
        members = _members(content)
    except ValueError as error:
        return str(error)
    if any(isinstance(member, dict) and ("d" in member or "k" in member) for member in members):
        return "there is a private or secret key in it; only the client may have that: give public keys"
    try:
        read_jwks(content, ASYMMETRIC_ALGORITHMS)
    except ValueError as error:
        return str(error)
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
        and (member.get("alg", algorithm) == algorithm or {member.get("alg"), algorithm} == _SAME)
        and "d" not in member
    )


def select(keys: tuple[Key, ...], kid: str | None) -> tuple[Key, ...]:
    """The keys of that id. Without an id there must be just one (OpenID Connect Core section 10.1)."""
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
