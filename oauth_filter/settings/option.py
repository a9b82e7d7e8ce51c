"""What an option is: a dataclass field that knows how it is written and what it means."""

from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import field
from dataclasses import fields
from typing import Any
from typing import Final
from typing import Literal

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

MAY_BE_ZERO: Final = ("refresh_token_grace",)
"""Durations that may be zero, which turns the thing off."""

Kind = Literal["text", "secret", "flag", "duration", "list"]


def option(default: Any, meaning: str, *, kind: Kind = "text", choices: tuple[str, ...] = (), rfc: str = "") -> Any:
    """A dataclass field that knows how it is written in an ini file and what it means."""
    return field(
        default=default,
        repr=kind != "secret",
        metadata={"meaning": meaning, "kind": kind, "choices": choices, "rfc": rfc},
    )


def options(of: type) -> Iterator[tuple[str, Mapping[str, Any], Any]]:
    """Name, metadata and default of every option that an ini file can hold, in the order to explain them."""
    for f in fields(of):
        if "meaning" in f.metadata:
            yield f.name, f.metadata, f.default
