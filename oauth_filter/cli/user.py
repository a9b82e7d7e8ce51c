"""`oauth-filter user`: the people of the built-in directory (`login = directory`)."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from oauth_filter import credentials
from oauth_filter.cli.asking import confirm
from oauth_filter.cli.configuration import every
from oauth_filter.cli.configuration import opened
from oauth_filter.cli.exits import EXISTS
from oauth_filter.cli.exits import Failure
from oauth_filter.cli.printing import print_details
from oauth_filter.cli.printing import print_json
from oauth_filter.cli.printing import print_table
from oauth_filter.cli.printing import timestamp
from oauth_filter.cli.printing import yes_or_no
from oauth_filter.cli.user_claims import claim_options
from oauth_filter.cli.user_claims import merged
from oauth_filter.cli.user_lookup import find_user
from oauth_filter.cli.user_lookup import name_argument
from oauth_filter.cli.user_lookup import warn
from oauth_filter.cli.user_password import generate_option
from oauth_filter.cli.user_password import new_password
from oauth_filter.cli.user_password import password
from oauth_filter.cli.user_password import revoke_all
from oauth_filter.cli.user_password import stdin_option
from oauth_filter.cli.user_registrations import end_at
from oauth_filter.cli.user_registrations import registrations
from oauth_filter.cli.user_shown import say
from oauth_filter.cli.user_shown import user_as_json
from oauth_filter.cli.user_shown import user_details
from oauth_filter.passwords import hash_secret
from oauth_filter.records import User

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
_YES = click.option("-y", "--yes", is_flag=True, help="Do not ask.")
_REGISTER = click.option(
    "--register", multiple=True, metavar="CLIENT_ID", help="A client that only registered users may use. Repeatable."
)


def _display_name(context: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    if text is not None and not text.isprintable():
        raise click.BadParameter("use one line without control characters")
    return text


@click.group()
def user() -> None:
    """Add and manage the users of the built-in directory.

    Passwords are typed at a hidden prompt, read from standard input, or generated; never given as an argument.
    """


@user.command()
@name_argument
@click.option("--name", "display_name", default="", callback=_display_name, help="The name to show.")
@claim_options
@click.option("--administrator", is_flag=True, help="May register clients and grant permissions over HTTP.")
@_REGISTER
@stdin_option
@generate_option
@_JSON
@click.pass_obj
def add(
    path: Path,
    name: str,
    display_name: str,
    email: Mapping[str, Any],
    claims: Mapping[str, Any],
    administrator: bool,
    register: tuple[str, ...],
    password_stdin: bool,
    generate_password: bool,
    as_json: bool,
) -> None:
    """Add a user."""
    told = merged(None, email, claims)
    with opened(path) as (settings, store):
        if store.get(User, name) is not None:
            raise _exists()
        added = User(
            key=name,
            subject=credentials.new_id(),
            name=display_name,
            administrator=administrator,
            claims=told,
            issued_at=time.time(),
        )
        added = replace(added, registrations=registrations(settings, store, added, added=register))
        password = new_password(name, from_stdin=password_stdin, generated=generate_password)
        added = replace(added, password_hash=hash_secret(password))
        if not store.add(added):
            raise _exists()
    warn(settings)
    say(f"User {name} is added.", added, password if generate_password else None, as_json)


@user.command()
@name_argument
@click.option("--name", "display_name", callback=_display_name, help="The name to show.")
@claim_options
@click.option(
    "--administrator/--no-administrator", default=None, help="May register clients and grant permissions over HTTP."
)
@_REGISTER
@click.option("--unregister", multiple=True, metavar="CLIENT_ID", help="Take a registration back. Repeatable.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before taking a registration back.")
@_JSON
@click.pass_obj
def update(
    path: Path,
    name: str,
    display_name: str | None,
    email: Mapping[str, Any],
    claims: Mapping[str, Any],
    administrator: bool | None,
    register: tuple[str, ...],
    unregister: tuple[str, ...],
    yes: bool,
    as_json: bool,
) -> None:
    """Change what is given and leave the rest; claims and registrations that are not named stay as they are.

    Taking a registration back ends what that client has of the user: tokens, codes and the remembered consent.
    """
    if not (email or claims or register or unregister) and display_name is None and administrator is None:
        raise click.UsageError("say what to change")
    with opened(path) as (settings, store):
        before = find_user(store, name)
        changed = replace(
            before,
            name=before.name if display_name is None else display_name,
            administrator=before.administrator if administrator is None else administrator,
            claims=merged(before.claims, email, claims),
            registrations=registrations(settings, store, before, added=register, removed=unregister),
        )
        if unregister:
            confirm(f"End what {', '.join(unregister)} has of {name}, tokens and consent?", yes=yes)
        store.put(changed)
        for client_id in unregister:
            end_at(store, changed, client_id)
    warn(settings)
    say(f"User {name} is changed.", changed, None, as_json)


@user.command("list")
@_JSON
@click.pass_obj
def list_users(path: Path, as_json: bool) -> None:
    """List the users of the directory."""
    with opened(path) as (settings, store):
        users = list(every(store, User))
    warn(settings)
    if as_json:
        print_json([user_as_json(user) for user in users])
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
@name_argument
@_JSON
@click.pass_obj
def show(path: Path, name: str, as_json: bool) -> None:
    """Show a user, with the claims that clients may be told and the clients the user is registered for."""
    with opened(path) as (settings, store):
        found = find_user(store, name)
    warn(settings)
    if as_json:
        print_json(user_as_json(found))
    else:
        print_details(user_details(found))


user.add_command(password)


@user.command()
@name_argument
@_YES
@click.pass_obj
def disable(path: Path, name: str, yes: bool) -> None:
    """Shut a user out: no sign-in, and an end to all tokens and remembered consents, at once and for good."""
    with opened(path) as (_, store):
        found = find_user(store, name)
        confirm(f"Disable {name} and end all tokens and consents?", yes=yes)
        store.put(replace(found, enabled=False))
        revoke_all(store, found)
    click.echo(f"User {name} is disabled; tokens and consents have ended.")


@user.command()
@name_argument
@click.pass_obj
def enable(path: Path, name: str) -> None:
    """Let a disabled user sign in again. What was revoked stays revoked."""
    with opened(path) as (_, store):
        store.put(replace(find_user(store, name), enabled=True))
    click.echo(f"User {name} is enabled.")


@user.command()
@name_argument
@_YES
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
        revoke_all(store, found)
        store.delete(User, name)
    click.echo(f"User {name} is removed; tokens and consents have ended.")


def _exists() -> Failure:
    return Failure("there is already a user of this name", EXISTS)
