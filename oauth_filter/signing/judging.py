"""Judging a JWT that somebody else has signed -- RFC 7519, with the advice of RFC 8725."""

import base64
import re
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Any
from typing import Final
from typing import LiteralString

from oauth_filter.signing.keys import ALGORITHMS
from oauth_filter.signing.keys import Key
from oauth_filter.signing.keys import read_object

MAX_ASSERTION: Final = 16 * 1024
"""The longest assertion that is read, in characters."""
LEEWAY: Final = 10.0
"""Seconds by which the issuer's clock may differ from ours."""

_COMPACT: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_UNTRUSTED: Final = ("jku", "jwk", "x5u", "x5c", "crit", "b64", "zip")
_UNPRINTABLE: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


class Refused(Exception):
    """What is wrong with an assertion, in constant words."""

    def __init__(self, description: LiteralString, reason: LiteralString) -> None:
        super().__init__(description)
        self.description: Final[LiteralString] = description
        self.reason: Final[LiteralString] = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Unverified:
    """A JWT taken apart. Nothing in it is true yet."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def take_apart(assertion: str) -> Unverified:
    """Raise Refused for what is not a JWS of JSON objects in compact form."""
    parts = _COMPACT.fullmatch(assertion) if len(assertion) <= MAX_ASSERTION else None
    try:
        if parts is not None:
            return Unverified(
                header=read_object(_decode(parts[1])),
                claims=read_object(_decode(parts[2])),
                signed=assertion.rpartition(".")[0].encode(),
                signature=_decode(parts[3]),
            )
    except ValueError:
        pass
    raise Refused("The assertion is not a signed JWT.", "assertion_malformed")


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def text_claim(claims: Mapping[str, Any], name: str) -> str:
    """A claim that has to be there and has to be text."""
    value = claims.get(name)
    if not isinstance(value, str) or not value or _UNPRINTABLE.search(value):
        raise Refused("A claim of the assertion is missing or is not text.", "assertion_claims")
    return value


def check_header(header: Mapping[str, Any], algorithms: Collection[str], types: Collection[str]) -> None:
    """Raise Refused for an algorithm or a type not among these, and for what could change how it is read.

    `algorithms` belong to the keys, never to the sender: RS256's public key must not serve as HS256's secret.
    """
    if header.get("alg") not in algorithms:
        raise Refused("The algorithm of the assertion is not its issuer's.", "assertion_algorithm")
    # Keys in the header are the sender's; RFC 7515 section 4.1.11 has an extension in `crit` not understood refused.
    if any(name in header for name in _UNTRUSTED):
        raise Refused("The header of the assertion has what is not accepted.", "assertion_header")
    kid, kind = header.get("kid", ""), header.get("typ", "JWT")
    # RFC 8725 section 3.11: an access token of the same issuer, `at+jwt`, is not an assertion.
    if not isinstance(kid, str) or not isinstance(kind, str) or kind.lower() not in types:
        raise Refused("The header of the assertion has what is not accepted.", "assertion_header")


def check_signature(jwt: Unverified, algorithm: str, keys: Iterable[Key]) -> None:
    """Raise Refused when none of the keys, which are for this algorithm, has signed it."""
    keys = tuple(keys)
    if not keys:
        raise Refused("The key of the assertion is not one of its issuer's.", "assertion_unknown_key")
    verify = ALGORITHMS[algorithm].verify
    if not any(verify(jwt.signed, key.material, jwt.signature) for key in keys):
        raise Refused("The signature of the assertion is wrong.", "assertion_signature")


def audience(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """Whom it is meant for (RFC 7519 section 4.1.3); empty where it does not say. Raise Refused unless it is text."""
    if "aud" not in claims:
        return ()
    named = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if not named or not all(isinstance(name, str) for name in named):
        raise wrong_audience()
    return tuple(named)


def wrong_audience() -> Refused:
    return Refused("The assertion is meant for somebody else.", "assertion_audience")


def last_moment(claims: Mapping[str, Any], now: float, *, max_lifetime: float, require_exp: bool) -> float:
    """When it stops being accepted. Raise Refused when that was before now, or its times are wrong."""
    expires_at, issued_at, not_before = (_time(claims, name) for name in ("exp", "iat", "nbf"))
    if expires_at is None and (issued_at is None or require_exp):
        # Without either it would be good forever, and would have to be remembered forever.
        raise Refused("The assertion does not say when it expires.", "assertion_without_expiry")
    if max(issued_at or 0, not_before or 0) > now + LEEWAY:
        raise Refused("The assertion is not valid yet.", "assertion_not_yet_valid")
    longest = (now if issued_at is None else issued_at) + max_lifetime
    if expires_at is not None and expires_at > longest + LEEWAY:
        raise Refused("The assertion is valid for too long.", "assertion_lifetime")
    last = (longest if expires_at is None else expires_at) + LEEWAY
    if now >= last:
        raise Refused("The assertion has expired.", "assertion_expired")
    return last


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    """A NumericDate, RFC 7519 section 2."""
    if name not in claims:
        return None
    value = claims[name]
    # JSON has integers no float can hold, 1e999, and true, which Python takes for 1.
    if type(value) not in (int, float) or not 0 <= value < 1 << 53:
        raise Refused("A time in the assertion is not a number of seconds.", "assertion_claims")
    return float(value)
