"""Registering a client the way Nuxeo's guide does: `POST /api/v1/directory/oauth2Clients`.

Unlike Nuxeo it validates, refuses an id that is taken, and never sends a secret back.
"""

from typing import TYPE_CHECKING
from typing import Any
from typing import Final

from oauth_filter import passwords
from oauth_filter.authorization_server.administration import administrator
from oauth_filter.authorization_server.http import Request
from oauth_filter.authorization_server.http import Response
from oauth_filter.authorization_server.http import endpoint
from oauth_filter.authorization_server.http import json_response
from oauth_filter.errors import OAuthError
from oauth_filter.records import Client
from oauth_filter.registration import client_faults
from oauth_filter.signing.keys import read_object

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server

DIRECTORY: Final = "oauth2Clients"
PROPERTIES: Final = frozenset({"id", "name", "clientId", "clientSecret", "redirectURIs", "autoGrant", "enabled"})


@endpoint("/api/v1/directory/oauth2Clients", methods=("POST",), answers="json")
def nuxeo_directory(server: "Server", request: Request) -> Response:
    """Create an entry of the directory of clients, for an administrator who authenticates by HTTP Basic."""
    if (refusal := refuse_stranger(server, request)) is not None:
        return refusal
    if request.mimetype != "application/json":
        return problem(415, "Send the entry as application/json.")
    try:
        client = read_entry(request.body(), server.now())
    except ValueError as error:
        return problem(400, str(error))
    if faults := [f"{fault.option}: {fault.message}" for fault in client_faults(client)]:
        return problem(400, "; ".join(faults))
    if client.key in server.clients.configured or not server.store.add(client):
        return problem(409, "A client of this id exists already.")
    server.event("client_registered", request, client_id=client.key)
    return json_response(entry(client), 201)


def refuse_stranger(server: "Server", request: Request) -> Response | None:
    """None for an administrator; 401 without right credentials, 403 for everybody else, as Nuxeo words it."""
    try:
        administrator(server, request)
    except OAuthError as error:
        response = problem(error.status, "You do not have permissions to perform this operation.")
        if error.status == 401:
            response.headers["WWW-Authenticate"] = 'Basic realm="administration", charset="UTF-8"'
        return response
    return None


def read_entry(body: bytes, now: float) -> Client:
    """The client of a directory entry. Raise ValueError with a sentence that holds nothing of the request."""
    try:
        document = read_object(body)
    except ValueError:
        raise ValueError("This is not a JSON object.") from None
    properties = document.get("properties")
    if not isinstance(properties, dict) or document.get("entity-type") != "directoryEntry":
        raise ValueError('Send {"entity-type": "directoryEntry", "directoryName": ..., "properties": {...}}.')
    if document.get("directoryName") != DIRECTORY:
        raise ValueError(f"The directoryName is {DIRECTORY}.")
    if not PROPERTIES.issuperset(properties):
        raise ValueError(f"The properties of a client are {', '.join(sorted(PROPERTIES))}.")
    secret = _text(properties, "clientSecret")
    name = _text(properties, "name")
    if not name:
        raise ValueError("Client name is required")
    client_id = _text(properties, "clientId")
    return Client(
        key=client_id,
        client_id=client_id,
        name=name,
        secret_hash=passwords.hash_secret(secret) if secret else None,
        # Nuxeo keeps spaces around the commas as part of the URIs, which then match nothing.
        redirect_uris=tuple(uri for part in _text(properties, "redirectURIs").split(",") if (uri := part.strip())),
        auto_grant=_flag(properties, "autoGrant", default=False),
        enabled=_flag(properties, "enabled", default=True),
        issued_at=now,
    )


def _text(properties: dict[str, Any], name: str) -> str:
    value = properties.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or "\0" in value or not value.isprintable():
        raise ValueError(f"{name} is a text.")
    return value


def _flag(properties: dict[str, Any], name: str, *, default: bool) -> bool:
    match properties.get(name):
        case None | "":
            return default
        case True | "true":
            return True
        case False | "false":
            return False
    raise ValueError(f'{name} is "true" or "false".')


def entry(client: Client) -> dict[str, Any]:
    """The entry as Nuxeo shows it, without the secret."""
    return {
        "entity-type": "directoryEntry",
        "directoryName": DIRECTORY,
        "id": client.key,
        "properties": {
            "id": client.key,
            "name": client.name,
            "clientId": client.key,
            "redirectURIs": ",".join(client.redirect_uris),
            "autoGrant": client.auto_grant,
            "enabled": client.enabled,
        },
    }


def problem(status: int, message: str) -> Response:
    """An error as Nuxeo's REST API shapes it."""
    return json_response({"entity-type": "exception", "status": status, "message": message}, status)
