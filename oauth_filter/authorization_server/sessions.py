"""What the browser carries: one signed cookie, and the signed ticket in each of our forms.

The cookie names the browser, and who signed in with it on our login page. A ticket holds what a form
belongs to, such as an authorization request; it is bound to the browser, so that another site can neither forge a form
nor send one of its own (RFC 6749 section 10.12). Nothing is kept on the server, and so nothing is lost between
processes.
"""

import hashlib
from collections.abc import Callable
from dataclasses import asdict
from dataclasses import dataclass
from typing import Any
from typing import Final
from typing import Literal

from itsdangerous import BadData
from itsdangerous import URLSafeSerializer
from werkzeug.wrappers import Response

from oauth_filter import credentials
from oauth_filter.authorization_server.http import Request
from oauth_filter.errors import OAuthError
from oauth_filter.records import User
from oauth_filter.settings import HOUR
from oauth_filter.settings import Settings

TICKET_LIFETIME: Final = HOUR
"""Seconds somebody may leave a login or consent page open."""

EARLIER_IDS: Final = 3
"""How many times a browser may sign in before a login page still open in one of its tabs is refused."""

Purpose = Literal["login", "consent", "device", "logout", "signed_out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What the cookie says. A new browser has an id and nothing else."""

    browser: str
    username: str | None = None
    subject: str | None = None
    auth_time: float | None = None
    stamp: str = ""
    """Changes with the password, so that a changed password signs every browser out."""
    sid: str | None = None
    """What clients know this sign-in by, for logout."""
    earlier: tuple[str, ...] = ()
    """The last ids of this browser before it signed in: login pages in its other tabs are bound to those."""
    failed: str | None = None
    """The user name of a sign-in that just failed, for the login page to show again."""
    is_locked: bool = False
    """Whether it failed because there were too many before it."""


class Sessions:
    """Reading and writing the cookie and the tickets."""

    def __init__(self, settings: Settings, now: Callable[[], float]) -> None:
        self._now = now
        self._lifetime = settings.session_lifetime
        self._secure = settings.is_https
        self._path = settings.issuer_path + "/oauth2"
        # Plain http cannot set a cookie of this prefix. A sibling host can: only `__Host-` keeps it out, which would
        # send the cookie to every path of the application.
        self.cookie_name: Final = "__Secure-oauth_filter" if settings.is_https else "oauth_filter"
        self._cookies = _serializer(settings, "session cookie")
        self._tickets = _serializer(settings, "form ticket")

    def read(self, request: Request) -> Session:
        """The browser's session; a fresh one where there is none, or none that can be believed."""
        try:
            session = Session(**self._cookies.loads(request.cookies.get(self.cookie_name, "")))
        except (BadData, TypeError):
            return Session(browser=credentials.new_id())
        if session.auth_time is not None and session.auth_time + self._lifetime <= self._now():
            return Session(browser=session.browser)
        return session

    def sign_in(self, user: User, before: Session, sid: str | None = None) -> Session:
        """A session of that user. The browser's id is a new one: what knew the old one does not know this.

        `sid` is that of a session of the same user which goes on with this.
        """
        return Session(
            browser=credentials.new_id(),
            earlier=(before.browser, *before.earlier)[:EARLIER_IDS],
            username=user.username,
            subject=user.subject,
            auth_time=self._now(),
            stamp=stamp(user),
            sid=sid or credentials.new_id(),
        )

    def sign_in_failed(self, username: str, before: Session, *, is_locked: bool = False) -> Session:
        """A session of nobody: who was asked for a password and had none does not go on as who was signed in."""
        return Session(
            browser=before.browser, earlier=before.earlier, failed=username[:255] or "?", is_locked=is_locked
        )

    def write(self, response: Response, session: Session) -> None:
        """Send the cookie, for our own paths only and out of reach of scripts."""
        said = {name: value for name, value in asdict(session).items() if value}
        response.set_cookie(
            self.cookie_name,
            self._cookies.dumps(said),
            path=self._path,
            secure=self._secure,
            httponly=True,
            samesite="Lax",
        )

    def seal(self, purpose: Purpose, session: Session, what: str, subject: str | None = None) -> str:
        """The ticket of a form: what it continues, such as an authorization request, in which browser, for whom."""
        return _text(self._tickets.dumps([purpose, session.browser, subject, self._now(), what]))

    def open(self, ticket: str, purpose: Purpose, request: Request, subject: str | None = None) -> str:
        """What a ticket continues. Raise OAuthError unless it is of this browser, user and hour.

        Does not check that the ticket is used once: what it leads to can be repeated without harm.
        """
        # Sent by browsers, not by scripts in them: a form of another site is refused before its ticket is read.
        site = request.headers.get("Sec-Fetch-Site", "same-origin") if request.method == "POST" else "none"
        session = self.read(request)
        # Signing in changes the id; pressing the button twice, or signing in from another tab, is no forgery.
        ids = (session.browser, *session.earlier) if purpose == "login" else (session.browser,)
        try:
            sealed_purpose, browser, sealed_subject, sealed_at, what = self._tickets.loads(ticket)
        except (BadData, TypeError, ValueError):
            raise form_refused() from None
        if (
            site not in ("same-origin", "none")
            or sealed_purpose != purpose
            or sealed_subject != subject
            or not any(credentials.equal(browser, known) for known in ids)
            or sealed_at + TICKET_LIFETIME <= self._now()
        ):
            raise form_refused()
        return _text(what)


def form_refused() -> OAuthError:
    """The answer to a form that is not of this browser, user and hour."""
    return OAuthError(
        "invalid_request",
        "This page was open too long, or was opened in another browser. Go back to the application and start again.",
        reason="invalid_form",
        status=403,
    )


def stamp(user: User) -> str:
    """A short digest of how the user signs in; it says nothing about the password."""
    return credentials.digest(user.password_hash)[:16] if user.password_hash else ""


def _serializer(settings: Settings, use: str) -> URLSafeSerializer:
    # Each use has a key of its own: a cookie can never pass for a ticket, nor that of one filter for another's
    # where both were given the same secret.
    return URLSafeSerializer(
        settings.secret,
        salt=f"oauth_filter {use} {settings.issuer}",
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)
