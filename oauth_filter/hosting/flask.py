"""Flask: who calls, and views that say themselves which scopes they need.

    @app.get("/reports/")
    @requires_scope("reports:read")
    def reports():
        return [f"a report for {current_principal().username}"]

Needs OAuthFilter in front, and a rule that lets tokens be looked at: `authenticated` or `optional`, not `public`.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec
from typing import TypeVar

from flask import current_app
from flask import request
from flask.typing import ResponseReturnValue

from oauth_filter.resource_server.challenge import challenge
from oauth_filter.resource_server.challenge import refusal
from oauth_filter.resource_server.principal import PRINCIPAL
from oauth_filter.resource_server.principal import Principal
from oauth_filter.scope import Scope

P = ParamSpec("P")
R = TypeVar("R", bound=ResponseReturnValue)


def current_principal() -> Principal | None:
    """The bearer of this request's access token; None where there is none. RuntimeError outside a request."""
    principal = request.environ.get(PRINCIPAL)
    return principal if isinstance(principal, Principal) else None


def requires_scope(*scope: str, realm: str = "api") -> Callable[[Callable[P, R]], Callable[P, ResponseReturnValue]]:
    """Call the view only for a token that has all of these scopes; without any, for every token.

    Everybody else gets the answer of RFC 6750 section 3: 401 without a token, 403 `insufficient_scope` with another.
    Put it below the route. Raise ValueError for what is no scope. It can only narrow what `[protect]` lets through.
    """
    needed = frozenset(Scope(*scope))

    def decorate(view: Callable[P, R]) -> Callable[P, ResponseReturnValue]:
        @wraps(view)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            principal = current_principal()
            if principal is None:
                return challenge(realm, needed)
            if not needed <= frozenset(principal.scope):
                description = "The access token does not have the scopes needed here."
                return refusal(realm, needed, "insufficient_scope", description, 403)
            return current_app.ensure_sync(view)(*args, **kwargs)  # type: ignore[no-any-return]

        return wrapped

    return decorate
