"""Judging a JWT assertion -- RFC 7523 section 3, with the advice of RFC 8725."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Any
from typing import Final
from typing import LiteralString

from oauth_filter import credentials
from oauth_filter.errors import OAuthError
from oauth_filter.settings import JWTIssuer
from oauth_filter.settings import Settings
from oauth_filter.signing.keys import ALGORITHMS
from oauth_filter.signing.keys import keys_of
from oauth_filter.signing.keys import read_object

MAX_ASSERTION: Final = 16 * 1024
"""The longest assertion that is read, in characters."""
LEEWAY: Final = 10.0
"""Seconds by which the issuer's clock may differ from ours."""

_COMPACT: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_TYPES: Final = ("jwt", "application/jwt", "authorization-grant+jwt")
_UNTRUSTED: Final = ("jku", "jwk", "x5u", "x5c", "crit", "b64", "zip")
_UNPRINTABLE: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """What an issuer we trust said, found true."""

    issuer: str
    subject: str
    jti: str | None
    replay_key: str
    """The same for each presentation of this assertion, however it was dressed up: what to remember it by."""
    expires_at: float
    """Until when it must be remembered: then it is refused for its age, by every machine that shares the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unverified:
    """A JWT taken apart. Nothing in it is true yet."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def verify_assertion(assertion: str, *, settings: Settings, now: float) -> Assertion:
    """Whose assertion this is and about whom, when its signature and its times are good -- RFC 7523 section 3.

    The issuer is the section `[jwt_issuer:ISS]` of its `iss`; `jwt_secret` answers for every other `iss`, or for
    the one that the setting `jwt_issuer` names. Raise OAuthError: `invalid_grant` for whatever is wrong with the
    assertion, `temporarily_unavailable` when the issuer's keys cannot be fetched. Does not check that the subject
    is a user, that the issuer may speak for this one, or that the assertion is new: for the last, `add` a record
    under `replay_key`.
    """
    jwt = _take_apart(assertion)
    name = _text(jwt.claims, "iss")
    issuer = _issuer(name, settings)
    _check_header(jwt.header, issuer)
    _check_signature(jwt, issuer, now)
    _check_audience(jwt.claims, settings)
    subject = _text(jwt.claims, "sub")
    jti = _text(jwt.claims, "jti") if "jti" in jwt.claims else None
    if jti is None and settings.jwt_require_jti:
        raise _refused("The assertion needs a jti.", "assertion_without_jti")
    return Assertion(
        issuer=name,
        subject=subject,
        jti=jti,
        replay_key=_replay_key(jwt, name, jti),
        expires_at=_last_moment(jwt.claims, settings, now) + LEEWAY,
    )


def _refused(description: LiteralString, reason: LiteralString) -> OAuthError:
    return OAuthError("invalid_grant", description, reason=reason)


def _take_apart(assertion: str) -> _Unverified:
    parts = _COMPACT.fullmatch(assertion) if len(assertion) <= MAX_ASSERTION else None
    try:
        if parts is not None:
            return _Unverified(
                header=read_object(_decode(parts[1])),
                claims=read_object(_decode(parts[2])),
                signed=assertion.rpartition(".")[0].encode(),
                signature=_decode(parts[3]),
            )
    except ValueError:
        pass
    raise _refused("The assertion is not a signed JWT.", "assertion_malformed")


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value or _UNPRINTABLE.search(value):
        raise _refused("A claim of the assertion is missing or is not text.", "assertion_claims")
    return value


def _issuer(name: str, settings: Settings) -> JWTIssuer:
    for issuer in settings.jwt_issuers:
        if issuer.issuer == name:
            return issuer
    if settings.jwt_secret and settings.jwt_issuer in ("", name):
        # The name stays out of it, because it is still the sender's word and would fill the memory of keys.
        return JWTIssuer(issuer="", algorithm="HS512", secret=settings.jwt_secret)
    raise _refused("The issuer of the assertion is not trusted here.", "assertion_unknown_issuer")


def _check_header(header: Mapping[str, Any], issuer: JWTIssuer) -> None:
    # The algorithm is the issuer's, never the sender's: RS256's public key must not serve as HS256's secret.
    if header.get("alg") != issuer.algorithm:
        raise _refused("The algorithm of the assertion is not its issuer's.", "assertion_algorithm")
    # Keys in the header are the sender's; RFC 7515 section 4.1.11 has an extension in `crit` not understood refused.
    if any(name in header for name in _UNTRUSTED):
        raise _refused("The header of the assertion has what is not accepted.", "assertion_header")
    kid, kind = header.get("kid", ""), header.get("typ", "JWT")
    # RFC 8725 section 3.11: an access token of the same issuer, `at+jwt`, is not an assertion.
    if not isinstance(kid, str) or not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise _refused("The header of the assertion has what is not accepted.", "assertion_header")


def _check_signature(jwt: _Unverified, issuer: JWTIssuer, now: float) -> None:
    keys = keys_of(issuer).find(jwt.header.get("kid"), now)
    if not keys:
        raise _refused("The key of the assertion is not one of its issuer's.", "assertion_unknown_key")
    algorithm = ALGORITHMS[issuer.algorithm]
    if not any(algorithm.verify(jwt.signed, key.material, jwt.signature) for key in keys):
        raise _refused("The signature of the assertion is wrong.", "assertion_signature")


def _check_audience(claims: Mapping[str, Any], settings: Settings) -> None:
    if "aud" not in claims:
        if settings.jwt_require_aud:
            raise _refused("The assertion needs an aud that names this server.", "assertion_without_audience")
        return
    # RFC 7519 section 4.1.3: one that is there and does not name us MUST be rejected, required or not.
    named = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    ours = (settings.issuer, f"{settings.issuer}/oauth2/token")
    if not all(isinstance(name, str) for name in named) or not any(name in ours for name in named):
        raise _refused("The assertion is meant for somebody else.", "assertion_audience")


def _last_moment(claims: Mapping[str, Any], settings: Settings, now: float) -> float:
    """When the assertion stops being accepted. Raise OAuthError when that was before now, or its times are wrong."""
    expires_at, issued_at, not_before = (_time(claims, name) for name in ("exp", "iat", "nbf"))
    if expires_at is None and (issued_at is None or settings.jwt_require_exp):
        # Without either it would be good forever, and would have to be remembered forever.
        raise _refused("The assertion does not say when it expires.", "assertion_without_expiry")
    if max(issued_at or 0, not_before or 0) > now + LEEWAY:
        raise _refused("The assertion is not valid yet.", "assertion_not_yet_valid")
    longest = (now if issued_at is None else issued_at) + settings.jwt_max_lifetime
    if expires_at is not None and expires_at > longest + LEEWAY:
        raise _refused("The assertion is valid for too long.", "assertion_lifetime")
    last = (longest if expires_at is None else expires_at) + LEEWAY
    if now >= last:
        raise _refused("The assertion has expired.", "assertion_expired")
    return last


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    """A NumericDate, RFC 7519 section 2."""
    if name not in claims:
        return None
    value = claims[name]
    # JSON has integers no float can hold, 1e999, and true, which Python takes for 1.
    if type(value) not in (int, float) or not 0 <= value < 1 << 53:
        raise _refused("A time in the assertion is not a number of seconds.", "assertion_claims")
    return float(value)


def _replay_key(jwt: _Unverified, issuer: str, jti: str | None) -> str:
    # Without a jti it is what was signed that counts: a signature can be written in more than one way.
    if jti is None:
        return credentials.digest(f"jws:{jwt.signed.decode()}")
    return credentials.digest(f"jti:{len(issuer)}:{issuer}:{jti}")
