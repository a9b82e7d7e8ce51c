"""Pyramid: who calls, views that say which scopes they need, and a security policy for access tokens.

    config.include("oauth_filter.hosting.pyramid")

    @view_config(route_name="reports", renderer="json", oauth_scope="reports:read")
    def reports(request):
        return [f"a report for {request.oauth_principal.username}"]

Needs OAuthFilter in front, and a rule that lets tokens be looked at: `authenticated` or `optional`, not `public`.
"""

from collections.abc import Callable
from typing import Any

from pyramid.authorization import ACLHelper  # type: ignore[import-untyped]
from pyramid.authorization import Authenticated
from pyramid.authorization import Everyone

from oauth_filter.resource_server.challenge import challenge
from oauth_filter.resource_server.challenge import refusal
from oauth_filter.resource_server.principal import PRINCIPAL
from oauth_filter.resource_server.principal import Principal
from oauth_filter.scope import Scope


def includeme(config: Any) -> None:
    """Add `request.oauth_principal`, a `Principal` or None, and the view option `oauth_scope`.

    `oauth_scope="a b"` calls the view only for a token that has both scopes, `oauth_scope=""` for every token.
    Everybody else gets the answer of RFC 6750 section 3. It can only narrow what `[protect]` lets through.
    """
    config.add_request_method(principal_of, "oauth_principal", property=True)
    config.add_view_deriver(_oauth_scope_view, name="oauth_scope")


def principal_of(request: Any) -> Principal | None:
    """The bearer of a request's access token; None where there is none."""
    principal = request.environ.get(PRINCIPAL)
    return principal if isinstance(principal, Principal) else None


class OAuthSecurityPolicy:
    """Access tokens for Pyramid's ACLs, beside the application's own policy for requests without one.

    `sessions` is that policy, if any. The identity of a token is its `Principal`, its `authenticated_userid` the user
    name. ACLs call what a token says `user:alice`, `client:myApp` and `scope:reports:read`, one apart from the other
    and from the groups of the application, whatever name a user has. An entry for a user holds for all tokens of that
    user: write entries for scopes, or use `oauth_scope`, where a token shall do less than its user.
    """

    def __init__(self, sessions: Any = None) -> None:
        self._sessions = sessions
        self._acl = ACLHelper()

    def identity(self, request: Any) -> Any:
        return principal_of(request) or (self._sessions and self._sessions.identity(request))

    def authenticated_userid(self, request: Any) -> Any:
        if (principal := principal_of(request)) is not None:
            return principal.username
        return self._sessions and self._sessions.authenticated_userid(request)

    def permits(self, request: Any, context: Any, permission: str) -> Any:
        principal = principal_of(request)
        if principal is None and self._sessions:
            return self._sessions.permits(request, context, permission)
        names = [Everyone]
        if principal is not None:
            names += [Authenticated, f"client:{principal.client_id}", *(f"scope:{s}" for s in principal.scope)]
            names += [f"user:{principal.username}"] if principal.username is not None else []
        return self._acl.permits(context, names, permission)

    def remember(self, request: Any, userid: str, **options: Any) -> Any:
        return self._sessions.remember(request, userid, **options) if self._sessions else []

    def forget(self, request: Any, **options: Any) -> Any:
        return self._sessions.forget(request, **options) if self._sessions else []


def _oauth_scope_view(view: Callable[[Any, Any], Any], info: Any) -> Callable[[Any, Any], Any]:
    if "oauth_scope" not in info.options or info.options["oauth_scope"] is None:
        return view
    needed = frozenset(Scope.parse(info.options["oauth_scope"]))
    realm = info.registry.settings.get("oauth_realm", "api")

    def derived(context: Any, request: Any) -> Any:
        principal = principal_of(request)
        if principal is None:
            return request.get_response(challenge(realm, needed))
        if not needed <= frozenset(principal.scope):
            description = "The access token does not have the scopes needed here."
            return request.get_response(refusal(realm, needed, "insufficient_scope", description, 403))
        return view(context, request)

    return derived


_oauth_scope_view.options = ("oauth_scope",)  # type: ignore[attr-defined]
