"""What an entity grants to clients, for administrators: `/oauth2/api/entity/<id>/grant`, as FusionAuth has it."""

import json
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

from oauth_filter.authorization_server.administration import administrator
from oauth_filter.authorization_server.http import Request
from oauth_filter.authorization_server.http import Response
from oauth_filter.authorization_server.http import endpoint
from oauth_filter.authorization_server.http import json_response
from oauth_filter.errors import OAuthError
from oauth_filter.records import Entity
from oauth_filter.records import EntityGrant

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server

MAX_PERMISSIONS: Final = 100


@endpoint("/oauth2/api/entity/{entity_id}/grant", methods=("GET", "POST", "DELETE"), answers="json")
def entity_grant(server: "Server", request: Request) -> Response:
    """GET what was granted, POST `{"grant": {"recipientEntityId": ..., "permissions": [...]}}`, DELETE a grant.

    A change ends the tokens the client has: it fetches new ones, with what it may do now.
    """
    administrator(server, request)
    entity = server.store.get(Entity, request.path_values["entity_id"])
    if entity is None:
        raise OAuthError("invalid_request", "There is no such entity.", reason="not_found", status=404)
    match request.method:
        case "POST":
            client_id, permissions = _read(server, entity, request.body())
            return _grant(server, request, entity, client_id, permissions)
        case "DELETE":
            return _take_back(server, request, entity, request.args.get("recipientEntityId", ""))
        case _:
            return json_response({"grants": [_shown(grant) for grant in grants_of(server, entity.key)]})


def grants_of(server: "Server", entity_id: str) -> list[EntityGrant]:
    """Everything the entity has granted. Keys begin with the entity, so that they lie together."""
    prefix = EntityGrant.key_of(entity_id, "")
    found: list[EntityGrant] = []
    after = prefix
    while page := [g for g in server.store.find(EntityGrant, after=after) if g.key.startswith(prefix)]:
        found += page
        after = page[-1].key
    return found


def _read(server: "Server", entity: Entity, body: bytes) -> tuple[str, tuple[str, ...]]:
    try:
        grant = json.loads(body)["grant"]
        client_id, permissions = grant["recipientEntityId"], grant.get("permissions", [])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise OAuthError(
            "invalid_request", "Send a grant with recipientEntityId and permissions.", reason="invalid_grant"
        ) from None
    if not isinstance(client_id, str) or server.clients.find(client_id) is None:
        raise OAuthError("invalid_request", "The recipient is not a client.", reason="invalid_client_id")
    if not isinstance(permissions, list) or not all(p in entity.permissions for p in permissions):
        raise OAuthError(
            "invalid_request", "The entity has no such permission.", reason="invalid_entity_permission_scope"
        )
    return client_id, tuple(dict.fromkeys(permissions))


def _grant(
    server: "Server", request: Request, entity: Entity, client_id: str, permissions: tuple[str, ...]
) -> Response:
    grant = EntityGrant(
        key=EntityGrant.key_of(entity.key, client_id),
        entity_id=entity.key,
        client_id=client_id,
        permissions=permissions,
        issued_at=server.now(),
    )
    server.store.put(grant)
    server.store.revoke("client", client_id)
    server.event("entity_granted", request, client_id=client_id, detail=entity.key)
    return json_response({"grant": _shown(grant)})


def _take_back(server: "Server", request: Request, entity: Entity, client_id: str) -> Response:
    if not server.store.delete(EntityGrant, EntityGrant.key_of(entity.key, client_id)):
        raise OAuthError("invalid_request", "There is no such grant.", reason="not_found", status=404)
    server.store.revoke("client", client_id)
    server.event("entity_granted", request, client_id=client_id, detail=entity.key)
    return json_response({})


def _shown(grant: EntityGrant) -> dict[str, Any]:
    return {"entityId": grant.entity_id, "recipientEntityId": grant.client_id, "permissions": list(grant.permissions)}
