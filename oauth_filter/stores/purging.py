"""How `purge` goes through a store: in steps, reading every record once, from where the last call stopped.

An index on the expiry would cost every token; a walk costs only whoever purges.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from typing import Generic
from typing import TypeVar

from oauth_filter.records import KINDS
from oauth_filter.stores import FORGET_GRANT_AFTER

P = TypeVar("P")

WINDOW: Final = 1000
"""How many records are read, and at most deleted, in one step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Walk(Generic[P]):
    """How far a walk has come. None is its beginning."""

    started_at: float
    place: P | None = None


class Purge(Generic[P]):
    """The verb `purge` of a store, made of two smaller ones.

    `bury(place, limit)` judges some records from a place on (None: from the beginning), deletes at most `limit` that
    are dead, and returns how many there were and where to go on; None when everything has been seen.
    `forget_grants(revoked_until)` forgets grants revoked until that time: all under them has been judged dead.
    """

    def __init__(
        self,
        *,
        bury: Callable[[P | None, int], tuple[int, P | None]],
        forget_grants: Callable[[float], None],
        now: Callable[[], float],
    ) -> None:
        self._bury: Final = bury
        self._forget_grants: Final = forget_grants
        self._now: Final = now
        self._unfinished: Final[list[_Walk[P]]] = []

    def __call__(self, limit: int) -> int:
        # No lock, which a child might inherit locked: two who purge at once walk separately.
        try:
            walk = self._unfinished.pop()
        except IndexError:
            walk = _Walk(started_at=self._now())
        begun_here = walk.place is None
        buried = 0
        while buried < limit:
            found, place = self._bury(walk.place, min(limit - buried, WINDOW))
            buried += found
            walk = _Walk(started_at=walk.started_at, place=place)
            if place is None:
                self._forget_grants(walk.started_at - FORGET_GRANT_AFTER)
                walk = _Walk(started_at=self._now())
                if begun_here:
                    return buried
                begun_here = True
        self._unfinished.append(walk)
        return buried


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePlace:
    """A place in stores with a table a kind: what has been judged is every key before `key`."""

    kind: int = 0
    key: str = ""


def next_place(place: TablePlace, judged: list[tuple[str, bool]], limit: int) -> tuple[list[str], TablePlace | None]:
    """What is to be buried of a window of judged keys, at most `limit`, and the place after it."""
    dead = [key for key, alive in judged if not alive]
    if len(dead) > limit:
        return dead[:limit], TablePlace(kind=place.kind, key=_just_after(dead[limit - 1]))
    if len(judged) == WINDOW:
        return dead, TablePlace(kind=place.kind, key=_just_after(judged[-1][0]))
    return dead, TablePlace(kind=place.kind + 1) if place.kind + 1 < len(KINDS) else None


def _just_after(key: str) -> str:
    return key + "\0"
