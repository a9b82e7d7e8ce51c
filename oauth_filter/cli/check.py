"""`oauth-filter check`: every fault of an ini at once, then every unsafe setting with the reason and the fix."""

import os
import sys
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any
from typing import Final

import click

from oauth_filter.cli.configuration import every
from oauth_filter.cli.configuration import load_settings
from oauth_filter.cli.configuration import located
from oauth_filter.cli.configuration import opened
from oauth_filter.cli.configuration import place
from oauth_filter.cli.configuration import sqlite_file
from oauth_filter.cli.exits import NEGATIVE
from oauth_filter.cli.exits import UNAVAILABLE
from oauth_filter.cli.exits import USAGE
from oauth_filter.cli.printing import plain
from oauth_filter.cli.printing import print_json
from oauth_filter.cli.unsafe import Unsafe
from oauth_filter.cli.unsafe import unsafe_files
from oauth_filter.cli.unsafe import unsafe_settings
from oauth_filter.errors import ConfigError
from oauth_filter.errors import Problem
from oauth_filter.errors import Unreachable
from oauth_filter.records import AccessToken
from oauth_filter.records import Client
from oauth_filter.records import Record
from oauth_filter.records import RefreshToken
from oauth_filter.records import User
from oauth_filter.settings import PROFILES
from oauth_filter.settings import Settings

COUNTED: Final[tuple[type[Record], ...]] = (Client, User, AccessToken, RefreshToken)
COUNTED_TO: Final = 100_000
"""A check must not take minutes on a full store: beyond this it says "or more"."""


@click.command(short_help="Say what is wrong or unsafe about the ini file.")
@click.option("--strict", is_flag=True, help="Exit with 1 when a setting is unsafe.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def check(context: click.Context, strict: bool, as_json: bool) -> None:
    """Say everything that is wrong or unsafe about the ini file, and what is in its store.

    Exits with 2 when the file cannot be used, with 5 when its store cannot be reached.
    """
    path: Path = context.obj
    try:
        settings = load_settings(path)
        about, clients = _made(path, settings)
    except ConfigError as error:
        if not as_json:
            raise
        print_json({"config": str(path), "problems": [asdict(problem) for problem in error.problems]})
        context.exit(UNAVAILABLE if isinstance(error, Unreachable) else USAGE)
    found = [*unsafe_settings(settings, clients), *unsafe_files(path, settings)]
    if as_json:
        unsafe = [asdict(unsafe) | {"place": _place(path, settings, unsafe)} for unsafe in found]
        print_json({"config": str(path), "problems": [], "unsafe": unsafe, "store": about})
    else:
        _print(path, settings, about, found)
    context.exit(NEGATIVE if strict and found else 0)


def _made(path: Path, settings: Settings) -> tuple[dict[str, Any], list[Client]]:
    """What `_store` says. Raise ConfigError with every fault that shows only when the filter starts."""
    # Other commands need neither pages nor people's modules, and start in half the time.
    from oauth_filter.authorization_server.claims import Claims
    from oauth_filter.authorization_server.pages import Pages
    from oauth_filter.authorization_server.users import Callback

    sys.path.insert(0, os.getcwd())  # where `serve` and most servers look for modules, too
    parts: list[Callable[[], object]] = [lambda: Claims(settings), lambda: Pages(settings)]
    if ":" in settings.login:
        parts.append(lambda: Callback(settings.login))
    problems: list[Problem] = []
    for make in parts:
        try:
            with located(path):
                make()
        except ConfigError as error:
            problems += error.problems
    try:
        about = _store(path, settings)
    except ConfigError as error:
        if not problems:
            raise
        problems += error.problems
    if problems:
        raise ConfigError(sorted(problems, key=lambda problem: (problem.file != str(path), problem.line or 0)))
    return about


def _store(path: Path, settings: Settings) -> tuple[dict[str, Any], list[Client]]:
    """What the store is and holds, and the clients in it. A store that does not exist yet is not made."""
    # The rest of a URL may hold a password.
    about: dict[str, Any] = {"kind": settings.store.partition(":")[0], "counts": {}}
    if about["kind"] == "memory":
        return about, []
    if (file := sqlite_file(settings)) is not None:
        about |= {"file": str(file), "exists": file.exists()}
        if not file.parent.is_dir():
            with located(path):
                raise ConfigError([Problem(option="store", message=f"there is no folder {file.parent}")])
        if not file.exists():
            return about, []
    with opened(path) as (_, store):
        about["counts"] = {kind.kind: sum(1 for _ in islice(every(store, kind), COUNTED_TO)) for kind in COUNTED}
        return about, list(every(store, Client))


def _print(path: Path, settings: Settings, about: dict[str, Any], found: Sequence[Unsafe]) -> None:
    click.echo(f"{path}: no faults")
    click.echo(f"  issuer  {settings.issuer}")
    click.echo(f"  store   {_about(about)}")
    clients, scopes, rules = len(settings.clients), len(settings.scopes), len(settings.protect)
    click.echo(f"  ini     {clients} clients, {scopes} scopes, {rules} rules")
    click.echo("\nNo unsafe settings." if not found else f"\n{len(found)} unsafe:")
    for unsafe in found:
        where = _place(path, settings, unsafe)
        section = "" if unsafe.section == "oauth_filter" else f"[{unsafe.section}] "
        click.echo(f"\n{where}: {plain(f'{section}{unsafe.option} = {unsafe.value}')}")
        click.echo(f"  why  {unsafe.reason}\n  fix  {unsafe.fix}")


def _about(about: dict[str, Any]) -> str:
    if about["kind"] == "memory":
        return "memory: (gone when the server stops)"
    if about.get("exists") is False:
        return f"SQLite, {about['file']}: not there yet, made when first used"
    names = {"client": "clients", "user": "users", "access_token": "access tokens", "refresh_token": "refresh tokens"}
    counts = (
        f"{count}{' or more' if count == COUNTED_TO else ''} {names[kind]}" for kind, count in about["counts"].items()
    )
    where = f"SQLite, {about['file']}" if about["kind"] == "sqlite" else about["kind"]
    return f"{where}\n          {', '.join(counts)}"


def _place(path: Path, settings: Settings, unsafe: Unsafe) -> str:
    """Where the setting comes from: a line, the profile, the store, or nowhere because it is the default."""
    if (line := place(path, unsafe.section, unsafe.option)) is not None:
        return line
    if unsafe.option in PROFILES[settings.profile] and unsafe.section == "oauth_filter":
        return f"{path} (profile {settings.profile})"
    if unsafe.section.startswith("client:"):
        return place(path, unsafe.section) or "client in the store"
    return f"{path} (by default)"
