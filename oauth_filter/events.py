"""What happened, for whoever keeps the log: frozen values that can be heard but cannot change a result."""

import json
import logging
from collections.abc import Callable
from dataclasses import asdict
from dataclasses import dataclass
from typing import Final
from typing import Literal

EventName = Literal[
    "signed_in",
    "sign_in_failed",
    "signed_out",
    "logout_delivered",
    "logout_undelivered",
    "consent_given",
    "consent_denied",
    "code_issued",
    "token_issued",
    "token_refreshed",
    "token_revoked",
    "reuse_detected",
    "client_registered",
    "entity_granted",
    "refused",
    "failed",
]

logger: Final = logging.getLogger("oauth_filter")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened. Holds names and reasons, never a token, code, secret or password."""

    name: EventName
    at: float
    request_id: str
    """The same id the client gets in `X-Request-ID`."""
    client_id: str | None = None
    username: str | None = None
    grant_id: str | None = None
    address: str | None = None
    reason: str | None = None
    """The machine-readable cause, as `error_reason` has it."""
    detail: str | None = None
    """More for the operator than the client is told."""


Listener = Callable[[Event], None]


def log(event: Event) -> None:
    """Write the event as one line of JSON: control characters of a user name cannot forge a second line."""
    level = logging.WARNING if event.name in ("reuse_detected", "logout_undelivered", "failed") else logging.INFO
    if logger.isEnabledFor(level):
        said = {name: value for name, value in asdict(event).items() if value is not None}
        logger.log(level, "%s", json.dumps(said))


def announce_to(listener: Listener | None) -> Listener:
    """A listener that logs, then tells `listener`; what that one raises is logged and goes no further."""

    def announce(event: Event) -> None:
        log(event)
        if listener is not None:
            try:
                listener(event)
            except Exception:
                logger.exception("the on_event listener failed")

    return announce
