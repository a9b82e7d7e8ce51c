"""The ID token -- OpenID Connect Core sections 2, 3.1.3.6 and 3.3.2.11."""

import base64
import hashlib
from typing import TYPE_CHECKING
from typing import Any

from oauth_filter.records import Client
from oauth_filter.records import SigningAlgorithm
from oauth_filter.records import User
from oauth_filter.records import UserGrant

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server


def id_token(
    server: "Server",
    client: Client,
    user: User,
    basis: UserGrant,
    *,
    nonce: str | None = None,
    access_token: str | None = None,
    code: str | None = None,
) -> str:
    """Who the user is, for this client. `access_token` and `code` are those issued in the same response.

    What the scope lets the client know stands in it only where there is no access token to ask userinfo with
    (section 5.4); what the `claims` parameter asks for the ID token always does.
    """
    algorithm = client.id_token_signed_response_alg or server.settings.id_token_signing_alg
    requested = (basis.claims_requested or {}).get("id_token")
    now = int(server.now())
    claims: dict[str, Any] = {
        **server.claims.added(user, client, basis.scope),
        **server.claims.of_scope(user, client, "" if access_token or code else basis.scope, requested),
        "iss": server.settings.issuer,
        "sub": server.claims.subject(client, basis.subject or ""),
        "aud": client.key,
        "exp": now + (client.id_token_lifetime or server.settings.id_token_lifetime),
        "iat": now,
        "auth_time": None if basis.auth_time is None else int(basis.auth_time),
        "nonce": nonce,
        "acr": basis.acr,
        "amr": list(basis.amr) or None,
        "sid": server.claims.session(client, basis.sid),
        "at_hash": half_hash(access_token, algorithm) if access_token else None,
        "c_hash": half_hash(code, algorithm) if code else None,
    }
    return server.keys.sign({k: v for k, v in claims.items() if v is not None}, algorithm=algorithm)


def half_hash(value: str, algorithm: SigningAlgorithm) -> str:
    """`at_hash` and `c_hash`: the left half of the hash that the signature uses (section 3.1.3.6)."""
    # Ed25519 hashes by SHA-512; the others of ours end in 256.
    hashed = (hashlib.sha512 if algorithm == "EdDSA" else hashlib.sha256)(value.encode()).digest()
    return base64.urlsafe_b64encode(hashed[: len(hashed) // 2]).rstrip(b"=").decode()
