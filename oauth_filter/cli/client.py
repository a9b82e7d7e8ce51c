"""`oauth-filter client`: the clients in the store; those in the ini are shown and never changed from here."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from oauth_filter.cli.asking import confirm
from oauth_filter.cli.client_lookup import STORE
from oauth_filter.cli.client_lookup import defined_in
from oauth_filter.cli.client_lookup import find_client
from oauth_filter.cli.client_lookup import refuse_configured
from oauth_filter.cli.client_lookup import stored_client
from oauth_filter.cli.client_options import DEFAULT_GRANT_TYPES
from oauth_filter.cli.client_options import DEFAULTS
from oauth_filter.cli.client_options import OPTIONS
from oauth_filter.cli.client_options import check_client
from oauth_filter.cli.client_options import client_options
from oauth_filter.cli.client_options import given
from oauth_filter.cli.client_secret import JWT
from oauth_filter.cli.client_secret import give_secret
from oauth_filter.cli.client_secret import new_secret
from oauth_filter.cli.client_secret import rotate_secret
from oauth_filter.cli.client_secret import secret_options
from oauth_filter.cli.client_shown import client_as_json
from oauth_filter.cli.client_shown import client_details
from oauth_filter.cli.client_shown import say
from oauth_filter.cli.configuration import every
from oauth_filter.cli.configuration import opened
from oauth_filter.cli.exits import EXISTS
from oauth_filter.cli.exits import USAGE
from oauth_filter.cli.exits import Failure
from oauth_filter.cli.printing import print_details
from oauth_filter.cli.printing import print_json
from oauth_filter.cli.printing import print_table
from oauth_filter.cli.printing import yes_or_no
from oauth_filter.credentials import CLIENT_SECRET
from oauth_filter.credentials import generate
from oauth_filter.entity_grants import forget_recipient
from oauth_filter.records import Client
from oauth_filter.records import User
from oauth_filter.stores import Store


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

    Unless it is --public or has keys, its secret is generated and shown once; only a digest is kept, except for
    client_secret_jwt.
    """
    wants_secret = _wants_secret(given(values), public=public, chosen=secret_stdin or prompt_secret)
    with opened(path) as (settings, store):
        refuse_configured(path, settings, client_id, EXISTS)
        described = _described(client_id, values)
        # Everything that can be refused is, before anybody types a secret.
        check_client(give_secret(described, generate(CLIENT_SECRET), settings) if wants_secret else described, settings)
        if store.get(Client, client_id) is not None:
            raise _exists()
        added, secret, is_generated = described, None, False
        if wants_secret:
            secret, is_generated = new_secret(from_stdin=secret_stdin, from_prompt=prompt_secret)
            added = give_secret(described, secret, settings)
        if not store.add(added):
            raise _exists()
    say(f"Client {client_id} is registered.", added, secret if is_generated else None, as_json)


@client.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def list_clients(path: Path, as_json: bool) -> None:
    """List all clients, those of the ini and those of the store."""
    with opened(path) as (settings, store):
        configured = {client.key: client for client in settings.clients}
        stored = [client for client in every(store, Client) if client.key not in configured]
    places = {key: defined_in(path, settings, key) for key in configured}
    clients = sorted([*configured.values(), *stored], key=lambda client: client.key)
    if as_json:
        print_json([client_as_json(client, places.get(client.key, STORE)) for client in clients])
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
    """Show a client: what every client has, and all that differs from the default.

    Its secret is not shown; nobody knows it. With --json every option is there.
    """
    with opened(path) as (settings, store):
        found = find_client(settings, store, client_id)
        where = defined_in(path, settings, client_id)
    if as_json:
        print_json(client_as_json(found, where))
    else:
        print_details(client_details(found, where))


@client.command()
@click.argument("client_id")
@client_options
@click.option("--unset", multiple=True, type=click.Choice(list(OPTIONS)), help="Back to the default. Repeatable.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before disabling.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def update(path: Path, /, client_id: str, unset: tuple[str, ...], yes: bool, as_json: bool, **values: Any) -> None:
    """Change what is given and leave the rest; repeatable options replace all that was there.

    Effective at once in every process. Disabling also ends the client's tokens, codes and remembered consents for
    good: enabling it again does not bring them back.
    """
    changes = given(values)
    if both := sorted(changes.keys() & set(unset)):
        raise click.UsageError(f"{both[0]} is given and unset at once")
    changes |= {name: _default(name) for name in unset}
    if not changes:
        raise click.UsageError("say what to change")
    ends = changes.get("enabled") is False
    with opened(path) as (settings, store):
        refuse_configured(path, settings, client_id, USAGE)
        before = stored_client(store, client_id)
        changed = replace(before, **changes)
        if changed.token_endpoint_auth_method != JWT:
            # Nothing needs the secret itself any more, so nothing keeps it.
            changed = replace(changed, sealed_secret=None)
        elif changed.sealed_secret is None and "token_endpoint_auth_method" in changes:
            raise Failure(f"{JWT} needs a new secret: `oauth-filter client rotate-secret --for-jwt`", USAGE)
        check_client(changed, settings, before=before)
        if ends:
            confirm(f"Disable {client_id} and end all its tokens and consents?", yes=yes)
        store.put(changed)
        if ends:
            store.revoke("client", client_id)
    what = "disabled; its tokens and consents have ended" if ends else "changed"
    say(f"Client {client_id} is {what}.", changed, None, as_json)


@client.command()
@click.argument("client_id")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def remove(path: Path, client_id: str, yes: bool) -> None:
    """Remove a client and end its tokens, codes and remembered consents, and what entities have granted it.

    Effective at once in every process. A new client of the same id inherits nothing.
    """
    with opened(path) as (settings, store):
        refuse_configured(path, settings, client_id, USAGE)
        found = stored_client(store, client_id)
        confirm(f"Remove {client_id} and end all its tokens, consents and grants of entities?", yes=yes)
        # In this order nothing can be issued between the last two, and an interrupted command can be repeated.
        store.put(replace(found, enabled=False))
        forget_recipient(store, client_id)
        _unregister_users(store, client_id)
        store.revoke("client", client_id)
        store.delete(Client, client_id)
    click.echo(f"Client {client_id} is removed; its tokens, consents and grants of entities have ended.")


client.add_command(rotate_secret)


def _wants_secret(changes: Mapping[str, Any], *, public: bool, chosen: bool) -> bool:
    has_keys = "jwks" in changes or "jwks_uri" in changes
    if public and (chosen or has_keys):
        raise click.UsageError(f"a public client has no {'secret' if chosen else 'keys'}")
    method = changes.get("token_endpoint_auth_method") or ""
    return chosen or not (public or (has_keys and not method.startswith("client_secret")))


def _described(client_id: str, values: Mapping[str, Any]) -> Client:
    """A new client of the store, still without a secret."""
    changes = {"grant_types": DEFAULT_GRANT_TYPES, **given(values)}
    return Client(key=client_id, client_id=client_id, issued_at=time.time(), **changes)


def _default(name: str) -> Any:
    """What a client has that is added without a word about it."""
    return DEFAULT_GRANT_TYPES if name == "grant_types" else DEFAULTS[name]


def _unregister_users(store: Store, client_id: str) -> None:
    for user in every(store, User):
        if client_id in user.registrations:
            store.put(replace(user, registrations=tuple(one for one in user.registrations if one != client_id)))


def _exists() -> Failure:
    return Failure("there is already a client of this id", EXISTS)
