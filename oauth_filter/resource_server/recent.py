"""A bounded memory of what was needed lately."""

from typing import Final
from typing import Generic
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """At most `2 * limit` values. Putting one in and throwing old ones out take constant time, without a lock.

    When `young` is full it becomes the old generation, and what was the old one is dropped. Threads that do this at
    the same moment may forget more than necessary, which costs a look-up and nothing else.
    """

    __slots__ = ("_limit", "_old", "young")

    def __init__(self, limit: int) -> None:
        self._limit: Final = limit
        self._old: dict[K, V] = {}
        self.young: dict[K, V] = {}
        """For who is in a hurry: `young.get(key)` finds what was used most lately, or nothing."""

    def get(self, key: K) -> V | None:
        value = self.young.get(key)
        if value is None and (value := self._old.get(key)) is not None:
            self.put(key, value)
        return value

    def put(self, key: K, value: V) -> None:
        young = self.young
        young[key] = value
        if len(young) >= self._limit:
            self._old, self.young = young, {}
