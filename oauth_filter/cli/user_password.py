"""`oauth-filter user password`, and where the passwords of users come from."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from oauth_filter import credentials
from oauth_filter.cli.asking import secret_from_prompt
from oauth_filter.cli.asking import secret_from_stdin
from oauth_filter.cli.configuration import opened
from oauth_filter.cli.exits import USAGE
from oauth_filter.cli.exits import Failure
from oauth_filter.cli.user_lookup import find_user
from oauth_filter.cli.user_lookup import name_argument
from oauth_filter.cli.user_lookup import warn
from oauth_filter.cli.user_shown import say
from oauth_filter.passwords import hash_secret
from oauth_filter.records import User
from oauth_filter.stores import Store

SHORTEST_PASSWORD: Final = 8
"""NIST SP 800-63B section 5.1.1.2."""

stdin_option = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
generate_option = click.option("--generate-password", is_flag=True, help="Make a random password and show it once.")


def new_password(name: str, *, from_stdin: bool, generated: bool) -> str:
    """A password for the user of that name. Raise Failure for one that is too easy to guess."""
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


def revoke_all(store: Store, found: User) -> None:
    """End everything that was issued for a user, consents included."""
    if found.subject is not None:
        store.revoke("subject", found.subject)


@click.command()
@name_argument
@stdin_option
@generate_option
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
        secret = new_password(name, from_stdin=password_stdin, generated=generate_password)
        changed = replace(found, password_hash=hash_secret(secret))
        store.put(changed)
        if not keep_tokens:
            revoke_all(store, found)
    warn(settings)
    ended = "" if keep_tokens else " Tokens and consents have ended."
    say(f"User {name} has a new password.{ended}", changed, secret if generate_password else None, as_json)
