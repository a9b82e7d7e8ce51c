"""What stands between an authorization request and its answer: who the user is, and what they allow."""

from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Final
from typing import Literal

from oauth_filter.authorization_server.claims import scopes_of_claims
from oauth_filter.authorization_server.debugging import explained
from oauth_filter.authorization_server.debugging import quoted
from oauth_filter.authorization_server.entities import PREFIX as TARGET_ENTITY
from oauth_filter.authorization_server.openid_request import OpenIDRequest
from oauth_filter.authorization_server.sessions import stamp
from oauth_filter.errors import OAuthError
from oauth_filter.records import Client
from oauth_filter.records import Consent
from oauth_filter.records import EndedSession
from oauth_filter.records import SessionGrant
from oauth_filter.records import User
from oauth_filter.records import UserGrant
from oauth_filter.scope import ADMIN_SCOPE
from oauth_filter.scope import OPENID_SCOPES
from oauth_filter.scope import Scope
from oauth_filter.settings import Settings

if TYPE_CHECKING:
    from oauth_filter.authorization_server.http import Request
    from oauth_filter.authorization_server.server import Server

PASSWORD_ACR: Final = "1"
"""What a password on our own page amounts to (ISO/IEC 29115 level 1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """The user of this browser, and what is known of how they proved it."""

    user: User
    auth_time: float | None = None
    sid: str | None = None
    acr: str | None = None
    amr: tuple[str, ...] = ()


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
    # The cookie of a browser that was signed out may have been copied before.
    if session.sid is None or server.store.get(EndedSession, session.sid) is not None:
        return None
    return SignedIn(user=user, auth_time=session.auth_time, sid=session.sid, acr=PASSWORD_ACR, amr=("pwd",))


def next_step(
    server: "Server", client: Client, access: Scope, user: SignedIn | None, openid: OpenIDRequest, allowed: Scope | None
) -> Step:
    """What has to happen before the request can be answered. `allowed` is what the user has just said yes to.

    Raise OAuthError where prompt=none forbids to ask (Core section 3.1.2.6), or where asking would not help.
    """
    step = _next_step(server, client, access, user, openid, allowed)
    if "none" in openid.prompt and step != "done":
        if step == "login":
            raise OAuthError("login_required", "The user has to sign in.", reason="authentication_required")
        raise OAuthError("consent_required", "The user has to be asked.", reason="consent_required")
    return step


def _next_step(
    server: "Server", client: Client, access: Scope, user: SignedIn | None, openid: OpenIDRequest, allowed: Scope | None
) -> Step:
    if user is None:
        return "login"
    is_again = openid.prompt & {"login", "select_account"} or _is_too_long_ago(server, user, openid)
    if is_again or not _is_expected(server, client, user, openid):
        if not server.users.has_login_page:
            # Whoever keeps the session would send the same user back unasked. "If it cannot reauthenticate the
            # End-User, it MUST return an error, typically login_required" (Core section 3.1.2.1).
            raise OAuthError("login_required", "The user cannot be asked again.", reason="authentication_required")
        return "login"
    if openid.essential_acr and user.acr not in openid.essential_acr:
        raise OAuthError(
            "unmet_authentication_requirements", "The acr cannot be reached.", reason="authentication_required"
        )
    check_registered(client, user.user)
    # Compared, because what the client may ask for can have grown while the page was open.
    if client.auto_grant or (allowed is not None and access <= allowed):
        return "done"
    if client.consent == "always" or "consent" in openid.prompt:
        return "consent"
    return "done" if has_consented(server, client, access, user.user) else "consent"


def access_of(client: Client, scope: str, openid: OpenIDRequest) -> Scope:
    """What the user is asked to allow: the scope, and the scopes that tell what the `claims` parameter asks for."""
    return Scope(*Scope.parse(scope), *scopes_of_claims(client, openid.claim_names))


def _is_too_long_ago(server: "Server", user: SignedIn, openid: OpenIDRequest) -> bool:
    if openid.max_age is None:
        return False
    if user.auth_time is None:
        # Somebody else keeps the session and does not say since when.
        raise OAuthError("login_required", "It is not known when the user signed in.", reason="authentication_required")
    return user.auth_time + openid.max_age < server.now()


def _is_expected(server: "Server", client: Client, user: SignedIn, openid: OpenIDRequest) -> bool:
    """Whether this is the user the client speaks of, if it does -- Core section 3.1.2.2."""
    subject = server.claims.subject(client, user.user.subject or "")
    if openid.required_subject not in (None, subject):
        return False
    if openid.id_token_hint is None:
        return True
    hint = server.keys.verify(openid.id_token_hint)
    if hint is None:
        raise OAuthError("invalid_request", "The id_token_hint is not one of ours.", reason="invalid_id_token_hint")
    return hint.get("sub") == subject


def is_registered(client: Client, user: User) -> bool:
    """Whether the user may use the client, as far as that is for registered users only."""
    return not client.registration_required or client.key in user.registrations


def check_registered(client: Client, user: User) -> None:
    """Raise OAuthError `access_denied` when the client is for its registered users, and this is none of them."""
    if not is_registered(client, user):
        raise OAuthError("access_denied", "The user is not registered for this client.", reason="registration_required")


def has_consented(server: "Server", client: Client, access: Scope, user: User) -> bool:
    """Whether the user has allowed this client all of this before."""
    consent = server.store.get(Consent, Consent.key_of(user.subject or "", client.key))
    return consent is not None and access <= Scope.parse(consent.scope)


def remember_consent(server: "Server", client: Client, allowed: Scope, user: User) -> None:
    """Add this to what the user has allowed this client."""
    now = server.now()
    consent = server.store.get(Consent, Consent.key_of(user.subject or "", client.key)) or Consent(
        key=Consent.key_of(user.subject or "", client.key), client_id=client.key, subject=user.subject
    )
    server.store.put(
        replace(
            consent,
            scope=str(Scope(*Scope.parse(consent.scope), *allowed)),
            issued_at=now,
            expires_at=now + server.settings.consent_lifetime,
        )
    )


def session_grant(server: "Server", basis: UserGrant) -> tuple[SessionGrant, ...]:
    """What logout has to reach, if the session is ours."""
    if basis.sid is None:
        return ()
    now = server.now()
    return (
        SessionGrant(
            key=basis.grant_id or "",
            grant_id=basis.grant_id,
            client_id=basis.client_id,
            subject=basis.subject,
            sid=basis.sid,
            issued_at=now,
            expires_at=now + server.settings.session_lifetime,
        ),
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
        detail = explained(client, f"the scope is malformed: {quoted(asked)}")
        raise OAuthError("invalid_scope", "The scope is malformed.", reason="invalid_scope", detail=detail) from None
    policy = client.unknown_scope or settings.scope_policy
    if ADMIN_SCOPE in scope and (registered is None or ADMIN_SCOPE not in registered):
        # `unknown_scope = allow` lets clients name scopes of their own, not make themselves administrators.
        raise OAuthError("invalid_scope", "The scope is not allowed to this client.", reason="unknown_scope")
    if any(token.startswith(TARGET_ENTITY) for token in scope):
        # Only client_credentials takes targets, and out of the scope: here they would be permissions nobody granted.
        raise OAuthError(
            "invalid_scope",
            "Only a client acting for itself can ask for entities.",
            reason="invalid_target_entity_scope",
        )
    known = scope if policy == "allow" else Scope(*(token for token in scope if is_known(settings, token)))
    allowed = known if registered is None else known & registered
    if policy != "remove" and allowed != scope:
        unknown = " ".join(token for token in scope if token not in known)
        beyond = " ".join(token for token in known if token not in allowed)
        raise OAuthError(
            "invalid_scope",
            "The scope is unknown or not allowed to this client.",
            reason="unknown_scope",
            detail=explained(client, f"unknown: {quoted(unknown)}; not allowed to this client: {quoted(beyond)}"),
        )
    return str(allowed)


def is_known(settings: Settings, token: str) -> bool:
    """Whether a scope means something here."""
    return token in settings.scopes or token in OPENID_SCOPES or token == ADMIN_SCOPE
