"""The database of the `sql` store: its connections, its transactions, and what is made of its troubles.

Connections are in autocommit mode; a transaction is what stands between BEGIN and COMMIT here. Reads need none.
"""

import os
import random
import time
import weakref
from collections.abc import Callable
from typing import Any
from typing import Final
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL

from oauth_filter.errors import ConfigError
from oauth_filter.errors import OAuthError
from oauth_filter.errors import Problem
from oauth_filter.errors import Unreachable

T = TypeVar("T")

CONNECTIONS: Final = 10
"""The most that one process opens, as it needs them at a time; it keeps them."""
_CONNECT_TIMEOUT: Final = 3
STATEMENT_TIMEOUT: Final = 5
"""Seconds. A request that needs several statements may take as many times that when the server is in trouble."""
_NETWORK_TIMEOUT: Final = 8
"""Seconds after which a server that does not even acknowledge packets counts as gone."""
_ATTEMPTS: Final = 8
_LAST_ATTEMPT_AFTER: Final = 5.0
"""Seconds after which a transaction that lost a race is not tried again."""

_LOST_RACE: Final = {"40001", "40P01", 1020, 1213}
"""Serialization failures and deadlocks, of PostgreSQL by SQLSTATE and of MariaDB by number."""
_WRONG_PASSWORD: Final = {1044, 1045, 1698}
_NO_DATABASE: Final = 1049
_WRONG_VALUES: Final = ("22", "23")
"""SQLSTATE classes: the value, or the constraint, is at fault and not the server."""


class Database:
    """A pool of connections to the database of a URL, safe under threads and after fork.

    `synchronous` FULL waits until each commit is on disk; NORMAL may lose the last moments when the server crashes.
    Raise ConfigError if the database cannot be used. Nothing raised here holds the password or the values of a
    statement.
    """

    def __init__(self, url: URL, *, synchronous: str) -> None:
        self._is_postgresql: Final = url.get_backend_name() == "postgresql"
        self._synchronous: Final = synchronous
        self._begin: Final = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE" if self._is_postgresql else "BEGIN"
        try:
            self.engine: Final = sa.create_engine(
                url,
                isolation_level="AUTOCOMMIT",
                skip_autocommit_rollback=True,
                pool_reset_on_return=None,
                pool_size=CONNECTIONS,
                max_overflow=0,
                pool_timeout=STATEMENT_TIMEOUT,
                pool_use_lifo=True,
                hide_parameters=True,
                connect_args=_POSTGRESQL if self._is_postgresql else _MYSQL,
            )
        except (sa.exc.ArgumentError, TypeError) as error:
            raise _refused("is no URL that SQLAlchemy understands") from error
        event.listen(self.engine, "connect", self._prepare)
        _everywhere.add(self)

    def open(self, create: Callable[[sa.Connection], None]) -> None:
        """Connect for the first time and let `create` make tables, in a transaction. Raise ConfigError."""
        try:
            self._open(create)
        except BaseException:
            self.close()
            raise

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """What `work` reads, each statement seeing what is committed when it starts."""
        return self._run(work, in_transaction=False)

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Commit what `work` did, or nothing of it when it returns False or raises. It may be called again."""
        return self._run(work, in_transaction=True)

    def close(self) -> None:
        self.engine.dispose()

    def _open(self, create: Callable[[sa.Connection], None]) -> None:
        try:
            connection = self.engine.connect()
        except TypeError:
            raise _refused("URL has an option that the driver does not know") from None
        except sa.exc.DBAPIError as error:
            # None of the driver's words: they may quote a URL that was misread, and with it a part of the password.
            raise _refused(_why(error)) from None
        try:
            with connection:
                self._check(connection)
            self.write(create)
        except sa.exc.DBAPIError as error:
            raise _refused(_why(error)) from None
        except OAuthError as error:
            cause = error.__cause__
            why = _why(cause) if isinstance(cause, sa.exc.DBAPIError) else _UNREACHABLE
            raise _refused(why) from None

    def _run(self, work: Callable[[sa.Connection], T], *, in_transaction: bool) -> T:
        began = time.monotonic()
        for attempt in range(1, _ATTEMPTS + 1):
            progress = _Progress()
            try:
                return self._try(work, progress) if in_transaction else self._look(work)
            except sa.exc.DBAPIError as error:
                is_late = attempt == _ATTEMPTS or time.monotonic() - began > _LAST_ATTEMPT_AFTER
                if not is_late and _code(error) in _LOST_RACE:
                    time.sleep(random.uniform(0, 0.002 * 2**attempt))  # noqa: S311
                # Of a connection that broke during COMMIT nobody knows whether it happened.
                elif not (attempt == 1 and not is_late and error.connection_invalidated and not progress.is_committing):
                    if _is_callers_mistake(error):
                        raise
                    raise _unavailable() from error
            except sa.exc.TimeoutError as error:
                raise _unavailable() from error
        raise AssertionError("the last attempt returns or raises")

    def _look(self, work: Callable[[sa.Connection], T]) -> T:
        with self.engine.connect() as connection:
            return work(connection)

    def _try(self, work: Callable[[sa.Connection], T], progress: "_Progress") -> T:
        with self.engine.connect() as connection:
            try:
                connection.exec_driver_sql(self._begin)
                result = work(connection)
                progress.is_committing = result is not False
                connection.exec_driver_sql("ROLLBACK" if result is False else "COMMIT")
            except BaseException:
                # Whatever went wrong, closing rolls back and the next verb starts with a fresh connection.
                connection.invalidate()
                raise
            return result

    def _prepare(self, connection: Any, _record: object) -> None:
        """Settings of a new connection, which hold whatever the server's own defaults are."""
        if self._is_postgresql:
            connection.autocommit = True
            milliseconds = STATEMENT_TIMEOUT * 1000
            wanted = {
                "statement_timeout": f"{milliseconds}",
                "idle_in_transaction_session_timeout": f"{2 * milliseconds}",
            }
            if self._synchronous == "NORMAL":
                wanted["synchronous_commit"] = "off"
            statements = [f"SET {name} = {value}" for name, value in wanted.items()]
            if self._synchronous != "NORMAL":
                # Not where it is stronger already, as with a standby that must have applied it.
                statements.append(
                    "SELECT set_config('synchronous_commit', 'on', false)"
                    " WHERE current_setting('synchronous_commit') = 'off'"
                )
        else:
            statements = [
                "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
                f"SET SESSION innodb_lock_wait_timeout = {STATEMENT_TIMEOUT}",
            ]
            if "MariaDB" in connection.get_server_info():
                statements.append(f"SET SESSION max_statement_time = {STATEMENT_TIMEOUT}")
                statements.append(f"SET SESSION idle_write_transaction_timeout = {2 * STATEMENT_TIMEOUT}")
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        cursor.close()

    def _check(self, connection: sa.Connection) -> None:
        """Raise ConfigError for a server whose own configuration breaks what we promise."""

        def setting(sql: str) -> str:
            return str(connection.exec_driver_sql(sql).scalar())

        if self._is_postgresql:
            if setting("SHOW server_encoding") != "UTF8":
                raise _refused("has an encoding that cannot hold every name; create it with ENCODING 'UTF8'")
            if self._synchronous != "NORMAL" and setting("SHOW fsync") != "on":
                raise _refused("loses commits when the power fails; set fsync = on, or synchronous = NORMAL")
        elif self._synchronous != "NORMAL" and setting("SELECT @@innodb_flush_log_at_trx_commit") != "1":
            raise _refused(
                "loses commits when the power fails; set innodb_flush_log_at_trx_commit = 1, or synchronous = NORMAL"
            )


class _Progress:
    """How far a transaction came."""

    is_committing = False


_POSTGRESQL: Final = {
    "connect_timeout": _CONNECT_TIMEOUT,
    "application_name": "oauth_filter",
    "tcp_user_timeout": _NETWORK_TIMEOUT * 1000,
    "keepalives_idle": 4,
    "keepalives_interval": 2,
    "keepalives_count": 2,
}
_MYSQL: Final = {
    "connect_timeout": _CONNECT_TIMEOUT,
    "read_timeout": _NETWORK_TIMEOUT,
    "write_timeout": _NETWORK_TIMEOUT,
    "charset": "utf8mb4",
    # Without it a name that is too long is cut off in silence. Here because SQLAlchemy looks at the mode next.
    "init_command": "SET SESSION sql_mode = 'STRICT_ALL_TABLES'",
}


_everywhere: Final["weakref.WeakSet[Database]"] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    # The connections are the parent's, neither to be used nor closed.
    for database in list(_everywhere):
        database.engine.dispose(close=False)


os.register_at_fork(after_in_child=_after_fork_in_child)


def _code(error: sa.exc.DBAPIError) -> object:
    """The SQLSTATE of PostgreSQL, or the number of MariaDB; None when it is the driver that complains."""
    original = error.orig
    if original is not None and original.args and isinstance(original.args[0], int):
        return original.args[0]
    return getattr(original, "sqlstate", None)


def _is_callers_mistake(error: sa.exc.DBAPIError) -> bool:
    if error.connection_invalidated:
        return False
    code = _code(error)
    if isinstance(code, str):
        return code.startswith(_WRONG_VALUES)
    if code is None:
        return not isinstance(error, sa.exc.OperationalError)
    return isinstance(error, sa.exc.DataError | sa.exc.IntegrityError)


def _unavailable() -> OAuthError:
    return OAuthError("temporarily_unavailable", "The store cannot be reached.", reason="store_unavailable")


_UNREACHABLE: Final = "cannot be reached; see that the server runs and that host, port, user and password are right"


def _why(error: sa.exc.DBAPIError) -> str:
    code = _code(error)
    # PostgreSQL's library has no code for what went wrong before it was connected, only words.
    said = str(error.orig) if code is None else ""
    if code in _WRONG_PASSWORD or "authentication" in said:
        return "refuses the user or the password"
    if code == _NO_DATABASE or "does not exist" in said:
        return "does not exist on that server; create it first"
    if code is not None and isinstance(error, sa.exc.ProgrammingError | sa.exc.InternalError):
        return f"cannot be used (error {code}); its user must be allowed to create tables, or find them there"
    return _UNREACHABLE


def _refused(fault: str) -> ConfigError:
    kind = Unreachable if fault == _UNREACHABLE else ConfigError
    return kind([Problem(option="store", message=f"the database {fault}")])
