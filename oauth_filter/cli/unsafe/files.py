"""Secrets that stand in the ini itself, and files with secrets that others on this machine can read."""

import re
import stat
from collections.abc import Iterator
from pathlib import Path

from oauth_filter.cli.configuration import sqlite_file
from oauth_filter.cli.unsafe.row import Unsafe
from oauth_filter.settings import Settings


def unsafe_files(path: Path, settings: Settings) -> Iterator[Unsafe]:
    """Secrets that stand in the ini itself, and files with secrets that others on this machine can read."""
    section = ""
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        if header := re.match(r"\s*\[(.*)\]", line):
            section = header[1].strip()
        elif found := re.match(r"\s*(secret|jwt_secret|store(?=\s*=[^@]*://[^@/]*:[^@]*@))\s*=\s*(\S.*)", line):
            option, value = found[1], re.split(r"\s;", found[2])[0].strip()
            if value.startswith("file:"):
                named = value.removeprefix("file:").replace("%(here)s", str(path.absolute().parent))
                yield from _readable(section, option, path.absolute().parent / named)
            elif not value.startswith("env:"):
                yield Unsafe(
                    section=section,
                    option=option,
                    value="***",
                    reason="the secret stands in the ini itself, which gets copied, mailed and versioned",
                    fix=f"put it into a file of mode 0600 and write {option} = file:%(here)s/NAME, or use env:NAME",
                )
    if (database := sqlite_file(settings)) is not None:
        yield from _readable("oauth_filter", "store", database)


def _readable(section: str, option: str, file: Path) -> Iterator[Unsafe]:
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
    except OSError:
        return
    # A group may read: that is how containers and services hand over secrets.
    if mode & 0o037:
        yield Unsafe(
            section=section,
            option=option,
            value=f"{file} (mode {mode:04o})",
            reason="other users of this machine can read or change it",
            fix=f"chmod 600 {file}",
        )
