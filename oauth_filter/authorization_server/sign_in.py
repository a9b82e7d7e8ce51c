"""Judging a password that a person typed or a client sent: guesses are limited, and what happened is told."""

from typing import TYPE_CHECKING
from typing import Final
from unicodedata import normalize

from oauth_filter.authorization_server import limits
from oauth_filter.authorization_server.limits import Limit
from oauth_filter.errors import OAuthError
from oauth_filter.records import User
from oauth_filter.settings import DAY
from oauth_filter.settings import HOUR
from oauth_filter.settings import MINUTE

if TYPE_CHECKING:
    from oauth_filter.authorization_server.http import Request
    from oauth_filter.authorization_server.server import Server

GUESSES: Final = Limit(what="password of an account from an address", rates=((5, MINUTE), (20, HOUR), (60, DAY)))
"""Account and address together: with the account alone anybody could keep its owner out."""

LOCKED: Final = "user_locked"


def authenticate(
    server: "Server", request: "Request", username: str, password: str, *, client_id: str | None = None
) -> User | None:
    """The user whose password this is, or None: the same for a wrong one and for nobody.

    Raise OAuthError with the reason `LOCKED` for who has been wrong too often from there. Does not limit an attacker
    who has many addresses and guesses at many accounts once.
    """
    username = normalize("NFC", username)
    places = limits.take(server, GUESSES, username, server.subscriber(request))
    if places is None:
        raise OAuthError("invalid_grant", "Too many wrong passwords. Wait a while.", reason=LOCKED, status=429)
    user = server.users.authenticate(username, password)
    if user is not None:
        limits.give_back(server, places)
        return user
    # Some people type their password where the name belongs; only names that exist are logged.
    is_name = server.users.keeps_a_list and server.users.find(username) is not None
    server.event(
        "sign_in_failed",
        request,
        client_id=client_id,
        username=username if is_name else None,
        reason="invalid_user_credentials",
    )
    return None
