"""Finding a user of the built-in directory by name."""

import unicodedata
from typing import Final

import click

from oauth_filter.cli.exits import NOT_FOUND
from oauth_filter.cli.exits import Failure
from oauth_filter.records import User
from oauth_filter.settings import Settings
from oauth_filter.stores import Store

LONGEST_NAME: Final = 255


def username(context: click.Context, parameter: click.Parameter, text: str) -> str:
    """A user name in the one spelling it is stored in: Unicode NFC, so that `é` is `é` however it was typed."""
    name = unicodedata.normalize("NFC", text)
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise click.BadParameter(f"use 1 to {LONGEST_NAME} printable characters, without spaces at the ends")
    return name


name_argument = click.argument("name", metavar="USERNAME", callback=username)


def find_user(store: Store, name: str) -> User:
    """Raise Failure when there is no user of that name."""
    found = store.get(User, name)
    if found is None:
        raise Failure("there is no user of this name; `oauth-filter user list` shows them", NOT_FOUND)
    return found


def warn(settings: Settings) -> None:
    """Say so where the directory is not asked who users are."""
    if settings.login != "directory":
        click.echo(f"Note: login = {settings.login}: users of the directory do not sign in.", err=True)
