"""The default store: one SQLite file, durable and shared by any number of threads and processes of one machine.

One table a kind, named `oauth_<kind>`, with the envelope in columns and the rest as JSON. `oauth_revocation` makes
revoking as cheap as inserting one row: a record is live while no revocation of its grant exists and none of its
client or subject has a higher `sequence` than the one the record was `born` under. Both are taken under the write
lock, so what is stored after a revocation returned lives, whatever the clock does.
"""

import contextlib
import sqlite3
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from typing import Final

from oauth_filter.errors import ConfigError
from oauth_filter.errors import Problem
from oauth_filter.records import ENVELOPE
from oauth_filter.records import KINDS
from oauth_filter.records import R
from oauth_filter.records import Record
from oauth_filter.records import dump_details
from oauth_filter.records import load
from oauth_filter.stores import FOUND_BY
from oauth_filter.stores import Of
from oauth_filter.stores.generation import Generation
from oauth_filter.stores.purging import WINDOW
from oauth_filter.stores.purging import Purge
from oauth_filter.stores.purging import TablePlace
from oauth_filter.stores.purging import next_place
from oauth_filter.stores.sqlite_file import APPLICATION_ID
from oauth_filter.stores.sqlite_file import SYNCHRONOUS
from oauth_filter.stores.sqlite_file import VERSION
from oauth_filter.stores.sqlite_file import Connections

_COLUMNS: Final = ", ".join((*ENVELOPE, "details"))
_REVOCATIONS: Final = (
    "CREATE TABLE IF NOT EXISTS oauth_revocation (of TEXT NOT NULL, key TEXT NOT NULL, revoked_at REAL NOT NULL,"
    " sequence INTEGER, PRIMARY KEY (of, key)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS oauth_revocation_sequence ON oauth_revocation (sequence) WHERE sequence IS NOT NULL",
)
_SEQUENCE: Final = "(SELECT coalesce(max(sequence), 0) FROM oauth_revocation WHERE sequence IS NOT NULL)"
_REVOKE_GRANT: Final = "INSERT OR IGNORE INTO oauth_revocation VALUES ('grant', ?, ?, NULL)"
_REVOKE_OTHER: Final = f"INSERT OR REPLACE INTO oauth_revocation VALUES (?, ?, ?, {_SEQUENCE} + 1)"  # noqa: S608
_FORGET: Final = """
DELETE FROM oauth_revocation WHERE of = 'grant' AND key IN
    (SELECT key FROM oauth_revocation WHERE of = 'grant' AND revoked_at <= ? LIMIT ?)
"""


class _Statements:
    """The SQL of one kind. The names in it are our own constants; values are always bound."""

    def __init__(self, kind: type[Record]) -> None:
        table = f"oauth_{kind.kind}"
        alive = "(expires_at IS NULL OR expires_at > ?)"
        if kind.revocable:
            alive += (
                " AND NOT EXISTS (SELECT 1 FROM oauth_revocation AS r WHERE r.of = 'grant' AND r.key = grant_id)"
                " AND NOT EXISTS (SELECT 1 FROM oauth_revocation AS r"
                " WHERE r.of = 'client' AND r.key = client_id AND r.sequence > born)"
                " AND NOT EXISTS (SELECT 1 FROM oauth_revocation AS r"
                " WHERE r.of = 'subject' AND r.key = subject AND r.sequence > born)"
            )
        values = f"INTO {table} ({_COLUMNS}, born) VALUES ({'?, ' * len(ENVELOPE)}?, {_SEQUENCE})"
        self.create = (
            f"CREATE TABLE IF NOT EXISTS {table} (key TEXT NOT NULL PRIMARY KEY, grant_id TEXT, client_id TEXT,"
            " subject TEXT, issued_at REAL NOT NULL, expires_at REAL, spent_at REAL, details TEXT NOT NULL,"
            " born INTEGER NOT NULL) WITHOUT ROWID",
            *(
                f"CREATE INDEX IF NOT EXISTS {table}_{column} ON {table} ({column}) WHERE {column} IS NOT NULL"
                for column in FOUND_BY.get(kind.kind, ())
            ),
        )
        self.get = f"SELECT {_COLUMNS} FROM {table} WHERE key = ? AND {alive}"  # noqa: S608
        self.put = f"INSERT OR REPLACE {values}"
        self.give_way = f"DELETE FROM {table} WHERE key = ? AND expires_at <= ?"  # noqa: S608
        self.add = f"INSERT OR IGNORE {values}"
        self.spend = f"UPDATE {table} SET spent_at = ? WHERE key = ? AND spent_at IS NULL AND {alive}"  # noqa: S608
        self.delete = f"DELETE FROM {table} WHERE key = ?"  # noqa: S608
        self.find = f"SELECT {_COLUMNS} FROM {table} WHERE {alive}"  # noqa: S608
        self.judge = f"SELECT key, {alive} FROM {table} WHERE key >= ? ORDER BY key LIMIT ?"  # noqa: S608
        self.bury = f"DELETE FROM {table} WHERE key = ? AND NOT ({alive})"  # noqa: S608


_SQL: Final = {kind: _Statements(kind) for kind in KINDS}


class SQLiteStore:
    """A `Store` in the file `path`. Safe under threads, several processes, and fork.

    `now` gives seconds since the epoch; `synchronous` is SQLite's, and only FULL and EXTRA keep what was
    acknowledged through a loss of power. Raise ConfigError if the file cannot be opened or is not ours. It does not
    encrypt the file: whoever reads it learns names, scopes and digests, never a token.
    """

    def __init__(self, path: str, *, now: Callable[[], float], synchronous: str = "FULL") -> None:
        if path == ":memory:":
            raise ConfigError([Problem(option="store", message="to keep nothing, use memory: without sqlite")])
        if synchronous.upper() not in SYNCHRONOUS:
            raise ConfigError([Problem(option="store", message=f"synchronous is one of {', '.join(SYNCHRONOUS)}")])
        file = Path(path).absolute()
        self._now: Final = now
        self._file: Final = file
        beside = file.with_name(file.name + "-generation")
        self._generation: Final = Generation(beside)
        self._connections: Final = Connections(
            file, synchronous=synchronous.upper(), lock_file=beside, prepare=self._prepare
        )
        self._purge: Final = Purge(bury=self._bury, forget_grants=self._forget_grants, now=now)

    def get(self, kind: type[R], key: str) -> R | None:
        with self._connections.use() as connection:
            row = connection.execute(_SQL[kind].get, (_text(key), self._now())).fetchone()
        return None if row is None else load(kind, row[:-1], row[-1])

    def put(self, *records: Record) -> None:
        with self._write(announce=_announce(records)) as connection:
            _insert(connection, records)

    def add(self, record: Record) -> bool:
        sql = _SQL[type(record)]
        with self._write(announce=record.guarded) as connection:
            connection.execute(sql.give_way, (record.key, self._now()))
            return connection.execute(sql.add, _row(record)).rowcount == 1

    def exchange(self, spent: Record, *issued: Record) -> bool:
        with self._write(announce=_announce(issued)) as connection:
            now = self._now()
            if connection.execute(_SQL[type(spent)].spend, (now, _text(spent.key), now)).rowcount != 1:
                return False
            _insert(connection, issued)
            return True

    def delete(self, kind: type[Record], key: str) -> bool:
        with self._write(announce=True) as connection:
            return connection.execute(_SQL[kind].delete, (_text(key),)).rowcount == 1

    def revoke(self, of: Of, key: str) -> None:
        with self._write(announce=True) as connection:
            if of == "grant":
                connection.execute(_REVOKE_GRANT, (_text(key), self._now()))
            else:
                connection.execute(_REVOKE_OTHER, (of, _text(key), self._now()))

    def find(
        self,
        kind: type[R],
        *,
        client_id: str | None = None,
        subject: str | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> list[R]:
        sql = _SQL[kind].find
        values: list[Any] = [self._now()]
        conditions: dict[str, Any] = {"client_id = ?": client_id, "subject = ?": subject, "key > ?": after}
        for condition, value in conditions.items():
            if value is not None:
                sql += f" AND {condition}"
                values.append(_text(value))
        with self._connections.use() as connection:
            rows = connection.execute(f"{sql} ORDER BY key LIMIT ?", (*values, limit)).fetchall()
        return [load(kind, row[:-1], row[-1]) for row in rows]

    def purge(self, limit: int = 1000) -> int:
        return self._purge(limit)

    def generation(self) -> int | None:
        return self._generation.read()

    def close(self) -> None:
        self._connections.close()
        self._generation.close()

    @contextlib.contextmanager
    def _write(self, *, announce: bool) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the write lock from its start: it never fails for having read too early."""
        with self._connections.turn(), self._connections.use() as connection:
            connection.execute("BEGIN IMMEDIATE")
            if announce:
                self._generation.suspend()
            elif self._generation.read() is None:
                self._repair()
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if announce:
                    self._generation.renew()

    def _repair(self) -> None:
        """End what a killed writer left behind. Only under the write lock, where no other writer is at work."""
        # Issuing does not depend on it; a writer who has something to announce reports the trouble.
        with contextlib.suppress(OSError):
            self._generation.renew()

    def _bury(self, place: TablePlace | None, limit: int) -> tuple[int, TablePlace | None]:
        """Judge one window of records and delete the dead, at most `limit`, in one short transaction."""
        place = place or TablePlace()
        sql = _SQL[KINDS[place.kind]]
        with self._connections.use() as connection:
            judged = connection.execute(sql.judge, (self._now(), place.key, WINDOW)).fetchall()
        dead, following = next_place(place, judged, limit)
        buried = 0
        if dead:
            with self._write(announce=False) as connection:
                # Judged again under the lock: a consent may have been given anew in between.
                now = self._now()
                buried = connection.executemany(sql.bury, [(key, now) for key in dead]).rowcount
        return buried, following

    def _forget_grants(self, revoked_until: float) -> None:
        """Everything under these was judged dead by the walk that ends now. Clients and subjects are few and stay."""
        forgotten = WINDOW
        while forgotten == WINDOW:
            with self._write(announce=False) as connection:
                forgotten = connection.execute(_FORGET, (revoked_until, WINDOW)).rowcount

    def _prepare(self, connection: sqlite3.Connection) -> None:
        (application_id,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (names,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        is_new = application_id == version == names == 0
        if not is_new and application_id != APPLICATION_ID:
            fault = "is a database of something else; name a file of its own for the tokens"
        elif version > VERSION:
            fault = f"was written by a newer oauth_filter (version {version}, this is {VERSION}); install that one"
        elif connection.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
            fault = "cannot keep a write-ahead log; name a file on a local disk"
        else:
            connection.execute("BEGIN IMMEDIATE")
            _create(connection)
            if self._generation.read() is None:
                self._generation.renew()
            connection.execute("COMMIT")
            return
        raise ConfigError([Problem(option="store", file=str(self._file), message=fault)])


def _create(connection: sqlite3.Connection) -> None:
    # Also in a file that is there: it may have been made before a kind of record was.
    for statement in (*_REVOCATIONS, *(create for sql in _SQL.values() for create in sql.create)):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def _insert(connection: sqlite3.Connection, records: Iterable[Record]) -> None:
    for record in records:
        connection.execute(_SQL[type(record)].put, _row(record))


def _row(record: Record) -> tuple[Any, ...]:
    return (*(getattr(record, name) for name in ENVELOPE), dump_details(record))


def _announce(records: Iterable[Record]) -> bool:
    return any(record.guarded for record in records)


def _text(value: str) -> str | bytes:
    # A lone surrogate is no text to SQLite; as bytes it is equal to no text, and so the name of nothing.
    if value.isascii():
        return value
    encoded = value.encode("utf-8", "surrogatepass")
    return value if encoded.decode("utf-8", "replace") == value else encoded
