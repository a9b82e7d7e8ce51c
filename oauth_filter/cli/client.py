"""`oauth-filter client`: the clients in the store; those in the ini are shown and never changed from here."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from oauth_filter.cli.asking import confirm
from oauth_filter.cli.client_options import SHORT_NAMES
from oauth_filter.cli.client_options import check_client
from oauth_filter.cli.client_options import client_options
from oauth_filter.cli.client_options import given
from oauth_filter.cli.client_options import new_secret
from oauth_filter.cli.client_options import registered
from oauth_filter.cli.client_options import secret_options
from oauth_filter.cli.configuration import every
from oauth_filter.cli.configuration import opened
from oauth_filter.cli.configuration import place
from oauth_filter.cli.exits import EXISTS
from oauth_filter.cli.exits import NOT_FOUND
from oauth_filter.cli.exits import USAGE
from oauth_filter.cli.exits import Failure
from oauth_filter.cli.printing import duration
from oauth_filter.cli.printing import print_details
from oauth_filter.cli.printing import print_json
from oauth_filter.cli.printing import print_table
from oauth_filter.cli.printing import timestamp
from oauth_filter.cli.printing import yes_or_no
from oauth_filter.passwords import hash_secret
from oauth_filter.records import Client
from oauth_filter.settings import Settings
from oauth_filter.stores import Store

STORE = "store"


@click.group()
def client() -> None:
    """Register and manage clients.

    Clients written in the ini are listed and shown, and changed only there.
    """


@client.command()
@click.argument("client_id")
@client_options
@click.option("--public", is_flag=True, help="It cannot keep a secret, and gets none.")
@secret_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def add(
    path: Path, /, client_id: str, public: bool, secret_stdin: bool, prompt_secret: bool, as_json: bool, **values: Any
) -> None:
    """Register a client.

    Unless it is --public, its secret is generated and shown once; only a digest is kept.
    """
    if public and (secret_stdin or prompt_secret):
        raise click.UsageError("a public client has no secret")
    with opened(path) as (settings, store):
        _refuse_configured(path, settings, client_id, EXISTS)
        # Everything that can be refused is, before anybody types a secret.
        check_client(registered(client_id, None if public else "x", values), settings)
        if store.get(Client, client_id) is not None:
            raise _exists()
        secret, is_generated = None, False
        if not public:
            secret, is_generated = new_secret(from_stdin=secret_stdin, from_prompt=prompt_secret)
        added = registered(client_id, secret, values)
        if not store.add(added):
            raise _exists()
    _say(f"Client {client_id} is registered.", added, secret if is_generated else None, as_json)


@client.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def list_clients(path: Path, as_json: bool) -> None:
    """List all clients, those of the ini and those of the store."""
    with opened(path) as (settings, store):
        configured = {client.key: client for client in settings.clients}
        stored = [client for client in every(store, Client) if client.key not in configured]
    places = {key: _defined_in(path, key) for key in configured}
    clients = sorted([*configured.values(), *stored], key=lambda client: client.key)
    if as_json:
        print_json([_as_json(client, places.get(client.key, STORE)) for client in clients])
    elif not clients:
        click.echo("There are no clients. `oauth-filter client add --help` says how to add one.")
    else:
        print_table(
            ("CLIENT ID", "KIND", "ENABLED", "DEFINED IN", "NAME"),
            [
                (
                    client.key,
                    "public" if client.is_public else "confidential",
                    yes_or_no(client.enabled),
                    "the ini" if client.key in places else "the store",
                    client.name,
                )
                for client in clients
            ],
            flexible=("CLIENT ID", "NAME"),
        )


@client.command()
@click.argument("client_id")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def show(path: Path, client_id: str, as_json: bool) -> None:
    """Show everything about a client but its secret, which nobody knows."""
    with opened(path) as (settings, store):
        configured = next((client for client in settings.clients if client.key == client_id), None)
        found = configured or _get(store, client_id)
    where = _defined_in(path, client_id) if configured else STORE
    if as_json:
        print_json(_as_json(found, where))
    else:
        print_details(_details(found, where))


@client.command()
@click.argument("client_id")
@client_options
@click.option("--all-scopes", is_flag=True, help="It may ask for all scopes that are configured.")
@click.option("--enable/--disable", "enabled", default=None, help="Whether it may do anything at all.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before disabling.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def update(
    path: Path, /, client_id: str, all_scopes: bool, enabled: bool | None, yes: bool, as_json: bool, **values: Any
) -> None:
    """Change what is given and leave the rest; repeatable options replace all that was there.

    Effective at once in every process. Disabling also ends the client's tokens, codes and remembered consents for
    good: enabling it again does not bring them back.
    """
    changes = given(values) | ({} if enabled is None else {"enabled": enabled})
    if all_scopes and "scope" in changes:
        raise click.UsageError("give one of --scope and --all-scopes")
    if all_scopes:
        changes["scope"] = None
    if not changes:
        raise click.UsageError("say what to change")
    with opened(path) as (settings, store):
        _refuse_configured(path, settings, client_id, USAGE)
        changed = replace(_get(store, client_id), **changes)
        check_client(changed, settings, changes)
        if enabled is False:
            confirm(f"Disable {client_id} and end all its tokens and consents?", yes=yes)
        store.put(changed)
        if enabled is False:
            store.revoke("client", client_id)
    what = f"Client {client_id} is disabled; its tokens and consents have ended." if enabled is False else None
    _say(what or f"Client {client_id} is changed.", changed, None, as_json)


@client.command()
@click.argument("client_id")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def remove(path: Path, client_id: str, yes: bool) -> None:
    """Remove a client and end its tokens, codes and remembered consents.

    Effective at once in every process. A new client of the same id inherits nothing.
    """
    with opened(path) as (settings, store):
        _refuse_configured(path, settings, client_id, USAGE)
        found = _get(store, client_id)
        confirm(f"Remove {client_id} and end all its tokens and consents?", yes=yes)
        # In this order nothing can be issued between the last two, and an interrupted command can be repeated.
        store.put(replace(found, enabled=False))
        store.revoke("client", client_id)
        store.delete(Client, client_id)
    click.echo(f"Client {client_id} is removed; its tokens and consents have ended.")


@client.command("rotate-secret")
@click.argument("client_id")
@secret_options
@click.option("--revoke-tokens", is_flag=True, help="End its tokens, codes and consents as well.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def rotate_secret(
    path: Path,
    client_id: str,
    secret_stdin: bool,
    prompt_secret: bool,
    revoke_tokens: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Give a client a new secret. The old one stops working at once; tokens go on until they expire."""
    with opened(path) as (settings, store):
        _refuse_configured(path, settings, client_id, USAGE)
        found = _get(store, client_id)
        if found.is_public:
            raise Failure(f"{client_id} is a public client and has no secret", USAGE)
        confirm(f"The present secret of {client_id} stops working at once. Go on?", yes=yes)
        secret, is_generated = new_secret(from_stdin=secret_stdin, from_prompt=prompt_secret)
        changed = replace(found, secret_hash=hash_secret(secret))
        store.put(changed)
        if revoke_tokens:
            store.revoke("client", client_id)
    _say(f"Client {client_id} has a new secret.", changed, secret if is_generated else None, as_json)


def _exists() -> Failure:
    return Failure("there is already a client of this id", EXISTS)


def _get(store: Store, client_id: str) -> Client:
    found = store.get(Client, client_id)
    if found is None:
        raise Failure("there is no client of this id; `oauth-filter client list` shows them", NOT_FOUND)
    return found


def _defined_in(path: Path, client_id: str) -> str:
    return place(path, f"client:{client_id}") or str(path)


def _refuse_configured(path: Path, settings: Settings, client_id: str, exit_code: int) -> None:
    if any(client.key == client_id for client in settings.clients):
        raise Failure(f"{client_id} is defined in {_defined_in(path, client_id)}; change it there", exit_code)


def _say(sentence: str, client: Client, secret: str | None, as_json: bool) -> None:
    shown = {} if secret is None else {"client_secret": secret}
    if as_json:
        print_json(_as_json(client, STORE) | shown)
        return
    click.echo(sentence)
    if secret is not None:
        click.echo("Its secret is shown this once and cannot be shown again:\n")
        print_details({"client_id": client.key, "client_secret": secret})


def _as_json(client: Client, where: str) -> dict[str, Any]:
    """The public face of a client: names of RFC 7591 where it has one. Holds nothing secret."""
    return {
        "client_id": client.key,
        "client_name": client.name,
        "public": client.is_public,
        "enabled": client.enabled,
        "defined_in": where,
        "redirect_uris": list(client.redirect_uris),
        "grant_types": list(client.grant_types),
        "scope": client.scope,
        "auto_grant": client.auto_grant,
        "client_authentication": client.client_authentication,
        "pkce": client.pkce,
        "access_token_lifetime": client.access_token_lifetime,
        "refresh_token_lifetime": client.refresh_token_lifetime,
        "created_at": timestamp(client.issued_at or None),
    }


def _details(client: Client, where: str) -> dict[str, str]:
    access, refresh = client.access_token_lifetime, client.refresh_token_lifetime
    return {
        "client_id": client.key,
        "name": client.name or "-",
        "kind": "public (no secret)" if client.is_public else "confidential",
        "enabled": yes_or_no(client.enabled),
        "defined in": where if where == STORE else f"{where} (read-only here)",
        **{("redirect_uris" if i == 0 else " " * i): uri for i, uri in enumerate(client.redirect_uris or ("-",))},
        "grant_types": " ".join(SHORT_NAMES.get(name, name) for name in client.grant_types),
        "scope": client.scope or "all that are configured",
        "auto_grant": yes_or_no(client.auto_grant),
        "client_authentication": "not needed" if client.is_public else client.client_authentication,
        "pkce": client.pkce,
        "access_token_lifetime": duration(access) if access else "that of the ini",
        "refresh_token_lifetime": duration(refresh) if refresh else "that of the ini",
        "registered": timestamp(client.issued_at or None) or "-",
    }
