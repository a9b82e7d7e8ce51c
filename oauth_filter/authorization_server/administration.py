"""Who may administer over HTTP: an administrator by HTTP Basic, or a bearer token with the scope `oauth2:admin`."""

import re
from typing import TYPE_CHECKING

from oauth_filter.authorization_server import sign_in
from oauth_filter.authorization_server.http import Request
from oauth_filter.authorization_server.tokens import bearer
from oauth_filter.errors import OAuthError
from oauth_filter.records import AccessToken
from oauth_filter.records import User
from oauth_filter.scope import ADMIN_SCOPE
from oauth_filter.scope import Scope

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server


def administrator(server: "Server", request: Request) -> str:
    """The name of the administrator this request comes from: a user, or a client acting for itself.

    Raise OAuthError: 401 without credentials that are right, 403 for everybody who is no administrator.
    """
    # Werkzeug stumbles over credentials that are not ASCII, which base64 always is.
    given = request.authorization if request.headers.get("Authorization", "").isascii() else None
    if given is not None and given.type == "basic":
        user = sign_in.authenticate(server, request, given.username or "", given.password or "")
        if user is None:
            raise _unknown()
        return _checked(server, user)
    token = _token(server, request)
    if ADMIN_SCOPE not in Scope.parse(token.scope):
        raise OAuthError(
            "insufficient_scope", "The access token lacks the scope oauth2:admin.", reason="missing_required_scope"
        )
    if token.username is None:
        return token.client_id or ""
    user = server.users.find(token.username)
    if user is None:
        raise _unknown()
    return _checked(server, user)


def _token(server: "Server", request: Request) -> AccessToken:
    header = request.headers.get("Authorization", "")
    if server.settings.fusionauth_parameters and re.fullmatch(r"[A-Za-z0-9._~+/-]+=*", header):
        # An API key without a scheme.
        header = f"Bearer {header}"
    if not header.lower().startswith("bearer "):
        raise _unknown()
    return bearer(server, header)


def _checked(server: "Server", user: User) -> str:
    if not user.administrator and user.username not in server.settings.administrators:
        raise OAuthError("access_denied", "Only administrators may do this.", reason="not_an_administrator")
    return user.username


def _unknown() -> OAuthError:
    return OAuthError("access_denied", "Authenticate as an administrator.", reason="administrator_required", status=401)
