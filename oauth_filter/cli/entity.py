"""`oauth-filter entity`: what grants permissions on itself, such as an API, and what clients may do there."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from oauth_filter.cli.asking import confirm
from oauth_filter.cli.client_lookup import find_client
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
from oauth_filter.entity_grants import change_entity
from oauth_filter.entity_grants import entity_faults
from oauth_filter.entity_grants import grant as grant_permissions
from oauth_filter.entity_grants import grants_of
from oauth_filter.entity_grants import losers
from oauth_filter.entity_grants import remove_entity
from oauth_filter.entity_grants import take_back
from oauth_filter.entity_grants import unknown_permissions
from oauth_filter.records import Entity
from oauth_filter.records import EntityGrant
from oauth_filter.stores import Store

_ID = click.argument("entity_id", metavar="ID")
_TARGET = click.argument("entity_id", metavar="TARGET")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
_YES = click.option("-y", "--yes", is_flag=True, help="Do not ask.")


@click.group()
def entity() -> None:
    """Manage entities, such as your APIs, and what clients may do there.

    A client asks for the scope target-entity:ID or target-entity:ID:PERMISSION,PERMISSION and gets a token for that
    entity, with its permissions in it.
    """


@entity.command()
@_ID
@click.option("--name", default="", help="The name to show.")
@click.option("--permission", "permissions", multiple=True, help="A permission there is to grant. Repeatable.")
@_JSON
@click.pass_obj
def add(path: Path, entity_id: str, name: str, permissions: tuple[str, ...], as_json: bool) -> None:
    """Add an entity. ID is a readable name or a UUID: letters, digits, '-', '.', '_' and '~'."""
    added = Entity(key=entity_id, name=name, permissions=tuple(dict.fromkeys(permissions)), issued_at=time.time())
    _check(added)
    with opened(path) as (_, store):
        if not store.add(added):
            raise Failure("there is already an entity of this id", EXISTS)
    _say(f"Entity {entity_id} is added.", _as_json(added), as_json)


@entity.command("list")
@_JSON
@click.pass_obj
def list_entities(path: Path, as_json: bool) -> None:
    """List all entities."""
    with opened(path) as (_, store):
        found = list(every(store, Entity))
    if as_json:
        print_json([_as_json(one) for one in found])
    elif not found:
        click.echo("There are no entities. `oauth-filter entity add ID --permission NAME` adds one.")
    else:
        rows = [(one.key, one.name or "-", " ".join(one.permissions) or "-") for one in found]
        print_table(("ID", "NAME", "PERMISSIONS"), rows, flexible=("NAME", "PERMISSIONS"))


@entity.command()
@_ID
@_JSON
@click.pass_obj
def show(path: Path, entity_id: str, as_json: bool) -> None:
    """Show an entity and what it has granted to whom."""
    with opened(path) as (_, store):
        found = _find(store, entity_id)
        grants = grants_of(store, entity_id)
    if as_json:
        print_json(_as_json(found) | {"grants": [_grant_as_json(granted) for granted in grants]})
        return
    details = {
        "id": found.key,
        "name": found.name or "-",
        "permissions": " ".join(found.permissions) or "-",
        "granted": [f"{granted.client_id}: {' '.join(granted.permissions) or '-'}" for granted in grants],
        "added": timestamp(found.issued_at or None) or "-",
    }
    print_details(details)


@entity.command()
@_ID
@click.option("--name", help="The name to show.")
@click.option(
    "--permission", "permissions", multiple=True, help="A permission there is to grant. Repeatable; replaces all."
)
@click.option("--no-permissions", is_flag=True, help="It has nothing to grant any more.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before taking permissions away from clients.")
@_JSON
@click.pass_obj
def update(
    path: Path,
    entity_id: str,
    name: str | None,
    permissions: tuple[str, ...],
    no_permissions: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Change what is given and leave the rest; --permission replaces all that was there.

    A permission that is not there any more is taken away from the clients that had it, and their tokens end.
    """
    if no_permissions and permissions:
        raise click.UsageError("give one of --permission and --no-permissions")
    if name is None and not permissions and not no_permissions:
        raise click.UsageError("say what to change")
    with opened(path) as (_, store):
        before = _find(store, entity_id)
        after = replace(before, name=before.name if name is None else name)
        if permissions or no_permissions:
            after = replace(after, permissions=tuple(dict.fromkeys(permissions)))
        _check(after)
        if lost := losers(store, before, after):
            confirm(f"Take permissions away from {_clients(lost)} and end all their tokens and consents?", yes=yes)
        change_entity(store, before, after)
    _say(f"Entity {entity_id} is changed.{_ended(lost)}", _as_json(after), as_json)


@entity.command()
@_ID
@_YES
@click.pass_obj
def remove(path: Path, entity_id: str, yes: bool) -> None:
    """Remove an entity and all it has granted, and end the tokens of the clients it was granted to."""
    with opened(path) as (_, store):
        found = _find(store, entity_id)
        granted = grants_of(store, entity_id)
        and_end = f" and end all tokens and consents of {_clients(granted)}" if granted else ""
        confirm(f"Remove {entity_id}{and_end}?", yes=yes)
        remove_entity(store, found)
    click.echo(f"Entity {entity_id} is removed.{_ended(granted)}")


@entity.command()
@_TARGET
@click.argument("client_id")
@click.argument("permissions", metavar="PERMISSION...", nargs=-1)
@_YES
@_JSON
@click.pass_obj
def grant(path: Path, entity_id: str, client_id: str, permissions: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Let a client do this at an entity, instead of what it could do there before.

    The client's tokens and consents end: it fetches new ones, with what it may do now.
    """
    with opened(path) as (settings, store):
        found = _find(store, entity_id)
        if not find_client(settings, store, client_id).enabled:
            raise Failure(f"{client_id} is disabled", USAGE)
        if unknown := unknown_permissions(found, permissions):
            known = " ".join(found.permissions) or "none"
            raise Failure(f"{entity_id} has no permission {unknown[0]}; it has {known}", USAGE)
        confirm(_question("Grant this", client_id), yes=yes)
        granted = grant_permissions(store, found, client_id, permissions, now=time.time())
    what = " ".join(granted.permissions) or "no permission, but may have tokens for it"
    _say(f"{client_id} has {what} at {entity_id}.{_ended([granted])}", _grant_as_json(granted), as_json)


@entity.command()
@_TARGET
@click.argument("client_id")
@_YES
@click.pass_obj
def revoke(path: Path, entity_id: str, client_id: str, yes: bool) -> None:
    """Take back what an entity has granted a client. The client's tokens and consents end."""
    with opened(path) as (_, store):
        _find(store, entity_id)
        if store.get(EntityGrant, EntityGrant.key_of(entity_id, client_id)) is None:
            raise _nothing_granted()
        confirm(_question("Take it back", client_id), yes=yes)
        if not take_back(store, entity_id, client_id):
            raise _nothing_granted()
    click.echo(f"{client_id} can do nothing at {entity_id} any more; its tokens and consents have ended.")


def _check(checked: Entity) -> None:
    if faults := list(entity_faults(checked)):
        raise Failure("\n       ".join(map(str, faults)), USAGE)


def _find(store: Store, entity_id: str) -> Entity:
    found = store.get(Entity, entity_id)
    if found is None:
        raise Failure("there is no entity of this id; `oauth-filter entity list` shows them", NOT_FOUND)
    return found


def _nothing_granted() -> Failure:
    return Failure("nothing is granted to this client; `oauth-filter entity show` says what is to whom", NOT_FOUND)


def _question(what: str, client_id: str) -> str:
    return f"{what}, and end all tokens and consents of {client_id}?"


def _clients(grants: Sequence[EntityGrant]) -> str:
    return ", ".join(granted.client_id or "" for granted in grants)


def _ended(grants: Sequence[EntityGrant]) -> str:
    return f" Tokens and consents of {_clients(grants)} have ended." if grants else ""


def _say(sentence: str, document: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(document)
    else:
        click.echo(sentence)


def _as_json(shown: Entity) -> dict[str, Any]:
    return {
        "id": shown.key,
        "name": shown.name,
        "permissions": list(shown.permissions),
        "created_at": timestamp(shown.issued_at or None),
    }


def _grant_as_json(granted: EntityGrant) -> dict[str, Any]:
    return {
        "entity_id": granted.entity_id,
        "client_id": granted.client_id,
        "permissions": list(granted.permissions),
        "granted_at": timestamp(granted.issued_at or None),
    }
