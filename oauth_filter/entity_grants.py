"""Entities and what they grant to clients, changed by whatever door: the command or the HTTP endpoint.

A change ends the tokens of the client it is about, since they say what it could do before.
"""

import re
from collections.abc import Collection
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from oauth_filter.errors import Problem
from oauth_filter.records import Entity
from oauth_filter.records import EntityGrant
from oauth_filter.stores import Store

MAX_PERMISSIONS: Final = 100

_ID: Final = re.compile(r"[A-Za-z0-9._~-]{1,255}")
_PERMISSION: Final = re.compile(r"[\x21\x23-\x2b\x2d-\x39\x3b-\x5b\x5d-\x7e]{1,255}")


def entity_faults(entity: Entity) -> Iterator[Problem]:
    """Every reason why this entity must not be stored; `option` is the name of the field. Does not check for a twin.

    Ids and permissions stand in scopes (`target-entity:ID:PERMISSION,PERMISSION`), ids in a URL as well.
    """
    # A segment of dots is taken out of a URL on its way (RFC 3986 section 5.2.4).
    if not _ID.fullmatch(entity.key) or entity.key in (".", ".."):
        yield Problem(option="id", message="use up to 255 letters, digits, '-', '.', '_' and '~': a name or a UUID")
    if not all(map(_PERMISSION.fullmatch, entity.permissions)):
        message = "a permission is printable ASCII without spaces, colons, commas, quotes and backslashes"
        yield Problem(option="permissions", message=message)
    if len(entity.permissions) > MAX_PERMISSIONS:
        yield Problem(option="permissions", message=f"at most {MAX_PERMISSIONS} permissions are allowed")
    if not entity.name.isprintable():
        yield Problem(option="name", message="use one line without control characters")


def unknown_permissions(entity: Entity, permissions: Collection[object]) -> list[object]:
    """Those of `permissions` that the entity has not got to grant."""
    return [permission for permission in permissions if permission not in entity.permissions]


def grants_of(store: Store, entity_id: str) -> list[EntityGrant]:
    """Everything the entity has granted. Keys begin with the entity, so that they lie together."""
    prefix = EntityGrant.key_of(entity_id, "")
    found: list[EntityGrant] = []
    after = prefix
    while page := [grant for grant in store.find(EntityGrant, after=after) if grant.key.startswith(prefix)]:
        found += page
        after = page[-1].key
    return found


def grant(store: Store, entity: Entity, client_id: str, permissions: Collection[str], *, now: float) -> EntityGrant:
    """Let a client do this at the entity, instead of what it could do there before, and end its tokens.

    Does not check that there is such a client, or that the entity has these permissions.
    """
    granted = EntityGrant(
        key=EntityGrant.key_of(entity.key, client_id),
        entity_id=entity.key,
        client_id=client_id,
        permissions=tuple(dict.fromkeys(permissions)),
        issued_at=now,
    )
    store.put(granted)
    store.revoke("client", client_id)
    return granted


def take_back(store: Store, entity_id: str, client_id: str) -> bool:
    """Let a client do nothing more at the entity, and end its tokens. False when nothing was granted."""
    if not store.delete(EntityGrant, EntityGrant.key_of(entity_id, client_id)):
        return False
    store.revoke("client", client_id)
    return True


def forget_recipient(store: Store, client_id: str) -> None:
    """Take back all that any entity has granted a client: nothing else would, as no revocation reaches a grant."""
    while found := store.find(EntityGrant, client_id=client_id):
        for granted in found:
            store.delete(EntityGrant, granted.key)
    store.revoke("client", client_id)


def losers(store: Store, before: Entity, after: Entity) -> list[EntityGrant]:
    """The grants of permissions that the entity will not have any more."""
    lost = set(before.permissions) - set(after.permissions)
    return [granted for granted in grants_of(store, before.key) if lost & set(granted.permissions)]


def change_entity(store: Store, before: Entity, after: Entity) -> None:
    """Store the entity, take the permissions it has no longer out of its grants, and end the tokens that had them.

    Otherwise a permission that comes back some day would be granted to whoever had it once.
    """
    store.put(after)
    for granted in losers(store, before, after):
        left = tuple(permission for permission in granted.permissions if permission in after.permissions)
        store.put(replace(granted, permissions=left))
        store.revoke("client", granted.client_id or "")


def remove_entity(store: Store, entity: Entity) -> None:
    """Remove the entity with all it has granted, and end the tokens of those it was granted to."""
    # The entity goes last, so that an interrupted removal can be repeated and a new one of the id inherits nothing.
    for granted in grants_of(store, entity.key):
        take_back(store, entity.key, granted.client_id or "")
    store.delete(Entity, entity.key)
