"""What stands between an authorization request and its answer: who the user is, and what they allow."""

from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Literal

from oauth_filter.authorization_server.sessions import stamp
from oauth_filter.errors import OAuthError
from oauth_filter.records import Client
from oauth_filter.records import Consent
from oauth_filter.records import User
from oauth_filter.scope import Scope
from oauth_filter.settings import Settings

if TYPE_CHECKING:
    from oauth_filter.authorization_server.http import Request
    from oauth_filter.authorization_server.server import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """The user of this browser, and when they proved it (None where somebody else keeps the session)."""

    user: User
    auth_time: float | None = None


Step = Literal["login", "consent", "done"]


def signed_in(server: "Server", request: "Request") -> SignedIn | None:
    """Who is signed in: by our cookie, or by what the server in front or the application says."""
    if not server.users.has_login_page:
        user = server.users.current(request.environ)
        return SignedIn(user=user) if user is not None else None
    session = server.sessions.read(request)
    if session.username is None:
        return None
    user = server.users.find(session.username)
    # A user of the same name, or with another password since, is not whom the cookie was given to.
    if user is None or user.subject != session.subject or stamp(user) != session.stamp:
        return None
    return SignedIn(user=user, auth_time=session.auth_time)


def next_step(server: "Server", client: Client, scope: str, user: SignedIn | None) -> Step:
    """What has to happen before the request can be answered."""
    if user is None:
        return "login"
    if client.auto_grant or has_consented(server, client, scope, user.user):
        return "done"
    return "consent"


def has_consented(server: "Server", client: Client, scope: str, user: User) -> bool:
    """Whether the user has allowed this client all of this before."""
    consent = server.store.get(Consent, Consent.key_of(user.subject or "", client.key))
    return consent is not None and Scope.parse(scope) <= Scope.parse(consent.scope)


def remember_consent(server: "Server", client: Client, scope: str, user: User) -> None:
    """Add this to what the user has allowed this client."""
    now = server.now()
    consent = server.store.get(Consent, Consent.key_of(user.subject or "", client.key)) or Consent(
        key=Consent.key_of(user.subject or "", client.key), client_id=client.key, subject=user.subject
    )
    server.store.put(
        replace(
            consent,
            scope=str(Scope(*Scope.parse(consent.scope), *Scope.parse(scope))),
            issued_at=now,
            expires_at=now + server.settings.consent_lifetime,
        )
    )


def scope_of(settings: Settings, client: Client, asked: str | None) -> str:
    """The scope a client gets when it asks for this -- RFC 6749 section 3.3.

    Asking for none means all the client is registered for. Raise OAuthError `invalid_scope` for an illegal
    scope, one that is not configured (as `unknown_scope` says) or one the client is not registered for.
    """
    registered = Scope.parse(client.scope) if client.scope is not None else None
    if asked is None:
        return str(registered or "")
    try:
        scope = Scope.parse(asked)
    except ValueError:
        raise OAuthError("invalid_scope", "The scope is malformed.", reason="invalid_scope") from None
    policy = settings.scope_policy
    known = scope if policy == "allow" else Scope(*(token for token in scope if token in settings.scopes))
    allowed = known if registered is None else known & registered
    if policy != "remove" and allowed != scope:
        raise OAuthError("invalid_scope", "The scope is unknown or not allowed to this client.", reason="unknown_scope")
    return str(allowed)
