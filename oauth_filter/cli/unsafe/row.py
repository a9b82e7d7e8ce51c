"""What is said about one unsafe setting."""

from dataclasses import dataclass
from typing import Final

from oauth_filter.settings import DAY
from oauth_filter.settings import MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsafe:
    """A setting that runs and is a risk. Holds no secret."""

    section: str
    option: str
    value: str
    reason: str
    fix: str


LONGEST: Final = {
    "session_lifetime": (30 * DAY, "whoever gets at the browser is signed in for as long"),
    "code_lifetime": (10 * MINUTE, "a code that leaks can be redeemed for as long (RFC 6749 4.1.2: at most 10m)"),
    "refresh_token_grace": (
        MINUTE,
        "for as long a refresh token that was used already works for whoever has copied it",
    ),
    "access_token_lifetime": (DAY, "an access token that leaks works for as long"),
    "refresh_token_lifetime": (365 * DAY, "a refresh token that leaks works for as long"),
}
"""Lifetimes beyond which one is unsafe, in seconds, and why."""
