"""`oauth-filter client rotate-secret`, and where the secrets of clients come from."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from typing import Final
from typing import TypeVar

import click

from oauth_filter import credentials
from oauth_filter.cli.asking import confirm
from oauth_filter.cli.asking import secret_from_prompt
from oauth_filter.cli.asking import secret_from_stdin
from oauth_filter.cli.client_lookup import refuse_configured
from oauth_filter.cli.client_lookup import stored_client
from oauth_filter.cli.client_shown import say
from oauth_filter.cli.configuration import opened
from oauth_filter.cli.exits import USAGE
from oauth_filter.cli.exits import Failure
from oauth_filter.cli.printing import span
from oauth_filter.cli.printing import timestamp
from oauth_filter.ini.values import convert
from oauth_filter.records import Client
from oauth_filter.registration import with_secret
from oauth_filter.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])

SHORT_SECRET: Final = 16
"""Characters below which a chosen client secret gets a warning."""
MAX_OLD_SECRETS: Final = 5
"""Secrets that work beside the current one at most: each is one more that may have leaked."""

JWT: Final = "client_secret_jwt"


def secret_options(command: F) -> F:
    """Where a chosen secret comes from; without either, one is generated."""
    command = click.option("--prompt-secret", is_flag=True, help="Ask for a chosen secret at the terminal.")(command)
    return click.option("--secret-stdin", is_flag=True, help="Read a chosen secret from standard input.")(command)


def new_secret(*, from_stdin: bool, from_prompt: bool) -> tuple[str, bool]:
    """A client secret, and whether it was generated and has to be shown."""
    if from_stdin and from_prompt:
        raise click.UsageError("give one of --secret-stdin and --prompt-secret")
    if not from_stdin and not from_prompt:
        return credentials.generate(credentials.CLIENT_SECRET), True
    secret = secret_from_stdin() if from_stdin else secret_from_prompt("Client secret", instead="--secret-stdin")
    if len(secret) < SHORT_SECRET:
        click.echo(f"Warning: fewer than {SHORT_SECRET} characters can be guessed; let one be generated.", err=True)
    return secret, False


def give_secret(client: Client, secret: str, settings: Settings) -> Client:
    """The client with this secret. Raise Failure for one that it cannot use."""
    try:
        return with_secret(client, secret, master_secret=settings.secret)
    except ValueError as error:
        raise Failure(str(error), USAGE) from None


def _overlap(context: click.Context, parameter: click.Parameter, text: str) -> int:
    if text in ("0", "0s"):
        return 0
    try:
        seconds: int = convert("overlap", text, "duration", ())
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return seconds


@click.command("rotate-secret")
@click.argument("client_id")
@secret_options
@click.option(
    "--overlap",
    metavar="DURATION",
    default="0s",
    show_default=True,
    callback=_overlap,
    help="How long the present secret goes on working, such as 1d.",
)
@click.option("--for-jwt", is_flag=True, help="Use it for client_secret_jwt from now on; it is kept, sealed.")
@click.option("--revoke-tokens", is_flag=True, help="End its tokens, codes and consents as well.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def rotate_secret(
    path: Path,
    client_id: str,
    secret_stdin: bool,
    prompt_secret: bool,
    overlap: int,
    for_jwt: bool,
    revoke_tokens: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Give a client a new secret; tokens go on until they expire.

    The present one, and all older ones, stop working at once, unless --overlap says how long the present one goes on.
    An overlap leaves older secrets the time they were given, never more.
    """
    with opened(path) as (settings, store):
        refuse_configured(path, settings, client_id, USAGE)
        found = stored_client(store, client_id)
        if found.secret_hash is None:
            what = "is a public client and" if found.is_public else "authenticates by its keys and"
            raise Failure(f"{client_id} {what} has no secret", USAGE)
        old = _old_secrets(found, overlap, for_jwt)
        what = f"goes on for {span(overlap)}" if overlap else "stops working at once"
        confirm(f"The present secret of {client_id} {what}. Go on?", yes=yes)
        secret, is_generated = new_secret(from_stdin=secret_stdin, from_prompt=prompt_secret)
        method = JWT if for_jwt else found.token_endpoint_auth_method
        changed = give_secret(replace(found, token_endpoint_auth_method=method), secret, settings)
        changed = replace(changed, old_secret_hashes=old)
        store.put(changed)
        if revoke_tokens:
            store.revoke("client", client_id)
    until = f" The one before works until {timestamp(old[-1][1])}." if old else ""
    say(f"Client {client_id} has a new secret.{until}", changed, secret if is_generated else None, as_json)


def _old_secrets(client: Client, overlap: int, for_jwt: bool) -> tuple[tuple[str, float], ...]:
    """What is accepted beside the new secret, the present one last. Raise Failure where that cannot be."""
    if overlap == 0 or client.secret_hash is None:
        return ()
    if for_jwt or client.token_endpoint_auth_method == JWT:
        raise Failure(f"{JWT} knows one secret only; rotate without --overlap", USAGE)
    now = time.time()
    older = [old for old in client.old_secret_hashes if old[1] > now]
    if len(older) >= MAX_OLD_SECRETS:
        end = timestamp(min(until for _, until in older))
        raise Failure(
            f"{len(older)} old secrets still work, the first until {end}; rotate without --overlap to end them", USAGE
        )
    return (*older, (client.secret_hash, now + overlap))
