"""The store in PostgreSQL or MariaDB, by way of SQLAlchemy Core: shared by any number of machines.

What decides is the database, under READ COMMITTED, never the clocks of the machines:

- `oauth_store` has one row. A revocation of a client or a subject raises its `sequence` and keeps the row locked until
  it has committed, so numbers are in the order of commits. A record is `born` under the number that is committed when
  it is stored, and dead while a revocation has a higher one.
- Whatever processes may remember changes `generation` in the same row and the same transaction: it becomes visible
  with the change, not before and not after. Numbers are random, so that one that a crash of the server took back
  (`synchronous = NORMAL`) is not counted up to again.

LISTEN and NOTIFY are not used: a notification may arrive after the revocation has been answered.
"""

import secrets
from collections.abc import Callable
from collections.abc import Sequence
from functools import cache
from typing import Any
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import URL

from oauth_filter.errors import OAuthError
from oauth_filter.records import ENVELOPE
from oauth_filter.records import KINDS
from oauth_filter.records import R
from oauth_filter.records import Record
from oauth_filter.records import dump_details
from oauth_filter.records import load
from oauth_filter.stores import Of
from oauth_filter.stores.purging import WINDOW
from oauth_filter.stores.purging import Purge
from oauth_filter.stores.purging import TablePlace
from oauth_filter.stores.purging import next_place
from oauth_filter.stores.sql_database import Database
from oauth_filter.stores.sql_tables import REVOCATION
from oauth_filter.stores.sql_tables import STORE
from oauth_filter.stores.sql_tables import TABLES
from oauth_filter.stores.sql_tables import Name
from oauth_filter.stores.sql_tables import create

_COLUMNS: Final = (*ENVELOPE, "details")
_SEQUENCE: Final = sa.select(STORE.c.sequence).scalar_subquery()
_NOW: Final = sa.bindparam("now", type_=sa.Double)


class _Statements:
    """What is said of one kind, each with the parameters named in it."""

    def __init__(self, kind: type[Record], *, is_postgresql: bool) -> None:
        table = TABLES[kind]
        columns = [table.c[name] for name in _COLUMNS]
        this = table.c.key == sa.bindparam("this", type_=Name())
        alive = _alive(kind)
        values: dict[str, Any] = {name: sa.bindparam(name) for name in (*_COLUMNS, "born")}
        self.table = table
        self.get = sa.select(*columns).where(this, alive)
        self.put = _upsert(table, values, is_postgresql=is_postgresql)
        self.give_way = table.delete().where(this, table.c.expires_at <= _NOW)
        add: sa.Insert = postgresql.insert(table).on_conflict_do_nothing() if is_postgresql else table.insert()
        self.add = add.values(values).execution_options(preserve_rowcount=True)
        self.spend = table.update().values(spent_at=_NOW).where(this, table.c.spent_at.is_(None), alive)
        self.delete = table.delete().where(this)
        self.find = sa.select(*columns).where(alive).order_by(table.c.key).limit(sa.bindparam("limit"))
        self.judge = (
            sa.select(table.c.key, alive)
            .where(table.c.key >= sa.bindparam("this", type_=Name()))
            .order_by(table.c.key)
            .limit(WINDOW)
        )
        self.bury = table.delete().where(table.c.key.in_(sa.bindparam("keys", expanding=True)), sa.not_(alive))


def _alive(kind: type[Record]) -> sa.ColumnElement[bool]:
    table = TABLES[kind].c
    unexpired = sa.or_(table.expires_at.is_(None), table.expires_at > _NOW)
    if not kind.revocable:
        return unexpired
    revoked = [
        sa.exists().where(REVOCATION.c.kind == "grant", REVOCATION.c.key == table.grant_id),
        *(
            sa.exists().where(REVOCATION.c.kind == of, REVOCATION.c.key == key, REVOCATION.c.sequence > table.born)
            for of, key in (("client", table.client_id), ("subject", table.subject))
        ),
    ]
    return sa.and_(unexpired, *map(sa.not_, revoked))


def _upsert(table: sa.Table, values: dict[str, Any], *, is_postgresql: bool) -> sa.Insert:
    """Insert or replace, every column but those of the primary key."""
    keys = [column.name for column in table.primary_key]
    changing = [name for name in values if name not in keys]
    if is_postgresql:
        insert = postgresql.insert(table).values(values)
        changed = {name: insert.excluded[name] for name in changing}
        return insert.on_conflict_do_update(index_elements=keys, set_=changed)
    replace = mysql.insert(table).values(values)
    return replace.on_duplicate_key_update({name: replace.inserted[name] for name in changing})


class _Revocations:
    """What is said of revocations and of the one row of `oauth_store`."""

    def __init__(self, *, is_postgresql: bool) -> None:
        values = {
            "kind": sa.bindparam("kind"),
            "key": sa.bindparam("this", type_=Name()),
            "revoked_at": _NOW,
            "sequence": sa.case((sa.bindparam("kind") == "grant", None), else_=_SEQUENCE),
        }
        self.announce = STORE.update().values(generation=sa.bindparam("new"))
        self.advance = STORE.update().values(generation=sa.bindparam("new"), sequence=STORE.c.sequence + 1)
        self.revoke = _upsert(REVOCATION, values, is_postgresql=is_postgresql)
        grants = REVOCATION.c.kind == "grant"
        self.forgettable = (
            sa.select(REVOCATION.c.key).where(grants, REVOCATION.c.revoked_at <= sa.bindparam("until")).limit(WINDOW)
        )
        self.forget = REVOCATION.delete().where(grants, REVOCATION.c.key.in_(sa.bindparam("keys", expanding=True)))
        self.sequence = sa.select(STORE.c.sequence)
        self.generation = sa.select(STORE.c.generation)


@cache
def _statements(is_postgresql: bool) -> tuple[dict[type[Record], _Statements], _Revocations]:
    return {kind: _Statements(kind, is_postgresql=is_postgresql) for kind in KINDS}, _Revocations(
        is_postgresql=is_postgresql
    )


class SQLStore:
    """A `Store` in the database of a URL. Safe under threads, any number of processes and machines, and fork.

    `now` gives seconds since the epoch. `synchronous` FULL waits until each commit is on the server's disk, NORMAL
    does not. Raise ConfigError if the database cannot be used or is not ours. It does not encrypt anything: whoever
    reads the database learns names, scopes and digests, never a token. A standby that is promoted without what its
    primary had acknowledged has forgotten revocations as well.
    """

    def __init__(self, url: URL, *, now: Callable[[], float], synchronous: str = "FULL") -> None:
        is_postgresql = url.get_backend_name() == "postgresql"
        self._now: Final = now
        self._sql, self._revocations = _statements(is_postgresql)
        self._purge: Final = Purge(bury=self._bury, forget_grants=self._forget_grants, now=now)
        self._database: Final = Database(url, synchronous=synchronous)
        self._database.open(lambda connection: create(connection, _new_generation()))

    def get(self, kind: type[R], key: str) -> R | None:
        statement, values = self._sql[kind].get, {"this": key, "now": self._now()}
        row = self._database.read(lambda connection: connection.execute(statement, values).one_or_none())
        return None if row is None else load(kind, row[:-1], row[-1])

    def put(self, *records: Record) -> None:
        def work(connection: sa.Connection) -> None:
            self._insert(connection, records, self._sequence(connection))

        if records:
            self._database.write(work)

    def add(self, record: Record) -> bool:
        sql = self._sql[type(record)]

        def work(connection: sa.Connection) -> bool:
            row = _row(record, self._sequence(connection))
            connection.execute(sql.give_way, {"this": record.key, "now": self._now()})
            try:
                if connection.execute(sql.add, row).rowcount != 1:
                    return False
            except sa.exc.IntegrityError:
                # MariaDB has no way to say "or nothing" that would not also cut off what is too long.
                return False
            if record.guarded:
                self._announce(connection)
            return True

        return self._database.write(work)

    def exchange(self, spent: Record, *issued: Record) -> bool:
        sql = self._sql[type(spent)]

        def work(connection: sa.Connection) -> bool:
            # Before the record is judged: a revocation in between then ends what is issued here as well.
            born = self._sequence(connection)
            if connection.execute(sql.spend, {"this": spent.key, "now": self._now()}).rowcount != 1:
                return False
            self._insert(connection, issued, born)
            return True

        return self._database.write(work)

    def delete(self, kind: type[Record], key: str) -> bool:
        def work(connection: sa.Connection) -> bool:
            if connection.execute(self._sql[kind].delete, {"this": key}).rowcount != 1:
                return False
            self._announce(connection)
            return True

        return self._database.write(work)

    def revoke(self, of: Of, key: str) -> None:
        def work(connection: sa.Connection) -> None:
            # The row of `oauth_store` first: from here to the commit no other revocation takes a number.
            if of != "grant":
                connection.execute(self._revocations.advance, {"new": _new_generation()})
            connection.execute(self._revocations.revoke, {"kind": of, "this": key, "now": self._now()})
            if of == "grant":
                self._announce(connection)

        self._database.write(work)

    def find(
        self,
        kind: type[R],
        *,
        client_id: str | None = None,
        subject: str | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> list[R]:
        sql = self._sql[kind]
        statement = sql.find
        if client_id is not None:
            statement = statement.where(sql.table.c.client_id == client_id)
        if subject is not None:
            statement = statement.where(sql.table.c.subject == subject)
        if after is not None:
            statement = statement.where(sql.table.c.key > after)
        values = {"now": self._now(), "limit": limit}
        rows = self._database.read(lambda connection: connection.execute(statement, values).all())
        return [load(kind, row[:-1], row[-1]) for row in rows]

    def purge(self, limit: int = 1000) -> int:
        return self._purge(limit)

    def generation(self) -> int | None:
        try:
            found = self._database.read(lambda connection: connection.execute(self._revocations.generation).scalar())
        except OAuthError:
            return None
        return None if found is None else int(found)

    def close(self) -> None:
        self._database.close()

    def _sequence(self, connection: sa.Connection) -> int:
        # By itself, because within an INSERT MariaDB would lock the row, and wait for every revocation under way.
        return int(connection.execute(self._revocations.sequence).scalar_one())

    def _insert(self, connection: sa.Connection, records: Sequence[Record], born: int) -> None:
        # In one order, whoever inserts: two who insert the same in different ones would wait for each other.
        for record in sorted(records, key=lambda record: (record.kind, record.key)):
            connection.execute(self._sql[type(record)].put, _row(record, born))
        if any(record.guarded for record in records):
            self._announce(connection)

    def _announce(self, connection: sa.Connection) -> None:
        connection.execute(self._revocations.announce, {"new": _new_generation()})

    def _bury(self, place: TablePlace | None, limit: int) -> tuple[int, TablePlace | None]:
        """Judge one window of records and delete the dead, at most `limit`, in one short transaction."""
        place = place or TablePlace()
        sql, values = self._sql[KINDS[place.kind]], {"this": place.key, "now": self._now()}
        rows = self._database.read(lambda connection: connection.execute(sql.judge, values).all())
        dead, following = next_place(place, [(key, bool(alive)) for key, alive in rows], limit)

        def work(connection: sa.Connection) -> int:
            # Judged again, row by row, as they are locked: a consent may have been given anew in between.
            return connection.execute(sql.bury, {"keys": dead, "now": self._now()}).rowcount

        return self._database.write(work) if dead else 0, following

    def _forget_grants(self, revoked_until: float) -> None:
        """Everything under these was judged dead by the walk that ends now. Clients and subjects are few and stay."""

        def work(connection: sa.Connection) -> int:
            keys = connection.execute(self._revocations.forgettable, {"until": revoked_until}).scalars().all()
            if keys:
                connection.execute(self._revocations.forget, {"keys": keys})
            return len(keys)

        while self._database.write(work) == WINDOW:
            pass


def _new_generation() -> int:
    return secrets.randbits(63)


def _row(record: Record, born: int) -> dict[str, Any]:
    return {name: getattr(record, name) for name in ENVELOPE} | {"details": dump_details(record), "born": born}
