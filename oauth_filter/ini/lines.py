"""Sections and the options in them, each with its line; what they mean is not known here."""

import re
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field

Fault = Callable[[str, int], None]
"""Takes a sentence for a person and the line it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An option as written: `line` is where it starts, None where it came from elsewhere."""

    name: str
    text: str = field(repr=False)
    line: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section: `kind` and `label` of `[client:ID]` are `client` and `ID`."""

    name: str
    line: int | None
    entries: dict[str, Entry] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return self.name.partition(":")[0]

    @property
    def label(self) -> str:
        return self.name.partition(":")[2]


def read_sections(text: str, fault: Fault) -> dict[str, Section]:
    """Every section by its name, in order. What is neither a section nor an option is a fault.

    A second section of the same name is one too; its entries are read as part of the first, to be judged as well.
    """
    sections: dict[str, Section] = {}
    section = None
    for number, line in _logical_lines(text):
        if line.startswith("["):
            section = _section(line, number, sections, fault)
        elif section is None:
            fault("text before the first [section]", number)
        else:
            _read_entry(line, number, section, fault)
    return sections


def _section(line: str, number: int, sections: dict[str, Section], fault: Fault) -> Section:
    if not line.endswith("]"):
        fault("a section is written [name], on a line of its own", number)
        line = line.partition("]")[0] + "]"
    kind, colon, label = line[1:-1].partition(":")
    name = kind.strip() + colon + label.strip()
    if name in sections:
        fault(f"section [{name}] stands in line {sections[name].line} already", number)
    return sections.setdefault(name, Section(name=name, line=number))


def _read_entry(line: str, number: int, section: Section, fault: Fault) -> None:
    name, equals, text = line.partition("=")
    name = name.strip()
    if not equals or not name:
        # What the line says is not repeated: it may be half a secret.
        fault("a line is 'option = value'; one that goes on with the value above is indented", number)
    elif name in section.entries:
        fault(f"'{name}' stands in line {section.entries[name].line} already", number)
    else:
        section.entries[name] = Entry(name=name, text=text.strip(), line=number)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines without comments and blank ones; those indented deeper than an option go on with it."""
    start, depth, lines = 0, 0, [""]
    for number, raw in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        stripped = raw.lstrip()
        line = "" if stripped.startswith((";", "#")) else re.split(r"\s;", raw)[0].strip()
        indent = len(raw) - len(stripped)
        if not line:
            continue
        if lines[0] and indent > depth and not lines[0].startswith("["):
            lines.append(line)
            continue
        if lines[0]:
            yield start, "\n".join(lines)
        start, depth, lines = number, indent, [line]
    if lines[0]:
        yield start, "\n".join(lines)
