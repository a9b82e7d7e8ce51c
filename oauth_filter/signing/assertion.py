"""Judging a JWT assertion -- RFC 7523 section 3."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from typing import Final

from oauth_filter import credentials
from oauth_filter.errors import OAuthError
from oauth_filter.settings import JWTIssuer
from oauth_filter.settings import Settings
from oauth_filter.signing import judging
from oauth_filter.signing.judging import LEEWAY
from oauth_filter.signing.judging import Refused
from oauth_filter.signing.judging import Unverified
from oauth_filter.signing.key_sets import keys_of

_TYPES: Final = ("jwt", "application/jwt", "authorization-grant+jwt")


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


def verify_assertion(assertion: str, *, settings: Settings, now: float) -> Assertion:
    """Whose assertion this is and about whom, when its signature and its times are good -- RFC 7523 section 3.

    The issuer is the section `[jwt_issuer:ISS]` of its `iss`; `jwt_secret` answers for every other `iss`, or for
    the one that the setting `jwt_issuer` names. Raise OAuthError: `invalid_grant` for whatever is wrong with the
    assertion, `temporarily_unavailable` when the issuer's keys cannot be fetched. Does not check that the subject
    is a user, that the issuer may speak for this one, or that the assertion is new: for the last, `add` a record
    under `replay_key`.
    """
    try:
        return _verified(assertion, settings, now)
    except Refused as refused:
        raise OAuthError("invalid_grant", refused.description, reason=refused.reason) from None


def _verified(assertion: str, settings: Settings, now: float) -> Assertion:
    jwt = judging.take_apart(assertion)
    name = judging.text_claim(jwt.claims, "iss")
    issuer = _issuer(name, settings)
    judging.check_header(jwt.header, (issuer.algorithm,), _TYPES)
    judging.check_signature(jwt, issuer.algorithm, keys_of(issuer).find(jwt.header.get("kid"), now))
    _check_audience(jwt.claims, settings)
    subject = judging.text_claim(jwt.claims, "sub")
    jti = judging.text_claim(jwt.claims, "jti") if "jti" in jwt.claims else None
    if jti is None and settings.jwt_require_jti:
        raise Refused("The assertion needs a jti.", "assertion_without_jti")
    last = judging.last_moment(
        jwt.claims, now, max_lifetime=settings.jwt_max_lifetime, require_exp=settings.jwt_require_exp
    )
    return Assertion(
        issuer=name,
        subject=subject,
        jti=jti,
        replay_key=_replay_key(jwt, name, jti),
        expires_at=last + LEEWAY,
    )


def _issuer(name: str, settings: Settings) -> JWTIssuer:
    for issuer in settings.jwt_issuers:
        if issuer.issuer == name:
            return issuer
    if settings.jwt_secret and settings.jwt_issuer in ("", name):
        # The name stays out of it, because it is still the sender's word and would fill the memory of keys.
        return JWTIssuer(issuer="", algorithm="HS512", secret=settings.jwt_secret)
    raise Refused("The issuer of the assertion is not trusted here.", "assertion_unknown_issuer")


def _check_audience(claims: Mapping[str, Any], settings: Settings) -> None:
    named = judging.audience(claims)
    if not named and settings.jwt_require_aud:
        raise Refused("The assertion needs an aud that names this server.", "assertion_without_audience")
    # RFC 7519 section 4.1.3: one that is there and does not name us MUST be rejected, required or not.
    ours = (settings.issuer, f"{settings.issuer}/oauth2/token")
    if named and not any(name in ours for name in named):
        raise judging.wrong_audience()


def _replay_key(jwt: Unverified, issuer: str, jti: str | None) -> str:
    # Without a jti it is what was signed that counts: a signature can be written in more than one way.
    if jti is None:
        return credentials.digest(f"jws:{jwt.signed.decode()}")
    return credentials.digest(f"jti:{len(issuer)}:{issuer}:{jti}")
