"""Entities: what grants permissions on itself, such as an API, and which clients were granted which.

A client that asks for the scope `target-entity:<id>` or `target-entity:<id>:<permission>,<permission>` gets a token
whose audience the entity is, with a claim `permissions`.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

from oauth_filter.errors import OAuthError
from oauth_filter.records import Client
from oauth_filter.records import Entity
from oauth_filter.records import EntityGrant

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server

PREFIX: Final = "target-entity:"
_TARGET: Final = re.compile(r"target-entity:([^:,\s]+)(?::([^:\s]+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """What a client gets at the entities its scope names."""

    audience: tuple[str, ...] = ()
    claims: dict[str, Any] | None = None


def split(scope: str | None) -> tuple[str | None, tuple[str, ...]]:
    """The scope without its targets, or None when nothing is left; and the targets."""
    tokens = (scope or "").split()
    targets = tuple(token for token in tokens if token.startswith(PREFIX))
    rest = " ".join(token for token in tokens if not token.startswith(PREFIX))
    return rest or None, targets


def entitlement(server: "Server", client: Client, targets: tuple[str, ...]) -> Entitlement:
    """What the client was granted of what it asks for.

    Raise OAuthError `invalid_scope` for an entity that does not exist or granted the client nothing (the two look the
    same), and for a permission that was not granted.
    """
    permissions: dict[str, list[str]] = {}
    for target in targets:
        entity_id, asked = _read(target)
        granted = _granted(server, client, entity_id)
        wanted = granted if asked is None else asked
        if not set(wanted) <= set(granted):
            raise OAuthError("invalid_scope", "A permission was not granted.", reason="invalid_entity_permission_scope")
        permissions[entity_id] = list(dict.fromkeys((*permissions.get(entity_id, ()), *wanted)))
    if not permissions:
        return Entitlement()
    return Entitlement(audience=tuple(permissions), claims={"permissions": permissions})


def _read(target: str) -> tuple[str, tuple[str, ...] | None]:
    match = _TARGET.fullmatch(target)
    asked = tuple(match[2].split(",")) if match is not None and match[2] else None
    if match is None or (asked is not None and not all(asked)):
        raise _no_such_target()
    return match[1], asked


def _granted(server: "Server", client: Client, entity_id: str) -> tuple[str, ...]:
    entity = server.store.get(Entity, entity_id)
    grant = server.store.get(EntityGrant, EntityGrant.key_of(entity_id, client.key))
    if entity is None or grant is None:
        raise _no_such_target()
    # A permission that the entity has no longer is not one.
    return tuple(permission for permission in grant.permissions if permission in entity.permissions)


def _no_such_target() -> OAuthError:
    return OAuthError(
        "invalid_scope",
        "A target entity is unknown or has granted nothing to this client.",
        reason="invalid_target_entity_scope",
    )
