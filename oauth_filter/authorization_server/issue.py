"""Issuing tokens. A grant type decides; here, and only here, tokens are made, and what they are made of is spent."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any

from oauth_filter import credentials
from oauth_filter.authorization_server.access_token import access_token_claims
from oauth_filter.authorization_server.id_token import id_token
from oauth_filter.authorization_server.reuse import Spendable
from oauth_filter.authorization_server.reuse import not_found
from oauth_filter.authorization_server.reuse import repeated
from oauth_filter.authorization_server.reuse import reused
from oauth_filter.authorization_server.reuse import successor
from oauth_filter.messages import TokenResponse
from oauth_filter.records import AccessToken
from oauth_filter.records import Client
from oauth_filter.records import Record
from oauth_filter.records import RefreshToken
from oauth_filter.records import User
from oauth_filter.records import UserGrant
from oauth_filter.scope import Scope

if TYPE_CHECKING:
    from oauth_filter.authorization_server.http import Request
    from oauth_filter.authorization_server.server import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What a grant type has found to be due."""

    client: Client
    scope: str
    user: User | None = None
    basis: UserGrant | None = None
    """What the user granted, when and how. Both are None for a client acting for itself."""
    spent: Spendable | None = None
    """What is redeemed by this; it can be redeemed once."""
    presented: str = field(default="", repr=False)
    """The text of what is redeemed."""
    lifetime: int | None = None
    """Of the access token, where it is to be shorter than the client's."""
    audience: tuple[str, ...] = ()
    claims: Mapping[str, Any] | None = None


def basis_of(user: User, scope: str, *, auth_time: float | None = None, amr: tuple[str, ...] = ()) -> UserGrant:
    """The grant of a user who is not at a browser of ours."""
    return UserGrant(
        key="",
        grant_id=credentials.new_id(),
        subject=user.subject,
        username=user.username,
        scope=scope,
        auth_time=auth_time,
        amr=amr,
    )


def issue(server: "Server", request: "Request", granted: Granted) -> Mapping[str, Any]:
    """Make the tokens of a grant and store them, spending what they are made of, in one atomic step.

    Returns the JSON answer of the token endpoint. Raise OAuthError `invalid_grant` when somebody else has spent it
    first; all that came of it is then revoked (RFC 6749 section 4.1.2, RFC 9700 section 4.14.2). A token is returned
    only after it is stored.
    """
    client, basis, spent = granted.client, granted.basis, granted.spent
    grant_id = (basis.grant_id if basis else None) or credentials.new_id()
    access_token, record = make_access_token(server, granted, grant_id)
    refresh_token, refresh_record = _make_refresh_token(server, granted, record)
    answer = TokenResponse(
        access_token=access_token,
        expires_in=int((record.expires_at or 0) - record.issued_at),
        refresh_token=refresh_token,
        scope=Scope.parse(granted.scope),
        id_token=_id_token(server, granted, access_token),
        custom_parameters=_extras(server, granted),
    ).to_dict()
    issued: list[Record] = [record, *refresh_record]
    if isinstance(spent, RefreshToken) and refresh_record:
        issued += successor(server, spent, granted.presented, answer)
    if server.settings.refresh_revokes_access_token and isinstance(spent, RefreshToken) and spent.access_token_key:
        # First, so that whoever is interrupted after it ends a token too early, and never leaves one too many.
        server.store.delete(AccessToken, spent.access_token_key)
    if spent is None:
        server.store.put(*issued)
    elif _stays(server, spent):
        server.store.put(*issued)
        # What ended it after it was found ended nothing that came later: this would outlive it.
        if not _is_live(server, spent):
            server.store.delete(AccessToken, record.key)
            raise not_found(spent)
    elif not server.store.exchange(spent, *issued):
        return _lost(server, request, granted)
    server.event(
        "token_refreshed" if isinstance(spent, RefreshToken) else "token_issued",
        request,
        client_id=client.key,
        username=record.username,
        grant_id=grant_id,
    )
    return answer


def make_access_token(server: "Server", granted: Granted, grant_id: str) -> tuple[str, AccessToken]:
    """An access token and its record, not yet stored. Either format is found by its digest and revoked alike."""
    client, basis = granted.client, granted.basis
    now = server.now()
    lifetime = client.access_token_lifetime or server.settings.access_token_lifetime
    record = AccessToken(
        key="",
        grant_id=grant_id,
        client_id=client.key,
        subject=basis.subject if basis else None,
        username=basis.username if basis else None,
        scope=granted.scope,
        audience=granted.audience,
        claims=granted.claims,
        claims_requested=(basis.claims_requested or {}).get("userinfo") if basis else None,
        auth_time=basis.auth_time if basis else None,
        sid=basis.sid if basis else None,
        acr=basis.acr if basis else None,
        amr=basis.amr if basis else (),
        issued_at=now,
        expires_at=now + min(lifetime, granted.lifetime or lifetime),
    )
    if (client.access_token_format or server.settings.access_token_format) == "jwt":
        claims = access_token_claims(server, client, granted.user, record)
        value = server.keys.sign({**claims, "jti": credentials.new_id()}, typ="at+jwt")
    else:
        value = credentials.generate(credentials.ACCESS_TOKEN)
    return value, replace(record, key=credentials.digest(value))


def _make_refresh_token(
    server: "Server", granted: Granted, access_token: AccessToken
) -> tuple[str | None, tuple[RefreshToken, ...]]:
    """A refresh token, where the client gets one and does not keep the one it has."""
    client, basis, settings = granted.client, granted.basis, server.settings
    # RFC 6749 section 4.4.3: a client acting for itself SHOULD NOT get one.
    if basis is None or "refresh_token" not in client.grant_types or not client.generate_refresh_tokens:
        return None, ()
    if settings.refresh_token_requires_offline_access and "offline_access" not in Scope.parse(basis.scope):
        return None, ()
    before = granted.spent if isinstance(granted.spent, RefreshToken) else None
    if before is not None and _stays(server, before):
        return None, ()
    now = server.now()
    began_at = before.began_at if before else now
    value = credentials.generate(credentials.REFRESH_TOKEN)
    record = RefreshToken(
        key=credentials.digest(value),
        grant_id=access_token.grant_id,
        client_id=client.key,
        subject=basis.subject,
        username=basis.username,
        # What was granted, also where this access token has less of it (RFC 6749 section 6).
        scope=basis.scope,
        auth_time=basis.auth_time,
        sid=basis.sid,
        acr=basis.acr,
        amr=basis.amr,
        claims_requested=basis.claims_requested,
        access_token_key=access_token.key,
        began_at=began_at,
        issued_at=now,
        expires_at=_refresh_token_expires_at(server, client, before, began_at),
    )
    return value, (record,)


def _refresh_token_expires_at(
    server: "Server", client: Client, before: RefreshToken | None, began_at: float
) -> float | None:
    settings = server.settings
    anew = server.now() + (client.refresh_token_lifetime or settings.refresh_token_lifetime)
    match settings.refresh_token_expiration:
        case "fixed" if before is not None:
            return before.expires_at
        case "sliding_with_maximum":
            return min(anew, began_at + settings.refresh_token_maximum_lifetime)
        case _:
            return anew


def _id_token(server: "Server", granted: Granted, access_token: str) -> str | None:
    basis = granted.basis
    if basis is None or granted.user is None or "openid" not in Scope.parse(basis.scope):
        return None
    # Core section 12.2: an ID token of a refresh SHOULD NOT have a nonce.
    nonce = None if isinstance(granted.spent, RefreshToken) else basis.nonce
    return id_token(server, granted.client, granted.user, basis, nonce=nonce, access_token=access_token)


def _extras(server: "Server", granted: Granted) -> Mapping[str, object]:
    if not server.settings.fusionauth_parameters or granted.basis is None:
        return {}
    return {"userId": server.claims.subject(granted.client, granted.basis.subject or "")}


def _lost(server: "Server", request: "Request", granted: Granted) -> Mapping[str, Any]:
    """Somebody was faster: for a refresh within the grace it was the same client, and gets the same answer.

    Or it was revoked, or expired, at this very moment: then nobody has used it, and there is nothing to be alarmed at.
    """
    spent = granted.spent
    if isinstance(spent, RefreshToken) and (answer := repeated(server, request, spent, granted.presented)) is not None:
        return answer
    assert spent is not None  # noqa: S101 -- only an exchange can be lost; this is for the type checker
    raise reused(server, request, spent) if _is_live(server, spent) else not_found(spent)


def _is_live(server: "Server", spent: Spendable) -> bool:
    return server.store.get(type(spent), spent.key) is not None


def _stays(server: "Server", spent: Spendable) -> bool:
    return isinstance(spent, RefreshToken) and server.settings.refresh_token_usage == "reusable"
