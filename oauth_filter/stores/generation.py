"""The revocation feed of the SQLite store: eight bytes that every process maps into its memory.

A process remembers decisions beside the number it read here *before* it looked in the store, and uses them while the
number is the same. That is sound because

- every number is random and written once, so a number that was replaced never comes back;
- a writer sets the number to 0 ("unknown", use nothing remembered) before it commits and to a new one after. Whoever
  looked before the commit had read a number that is gone when the verb returns. A writer killed in between leaves
  the 0, and the next writer, who holds the write lock and therefore knows the other is done, replaces it.
"""

import mmap
import os
import secrets
from pathlib import Path
from typing import Final

_SIZE: Final = 8
_UNKNOWN: Final = 0


class Generation:
    """The number in the file `path`, which is created with mode 0600 if it is not there."""

    def __init__(self, path: Path) -> None:
        self._path: Final = path
        self._view: memoryview | None = None

    def read(self) -> int | None:
        """The number, or None when it cannot be known."""
        view = self._view
        if view is None:
            try:
                view = self._map()
            except (OSError, ValueError):
                return None
        # An aligned eight-byte load: another process's store is seen whole or not at all.
        return view[0] or None

    def suspend(self) -> None:
        """Let nobody use what is remembered. Only under the write lock.

        Raise OSError when the file cannot be opened.
        """
        self._writable()[0] = _UNKNOWN

    def renew(self) -> None:
        """Let everybody remember anew. Only under the write lock or after the commit. Raise OSError as above."""
        self._writable()[0] = secrets.randbits(63) * 2 + 1

    def close(self) -> None:
        # The map goes with its last reader; releasing it here could pull it from under another thread.
        self._view = None

    def _writable(self) -> memoryview:
        return self._view or self._map()

    def _map(self) -> memoryview:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(descriptor).st_size < _SIZE:
                os.ftruncate(descriptor, _SIZE)
            self._view = view = memoryview(mmap.mmap(descriptor, _SIZE)).cast("Q")
            return view
        finally:
            os.close(descriptor)
