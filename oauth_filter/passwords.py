"""Hashing and checking secrets that people choose: user passwords and chosen client secrets.

Apart from `credentials` because a process that only guards requests needs none of this.
"""

from functools import cache
from typing import Final

from werkzeug.security import check_password_hash
from werkzeug.security import generate_password_hash

from oauth_filter import credentials

MAX_SECRET_LENGTH: Final = 1024
"""Longer passwords and secrets are refused unread: scrypt's cost must not be the sender's choice."""

_SHA256: Final = "sha256:"


@cache
def _decoy() -> str:
    return generate_password_hash(credentials.new_id())


def hash_secret(secret: str) -> str:
    """What to store of a client secret or password: SHA-256 of a generated one, scrypt of a chosen one.

    Raise ValueError when it is empty or longer than `MAX_SECRET_LENGTH`. Does not judge its strength.
    """
    if not 0 < len(secret) <= MAX_SECRET_LENGTH:
        raise ValueError(f"a secret has 1 to {MAX_SECRET_LENGTH} characters")
    if credentials.is_well_formed(secret, credentials.CLIENT_SECRET):
        return _SHA256 + credentials.digest(secret)
    return generate_password_hash(secret)


def verify_secret(secret: str, stored: str | None) -> bool:
    """Whether `secret` is the one `stored` was made of; None (nobody) never matches.

    Takes as long for an unknown owner as for a wrong secret: what is computed depends on the shape of `secret`
    only, never on `stored`. Does not count attempts.
    """
    if not 0 < len(secret) <= MAX_SECRET_LENGTH:
        return False
    if credentials.is_well_formed(secret, credentials.CLIENT_SECRET):
        return credentials.equal(_SHA256 + credentials.digest(secret), stored or "")
    is_chosen = stored is not None and not stored.startswith(_SHA256)
    return check_password_hash(stored if stored and is_chosen else _decoy(), secret) and is_chosen
