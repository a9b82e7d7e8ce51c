"""A second use of what works once: code, refresh token, device code -- RFC 6749 section 4.1.2, RFC 9700 4.14.2."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

from oauth_filter import credentials
from oauth_filter import sealing
from oauth_filter.errors import OAuthError
from oauth_filter.records import AuthorizationCode
from oauth_filter.records import DeviceCode
from oauth_filter.records import RefreshToken
from oauth_filter.records import Successor

if TYPE_CHECKING:
    from oauth_filter.authorization_server.http import Request
    from oauth_filter.authorization_server.server import Server

Spendable = AuthorizationCode | RefreshToken | DeviceCode

_USE: Final = "refreshed answer"


def successor(
    server: "Server", spent: RefreshToken, presented: str, answer: Mapping[str, Any]
) -> tuple[Successor, ...]:
    """The answer, kept for the grace so that only who presents the same refresh token again can read it."""
    if not (grace := server.settings.refresh_token_grace):
        return ()
    now = server.now()
    sealed = sealing.seal(json.dumps(answer), secret=presented, use=_USE)
    return (
        Successor(
            key=spent.key,
            grant_id=spent.grant_id,
            client_id=spent.client_id,
            subject=spent.subject,
            sealed=sealed,
            issued_at=now,
            expires_at=now + grace,
        ),
    )


def repeated(server: "Server", request: "Request", spent: RefreshToken, presented: str) -> Mapping[str, Any] | None:
    """The answer that a refresh got before, for a client that did not receive it; None outside the grace.

    Also None when the answer has been used: then the token presented is not the last but an older one. The answer is
    the same whatever else is asked for this time: it says which scope it has, and never exceeds what was granted.
    """
    successor = server.store.get(Successor, spent.key)
    text = sealing.unseal(successor.sealed, secret=presented, use=_USE) if successor is not None else None
    if text is None:
        return None
    answer: Mapping[str, Any] = json.loads(text)
    following = server.store.get(RefreshToken, credentials.digest(answer["refresh_token"]))
    if following is None or following.spent_at is not None:
        return None
    server.event(
        "token_refreshed",
        request,
        client_id=spent.client_id,
        username=spent.username,
        grant_id=spent.grant_id,
        reason="repeated",
    )
    return answer


def reused(server: "Server", request: "Request", spent: Spendable) -> OAuthError:
    """Answer the second use of something that works once: revoke what came of the first, and refuse this one.

    Of two who hold the same secret one is a thief, and nobody can tell which.
    """
    if spent.grant_id is not None:
        server.store.revoke("grant", spent.grant_id)
    server.event(
        "reuse_detected",
        request,
        client_id=spent.client_id,
        username=spent.username,
        grant_id=spent.grant_id,
        reason=f"{spent.kind}_reused",
    )
    return not_found(spent)


def not_found(spent: Spendable) -> OAuthError:
    match spent:
        case RefreshToken():
            return refresh_token_not_found()
        case DeviceCode():
            return device_code_not_found()
        case _:
            return code_not_found()


def code_not_found(detail: str | None = None) -> OAuthError:
    return OAuthError(
        "invalid_grant",
        "The authorization code is unknown, expired or used.",
        reason="auth_code_not_found",
        detail=detail,
    )


def refresh_token_not_found(detail: str | None = None) -> OAuthError:
    return OAuthError(
        "invalid_grant",
        "The refresh token is unknown, expired or used.",
        reason="refresh_token_not_found",
        detail=detail,
    )


def device_code_not_found() -> OAuthError:
    return OAuthError("invalid_grant", "The device code is unknown or used.", reason="invalid_device_code")
