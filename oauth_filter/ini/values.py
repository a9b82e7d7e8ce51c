"""What stands behind an equals sign. Every ValueError here is a sentence for a person that does not repeat the value.

A value may be a secret, so no message holds any part of one; names of variables and paths of files are no secrets.
"""

import os
import re
import stat
from collections.abc import Iterable
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from typing import Final

from oauth_filter import records
from oauth_filter.ini.lines import Entry
from oauth_filter.settings import DAY
from oauth_filter.settings import HOUR
from oauth_filter.settings import MAY_BE_ZERO
from oauth_filter.settings import MINUTE

GRANT_TYPES: Final = {name.rpartition(":")[2]: name for name in records.GRANT_TYPES}
"""The grant types a client can list, by the name an ini file may use for short: `jwt-bearer` for a long URN."""

FLAGS: Final = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
UNITS: Final = {"": 1, "s": 1, "m": MINUTE, "h": HOUR, "d": DAY}
MAX_FILE: Final = 1 << 20
"""What `file:path` reads at most, in bytes."""

_MANY_LINES: Final = ("public_key", "jwks")
URIS: Final = ("redirect_uris", "post_logout_redirect_uris", "origins")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def resolve(entry: Entry, kind: str, here: Path, environ: Mapping[str, str]) -> str:
    """The text that a value stands for, by way of `%(here)s`, `env:NAME` or `file:path`."""
    if entry.name == "scope":
        return entry.text  # `file:read` is a fine scope
    if strange := set(re.findall(r"%\(\w*\)s", entry.text)) - {"%(here)s"}:
        raise ValueError(f"{min(strange)} is not known, only %(here)s")
    text = entry.text.replace("%(here)s", str(here))
    if text.startswith("env:"):
        variable = text.removeprefix("env:")
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable):
            raise ValueError("after env: comes the name of an environment variable and nothing else")
        if not environ.get(variable):
            raise ValueError(f"the environment variable {variable} is not set")
        return environ[variable]
    if text.startswith("file:"):
        return _content(here / text.removeprefix("file:"), is_secret=kind == "secret")
    return text


def convert(name: str, text: str, kind: str, choices: tuple[str, ...]) -> Any:
    """The value that the text of an option of this kind means."""
    match kind:
        case "flag":
            if text.lower() not in FLAGS:
                raise ValueError("say true or false")
            return FLAGS[text.lower()]
        case "duration":
            written = re.fullmatch(r"([0-9]{1,12})\s*([smhd]?)", text)
            seconds = int(written[1]) * UNITS[written[2]] if written else 0
            least = 0 if written and name in MAY_BE_ZERO else 1
            if not least <= seconds <= 3650 * DAY:
                raise ValueError(f"use a duration such as 45s, 15m, 1h or 30d, from {least}s to 3650d")
            return seconds
        case "list":
            # A comma is a character of URIs.
            found = text.split() if name in URIS else words(text)
            return tuple(dict.fromkeys(map(_grant_type, found) if name == "grant_types" else found))
    if name not in _MANY_LINES and _CONTROL.search(text):
        raise ValueError("write it on one line, without control characters")
    if choices and text not in choices:
        raise ValueError(f"use one of {', '.join(filter(None, choices))}")
    return text


def words(text: str) -> list[str]:
    """What stands between spaces, commas and line breaks."""
    found = re.sub(r"[\s,]+", " ", text).split()
    if "#" in found:
        raise ValueError("a comment at the end of a line starts with ' ;'")
    return found


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name; empty where no known one is like it."""
    close = get_close_matches(name.lower(), known, n=1)
    return f", did you mean '{close[0]}'?" if close else ""


def _grant_type(name: str) -> str:
    if name not in (*GRANT_TYPES, *GRANT_TYPES.values()):
        raise ValueError(f"the grant types are {', '.join(GRANT_TYPES)}")
    return GRANT_TYPES.get(name, name)


def _content(path: Path, *, is_secret: bool) -> str:
    """What a file says, without one line break at its end."""
    try:
        with path.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            # A group may be how a service gets its secret; that every user of the machine gets it is never meant.
            if is_secret and os.name == "posix" and stat.S_ISREG(mode) and mode & (stat.S_IROTH | stat.S_IWOTH):
                raise ValueError(f"every user of this machine can read or change {path}: chmod o-rw it")
            content = opened.read(MAX_FILE + 1)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    if len(content) > MAX_FILE:
        raise ValueError(f"{path} is larger than {MAX_FILE} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text") from None
    if not text.strip():
        raise ValueError(f"{path} is empty")
    return text.removesuffix("\n").removesuffix("\r")
