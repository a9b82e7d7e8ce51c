"""The device authorization endpoint -- RFC 8628 sections 3.1 and 3.2."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

from oauth_filter import credentials
from oauth_filter.authorization_server import user_codes
from oauth_filter.authorization_server.endpoints.device import PATH as DEVICE
from oauth_filter.authorization_server.grant_types.device_code import NAME
from oauth_filter.authorization_server.http import Request
from oauth_filter.authorization_server.http import Response
from oauth_filter.authorization_server.http import endpoint
from oauth_filter.authorization_server.http import json_response
from oauth_filter.authorization_server.interaction import scope_of
from oauth_filter.errors import OAuthError
from oauth_filter.messages import Parameters
from oauth_filter.records import Client
from oauth_filter.records import DeviceCode
from oauth_filter.records import UserCode
from oauth_filter.settings import HOUR

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server

REMEMBERED: Final = HOUR
"""Seconds for which an expired code is told from one that never was."""
DEVICE_PARAMETERS: Final = ("metaData.device.name", "metaData.device.description", "metaData.device.type")
MAX_DEVICE: Final = 100
ATTEMPTS: Final = 20


@endpoint(
    "/oauth2/device_authorize",
    methods=("POST",),
    answers="json",
    metadata_name="device_authorization_endpoint",
    cross_origin=True,
)
def device_authorize(server: "Server", request: Request) -> Response:
    """Give a device a code to poll with, and one for its user to type."""
    form = request.form_parameters()
    form.refuse_repeated(("scope", *DEVICE_PARAMETERS))
    client = server.clients.authenticate(form, request.headers.get("Authorization")).client
    if NAME not in client.grant_types:
        raise OAuthError("unauthorized_client", "The client may not use this grant type.", reason="grant_type_disabled")
    scope = scope_of(server.settings, client, form.single("scope"))
    value = credentials.generate(credentials.DEVICE_CODE)
    code = start(server, client, scope, device_of(form), value)
    server.event("code_issued", request, client_id=client.key, grant_id=code.grant_id, detail="device")
    uri = client.device_verification_uri or server.settings.device_verification_uri or server.url(DEVICE)
    user_code = user_codes.shown(code.user_code)
    return json_response(
        {
            "device_code": value,
            "user_code": user_code,
            "verification_uri": uri,
            "verification_uri_complete": f"{uri}{'&' if '?' in uri else '?'}user_code={user_code}",
            "expires_in": server.settings.device_code_lifetime,
            "interval": server.settings.device_poll_interval,
        }
    )


def start(server: "Server", client: Client, scope: str, device: Mapping[str, Any], value: str) -> DeviceCode:
    """Store both codes; the user code is one that nobody else has."""
    now = server.now()
    ends_at = now + server.settings.device_code_lifetime
    envelope: Mapping[str, Any] = {
        "grant_id": credentials.new_id(),
        "client_id": client.key,
        "issued_at": now,
        "expires_at": ends_at + REMEMBERED,
    }
    for _ in range(ATTEMPTS):
        user_code = UserCode(key=user_codes.new_user_code(), device_code_key=credentials.digest(value), **envelope)
        if server.store.add(user_code):
            break
    else:
        raise OAuthError("temporarily_unavailable", "There are too many devices waiting.", reason="unknown")
    code = DeviceCode(
        key=user_code.device_code_key,
        user_code=user_code.key,
        ends_at=ends_at,
        scope=scope,
        device=device or None,
        **envelope,
    )
    server.store.put(code)
    return code


def device_of(form: Parameters) -> dict[str, str]:
    """What the device says about itself, for its user to recognise it. Nobody else believes it."""
    said = {
        "name": form.single("metaData.device.name"),
        "description": form.single("metaData.device.description"),
        "type": form.single("metaData.device.type"),
    }
    return {name: text[:MAX_DEVICE] for name, text in said.items() if text}
