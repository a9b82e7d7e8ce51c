"""`oauth-filter token`: what has been issued, without the tokens themselves, and how to end it."""

import heapq
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from oauth_filter import credentials
from oauth_filter.cli.asking import confirm
from oauth_filter.cli.asking import secret_from_stdin
from oauth_filter.cli.configuration import every
from oauth_filter.cli.configuration import opened
from oauth_filter.cli.exits import NOT_FOUND
from oauth_filter.cli.exits import Failure
from oauth_filter.cli.printing import ago
from oauth_filter.cli.printing import ahead
from oauth_filter.cli.printing import print_json
from oauth_filter.cli.printing import print_table
from oauth_filter.cli.printing import timestamp
from oauth_filter.cli.user_lookup import find_user
from oauth_filter.records import AccessToken
from oauth_filter.records import AuthorizationCode
from oauth_filter.records import Client
from oauth_filter.records import RefreshToken
from oauth_filter.settings import Settings
from oauth_filter.stores import Of
from oauth_filter.stores import Store

Token = AccessToken | RefreshToken


@click.group()
def token() -> None:
    """List and revoke what has been issued.

    A grant is what one sign-in, or one request of a client for itself, led to: its access and refresh tokens.
    """


@token.command("list")
@click.option("--client", "client_id", metavar="CLIENT_ID", help="Only what this client holds.")
@click.option("--user", "username", metavar="USERNAME", help="Only what acts for this user.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="The newest so many.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def list_tokens(path: Path, client_id: str | None, username: str | None, limit: int, as_json: bool) -> None:
    """List live tokens, the newest first. The tokens themselves are nowhere to be found, here or in the store."""
    with opened(path) as (settings, store):
        if client_id is not None:
            _check_client(settings, store, client_id)
        subject = None if username is None else _subject(settings, store, username)
        tokens = heapq.nlargest(limit + 1, _live(store, client_id, subject), key=lambda token: token.issued_at)
    shown = tokens[:limit]
    if as_json:
        print_json([_as_json(token) for token in shown])
        return
    if not tokens:
        click.echo("There are no live tokens.")
        return
    print_table(
        ("TYPE", "GRANT", "CLIENT", "USER", "ISSUED", "EXPIRES", "SCOPE"),
        [
            (
                _type(token),
                token.grant_id or "-",
                token.client_id or "-",
                token.username or "-",
                ago(token.issued_at),
                ahead(token.expires_at),
                token.scope or "-",
            )
            for token in shown
        ],
        flexible=("CLIENT", "USER", "SCOPE"),
    )
    if len(tokens) > limit:
        click.echo(f"Older ones are not shown; --limit {limit * 10} shows more.", err=True)


@token.command()
@click.option("--grant", "grant_id", metavar="GRANT", help="Everything of one grant, as `token list` shows it.")
@click.option("--client", "client_id", metavar="CLIENT_ID", help="Everything issued to a client.")
@click.option("--user", "username", metavar="USERNAME", help="Everything issued for a user.")
@click.option("--token-stdin", is_flag=True, help="The grant of the token that comes on standard input.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before revoking all of a client or user.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def revoke(
    path: Path,
    grant_id: str | None,
    client_id: str | None,
    username: str | None,
    token_stdin: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """End tokens, and the codes and remembered consents with them, at once in every process. Give one option."""
    if sum(1 for one in (grant_id, client_id, username, token_stdin or None) if one is not None) != 1:
        raise click.UsageError("give one of --grant, --client, --user and --token-stdin")
    with opened(path) as (settings, store):
        of: Of
        if token_stdin:
            of, key, what = "grant", _grant_of(store, secret_from_stdin()), "The grant of this token"
        elif grant_id is not None:
            _check_grant(store, grant_id)
            of, key, what = "grant", grant_id, f"Grant {grant_id}"
        elif client_id is not None:
            _check_client(settings, store, client_id)
            confirm(f"End all tokens and consents of client {client_id}?", yes=yes)
            of, key, what = "client", client_id, f"Everything issued to client {client_id}"
        else:
            of, key = "subject", _subject(settings, store, username or "")
            confirm(f"End all tokens and consents of user {username}?", yes=yes)
            what = f"Everything issued for user {username}"
        store.revoke(of, key)
    if as_json:
        print_json({"revoked": of, "key": key})
    else:
        click.echo(f"{what} is revoked.")


def _live(store: Store, client_id: str | None, subject: str | None) -> Iterator[Token]:
    yield from every(store, AccessToken, client_id=client_id, subject=subject)
    for token in every(store, RefreshToken, client_id=client_id, subject=subject):
        # A spent one is kept to detect its reuse; it gives access to nothing.
        if token.spent_at is None:
            yield token


def _subject(settings: Settings, store: Store, username: str) -> str:
    """What tokens of a user are bound to. Only the directory knows subjects that are not the name."""
    return find_user(store, username).subject or username if settings.login == "directory" else username


def _check_client(settings: Settings, store: Store, client_id: str) -> None:
    known = any(client.key == client_id for client in settings.clients) or store.get(Client, client_id) is not None
    # A client that was taken out of the ini may have left tokens behind.
    if not known and next(_live(store, client_id, None), None) is None:
        raise Failure("there is no client of this id; `oauth-filter client list` shows them", NOT_FOUND)


def _check_grant(store: Store, grant_id: str) -> None:
    # A mistyped id must not be answered "revoked", which is why all tokens are read here.
    issued = (token for kind in (AccessToken, RefreshToken, AuthorizationCode) for token in every(store, kind))
    if not any(token.grant_id == grant_id for token in issued):
        raise Failure("nothing that lives was issued under this grant; `oauth-filter token list` shows all", NOT_FOUND)


def _grant_of(store: Store, token: str) -> str:
    key = credentials.digest(token)
    found: AccessToken | RefreshToken | None = store.get(AccessToken, key) or store.get(RefreshToken, key)
    if found is None or found.grant_id is None:
        raise Failure("this is no live token of ours", NOT_FOUND)
    return found.grant_id


def _type(token: Token) -> str:
    return "access" if isinstance(token, AccessToken) else "refresh"


def _as_json(token: Token) -> dict[str, Any]:
    return {
        "type": _type(token),
        "grant_id": token.grant_id,
        "client_id": token.client_id,
        "username": token.username or None,
        "subject": token.subject,
        "scope": token.scope,
        "issued_at": timestamp(token.issued_at),
        "expires_at": timestamp(token.expires_at),
    }
