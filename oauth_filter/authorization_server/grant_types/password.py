"""The resource owner password credentials grant -- RFC 6749 section 4.3.

RFC 9700 section 2.4 says that it MUST NOT be used: the client sees the password. It is here for systems that do, and
only for clients that list it.
"""

from typing import TYPE_CHECKING

from oauth_filter.authorization_server import sign_in
from oauth_filter.authorization_server.grant_types import GrantRequest
from oauth_filter.authorization_server.grant_types import grant_type
from oauth_filter.authorization_server.interaction import is_registered
from oauth_filter.authorization_server.interaction import scope_of
from oauth_filter.authorization_server.issue import Granted
from oauth_filter.authorization_server.issue import basis_of
from oauth_filter.errors import OAuthError

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server


@grant_type("password")
def password(server: "Server", request: GrantRequest) -> Granted:
    """Tokens for the user whose password the client has. The same answer for a wrong one and for nobody."""
    client = request.caller.client
    username, secret = request.form.single("username"), request.form.single("password")
    if username is None:
        raise OAuthError("invalid_request", "The parameter username is missing.", reason="missing_username")
    if secret is None:
        raise OAuthError("invalid_request", "The parameter password is missing.", reason="missing_password")
    scope = scope_of(server.settings, client, request.form.single("scope"))
    # Section 4.3.2: "MUST protect the endpoint against brute force attacks".
    user = sign_in.authenticate(server, request.http, username, secret, client_id=client.key)
    if user is None:
        raise OAuthError("invalid_grant", "The user name or the password is wrong.", reason="invalid_user_credentials")
    if not is_registered(client, user):
        raise OAuthError("invalid_grant", "The user is not registered for this client.", reason="registration_required")
    server.event("signed_in", request.http, client_id=client.key, username=user.username)
    basis = basis_of(user, scope, auth_time=server.now(), amr=("pwd",))
    return Granted(client=client, scope=scope, user=user, basis=basis)
