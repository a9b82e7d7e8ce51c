"""`oauth-filter user`: the people of the built-in directory (`login = directory`)."""

import time
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any
from typing import Final

import click

from oauth_filter import credentials
from oauth_filter.cli.asking import confirm
from oauth_filter.cli.asking import secret_from_prompt
from oauth_filter.cli.asking import secret_from_stdin
from oauth_filter.cli.configuration import every
from oauth_filter.cli.configuration import opened
from oauth_filter.cli.exits import EXISTS
from oauth_filter.cli.exits import NOT_FOUND
from oauth_filter.cli.exits import USAGE
from oauth_filter.cli.exits import Failure
from oauth_filter.cli.printing import print_details
from oauth_filter.cli.printing import print_json
from oauth_filter.cli.printing import print_table
from oauth_filter.cli.printing import timestamp
from oauth_filter.cli.printing import yes_or_no
from oauth_filter.passwords import hash_secret
from oauth_filter.records import User
from oauth_filter.settings import Settings
from oauth_filter.stores import Store

SHORTEST_PASSWORD: Final = 8
"""NIST SP 800-63B section 5.1.1.2."""
LONGEST_NAME: Final = 255


def username(context: click.Context, parameter: click.Parameter, text: str) -> str:
    """A user name in the one spelling it is stored in: Unicode NFC, so that `é` is `é` however it was typed."""
    name = unicodedata.normalize("NFC", text)
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise click.BadParameter(f"use 1 to {LONGEST_NAME} printable characters, without spaces at the ends")
    return name


def find_user(store: Store, name: str) -> User:
    """Raise Failure when there is no user of that name."""
    found = store.get(User, name)
    if found is None:
        raise Failure("there is no user of this name; `oauth-filter user list` shows them", NOT_FOUND)
    return found


_NAME = click.argument("name", metavar="USERNAME", callback=username)
_STDIN = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
_GENERATE = click.option("--generate-password", is_flag=True, help="Make a random password and show it once.")


@click.group()
def user() -> None:
    """Add and manage the users of the built-in directory.

    Passwords are typed at a hidden prompt, read from standard input, or generated; never given as an argument.
    """


@user.command()
@_NAME
@click.option("--name", "display_name", default="", help="The name to show.")
@click.option("--administrator", is_flag=True, help="May register clients over HTTP.")
@_STDIN
@_GENERATE
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def add(
    path: Path,
    name: str,
    display_name: str,
    administrator: bool,
    password_stdin: bool,
    generate_password: bool,
    as_json: bool,
) -> None:
    """Add a user."""
    if not display_name.isprintable():
        raise click.BadParameter("use one line without control characters", param_hint="--name")
    with opened(path) as (settings, store):
        if store.get(User, name) is not None:
            raise _exists()
        password = _password(name, from_stdin=password_stdin, generated=generate_password)
        added = User(
            key=name,
            subject=credentials.new_id(),
            name=display_name,
            administrator=administrator,
            password_hash=hash_secret(password),
            issued_at=time.time(),
        )
        if not store.add(added):
            raise _exists()
    _warn(settings)
    _say(f"User {name} is added.", added, password if generate_password else None, as_json)


@user.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def list_users(path: Path, as_json: bool) -> None:
    """List the users of the directory."""
    with opened(path) as (settings, store):
        users = list(every(store, User))
    _warn(settings)
    if as_json:
        print_json([_as_json(user) for user in users])
    elif not users:
        click.echo("There are no users. `oauth-filter user add NAME` adds one.")
    else:
        print_table(
            ("USER NAME", "ENABLED", "ADMINISTRATOR", "ADDED", "NAME"),
            [
                (
                    user.key,
                    yes_or_no(user.enabled),
                    yes_or_no(user.administrator),
                    (timestamp(user.issued_at) or "")[:10],
                    user.name,
                )
                for user in users
            ],
            flexible=("USER NAME", "NAME"),
        )


@user.command()
@_NAME
@_STDIN
@_GENERATE
@click.option("--keep-tokens", is_flag=True, help="Leave what has been issued to applications alone.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def password(
    path: Path, name: str, password_stdin: bool, generate_password: bool, keep_tokens: bool, as_json: bool
) -> None:
    """Give a user a new password.

    It signs the user out everywhere and, unless --keep-tokens is given, ends all tokens and remembered consents:
    who had the old password may have used it to let applications in.
    """
    with opened(path) as (settings, store):
        found = find_user(store, name)
        secret = _password(name, from_stdin=password_stdin, generated=generate_password)
        changed = replace(found, password_hash=hash_secret(secret))
        store.put(changed)
        if not keep_tokens:
            _revoke(store, found)
    _warn(settings)
    ended = "" if keep_tokens else " Tokens and consents have ended."
    _say(f"User {name} has a new password.{ended}", changed, secret if generate_password else None, as_json)


@user.command()
@_NAME
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def disable(path: Path, name: str, yes: bool) -> None:
    """Shut a user out: no sign-in, and an end to all tokens and remembered consents, at once and for good."""
    with opened(path) as (_, store):
        found = find_user(store, name)
        confirm(f"Disable {name} and end all tokens and consents?", yes=yes)
        store.put(replace(found, enabled=False))
        _revoke(store, found)
    click.echo(f"User {name} is disabled; tokens and consents have ended.")


@user.command()
@_NAME
@click.pass_obj
def enable(path: Path, name: str) -> None:
    """Let a disabled user sign in again. What was revoked stays revoked."""
    with opened(path) as (_, store):
        store.put(replace(find_user(store, name), enabled=True))
    click.echo(f"User {name} is enabled.")


@user.command()
@_NAME
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def remove(path: Path, name: str, yes: bool) -> None:
    """Remove a user and end all tokens and remembered consents, at once.

    A new user of the same name is somebody else and inherits nothing.
    """
    with opened(path) as (_, store):
        found = find_user(store, name)
        confirm(f"Remove {name} and end all tokens and consents?", yes=yes)
        # In this order nothing can be issued between the last two, and an interrupted command can be repeated.
        store.put(replace(found, enabled=False))
        _revoke(store, found)
        store.delete(User, name)
    click.echo(f"User {name} is removed; tokens and consents have ended.")


def _revoke(store: Store, found: User) -> None:
    if found.subject is not None:
        store.revoke("subject", found.subject)


def _exists() -> Failure:
    return Failure("there is already a user of this name", EXISTS)


def _password(name: str, *, from_stdin: bool, generated: bool) -> str:
    if from_stdin and generated:
        raise click.UsageError("give one of --password-stdin and --generate-password")
    if generated:
        return credentials.new_id()
    password = (
        secret_from_stdin()
        if from_stdin
        else secret_from_prompt("Password", instead="--password-stdin or --generate-password")
    )
    if len(password) < SHORTEST_PASSWORD:
        raise Failure(f"a password has at least {SHORTEST_PASSWORD} characters", USAGE)
    if password.casefold() == name.casefold():
        raise Failure("a password must not be the user name", USAGE)
    return password


def _warn(settings: Settings) -> None:
    if settings.login != "directory":
        click.echo(f"Note: login = {settings.login}: users of the directory do not sign in.", err=True)


def _say(sentence: str, found: User, password: str | None, as_json: bool) -> None:
    shown = {} if password is None else {"password": password}
    if as_json:
        print_json(_as_json(found) | shown)
        return
    click.echo(sentence)
    if password is not None:
        click.echo("The password is shown this once and cannot be shown again:\n")
        print_details({"username": found.key, "password": password})


def _as_json(found: User) -> dict[str, Any]:
    return {
        "username": found.key,
        "name": found.name,
        "subject": found.subject,
        "enabled": found.enabled,
        "administrator": found.administrator,
        "created_at": timestamp(found.issued_at or None),
    }
