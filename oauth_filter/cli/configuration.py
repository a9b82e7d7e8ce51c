"""From the ini file that a command is given to the settings in it and the store they name."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from oauth_filter.cli.exits import USAGE
from oauth_filter.cli.exits import Failure
from oauth_filter.errors import ConfigError
from oauth_filter.errors import Problem
from oauth_filter.ini import load
from oauth_filter.records import R
from oauth_filter.settings import Settings
from oauth_filter.stores import Store
from oauth_filter.stores import open_store

PAGE: Final = 1000


def load_settings(path: Path) -> Settings:
    """Raise Failure when there is no such file, ConfigError with every fault of one that cannot be run."""
    if not path.is_file():
        raise Failure(f"there is no {path}; `oauth-filter init` makes one, and --config names another", USAGE)
    return load(path)


@contextmanager
def opened(path: Path) -> Iterator[tuple[Settings, Store]]:
    """The settings of an ini file and the store they name, for a command that reads or changes what is kept."""
    settings = load_settings(path)
    if settings.store.startswith("memory:"):
        raise Failure("the store is memory:, which exists only inside the server; use sqlite:///path", USAGE)
    with located(path):
        store = open_store(settings.store, now=time.time, synchronous=settings.synchronous)
    try:
        yield settings, store
    finally:
        store.close()


@contextmanager
def located(path: Path) -> Iterator[None]:
    """Faults that show only when something is made of the settings are told with the line of their option, too."""
    try:
        yield
    except ConfigError as error:
        raise type(error)([_located(path, problem) for problem in error.problems]) from error


def sqlite_file(settings: Settings) -> Path | None:
    """The file of an SQLite store, as an absolute path; None for another kind of store."""
    is_sqlite = settings.store.startswith("sqlite:///")
    return Path(settings.store.removeprefix("sqlite:///")).absolute() if is_sqlite else None


def every(store: Store, kind: type[R], *, client_id: str | None = None, subject: str | None = None) -> Iterator[R]:
    """All live records of a kind, a page at a time."""
    after = None
    while page := store.find(kind, client_id=client_id, subject=subject, after=after, limit=PAGE):
        yield from page
        after = page[-1].key


def place(path: Path, section: str, option: str | None = None) -> str | None:
    """Where a section, or an option in it, stands: `oauth.ini:12`. None when it is not written there."""
    number = _line(path, section, option)
    return None if number is None else f"{path}:{number}"


def _line(path: Path, section: str, option: str | None) -> int | None:
    current = None
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            if header := re.match(r"\s*\[(.*)\]", line):
                current = header[1].strip()
                if option is None and current == section:
                    return number
            elif option is not None and current == section and re.match(rf"\s*{re.escape(option)}\s*=", line):
                return number
    return None


def _located(path: Path, problem: Problem) -> Problem:
    if problem.file is not None or problem.option is None:
        return problem
    return replace(problem, file=str(path), line=_line(path, "oauth_filter", problem.option))
