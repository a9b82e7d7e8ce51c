"""What commands print: tables that fit the terminal, and JSON whose shape scripts can rely on."""

import json
import shutil
import time
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import UTC
from datetime import datetime
from typing import Any

import click

_GAP = "  "
_NARROWEST = 6
_SPANS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def print_json(value: Any) -> None:
    """One JSON document, ASCII only, so that no locale can break it."""
    click.echo(json.dumps(value, indent=2))


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, flexible: Sequence[str] = ()) -> None:
    """A table no wider than the terminal, or 80 columns without one.

    Only columns named in `flexible` are shortened, the widest first; the others hold what people copy.
    """
    cells = [list(heads), *([plain(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(heads))]
    shrinkable = [i for i, head in enumerate(heads) if head in flexible]
    room = max(80, shutil.get_terminal_size((80, 24)).columns)
    while sum(widths) + len(_GAP) * (len(widths) - 1) > room:
        widest = max(shrinkable, key=lambda i: widths[i], default=None)
        if widest is None or widths[widest] <= _NARROWEST:
            break
        widths[widest] -= 1
    for row in cells:
        click.echo(_GAP.join(_fit(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_details(details: Mapping[str, str | Sequence[str]]) -> None:
    """Names and values, one a line; of several values of one name each on a line of its own."""
    width = max(map(len, details))
    for name, value in details.items():
        for i, one in enumerate([value] if isinstance(value, str) else value or ["-"]):
            click.echo(f"  {'' if i else name:<{width}}  {plain(one)}".rstrip())


def plain(text: str) -> str:
    """`text` without what a terminal would obey: a client's name must not be able to repaint the screen."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def yes_or_no(value: bool) -> str:
    return "yes" if value else "no"


def timestamp(at: float | None) -> str | None:
    """Seconds since the epoch as RFC 3339 in UTC, for JSON; None stays None."""
    return None if at is None else datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def ago(at: float) -> str:
    return f"{span(time.time() - at)} ago"


def ahead(at: float | None) -> str:
    return "never" if at is None else f"in {span(at - time.time())}"


def span(seconds: float) -> str:
    """A duration for people, in its largest whole unit: `90` is `1m`."""
    for size, unit in _SPANS:
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return "0s"


def duration(seconds: int) -> str:
    """A duration exactly as an ini file has it: `5400` is `90m`."""
    size, unit = next((size, unit) for size, unit in _SPANS if seconds % size == 0 and (seconds or size == 1))
    return f"{seconds // size}{unit}"


def written(value: Any) -> str:
    """The value of an option as an ini file has it, on one line; whole numbers are durations."""
    match value:
        case bool():
            return str(value).lower()
        case int():
            return duration(value)
        case tuple():
            return " ".join(value)
        case _:
            return " ".join(str(value).split())


def _fit(cell: str, width: int) -> str:
    return cell.ljust(width) if len(cell) <= width else cell[: width - 2] + ".."
