"""Grant types: each decides what is due to a request at the token endpoint, and mints and stores nothing.

The whole list stands in `authorization_server.app`; a grant type of your own is one more `GrantType` in it.
"""

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any

from oauth_filter.authorization_server.clients import Caller
from oauth_filter.authorization_server.issue import Granted
from oauth_filter.messages import Parameters

if TYPE_CHECKING:
    from oauth_filter.authorization_server.http import Request
    from oauth_filter.authorization_server.server import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRequest:
    """A request at the token endpoint whose client is known -- RFC 6749 section 3.2."""

    caller: Caller
    form: Parameters
    http: "Request"
    """For the log only."""


Decide = Callable[["Server", GrantRequest], Granted | Mapping[str, Any]]
"""Returns what is due, or an answer that was given before. Raise OAuthError to refuse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantType:
    """A value of `grant_type` and the function that decides."""

    name: str
    decide: Decide


def grant_type(name: str) -> Callable[[Decide], GrantType]:
    """Make a function the handler of a grant type. It is served once it stands in a list of grant types."""

    def decorate(decide: Decide) -> GrantType:
        return GrantType(name=name, decide=decide)

    return decorate
