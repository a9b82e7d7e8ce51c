"""What an entity grants to clients, for administrators: `/oauth2/api/entity/<id>/grant`, as FusionAuth has it."""

import json
from typing import TYPE_CHECKING
from typing import Any

from oauth_filter.authorization_server.administration import administrator
from oauth_filter.authorization_server.http import Request
from oauth_filter.authorization_server.http import Response
from oauth_filter.authorization_server.http import endpoint
from oauth_filter.authorization_server.http import json_response
from oauth_filter.entity_grants import grant
from oauth_filter.entity_grants import grants_of
from oauth_filter.entity_grants import take_back
from oauth_filter.entity_grants import unknown_permissions
from oauth_filter.errors import OAuthError
from oauth_filter.messages import decode_form
from oauth_filter.records import Entity
from oauth_filter.records import EntityGrant

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server


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
            client_id, permissions = _read(server, entity, _json(request))
            return _grant(server, request, entity, client_id, permissions)
        case "DELETE":
            sent = decode_form(request.raw_query())
            return _take_back(server, request, entity, sent.single("recipientEntityId") or "")
        case _:
            return json_response({"grants": [_shown(granted) for granted in grants_of(server.store, entity.key)]})


def _json(request: Request) -> bytes:
    # A browser that an administrator has authenticated in sends Basic credentials along with forms of other sites,
    # as text/plain too; with this type it asks first, and is not allowed to.
    if request.mimetype != "application/json":
        raise OAuthError("invalid_request", "Send application/json.", reason="invalid_content_type", status=415)
    return request.body()


def _read(server: "Server", entity: Entity, body: bytes) -> tuple[str, tuple[str, ...]]:
    try:
        sent = json.loads(body)["grant"]
        client_id, permissions = sent["recipientEntityId"], sent.get("permissions", [])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise OAuthError(
            "invalid_request", "Send a grant with recipientEntityId and permissions.", reason="invalid_grant"
        ) from None
    if not isinstance(client_id, str) or server.clients.find(client_id) is None:
        raise OAuthError("invalid_request", "The recipient is not a client.", reason="invalid_client_id")
    if not isinstance(permissions, list) or unknown_permissions(entity, permissions):
        raise OAuthError(
            "invalid_request", "The entity has no such permission.", reason="invalid_entity_permission_scope"
        )
    return client_id, tuple(permissions)


def _grant(
    server: "Server", request: Request, entity: Entity, client_id: str, permissions: tuple[str, ...]
) -> Response:
    granted = grant(server.store, entity, client_id, permissions, now=server.now())
    server.event("entity_granted", request, client_id=client_id, detail=entity.key)
    return json_response({"grant": _shown(granted)})


def _take_back(server: "Server", request: Request, entity: Entity, client_id: str) -> Response:
    if not take_back(server.store, entity.key, client_id):
        raise OAuthError("invalid_request", "There is no such grant.", reason="not_found", status=404)
    server.event("entity_granted", request, client_id=client_id, detail=entity.key)
    return json_response({})


def _shown(granted: EntityGrant) -> dict[str, Any]:
    return {
        "entityId": granted.entity_id,
        "recipientEntityId": granted.client_id,
        "permissions": list(granted.permissions),
    }
