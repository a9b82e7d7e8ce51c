"""Limits on guessing, shared by all processes that share the store -- RFC 6749 section 10.10, RFC 8628 section 5.1.

A guess takes a place before it is judged, and gives it back when it was right. So only failures count, and many guesses
at the same moment get no more places than one after the other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING

from oauth_filter import credentials
from oauth_filter.records import Attempt

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How often somebody may be wrong about something."""

    what: str
    """Names the limit: limits of different names count apart."""
    rates: tuple[tuple[int, int], ...]
    """Failures, and within how many seconds. All of them hold: who goes on guessing has to wait ever longer."""


def take(server: "Server", limit: Limit, *who: str | None) -> tuple[Attempt, ...] | None:
    """A place for one guess of `who`; None when they have been wrong too often.

    Whoever `who` leaves room for can be kept out by others: name an address beside an account, and only an attacker
    at the same address can. The seconds are counted by the clock, not from the first failure.
    """
    places: list[Attempt] = []
    for most, seconds in limit.rates:
        place = _free_place(server, f"{limit.what} {who!r} {seconds}", most, seconds)
        if place is None:
            give_back(server, places)
            return None
        places.append(place)
    return tuple(places)


def give_back(server: "Server", places: Iterable[Attempt]) -> None:
    """The guess was right, or was none."""
    now = server.now()
    # Expired rather than deleted: a deletion makes every process forget the tokens it has checked.
    if expired := [replace(place, expires_at=now) for place in places]:
        server.store.put(*expired)


def _free_place(server: "Server", whose: str, most: int, seconds: int) -> Attempt | None:
    now = server.now()
    window = int(now // seconds)
    for number in range(most):
        # A digest, because who guesses chooses the user name: it may be long, and is nobody's business.
        key = credentials.digest(f"{whose} {window} {number}")
        place = Attempt(key=key, issued_at=now, expires_at=float((window + 1) * seconds))
        # Reading first spares a write for each place that is taken; adding decides.
        if server.store.get(Attempt, key) is None and server.store.add(place):
            return place
    return None
