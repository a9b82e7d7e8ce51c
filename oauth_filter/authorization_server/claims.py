"""What tokens and the userinfo endpoint tell of a user -- OpenID Connect Core sections 5 and 8."""

import base64
import hashlib
import hmac
import importlib
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import Final
from urllib.parse import urlsplit

from oauth_filter.errors import ConfigError
from oauth_filter.errors import Problem
from oauth_filter.records import Client
from oauth_filter.records import User
from oauth_filter.scope import Scope
from oauth_filter.settings import Settings

SCOPE_CLAIMS: Final[Mapping[str, tuple[str, ...]]] = {
    "profile": (
        "name",
        "family_name",
        "given_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "updated_at",
    ),
    "email": ("email", "email_verified"),
    "address": ("address",),
    "phone": ("phone_number", "phone_number_verified"),
}
"""OpenID Connect Core section 5.4."""

USER_CLAIMS: Final = tuple(name for names in SCOPE_CLAIMS.values() for name in names)

COMPATIBILITY_CLAIMS: Final = ("email", "email_verified", "preferred_username")
"""What scope_handling = compatibility tells regardless of the scope."""

REGISTERED: Final = frozenset(
    [
        *("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "azp", "nonce", "auth_time", "at_hash", "c_hash", "acr"),
        *("amr", "sid", "client_id", "scope", "cnf", "act", "may_act", "permissions", "events", "sub_jwk"),
        # RFC 7662 section 2.2: what introspection alone says, and of a token without a user nobody else would say.
        *("active", "username", "token_type"),
    ]
)
"""Claims that say who vouches for what; a callable of the settings cannot set them."""

Callback = Callable[[User | None, Client, Scope], Mapping[str, Any]]


class Claims:
    """Tells of users what scopes and clients allow."""

    def __init__(self, settings: Settings) -> None:
        """Raise ConfigError when the callable of the settings cannot be imported."""
        self._settings = settings
        self._callback: Callback | None = _imported(settings.claims) if settings.claims else None

    def subject(self, client: Client, subject: str) -> str:
        """The `sub` this client sees: the same for everybody, or one of its sector's own (section 8.1)."""
        return subject if client.subject_type == "public" else self._of_sector(client, "pairwise ", subject)

    def session(self, client: Client, sid: str | None) -> str | None:
        """The `sid` this client sees: two sectors that saw the same would know that it is the same person."""
        if sid is None or client.subject_type == "public":
            return sid
        return self._of_sector(client, "pairwise sid ", sid)

    def _of_sector(self, client: Client, use: str, text: str) -> str:
        sector = client.sector_identifier or _sector(client)
        keyed = f"{len(sector)}:{sector}:{text}".encode()
        hashed = hmac.new((use + self._settings.secret).encode(), keyed, hashlib.sha256).digest()
        return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()

    def of_scope(
        self, user: User, client: Client, scope: str, requested: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """What the scope, and the `claims` parameter's part, let this client know of the user."""
        names = [name for token in Scope.parse(scope) for name in SCOPE_CLAIMS.get(token, ())]
        if (client.scope_handling or self._settings.scope_handling) == "compatibility":
            names += COMPATIBILITY_CLAIMS
        told = [name for token in scopes_of_claims(client, requested) for name in SCOPE_CLAIMS[token]]
        names += [name for name in told if name in (requested or {})]
        return self.known(user, names)

    def known(self, user: User, names: Iterable[str]) -> dict[str, Any]:
        """What is known of the user under these names."""
        told = {
            "preferred_username": user.username,
            **({"name": user.name} if user.name else {}),
            **(user.claims or {}),
        }
        return {name: told[name] for name in dict.fromkeys(names) if told.get(name) is not None}

    def added(self, user: User | None, client: Client, scope: str) -> dict[str, Any]:
        """What the callable of the settings adds. It cannot forge a registered claim."""
        if self._callback is None:
            return {}
        return {k: v for k, v in self._callback(user, client, Scope.parse(scope)).items() if k not in REGISTERED}


def scopes_of_claims(client: Client, requested: Iterable[str] | None) -> Scope:
    """The scopes that tell what is requested claim by claim, as far as the client is registered for them.

    Asking for a claim by its name gets a client nothing that the user does not allow, nor what is not for it.
    """
    names = frozenset(requested or ())
    registered = SCOPE_CLAIMS if client.scope is None else Scope.parse(client.scope)
    return Scope(*(token for token, told in SCOPE_CLAIMS.items() if token in registered and names & {*told}))


def _sector(client: Client) -> str:
    # Section 8.1: the host of the redirect URIs; registration makes sure that there is just one.
    return (urlsplit(client.redirect_uris[0]).hostname or client.key) if client.redirect_uris else client.key


def _imported(path: str) -> Callback:
    module, _, name = path.partition(":")
    try:
        callback: Callback = getattr(importlib.import_module(module), name)
    except Exception as error:  # whatever a module does while it is imported
        message = f"{path} cannot be imported: {type(error).__name__}: {error}"
        raise ConfigError([Problem(option="claims", message=message)]) from error
    if not callable(callback):
        raise ConfigError([Problem(option="claims", message=f"{path} is nothing that can be called")])
    return callback
