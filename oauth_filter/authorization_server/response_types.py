"""What an authorization response carries -- OAuth 2.0 Multiple Response Type Encoding Practices, Core section 3.

A response type is a set of values. Each value has a producer below; hybrid flows are nothing but a loop over them.
"""

from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING
from typing import Final

from oauth_filter import credentials
from oauth_filter.authorization_server.id_token import id_token
from oauth_filter.authorization_server.issue import Granted
from oauth_filter.authorization_server.issue import make_access_token
from oauth_filter.errors import OAuthError
from oauth_filter.messages import AuthorizationRequest
from oauth_filter.messages import ResponseType
from oauth_filter.records import AuthorizationCode
from oauth_filter.records import Client
from oauth_filter.records import Record
from oauth_filter.records import User
from oauth_filter.records import UserGrant

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server

RESPONSE_TYPES: Final = tuple(
    map(
        ResponseType.parse,
        ("code", "token", "id_token", "id_token token", "code id_token", "code token", "code id_token token"),
    )
)


@dataclass(slots=True, kw_only=True)
class Produced:
    """What has been made so far, and what of it is to be stored."""

    code: str | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)
    expires_in: int | None = None
    id_token: str | None = field(default=None, repr=False)
    records: list[Record] = field(default_factory=list)


def check_response_type(client: Client, asked: AuthorizationRequest, scope: str, nonce: str | None) -> None:
    """Raise OAuthError for a response type we do not have, this client may not use, or that lacks something."""
    wanted = asked.response_type
    if wanted not in RESPONSE_TYPES:
        raise OAuthError(
            "unsupported_response_type", "The response_type is not supported.", reason="invalid_response_type"
        )
    needed = {"authorization_code"} if "code" in wanted else set()
    if wanted & {"token", "id_token"}:
        needed.add("implicit")
    if not needed <= set(client.grant_types):
        raise OAuthError("unauthorized_client", "The client may not use this grant type.", reason="grant_type_disabled")
    if "id_token" in wanted:
        if "openid" not in scope.split():
            raise OAuthError("invalid_scope", "An ID token needs the scope openid.", reason="missing_required_scope")
        # Core sections 3.2.2.1 and 3.3.2.11.
        if nonce is None:
            raise OAuthError("invalid_request", "The parameter nonce is missing.", reason="missing_nonce")


def produce(
    server: "Server", asked: AuthorizationRequest, client: Client, user: User, basis: UserGrant, scope: str
) -> Produced:
    """Make everything the response type names. Nothing is stored yet."""
    made = Produced()
    if "code" in asked.response_type:
        _code(server, asked, basis, made)
    if "token" in asked.response_type:
        _token(server, client, user, basis, scope, made)
    if "id_token" in asked.response_type:
        # Last, because it vouches for the others (c_hash, at_hash).
        made.id_token = id_token(
            server, client, user, basis, nonce=basis.nonce, access_token=made.access_token, code=made.code
        )
    return made


def _code(server: "Server", asked: AuthorizationRequest, basis: UserGrant, made: Produced) -> None:
    made.code = credentials.generate(credentials.AUTHORIZATION_CODE)
    now = server.now()
    made.records.append(
        AuthorizationCode(
            key=credentials.digest(made.code),
            grant_id=basis.grant_id,
            client_id=basis.client_id,
            subject=basis.subject,
            username=basis.username,
            scope=basis.scope,
            auth_time=basis.auth_time,
            nonce=basis.nonce,
            sid=basis.sid,
            acr=basis.acr,
            amr=basis.amr,
            claims_requested=basis.claims_requested,
            redirect_uri=asked.redirect_uri,
            code_challenge=asked.code_challenge,
            code_challenge_method=(asked.code_challenge_method or "plain") if asked.code_challenge else None,
            issued_at=now,
            expires_at=now + server.settings.code_lifetime,
        )
    )


def _token(server: "Server", client: Client, user: User, basis: UserGrant, scope: str, made: Produced) -> None:
    granted = Granted(client=client, scope=scope, user=user, basis=basis)
    made.access_token, record = make_access_token(server, granted, basis.grant_id or "")
    made.expires_in = int((record.expires_at or 0) - record.issued_at)
    made.records.append(record)
