"""What can go wrong, in two kinds: something the protocol names, and a configuration that cannot run.

Everything else that is raised is a bug; it is logged with a request id and answered `server_error`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from typing import Literal
from typing import LiteralString
from typing import get_args

ErrorCode = Literal[
    # RFC 6749 sections 4.1.2.1 and 5.2
    "invalid_request",
    "unauthorized_client",
    "access_denied",
    "unsupported_response_type",
    "invalid_scope",
    "server_error",
    "temporarily_unavailable",
    "invalid_client",
    "invalid_grant",
    "unsupported_grant_type",
    # RFC 6750 section 3.1
    "invalid_token",
    "insufficient_scope",
    # RFC 7009 section 2.2.1
    "unsupported_token_type",
    # RFC 8707 section 2
    "invalid_target",
    # RFC 8628 section 3.5
    "authorization_pending",
    "slow_down",
    "expired_token",
    # OpenID Connect Core section 3.1.2.6
    "interaction_required",
    "login_required",
    "account_selection_required",
    "consent_required",
    "request_not_supported",
    "request_uri_not_supported",
    "registration_not_supported",
    # OpenID Connect Core Unmet Authentication Requirements
    "unmet_authentication_requirements",
]
ERROR_CODES: Final[tuple[ErrorCode, ...]] = get_args(ErrorCode)

STATUS: Final[dict[str, int]] = {
    "invalid_client": 401,
    "invalid_token": 401,
    "access_denied": 403,
    "insufficient_scope": 403,
    "server_error": 500,
    "temporarily_unavailable": 503,
}
"""HTTP status by code where it is not 400 (RFC 6749 section 5.2, RFC 6750 section 3.1)."""


class OAuthError(Exception):
    """A refusal that OAuth has a name for.

    `code` is the `error` value of the RFC that names it, `description` a constant sentence, `reason` the precise
    cause for machines and logs (sent as `error_reason`), `status` the HTTP status (by default that of the code).
    The description is a `LiteralString`: request data cannot get into a response by way of an error. `detail` may
    hold some: it goes to the event log, and to no response.
    """

    def __init__(
        self,
        code: ErrorCode,
        description: LiteralString,
        *,
        reason: LiteralString | None = None,
        status: int | None = None,
        detail: str | None = None,
    ) -> None:
        super().__init__(code, description)
        self.code: Final[ErrorCode] = code
        self.description: Final[str] = description
        self.reason: Final[str | None] = reason
        self.status: Final[int] = status or STATUS.get(code, 400)
        self.detail: Final[str | None] = detail

    def __str__(self) -> str:
        return f"{self.code}: {self.description}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One fault of a configuration, and where it stands."""

    message: str
    option: str | None = None
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.line else f"{self.file}: " if self.file else ""
        return place + (f"{self.option}: " if self.option else "") + self.message


class ConfigError(Exception):
    """A configuration that must not be run. `problems` holds every fault found, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: Final[tuple[Problem, ...]] = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class Unreachable(ConfigError):
    """The configuration may be right, but a server that it names does not answer now."""
