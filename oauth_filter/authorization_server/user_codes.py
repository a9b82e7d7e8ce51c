"""User codes: what a person types to reach the device that waits for them -- RFC 8628 sections 3.3, 5.1 and 6.1."""

import secrets
from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Final
from unicodedata import normalize

from oauth_filter.authorization_server import limits
from oauth_filter.authorization_server.interaction import SignedIn
from oauth_filter.authorization_server.interaction import check_registered
from oauth_filter.authorization_server.interaction import session_grant
from oauth_filter.authorization_server.limits import Limit
from oauth_filter.errors import OAuthError
from oauth_filter.events import EventName
from oauth_filter.records import Attempt
from oauth_filter.records import Client
from oauth_filter.records import DeviceCode
from oauth_filter.records import UserCode
from oauth_filter.settings import DAY
from oauth_filter.settings import MINUTE

if TYPE_CHECKING:
    from oauth_filter.authorization_server.http import Request
    from oauth_filter.authorization_server.server import Server

ALPHABET: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""Without vowels it spells no words, and no letter can be taken for a digit: 20**8 codes, some 34 bits."""
LENGTH: Final = 8
MAX_TYPED: Final = 100

OF_SUBJECT: Final = Limit(what="user code of a user", rates=((10, 10 * MINUTE), (50, DAY)))
FIRST_OF_SUBJECT: Final = Limit(what="first user codes of a user", rates=((3, 10 * MINUTE),))
OF_ADDRESS: Final = Limit(what="user code of an address", rates=((100, 10 * MINUTE),))
OF_STRANGER: Final = Limit(what="user code of a stranger", rates=((20, 10 * MINUTE),))
OF_CLIENT: Final = Limit(what="user code of a client", rates=((100, MINUTE),))


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A device that waits for a decision."""

    user_code: UserCode
    device_code: DeviceCode
    client: Client


def new_user_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def shown(user_code: str) -> str:
    """As people see it: `WDJB-MJHT`."""
    return f"{user_code[: LENGTH // 2]}-{user_code[LENGTH // 2 :]}"


def read(typed: str | None) -> str | None:
    """The code somebody typed, whatever the case, the dashes, the spaces and the width of the letters; else None."""
    text = normalize("NFKC", (typed or "")[:MAX_TYPED]).upper()
    # Section 6.1: strip any characters outside of the set before comparing.
    letters = "".join(letter for letter in text if letter in ALPHABET)
    return letters if len(letters) == LENGTH else None


def find(server: "Server", typed: str | None, *, client_id: str | None = None) -> Waiting:
    """The device that waits under this code, of that client if one is named.

    Raise OAuthError with the reason `missing_user_code`, `invalid_user_code` or `user_code_expired`. Does not count
    guesses: use `guess` for what comes from outside.
    """
    if not typed:
        raise OAuthError("invalid_request", "The parameter user_code is missing.", reason="missing_user_code")
    user_code = server.store.get(UserCode, read(typed) or "")
    if user_code is None or user_code.spent_at is not None or client_id not in (None, user_code.client_id):
        raise invalid()
    device_code = server.store.get(DeviceCode, user_code.device_code_key)
    client = server.clients.find(user_code.client_id or "")
    if device_code is None or client is None:
        raise invalid()
    if device_code.ends_at <= server.now():
        raise OAuthError("invalid_request", "That code has expired.", reason="user_code_expired")
    return Waiting(user_code=user_code, device_code=device_code, client=client)


def guess_as_user(
    server: "Server", request: "Request", typed: str | None, subject: str | None, *, client_id: str | None = None
) -> Waiting:
    """As `find`, for a user. Raise OAuthError `too_many_attempts` after too many wrong codes.

    The first few are between the user and us. Only then does the address count too, so that nobody at the same
    address, or behind the same proxy, can keep a user from entering the code of their own device.
    """
    if read(typed) is None:
        return find(server, typed, client_id=client_id)  # nothing is learnt from what cannot be a code
    address = server.subscriber(request)
    places = _granted(limits.take(server, OF_SUBJECT, subject))
    more = limits.take(server, FIRST_OF_SUBJECT, subject) or limits.take(server, OF_ADDRESS, address)
    if more is None:
        limits.give_back(server, places)
    return _judged(server, (*places, *_granted(more)), typed, client_id)


def guess_as_stranger(server: "Server", request: "Request", typed: str | None, *, client_id: str) -> Waiting:
    """As `find`, for whoever is at this address."""
    if read(typed) is None:
        return find(server, typed, client_id=client_id)
    return _judged(server, _granted(limits.take(server, OF_STRANGER, server.subscriber(request))), typed, client_id)


def guess_as_client(server: "Server", typed: str | None, *, client_id: str) -> Waiting:
    """As `find`, for a client that has authenticated and asks for somebody it knows."""
    if read(typed) is None:
        return find(server, typed, client_id=client_id)
    return _judged(server, _granted(limits.take(server, OF_CLIENT, client_id)), typed, client_id)


def approve(server: "Server", request: "Request", waiting: Waiting, by: SignedIn) -> bool:
    """Let the device act for this user. False if there has been a decision before, or the time is up."""
    check_registered(waiting.client, by.user)
    approved = replace(
        waiting.device_code,
        state="approved",
        subject=by.user.subject,
        username=by.user.username,
        auth_time=by.auth_time,
        sid=by.sid,
        acr=by.acr,
        amr=by.amr,
    )
    if not server.store.exchange(waiting.user_code, approved, *session_grant(server, approved)):
        return False
    _tell(server, request, "consent_given", approved, by)
    return True


def deny(server: "Server", request: "Request", waiting: Waiting, by: SignedIn) -> bool:
    """Refuse the device. False if there has been a decision before, or the time is up."""
    if not server.store.exchange(waiting.user_code, replace(waiting.device_code, state="denied")):
        return False
    _tell(server, request, "consent_denied", waiting.device_code, by)
    return True


def _tell(server: "Server", request: "Request", name: EventName, device_code: DeviceCode, by: SignedIn) -> None:
    server.event(
        name,
        request,
        client_id=device_code.client_id,
        username=by.user.username,
        grant_id=device_code.grant_id,
        detail="device",
    )


def _judged(server: "Server", places: tuple[Attempt, ...], typed: str | None, client_id: str | None) -> Waiting:
    waiting = find(server, typed, client_id=client_id)
    limits.give_back(server, places)
    return waiting


def _granted(places: tuple[Attempt, ...] | None) -> tuple[Attempt, ...]:
    if places is None:
        raise OAuthError(
            "invalid_request", "Too many wrong codes. Wait a while.", reason="too_many_attempts", status=429
        )
    return places


def invalid() -> OAuthError:
    """The answer to a code that never was, or that has served."""
    return OAuthError(
        "invalid_request", "That code is not valid. Compare it with your device.", reason="invalid_user_code"
    )
