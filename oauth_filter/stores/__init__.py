"""Where everything is kept: the few verbs every store has, and the way from a store URL to a store.

A store holds the frozen records of `oauth_filter.records`. It knows nothing of OAuth beyond their envelope. What the
verbs promise is written here and proved, for every store, by `tests/stores/contract.py`.
"""

from importlib import import_module
from typing import TYPE_CHECKING
from typing import Final
from typing import Literal
from typing import Protocol

from oauth_filter.errors import ConfigError
from oauth_filter.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from oauth_filter.records import R
    from oauth_filter.records import Record

Of = Literal["grant", "client", "subject"]

FORGET_GRANT_AFTER: Final = 24 * 60 * 60
"""Seconds after which a revoked grant of which nothing is left is forgotten: longer than any request can take."""

FOUND_BY: Final = {
    "user": ("subject",),
    "consent": ("client_id", "subject"),
    "refresh_token": ("client_id", "subject"),
    "session_grant": ("client_id", "subject"),
    "entity_grant": ("client_id",),
}
"""What has an index besides its key. Access tokens have none: there it would double the bytes of every token."""


class Store(Protocol):
    """Storage trouble is raised as `OAuthError("temporarily_unavailable", ...)`, never as the library's exception.

    "Live" is a record that exists, has not expired (`expires_at <= now()` has), and whose grant, client and subject
    have not been revoked since it was stored. The order of the verbs decides what came first, not a clock. Kinds that
    are not `revocable` (clients, users, used assertions) live until they expire or are deleted. A verb has
    happened, durably, when it returns.
    """

    def get(self, kind: "type[R]", key: str) -> "R | None":
        """The live record of that key, spent or not."""
        ...

    def put(self, *records: "Record") -> None:
        """Insert or replace, all or none. What is replaced counts as issued now."""
        ...

    def add(self, record: "Record") -> bool:
        """Insert; False if the key is taken, even by a spent or revoked record. An expired one gives way.

        A revoked record holds its key until it is purged; one that is not `revocable`, until it expires.
        """
        ...

    def exchange(self, spent: "Record", *issued: "Record") -> bool:
        """Spend one live record (`spent_at` becomes now) and insert others in its place, all or none.

        Exactly one caller wins, over threads, processes and machines; False for every other, and for a record
        that is no longer live. The loser has changed nothing.
        """
        ...

    def delete(self, kind: "type[Record]", key: str) -> bool:
        """Whether there was one, live or not."""
        ...

    def revoke(self, of: Of, key: str) -> None:
        """End everything issued until now under one grant, to one client or about one subject.

        Takes a time independent of how much that is. What is issued afterwards, to a client or about a subject,
        lives; under a revoked grant nothing ever lives again. (A day after the last record of a revoked grant
        has been purged the store forgets the grant: its id is random, and nobody knows it any more.)
        """
        ...

    def find(
        self,
        kind: "type[R]",
        *,
        client_id: str | None = None,
        subject: str | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> "list[R]":
        """Live records, spent or not, in the order of their keys, those after the key `after`, at most `limit`.

        For pages and administration: access tokens have no index but their key, so finding them reads them all.
        """
        ...

    def purge(self, limit: int = 1000) -> int:
        """Delete up to `limit` records that are no longer live; how many there were.

        Call again while it returns `limit`. Spent refresh tokens and codes stay until they expire or are revoked:
        they are how reuse is detected.
        """
        ...

    def generation(self) -> int | None:
        """A number that is another one after each revocation, deletion or change of a `guarded` record anywhere.

        Cheap enough for every request: whoever remembers a decision remembers this beside it, read **before** the
        decision was made. None when it cannot be known; then nothing remembered may be used.
        """
        ...

    def close(self) -> None:
        """Let go of files and connections. The store opens them again if it is used again."""
        ...


def open_store(url: str, *, now: "Callable[[], float]", synchronous: str = "FULL") -> Store:
    """The store of a URL: `memory:`, `sqlite:///path` (four slashes for an absolute one), `postgresql+psycopg://`,
    `mysql+pymysql://` or `mariadb+pymysql://` as SQLAlchemy has them, `redis://`, `rediss://` or `unix://` as redis-py.

    `synchronous` FULL keeps what was acknowledged through a loss of power; NORMAL may lose the last moments. Raise
    ConfigError for any other URL, a driver that is not installed, and a file or a server that cannot be used.
    """
    # Imported when asked for: a process needs one store, and later ones need drivers that may not be installed.
    if url in ("memory:", "memory://"):
        from oauth_filter.stores.memory import MemoryStore

        return MemoryStore(now=now)
    if url.startswith("sqlite:///") and len(url) > len("sqlite:///"):
        from oauth_filter.stores.sqlite import SQLiteStore

        return SQLiteStore(url.removeprefix("sqlite:///"), now=now, synchronous=synchronous)
    backend = url.partition(":")[0].partition("+")[0]
    if url.startswith(("postgresql+psycopg://", "mysql+pymysql://", "mariadb+pymysql://")):
        return _open_sql(url, "postgresql" if backend == "postgresql" else "mysql", now=now, synchronous=synchronous)
    if url.startswith(("redis://", "rediss://", "unix://")):
        _require("redis", extra="redis")
        from oauth_filter.stores.redis import RedisStore

        return RedisStore(url, now=now, synchronous=synchronous)
    raise ConfigError([Problem(option="store", message=f"use {_URLS}")])


_URLS: Final = "memory:, sqlite:///path/to/file, postgresql+psycopg://..., mysql+pymysql://... or redis://..."


def _open_sql(url: str, extra: str, *, now: "Callable[[], float]", synchronous: str) -> Store:
    _require("sqlalchemy", "psycopg" if extra == "postgresql" else "pymysql", extra=extra)
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    from oauth_filter.stores.sql import SQLStore

    try:
        return SQLStore(make_url(url), now=now, synchronous=synchronous)
    except ArgumentError:
        # Not with SQLAlchemy's words, which quote the URL and the password in it.
        raise ConfigError([Problem(option="store", message="the URL cannot be read")]) from None


def _require(*libraries: str, extra: str) -> None:
    """Raise ConfigError when a library is not installed."""
    try:
        for library in libraries:
            import_module(library)
    except ImportError as error:
        fault = f'a library is missing ({error.name or error}); pip install "oauth-filter[{extra}]"'
        raise ConfigError([Problem(option="store", message=fault)]) from error
