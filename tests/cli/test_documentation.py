"""docs/cli.md has every command and option there is, and no other. Run as a program, this writes its reference."""

import re
import sys
from pathlib import Path

import click

ROOT = Path(__file__).parents[2]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from oauth_filter.cli import exits  # noqa: E402
from oauth_filter.cli import main  # noqa: E402

PAGE = ROOT / "docs" / "cli.md"
MARK = "from the code. -->\n"


def reference():
    return "".join(sections(main, "oauth-filter"))


def sections(command, name):
    if not isinstance(command, click.Group) or command is main:
        arguments = [p.metavar or p.name.upper() for p in command.params if isinstance(p, click.Argument)]
        yield f"\n### `{' '.join([name, *arguments])}`\n\n{prose(command)}\n\n{table(command)}"
    if isinstance(command, click.Group):
        if command is not main:
            yield f"\n### `{name}`\n\n{prose(command)}\n"
        for word, child in command.commands.items():
            yield from sections(child, f"{name} {word}")


def prose(command):
    return "\n\n".join(" ".join(part.split()) for part in command.help.split("\n\n"))


def table(command):
    options = [p for p in command.params if isinstance(p, click.Option)]
    if not options:
        return ""
    rows = [f"| {written(option)} | {option.help}{default(option)} |" for option in options]
    return "\n".join(["| option | meaning |", "|---|---|", *rows]) + "\n"


def written(option):
    names = [f"`{name}`" for name in [*option.opts, *option.secondary_opts]]
    return ", ".join(names)


def default(option):
    return f" Default: `{option.default}`." if option.show_default else ""


def test_the_reference_is_up_to_date():
    written = PAGE.read_text(encoding="utf-8").partition(MARK)[2]
    assert written == reference(), "run `python tests/cli/test_documentation.py`"


def test_every_exit_code_is_explained():
    codes = {value for name, value in vars(exits).items() if name.isupper()}
    page = PAGE.read_text(encoding="utf-8")
    assert {int(code) for code in re.findall(r"(?m)^\| (\d) \|", page)} == codes


def test_the_prose_names_only_options_that_exist():
    known = set(re.findall(r"--[a-z-]+", reference())) | {"--help"}
    prose = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
    assert set(re.findall(r"(?<!<!)--[a-z][a-z-]+", prose)) <= known


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(text.partition(MARK)[0] + MARK + reference(), encoding="utf-8")
