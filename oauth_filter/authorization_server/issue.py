"""Issuing tokens. A grant type decides; here, and only here, tokens are made, and what they are made of is spent."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oauth_filter import credentials
from oauth_filter.errors import OAuthError
from oauth_filter.messages import TokenResponse
from oauth_filter.records import AccessToken
from oauth_filter.records import AuthorizationCode
from oauth_filter.records import Client
from oauth_filter.records import Record
from oauth_filter.records import RefreshToken
from oauth_filter.scope import Scope

if TYPE_CHECKING:
    from oauth_filter.authorization_server.http import Request
    from oauth_filter.authorization_server.server import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What a grant type has found to be due."""

    client: Client
    scope: str
    subject: str | None = None
    username: str | None = None
    """Both None for a client acting for itself."""
    spent: AuthorizationCode | RefreshToken | None = None
    """What is redeemed by this; it can be redeemed once."""
    auth_time: float | None = None


def issue(server: "Server", request: "Request", granted: Granted) -> TokenResponse:
    """Make the tokens of a grant and store them, spending what they are made of, in one atomic step.

    Raise OAuthError `invalid_grant` when somebody else has spent it first; all that came of it is then revoked
    (RFC 6749 section 4.1.2, RFC 9700 section 4.14.2). A token is returned only after it is stored.
    """
    client, spent, now = granted.client, granted.spent, server.now()
    access_token = credentials.generate(credentials.ACCESS_TOKEN)
    lifetime = client.access_token_lifetime or server.settings.access_token_lifetime
    issued: list[Record] = [
        AccessToken(
            key=credentials.digest(access_token),
            grant_id=spent.grant_id if spent else credentials.new_id(),
            client_id=client.key,
            subject=granted.subject,
            username=granted.username,
            scope=granted.scope,
            issued_at=now,
            expires_at=now + lifetime,
        )
    ]
    refresh_token = _refresh_token(server, granted, issued)
    if spent is None or _stays(server, spent):
        server.store.put(*issued)
    elif not server.store.exchange(spent, *issued):
        raise reused(server, request, spent)
    if server.settings.refresh_revokes_access_token and isinstance(spent, RefreshToken) and spent.access_token_key:
        server.store.delete(AccessToken, spent.access_token_key)
    server.event(
        "token_refreshed" if isinstance(spent, RefreshToken) else "token_issued",
        request,
        client_id=client.key,
        username=granted.username,
        grant_id=issued[0].grant_id,
    )
    return TokenResponse(
        access_token=access_token, expires_in=lifetime, refresh_token=refresh_token, scope=Scope.parse(granted.scope)
    )


def reused(server: "Server", request: "Request", spent: AuthorizationCode | RefreshToken) -> OAuthError:
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
    if isinstance(spent, RefreshToken):
        return refresh_token_not_found()
    return code_not_found()


def code_not_found() -> OAuthError:
    return OAuthError(
        "invalid_grant", "The authorization code is unknown, expired or used.", reason="auth_code_not_found"
    )


def refresh_token_not_found() -> OAuthError:
    return OAuthError(
        "invalid_grant", "The refresh token is unknown, expired or used.", reason="refresh_token_not_found"
    )


def _stays(server: "Server", spent: AuthorizationCode | RefreshToken) -> bool:
    return isinstance(spent, RefreshToken) and server.settings.refresh_token_usage == "reusable"


def _refresh_token(server: "Server", granted: Granted, issued: list[Record]) -> str | None:
    """Add a refresh token to what is issued, where the client gets one and does not keep the one it has."""
    client = granted.client
    # RFC 6749 section 4.4.3: a client acting for itself SHOULD NOT get one.
    if granted.subject is None or "refresh_token" not in client.grant_types:
        return None
    if granted.spent is not None and _stays(server, granted.spent):
        return None
    refresh_token = credentials.generate(credentials.REFRESH_TOKEN)
    now = server.now()
    issued.append(
        RefreshToken(
            key=credentials.digest(refresh_token),
            grant_id=issued[0].grant_id,
            client_id=client.key,
            subject=granted.subject,
            username=granted.username or "",
            scope=granted.spent.scope if isinstance(granted.spent, RefreshToken) else granted.scope,
            access_token_key=issued[0].key,
            auth_time=granted.auth_time,
            issued_at=now,
            expires_at=now + (client.refresh_token_lifetime or server.settings.refresh_token_lifetime),
        )
    )
    return refresh_token
