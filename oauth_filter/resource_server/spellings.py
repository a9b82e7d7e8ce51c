"""The ways an application may read a path, and paths that nobody should have to read.

A rule is written for one spelling of a path. Applications, frameworks and file systems may take others for the same:
in another case, without `;parameters`, without the undecodable bytes. So a request has to satisfy the rule of every
reading.
"""

import re
from collections.abc import Callable
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

_AMBIGUOUS: Final = re.compile(r"//|/\.{1,2}(?:/|\Z)|[\\\x00-\x1f\x7f]|%(?:2e|2f|5c|00)", re.IGNORECASE)
_MAX_READINGS: Final = 64
_MAX_UNTANGLED: Final = 4096
"""The work on a path that is let through although it is ambiguous must not be the sender's choice."""


def readings(path: str, *, refuse_ambiguous: bool) -> frozenset[str] | None:
    """Every reading of a `PATH_INFO`, as text, the literal one included; None for a path to refuse.

    `path` is as PEP 3333 has it, UTF-8 behind latin-1. Case is left as it is. With `refuse_ambiguous` a path that is
    ambiguous in any reading is refused; without, what comes of untangling it is added. One that does not start with
    a slash, and one with more readings than anybody means, is always refused.
    Does not know what an application does with a path beyond this: Unicode normalisation, for one, is not undone.
    """
    if not path.startswith("/"):
        # wsgiref hands on the absolute form of a request target as it is; nobody else sends anything of the kind.
        return None
    found = _closure(_texts(path), _ALWAYS)
    if found is not None and any(map(_AMBIGUOUS.search, found)):
        found = None if refuse_ambiguous or len(path) > _MAX_UNTANGLED else _closure(found, _ALWAYS + _UNTANGLE)
    if found is None:
        return None
    return frozenset(found | {text.rstrip("/") or "/" for text in found})


def _texts(path: str) -> set[str]:
    if path.isascii():
        return {path}
    try:
        octets = path.encode("latin-1")
        return {octets.decode()}
    except UnicodeEncodeError:
        return {path}
    except UnicodeDecodeError:
        # Bottle, for one, drops what it cannot decode: it takes /adm%ffin for /admin.
        return {path, octets.decode("utf-8", "ignore")}


def _closure(texts: Iterable[str], transforms: tuple[Callable[[str], str], ...]) -> set[str] | None:
    """All that comes of applying the transforms in any order; None if there is no end to it."""
    found: set[str] = set()
    waiting = list(texts)
    while waiting:
        text = waiting.pop()
        if text not in found:
            found.add(text)
            if len(found) > _MAX_READINGS:
                return None
            waiting.extend(transform(text) for transform in transforms)
    return found


def _decode(text: str) -> str:
    return unquote(text, errors="ignore") if "%" in text else text


def _drop_parameters(text: str) -> str:
    # RFC 3986 section 3.3 has parameters in segments; Java servers read /..;/ as /../.
    return re.sub(r";[^/]*", "", text) if ";" in text else text


def _cut_at_mark(text: str) -> str:
    # Who takes a path for a URL, to pass it on or because wsgiref leaves the fragment in it, stops reading here.
    return re.split("[?#]", text, maxsplit=1)[0]


def _drop_trailing_space(text: str) -> str:
    return text.rstrip()


def _drop_controls(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]", "", text)


def _cut_at_nul(text: str) -> str:
    return text.partition("\0")[0]


def _turn_backslashes(text: str) -> str:
    return text.replace("\\", "/")


def _collapse(text: str) -> str:
    return re.sub(r"/{2,}", "/", text)


def _resolve(text: str) -> str:
    """Take the dot segments out -- RFC 3986 section 5.2.4, where an empty segment is one that `..` can undo."""
    resolved: list[str] = []
    *folders, last = text.removeprefix("/").split("/")
    for segment in folders:
        if segment == "..":
            del resolved[-1:]
        elif segment != ".":
            resolved.append(segment)
    if last == "..":
        del resolved[-1:]
    return "/" + "".join(f"{segment}/" for segment in resolved) + (last if last not in (".", "..") else "")


_ALWAYS: Final = (_decode, _drop_parameters, _cut_at_mark, _drop_trailing_space)
_UNTANGLE: Final = (_drop_controls, _cut_at_nul, _turn_backslashes, _collapse, _resolve)
