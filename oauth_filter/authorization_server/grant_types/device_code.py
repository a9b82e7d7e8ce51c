"""The device authorization grant -- RFC 8628 section 3.4: what a device is told while a person decides."""

from typing import TYPE_CHECKING
from typing import Final

from oauth_filter import credentials
from oauth_filter.authorization_server.grant_types import GrantRequest
from oauth_filter.authorization_server.grant_types import grant_type
from oauth_filter.authorization_server.issue import Granted
from oauth_filter.authorization_server.reuse import device_code_not_found
from oauth_filter.authorization_server.reuse import reused
from oauth_filter.authorization_server.tokens import user_of
from oauth_filter.errors import OAuthError
from oauth_filter.records import DeviceCode
from oauth_filter.records import DevicePoll

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server

NAME: Final = "urn:ietf:params:oauth:grant-type:device_code"
SLOWER: Final = 5
"""Seconds each poll that comes too early adds to the interval (section 3.5)."""
TOLERANCE: Final = 0.5
"""Seconds a poll may come early: the answer it is timed by was under way, and so is the poll."""


@grant_type(NAME)
def device_code(server: "Server", request: GrantRequest) -> Granted:
    """Tokens once a user has approved the device. How fast it polls matters only as long as there is no decision."""
    value = request.form.single("device_code")
    if value is None:
        raise OAuthError("invalid_request", "The parameter device_code is missing.", reason="missing_device_code")
    code = find_device_code(server, value)
    # Section 3.5 leaves this to RFC 6749 section 5.2, which has invalid_grant for what was not issued to the client.
    if code is None or code.client_id != request.caller.client.key:
        raise device_code_not_found()
    if code.spent_at is not None:
        raise reused(server, request.http, code)
    if code.ends_at <= server.now():
        raise OAuthError("expired_token", "The device code has expired. Start again.")
    match code.state:
        case "pending":
            raise not_yet(server, code)
        case "denied":
            raise OAuthError("access_denied", "The user refused.", reason="consent_canceled", status=400)
    user = user_of(server, code)
    if user is None:
        raise OAuthError("invalid_grant", "The user's access has ended.", reason="user_not_found")
    return Granted(client=request.caller.client, scope=code.scope, user=user, basis=code, spent=code, presented=value)


def find_device_code(server: "Server", value: str) -> DeviceCode | None:
    if not credentials.is_well_formed(value, credentials.DEVICE_CODE):
        return None
    return server.store.get(DeviceCode, credentials.digest(value))


def not_yet(server: "Server", code: DeviceCode) -> OAuthError:
    """What a device is told that has to ask again, and when it may -- section 3.5."""
    now = server.now()
    before = server.store.get(DevicePoll, code.key)
    interval = before.interval if before else server.settings.device_poll_interval
    is_early = before is not None and now < before.polled_at + interval - TOLERANCE
    if is_early:
        interval += SLOWER
    server.store.put(
        DevicePoll(
            key=code.key,
            grant_id=code.grant_id,
            client_id=code.client_id,
            polled_at=now,
            interval=interval,
            issued_at=now,
            expires_at=code.ends_at,
        )
    )
    if is_early:
        return OAuthError("slow_down", "Wait five seconds longer between two polls.")
    return OAuthError("authorization_pending", "The user has not decided yet.")
