"""The file of the SQLite store: made once, checked when opened, and reached through connections that survive a fork."""

import contextlib
import fcntl
import os
import sqlite3
import threading
import weakref
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from oauth_filter.errors import ConfigError
from oauth_filter.errors import OAuthError
from oauth_filter.errors import Problem

APPLICATION_ID: Final = 0x6F617574  # "oaut", what `file` shows
VERSION: Final = 1
SYNCHRONOUS: Final = ("NORMAL", "FULL", "EXTRA")
LOCK_TIMEOUT: Final = 10.0
"""Seconds a writer waits for the threads of its process, and then for other processes, before the store counts as
unavailable. Both together are less than the 30 seconds after which gunicorn, for one, kills a worker."""


class _Connection(sqlite3.Connection):
    """A connection that knows which file it was opened on, whatever has the name of it later."""

    path: str
    file: tuple[int, int]

    def is_current(self) -> bool:
        try:
            return _identity(self.path) == self.file
        except OSError:
            return False


class Connections:
    """Connections to one file, each used by one thread at a time, none of them carried through a fork.

    SQLite keeps what it believes about a file's locks in the memory of the process. A child that inherits it writes
    without locks, and its parent, closing the file it believes to be alone with, deletes the child's log. So a
    fork waits until no verb is under way and finds every connection closed.
    """

    def __init__(
        self,
        path: Path,
        *,
        synchronous: str,
        lock_file: Path,
        prepare: Callable[[sqlite3.Connection], None],
    ) -> None:
        """Create the file with mode 0600 if it is not there, and let `prepare` make or check what is in it.

        No connection stays open, so servers that fork in C, past `_before_fork`, after loading are safe too. Raise
        ConfigError if the file cannot be opened or is not ours.
        """
        self._path: Final = path
        self._synchronous: Final = synchronous
        self._lock_file: Final = lock_file
        self._idle: Final[list[_Connection]] = []
        self._reset()
        self._create(prepare)
        # A store that is dropped without `close` still leaves the file tidy.
        weakref.finalize(self, _close_all, self._idle)
        with _registering:
            _everywhere.add(self)

    @contextlib.contextmanager
    def use(self) -> Iterator[sqlite3.Connection]:
        """A connection in autocommit mode, for this thread alone. Storage trouble becomes OAuthError."""
        connection = None
        with self._changed:
            while self._forking:
                self._changed.wait()
            self._in_use += 1
            if self._idle:
                connection = self._idle.pop()
        sound = False
        try:
            while connection is not None and not connection.is_current():
                # What is written to a file that was removed or replaced is lost, and nobody is told.
                _abandoned.append(connection)
                with self._changed:
                    connection = self._idle.pop() if self._idle else None
            if connection is None:
                connection = self._open()
            yield connection
            sound = not connection.in_transaction
        except (sqlite3.Error, OSError) as error:
            if isinstance(error, sqlite3.ProgrammingError | sqlite3.IntegrityError | sqlite3.NotSupportedError):
                raise
            raise _unavailable() from error
        finally:
            # Whatever went wrong, closing rolls back and the next verb starts with a fresh connection.
            if connection is not None and not sound:
                connection.close()
            with self._changed:
                if connection is not None and sound:
                    self._idle.append(connection)
                self._in_use -= 1
                self._changed.notify_all()

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """A turn to write, of the threads of this process: SQLite's own waiting is by polling."""
        writing = self._writing
        if not writing.acquire(timeout=LOCK_TIMEOUT):
            raise _unavailable()
        try:
            yield
        finally:
            writing.release()

    def close(self) -> None:
        with self._changed:
            _close_all(self._idle)

    def _create(self, prepare: Callable[[sqlite3.Connection], None]) -> None:
        try:
            with _alone(self._lock_file):
                # Created here and not by SQLite, which would follow the umask; its -wal and -shm take the mode over.
                # Only if it is new: closing a descriptor drops every lock this process holds on the file.
                with contextlib.suppress(FileExistsError):
                    os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
                connection = self._open()
                try:
                    prepare(connection)
                finally:
                    connection.close()
        except (OSError, sqlite3.Error) as error:
            cause = error.strerror if isinstance(error, OSError) else error
            fault = (
                f"cannot be opened as the store ({cause}); name a file that can be written, in a directory that exists "
                "and can be written, or restore it from a backup"
            )
            raise ConfigError([Problem(option="store", file=str(self._path), message=fault)]) from error

    def _open(self) -> _Connection:
        file = _identity(str(self._path))
        # mode=rw: a file that has vanished is trouble to report, not one to replace by an empty one.
        connection = sqlite3.connect(
            f"{self._path.as_uri()}?mode=rw",
            uri=True,
            timeout=LOCK_TIMEOUT,
            isolation_level=None,
            check_same_thread=False,
            factory=_Connection,
        )
        connection.path, connection.file = str(self._path), file
        try:
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _reset(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._writing = threading.Lock()
        self._in_use = 0
        self._forking = False

    def _before_fork(self) -> None:
        self._changed.acquire()
        self._forking = True
        while self._in_use:
            self._changed.wait()
        _close_all(self._idle)

    def _after_fork_in_parent(self) -> None:
        self._forking = False
        self._changed.notify_all()
        self._changed.release()

    def _after_fork_in_child(self) -> None:
        # Only a fork that went past `_before_fork` leaves some: they are the parent's, neither to be used nor closed.
        _abandoned.extend(self._idle)
        self._idle.clear()
        # The threads that may have held or awaited the old lock do not exist here.
        self._reset()


_everywhere: Final["weakref.WeakSet[Connections]"] = weakref.WeakSet()
_registering: Final = threading.Lock()
_forking: Final[list[Connections]] = []
_abandoned: Final[list[sqlite3.Connection]] = []
"""Connections that must be neither used nor closed."""


def _before_fork() -> None:
    _registering.acquire()
    _forking[:] = _everywhere
    for connections in _forking:
        connections._before_fork()


def _after_fork_in_parent() -> None:
    while _forking:
        _forking.pop()._after_fork_in_parent()
    if _registering.locked():
        _registering.release()


def _after_fork_in_child() -> None:
    _forking.clear()
    for connections in _everywhere:
        connections._after_fork_in_child()
    if _registering.locked():
        _registering.release()


os.register_at_fork(
    before=_before_fork,
    after_in_parent=_after_fork_in_parent,
    after_in_child=_after_fork_in_child,
)


def _unavailable() -> OAuthError:
    return OAuthError("temporarily_unavailable", "The store cannot be reached.", reason="store_unavailable")


def _identity(path: str) -> tuple[int, int]:
    """Which file has this name now. Raise OSError when none has."""
    found = os.stat(path)
    return found.st_dev, found.st_ino


def _close_all(connections: list[_Connection]) -> None:
    while connections:
        connection = connections.pop()
        if connection.is_current():
            connection.close()
        else:
            # SQLite would delete the log of whatever has the name of its file now.
            _abandoned.append(connection)


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the lock of a file: processes that open a new database at once must not all switch it to WAL."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
