"""The JWT bearer grant -- RFC 7523 section 2.1: an assertion of an issuer we trust stands for its subject."""

from typing import TYPE_CHECKING

from oauth_filter.authorization_server.grant_types import GrantRequest
from oauth_filter.authorization_server.grant_types import grant_type
from oauth_filter.authorization_server.interaction import is_registered
from oauth_filter.authorization_server.interaction import scope_of
from oauth_filter.authorization_server.issue import Granted
from oauth_filter.authorization_server.issue import basis_of
from oauth_filter.errors import OAuthError
from oauth_filter.records import UsedAssertion
from oauth_filter.signing import verify_assertion

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server


@grant_type("urn:ietf:params:oauth:grant-type:jwt-bearer")
def jwt_bearer(server: "Server", request: GrantRequest) -> Granted:
    """Tokens for the subject of an assertion. Each assertion with a jti is accepted once."""
    value = request.form.single("assertion")
    if value is None:
        raise OAuthError("invalid_request", "The parameter assertion is missing.", reason="missing_assertion")
    client = request.caller.client
    assertion = verify_assertion(value, settings=server.settings, now=server.now())
    user = server.users.find(assertion.subject)
    if user is None:
        raise OAuthError("invalid_grant", "The subject of the assertion is not a user here.", reason="user_not_found")
    if not is_registered(client, user):
        raise OAuthError("invalid_grant", "The user is not registered for this client.", reason="registration_required")
    scope = scope_of(server.settings, client, request.form.single("scope"))
    if assertion.jti is not None or server.settings.jwt_require_jti:
        used = UsedAssertion(key=assertion.replay_key, issued_at=server.now(), expires_at=assertion.expires_at)
        if not server.store.add(used):
            raise OAuthError("invalid_grant", "The assertion has been used before.", reason="assertion_reused")
    return Granted(client=client, scope=scope, user=user, basis=basis_of(user, scope))
