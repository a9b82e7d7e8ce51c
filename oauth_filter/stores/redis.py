"""The store in Redis, by way of redis-py: shared by any number of machines, in the memory of one server.

What happens at once is a Lua script (`redis.lua`), so the order of scripts is the order of events, whatever the clocks
of the machines. `oauth:sequence` numbers the revocations of clients and subjects; a record is dead while one has a
higher number than it was born under. `oauth:generation` changes with everything that processes may remember; it is
random, so that one that a crash of the server took back is not counted up to again.

Records disappear by themselves a little after they have expired. `purge` removes the rest, and what indexes still
name of them.
"""

import json
import secrets
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from importlib import resources
from typing import Any
from typing import Final

from oauth_filter.errors import OAuthError
from oauth_filter.records import KINDS
from oauth_filter.records import R
from oauth_filter.records import Record
from oauth_filter.records import dump_details
from oauth_filter.records import load
from oauth_filter.stores import FOUND_BY
from oauth_filter.stores import Of
from oauth_filter.stores.purging import WINDOW
from oauth_filter.stores.purging import Purge
from oauth_filter.stores.redis_server import RedisServer

_LISTED: Final = ("client", "user", "signing_key", "entity", "entity_grant")
"""The kinds that are listed as a whole. To list the others all keys are read."""
_INDEXED: Final = {
    kind.kind: ("",) * (kind.kind in _LISTED) + FOUND_BY.get(kind.kind, ())
    for kind in KINDS
    if kind.kind in _LISTED or kind.kind in FOUND_BY
}
"""The columns by which a kind has an index; "" is the kind as a whole."""
_EXTRA_TIME: Final = 60
"""Seconds a record stays after it has expired here: the clock of another machine may be behind."""
_LONGEST_TIME: Final = 10 * 365 * 24 * 60 * 60
"""Seconds after which a record is better left to `purge` than to Redis, whose numbers end somewhere."""


def _script() -> str:
    indexed = ", ".join(f"{kind} = {{{', '.join(map(repr, columns))}}}" for kind, columns in _INDEXED.items())
    revocable = ", ".join(f"{kind.kind} = {str(kind.revocable).lower()}" for kind in KINDS)
    verbs = resources.files("oauth_filter.stores").joinpath("redis.lua").read_text(encoding="utf-8")
    return f"local INDEXED = {{{indexed}}}\nlocal REVOCABLE = {{{revocable}}}\n{verbs}"


class RedisStore:
    """A `Store` in the Redis of a URL. Safe under threads, any number of processes and machines, and fork.

    `now` gives seconds since the epoch. `synchronous` FULL insists on an append-only file that is synchronised with
    each write; NORMAL leaves durability to the server's configuration. Raise ConfigError if it cannot be used. It does
    not encrypt anything: whoever reads the database learns names, scopes and digests, never a token. A replica that
    is promoted without what its master had acknowledged has forgotten revocations as well.
    """

    def __init__(self, url: str, *, now: Callable[[], float], synchronous: str = "FULL") -> None:
        self._now: Final = now
        self._server: Final = RedisServer(url, script=_script(), synchronous=synchronous)
        self._server.open(_new_generation())
        self._purge: Final = Purge(bury=self._bury, forget_grants=self._forget_grants, now=now)

    def get(self, kind: type[R], key: str) -> R | None:
        text = self._read("get", kind.kind, _bytes(key))
        return None if text is None else _load(kind, key, text)

    def put(self, *records: Record) -> None:
        if records:
            self._write("put", _announcement(records), *self._lines(records))

    def add(self, record: Record) -> bool:
        return bool(self._write("add", _announcement([record]), *self._lines([record])))

    def exchange(self, spent: Record, *issued: Record) -> bool:
        what = spent.kind, _bytes(spent.key)
        return bool(self._write("exchange", _announcement(issued), repr(self._now()), *what, *self._lines(issued)))

    def delete(self, kind: type[Record], key: str) -> bool:
        return bool(self._write("delete", _new_generation(), kind.kind, _bytes(key)))

    def revoke(self, of: Of, key: str) -> None:
        self._write("revoke", _new_generation(), of, _bytes(key))

    def find(
        self,
        kind: type[R],
        *,
        client_id: str | None = None,
        subject: str | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> list[R]:
        columns = _INDEXED.get(kind.kind, ())
        index = b"oauth:index:" + kind.kind.encode()
        if client_id is not None and "client_id" in columns:
            index += b":client_id:" + _bytes(client_id)
        elif subject is not None and "subject" in columns:
            index += b":subject:" + _bytes(subject)
        elif "" not in columns:
            index = b""
        found: dict[str, R] = {}
        for keys in self._in_index(kind, index, after, limit) if index else self._in_database(kind, after):
            for record in self._look(kind, keys):
                if client_id in (None, record.client_id) and subject in (None, record.subject):
                    found[record.key] = record
            # Of what comes in no order the smallest are kept; what comes in order ends here.
            found = dict(sorted(found.items())[:limit])
            if index and len(found) == limit:
                break
        return list(found.values())

    def purge(self, limit: int = 1000) -> int:
        return self._purge(limit)

    def generation(self) -> int | None:
        try:
            found = self._server.read(lambda client: client.get("oauth:generation"))
        except OAuthError:
            return None
        return None if found is None else int(found)

    def close(self) -> None:
        self._server.close()

    def _read(self, verb: str, *arguments: Any) -> Any:
        return self._server.run_again(verb, repr(self._now()), *arguments)

    def _write(self, verb: str, *arguments: Any) -> Any:
        return self._server.run(verb, repr(self._now()), *arguments)

    def _lines(self, records: Iterable[Record]) -> Iterator[bytes | str]:
        """What the script takes of each record."""
        for record in records:
            envelope = record.expires_at, record.grant_id, record.client_id, record.subject, record.issued_at
            spent_at = "" if record.spent_at is None else repr(record.spent_at)
            yield record.kind
            yield record.key.encode()
            yield self._milliseconds(record)
            yield f"{spent_at}\n{_json(envelope)}\n{dump_details(record)}".encode()

    def _milliseconds(self, record: Record) -> str:
        """How long Redis is to keep it; nothing for as long as there is no reason to delete it."""
        if record.expires_at is None or record.expires_at - self._now() > _LONGEST_TIME:
            return ""
        return f"{int((max(0.0, record.expires_at - self._now()) + _EXTRA_TIME) * 1000)}"

    def _look(self, kind: type[R], keys: list[bytes]) -> list[R]:
        found = self._read("look", kind.kind, *keys) if keys else []
        return [
            _load(kind, key.decode("utf-8", "surrogatepass"), text)
            for key, text in zip(found[::2], found[1::2], strict=True)
        ]

    def _in_index(self, kind: type[Record], index: bytes, after: str | None, count: int) -> Iterator[list[bytes]]:
        """The keys of an index after one, in their order, some at a time."""
        last = None if after is None else _bytes(after)
        while True:
            minimum = b"-" if last is None else b"(" + last
            last, keys = self._read("walk", kind.kind, index, minimum, min(max(count, 1), WINDOW))
            yield keys
            if last is None:
                return

    def _in_database(self, kind: type[Record], after: str | None) -> Iterator[list[bytes]]:
        """The keys of a kind after one, in no order, some at a time, some perhaps twice."""
        prefix = f"oauth:{kind.kind}:".encode()
        first = None if after is None else _bytes(after)
        cursor = 0
        while True:
            cursor, names = self._server.scan(cursor, prefix + b"*")
            keys = [name[len(prefix) :] for name in names]
            yield [key for key in keys if first is None or key > first]
            if cursor == 0:
                return

    def _bury(self, cursor: int | None, limit: int) -> tuple[int, int | None]:
        """Judge what is at one place of the database, whose places Redis numbers, in one short script."""
        following, names = self._server.scan(cursor or 0, b"oauth:*")
        buried = self._write("bury", limit, *names) if names else 0
        for name in names:
            if name.startswith(b"oauth:index:"):
                self._tidy(name)
        if buried == limit:
            return buried, cursor or 0
        return buried, following or None

    def _tidy(self, index: bytes) -> None:
        kind = index.split(b":")[2].decode()
        for _ in self._in_index(_KINDS[kind], index, None, WINDOW):
            pass

    def _forget_grants(self, revoked_until: float) -> None:
        """Everything under these was judged dead by the walk that ends now. Clients and subjects are few and stay."""
        while self._write("forget", repr(revoked_until), WINDOW) == WINDOW:
            pass


_KINDS: Final = {kind.kind: kind for kind in KINDS}


def _bytes(key: str) -> bytes:
    # A lone surrogate is in the name of nothing that is stored: what is written is encoded strictly.
    return key.encode("utf-8", "surrogatepass")


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _load(kind: type[R], key: str, text: bytes) -> R:
    _born, spent_at, envelope, details = text.decode().split("\n")
    expires_at, grant_id, client_id, subject, issued_at = json.loads(envelope)
    spent = float(spent_at) if spent_at else None
    return load(kind, (key, grant_id, client_id, subject, issued_at, expires_at, spent), details)


def _new_generation() -> int:
    return secrets.randbits(63)


def _announcement(records: Iterable[Record]) -> int | str:
    """The next generation, where the records are part of what processes remember."""
    return _new_generation() if any(record.guarded for record in records) else ""
