"""The ini file: text in, Settings out, or every fault of it at once, each with its line.

configparser of the standard library keeps no line numbers and stops at the first fault, so `lines` reads sections,
`values` what stands behind an equals sign, and `sections` what they mean. Which options there are is read off
`Settings`, `ClientSection` and `JWTIssuer`; there is no second list of them.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from oauth_filter.errors import ConfigError
from oauth_filter.errors import Problem
from oauth_filter.ini.client import ClientSection
from oauth_filter.ini.sections import Reading
from oauth_filter.settings import Settings

__all__ = ["ClientSection", "load", "parse"]


def load(
    path: str | os.PathLike[str],
    *,
    environ: Mapping[str, str] = os.environ,
    overrides: Mapping[str, str] | None = None,
) -> Settings:
    """The settings in an ini file. Raise ConfigError with every fault, also when the file cannot be read."""
    file = os.fspath(path)
    try:
        content = Path(file).read_bytes()
    except OSError as error:
        raise ConfigError([Problem(file=file, message=f"cannot be read: {error.strerror}")]) from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = 1 + content[: error.start].count(b"\n")
        raise ConfigError([Problem(file=file, line=line, message="this is not UTF-8 text")]) from None
    return parse(text, file=file, here=Path(file).absolute().parent, environ=environ, overrides=overrides)


def parse(
    text: str,
    *,
    file: str,
    here: str | os.PathLike[str],
    environ: Mapping[str, str] = os.environ,
    overrides: Mapping[str, str] | None = None,
) -> Settings:
    """The settings in the text of an ini file. Raise ConfigError with every fault, none of which repeats a value.

    `file` names it in faults; `here` is the folder that `file:path` and `%(here)s` start from; `environ` answers
    `env:NAME`; `overrides` are options of `[oauth_filter]` that count more than those of the text.
    """
    return Reading(file=file, here=Path(here), environ=environ).settings(text, overrides or {})
