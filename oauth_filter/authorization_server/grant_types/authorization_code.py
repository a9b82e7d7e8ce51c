"""The authorization code grant -- RFC 6749 section 4.1.3, with PKCE -- RFC 7636 section 4.6."""

from typing import TYPE_CHECKING

from oauth_filter import credentials
from oauth_filter.authorization_server.debugging import explained
from oauth_filter.authorization_server.debugging import quoted
from oauth_filter.authorization_server.grant_types import GrantRequest
from oauth_filter.authorization_server.grant_types import grant_type
from oauth_filter.authorization_server.issue import Granted
from oauth_filter.authorization_server.reuse import code_not_found
from oauth_filter.authorization_server.reuse import reused
from oauth_filter.authorization_server.tokens import user_of
from oauth_filter.errors import OAuthError
from oauth_filter.messages import code_verifier_matches
from oauth_filter.records import AuthorizationCode
from oauth_filter.records import Client

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server


@grant_type("authorization_code")
def authorization_code(server: "Server", request: GrantRequest) -> Granted:
    """Redeem a code. A failing redemption by the client it belongs to burns it; a stranger's does not."""
    value = request.form.single("code")
    if value is None:
        raise OAuthError("invalid_request", "The parameter code is missing.", reason="missing_code")
    code = find_code(server, value)
    client = request.caller.client
    if code is None:
        raise code_not_found(explained(client, "there is no such code, or it has expired"))
    if code.client_id != client.key:
        raise code_not_found(explained(client, "the code was issued to another client"))
    if code.spent_at is not None:
        raise reused(server, request.http, code)
    try:
        check_redirect_uri(code, client, request.form.single("redirect_uri"))
        check_proof_key(code, request)
        user = user_of(server, code)
        if user is None:
            raise OAuthError("invalid_grant", "The user's access has ended.", reason="user_not_found")
    except OAuthError as error:
        # Trouble of ours is no failure of the client's: it is told to come again with the same code.
        if error.status < 500:
            server.store.exchange(code)
        raise
    return Granted(client=client, scope=code.scope, user=user, basis=code, spent=code, presented=value)


def find_code(server: "Server", value: str) -> AuthorizationCode | None:
    if not credentials.is_well_formed(value, credentials.AUTHORIZATION_CODE):
        return None
    return server.store.get(AuthorizationCode, credentials.digest(value))


def check_redirect_uri(code: AuthorizationCode, client: Client, redirect_uri: str | None) -> None:
    """RFC 6749 section 4.1.3: where the authorization request had one, this one is identical."""
    if code.redirect_uri is not None and redirect_uri != code.redirect_uri:
        raise OAuthError(
            "invalid_grant",
            "The redirect_uri is not the one of the authorization request.",
            reason="invalid_redirect_uri",
            detail=explained(client, f"it was {quoted(code.redirect_uri)}, and is {quoted(redirect_uri)} now"),
        )


def check_proof_key(code: AuthorizationCode, request: GrantRequest) -> None:
    """RFC 7636 section 4.6, and the client's PKCE policy where no challenge was sent."""
    verifier = request.form.single("code_verifier")
    client = request.caller.client
    if code.code_challenge is None:
        # RFC 9700 section 2.1.1: a verifier without a challenge is a downgrade attack.
        if verifier is not None:
            raise OAuthError(
                "invalid_grant",
                "A code_verifier came without a code_challenge before it.",
                reason="missing_code_challenge",
            )
        if client.pkce != "optional" and not request.caller.is_authenticated:
            raise OAuthError(
                "invalid_grant",
                "This client needs PKCE when it does not authenticate.",
                reason="missing_code_challenge",
                detail=explained(client, f"neither a secret nor a code_challenge, with pkce = {client.pkce}"),
            )
    elif verifier is None:
        raise OAuthError("invalid_request", "The parameter code_verifier is missing.", reason="missing_code_verifier")
    elif not code_verifier_matches(
        verifier, challenge=code.code_challenge, method=code.code_challenge_method or "plain"
    ):
        method = code.code_challenge_method or "plain"
        raise OAuthError(
            "invalid_grant",
            "The code_verifier is wrong.",
            reason="invalid_pkce_code_verifier",
            detail=explained(client, f"the code_verifier does not give the code_challenge by {method}"),
        )
