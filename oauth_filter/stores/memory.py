"""A store of dicts: for tests and trying things out, and the meaning of the `Store` contract in a hundred lines.

It lives and dies with its process, and does not reach another one.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Final
from typing import cast

from oauth_filter.records import R
from oauth_filter.records import Record
from oauth_filter.stores import FORGET_GRANT_AFTER
from oauth_filter.stores import Of


class MemoryStore:
    """A `Store` without a file. One lock serialises every verb, so the order of the verbs is the order of events."""

    def __init__(self, *, now: Callable[[], float]) -> None:
        self._now: Final = now
        self._lock: Final = threading.Lock()
        self._tables: Final[dict[str, dict[str, tuple[Record, int]]]] = {}
        """By kind and key: the record, and the generation in which it was born."""
        self._revoked: Final[dict[tuple[Of, str], tuple[int, float]]] = {}
        """By grant, client or subject: the generation that ended it, and the time."""
        self._generation = 1

    def get(self, kind: type[R], key: str) -> R | None:
        with self._lock:
            record, born = self._table(kind).get(key, (None, 0))
            return record if record is not None and self._is_live(record, born) else None

    def put(self, *records: Record) -> None:
        with self._lock:
            self._insert(records)

    def add(self, record: Record) -> bool:
        with self._lock:
            taken, _ = self._table(type(record)).get(record.key, (None, 0))
            if taken is not None and not self._has_expired(taken):
                return False
            self._insert((record,))
            return True

    def exchange(self, spent: Record, *issued: Record) -> bool:
        with self._lock:
            table = self._table(type(spent))
            record, born = table.get(spent.key, (None, 0))
            if record is None or record.spent_at is not None or not self._is_live(record, born):
                return False
            table[spent.key] = replace(record, spent_at=self._now()), born
            self._insert(issued)
            return True

    def delete(self, kind: type[Record], key: str) -> bool:
        with self._lock:
            if self._table(kind).pop(key, None) is None:
                return False
            self._generation += 1
            return True

    def revoke(self, of: Of, key: str) -> None:
        with self._lock:
            self._generation += 1
            self._revoked[of, key] = self._generation, self._now()

    def find(
        self,
        kind: type[R],
        *,
        client_id: str | None = None,
        subject: str | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> list[R]:
        with self._lock:
            found = [
                record
                for key, (record, born) in sorted(self._table(kind).items())
                if (after is None or key > after)
                and (client_id is None or record.client_id == client_id)
                and (subject is None or record.subject == subject)
                and self._is_live(record, born)
            ]
        return found[:limit]

    def purge(self, limit: int = 1000) -> int:
        with self._lock:
            dead = [
                (table, key)
                for table in self._tables.values()
                for key, (record, born) in table.items()
                if not self._is_live(record, born)
            ]
            for table, key in dead[:limit]:
                del table[key]
            if len(dead) < limit:
                self._forget_grants()
            return min(len(dead), limit)

    def generation(self) -> int | None:
        return self._generation

    def close(self) -> None:
        """Nothing to let go of: what is remembered stays until the store itself is dropped."""

    def _table(self, kind: type[R]) -> dict[str, tuple[R, int]]:
        return cast("dict[str, tuple[R, int]]", self._tables.setdefault(kind.kind, {}))

    def _insert(self, records: tuple[Record, ...]) -> None:
        for record in records:
            self._table(type(record))[record.key] = record, self._generation
        if any(record.guarded for record in records):
            self._generation += 1

    def _has_expired(self, record: Record) -> bool:
        return record.expires_at is not None and record.expires_at <= self._now()

    def _is_live(self, record: Record, born: int) -> bool:
        if self._has_expired(record):
            return False
        if not record.revocable:
            return True
        names: tuple[tuple[Of, str | None], ...] = (
            ("grant", record.grant_id),
            ("client", record.client_id),
            ("subject", record.subject),
        )
        for of, key in names:
            if key is not None and (of, key) in self._revoked:
                ended, _ = self._revoked[of, key]
                if of == "grant" or ended > born:
                    return False
        return True

    def _forget_grants(self) -> None:
        forgotten = self._now() - FORGET_GRANT_AFTER
        for (of, key), (_, revoked_at) in list(self._revoked.items()):
            if of == "grant" and revoked_at <= forgotten:
                del self._revoked[of, key]
