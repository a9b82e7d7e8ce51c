"""The tables of the `sql` store: one a kind, named `oauth_<kind>`, with the envelope in columns and the rest as JSON.

`oauth_store` has one row: the version of these tables, the `sequence` that orders revocations, and the `generation`.
"""

import re
from typing import Any
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.mysql import LONGTEXT
from sqlalchemy.dialects.mysql import VARBINARY
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from oauth_filter.errors import ConfigError
from oauth_filter.errors import Problem
from oauth_filter.records import KINDS
from oauth_filter.records import Record
from oauth_filter.stores import FOUND_BY

VERSION: Final = 1
METADATA: Final = sa.MetaData()

_KEY_LENGTH: Final = 1000
_NAME_LENGTH: Final = 255
"""In bytes, where the server wants to know: a consent's key holds two names."""
_LOCK: Final = 0x6F617574
"""PostgreSQL's advisory lock for whoever makes tables."""
# PostgreSQL's text cannot hold NUL, and UTF-8 no lone surrogate. The order of keys stays that of their characters.
_UNWRITABLE: Final = re.compile("[\0\1\ud800-\udfff]")
_WRITTEN: Final = re.compile("\1([0-9a-f]{4})")


class Name(sa.types.TypeDecorator[str]):
    """Text that is compared and sorted byte for byte, whatever the collation of the database."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, length: int = _NAME_LENGTH) -> None:
        super().__init__()
        self.length = length

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.Text(collation="C"))
        # Every text type there folds case or ignores spaces at the end, under names that differ between servers.
        return dialect.type_descriptor(VARBINARY(self.length))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | bytes | None:
        if value is None:
            return None
        if dialect.name == "postgresql":
            return _UNWRITABLE.sub(lambda found: f"\1{ord(found[0]):04x}", value)
        return value.encode("utf-8", "surrogatepass")

    def process_result_value(self, value: str | bytes | None, dialect: Dialect) -> str | None:
        if isinstance(value, bytes):
            return value.decode("utf-8", "surrogatepass")
        return None if value is None else _WRITTEN.sub(lambda found: chr(int(found[1], 16)), value)


_DETAILS: Final = sa.Text().with_variant(LONGTEXT(charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb")


def _table(kind: type[Record]) -> sa.Table:
    name = f"oauth_{kind.kind}"
    return sa.Table(
        name,
        METADATA,
        sa.Column("key", Name(_KEY_LENGTH), primary_key=True),
        sa.Column("grant_id", Name()),
        sa.Column("client_id", Name()),
        sa.Column("subject", Name()),
        sa.Column("issued_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double),
        sa.Column("spent_at", sa.Double),
        sa.Column("details", _DETAILS, nullable=False),
        sa.Column("born", sa.BigInteger, nullable=False),
        *(
            sa.Index(f"{name}_{column}", column, postgresql_where=sa.text(f"{column} IS NOT NULL"))
            for column in FOUND_BY.get(kind.kind, ())
        ),
        mysql_engine="InnoDB",
        mysql_row_format="DYNAMIC",
    )


TABLES: Final = {kind: _table(kind) for kind in KINDS}
REVOCATION: Final = sa.Table(
    "oauth_revocation",
    METADATA,
    sa.Column("kind", sa.String(7), primary_key=True),
    sa.Column("key", Name(_KEY_LENGTH), primary_key=True),
    sa.Column("revoked_at", sa.Double, nullable=False),
    sa.Column("sequence", sa.BigInteger),
    mysql_engine="InnoDB",
    mysql_row_format="DYNAMIC",
)
"""Whose grants, clients and subjects have been revoked, as `Store.revoke` names them."""
STORE: Final = sa.Table(
    "oauth_store",
    METADATA,
    sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
    mysql_engine="InnoDB",
)


def create(connection: sa.Connection, generation: int) -> None:
    """Make what is missing, also in a database made before a kind of record was. Several may do so at once.

    In a transaction. A user who may not create tables is enough once all are there. Raise ConfigError if the
    tables are not ours.
    """
    if _is_complete(connection):
        return
    is_postgresql = connection.dialect.name == "postgresql"
    lock = sa.func.pg_advisory_xact_lock(_LOCK) if is_postgresql else sa.func.get_lock("oauth_filter", 10)
    connection.execute(sa.select(lock))
    try:
        # Where a table ends the transaction (MySQL) whoever is killed here leaves no row, and the next one goes on.
        if not _is_complete(connection):
            for table in (STORE, *METADATA.tables.values()):
                table.create(connection, checkfirst=True)
                for index in table.indexes:
                    index.create(connection, checkfirst=True)
            if _version(connection) is None:
                connection.execute(STORE.insert().values(id=1, version=VERSION, sequence=0, generation=generation))
    finally:
        if not is_postgresql:
            connection.execute(sa.select(sa.func.release_lock("oauth_filter")))


def _is_complete(connection: sa.Connection) -> bool:
    inspector = sa.inspect(connection)
    there = set(inspector.get_table_names()) & METADATA.tables.keys()
    if not there:
        return False
    if STORE.name not in there or {c["name"] for c in inspector.get_columns(STORE.name)} != set(STORE.c.keys()):
        raise _not_ours("has tables of something else with our names; name a database or a schema of its own")
    version = _version(connection)
    if version is not None and version > VERSION:
        raise _not_ours(f"was written by a newer oauth_filter (version {version}, this is {VERSION}); install that one")
    return version is not None and there == METADATA.tables.keys()


def _version(connection: sa.Connection) -> int | None:
    return connection.execute(sa.select(STORE.c.version)).scalar()


def _not_ours(fault: str) -> ConfigError:
    return ConfigError([Problem(option="store", message=f"the database {fault}")])
