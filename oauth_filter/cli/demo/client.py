"""The demo client: a web application that uses the API in its user's name -- RFC 6749 section 4.1, RFC 7636.

It talks to the provider over real HTTP like any client elsewhere. Its users' tokens stay on the server, in a
session that the browser knows by a random cookie.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from typing import Final

from werkzeug.wrappers import Request
from werkzeug.wrappers import Response

from oauth_filter.cli.demo import client_pages
from oauth_filter.cli.demo.fetch import Answer
from oauth_filter.cli.demo.fetch import Fetcher
from oauth_filter.cli.demo.installation import CALLBACK
from oauth_filter.cli.demo.installation import CODE_PAGE
from oauth_filter.cli.demo.installation import SCOPES
from oauth_filter.cli.demo.installation import Demo
from oauth_filter.messages import AuthorizationCodeGrant
from oauth_filter.messages import AuthorizationDenied
from oauth_filter.messages import AuthorizationGrant
from oauth_filter.messages import AuthorizationRequest
from oauth_filter.messages import CallbackError
from oauth_filter.messages import PublicClient
from oauth_filter.messages import RefreshTokenGrant
from oauth_filter.messages import ResponseType
from oauth_filter.messages import TokenRequest
from oauth_filter.messages import TokenResponse
from oauth_filter.messages import code_challenge
from oauth_filter.messages import encode_form
from oauth_filter.messages import new_code_verifier
from oauth_filter.messages import new_state
from oauth_filter.messages import parse_token_response
from oauth_filter.messages import verify_callback
from oauth_filter.scope import Scope

COOKIE: Final = "demo_client"
MAX_SESSIONS: Final = 1000
API: Final = ("/api/me", "/api/reports")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request the client has made and the answer to it, to be looked at."""

    request: str = field(repr=False)
    answer: Answer


@dataclass(slots=True, kw_only=True)
class Session:
    """What the client remembers of one browser."""

    state: str | None = None
    code_verifier: str = field(default="", repr=False)
    tokens: TokenResponse | None = None
    used_refresh_tokens: list[str] = field(default_factory=list, repr=False)
    """What a thief might have copied, the oldest first."""
    exchange: Exchange | None = None
    note: str = ""


class DemoClient:
    """Answers what is below `/client/`. `answer` never raises for anything a browser can send."""

    def __init__(self, demo: Demo) -> None:
        self._demo: Final = demo
        self._fetch: Final = Fetcher()
        self._sessions: Final[dict[str, Session]] = {}
        self._routes: Final[dict[tuple[str, str], Callable[[Request, Session], Response]]] = {
            ("GET", "/client/"): self._home,
            ("POST", "/client/sign-in"): self._sign_in,
            ("GET", CALLBACK): self._callback,
            ("POST", "/client/call"): self._call,
            ("POST", "/client/refresh"): self._refresh,
            ("POST", "/client/reuse"): self._reuse,
            ("POST", "/client/revoke"): self._revoke,
            ("POST", "/client/forget"): self._forget,
            ("GET", CODE_PAGE): self._show_code,
        }

    def answer(self, request: Request) -> Response:
        """The response to a request whose path is below `/client/`."""
        handle = self._routes.get((request.method, request.path))
        if handle is None:
            return Response(status=303, headers={"Location": "/client/"})
        session_id = request.cookies.get(COOKIE, "")
        session = self._sessions.get(session_id)
        if session is None:
            session_id, session = secrets.token_urlsafe(32), Session()
            while len(self._sessions) >= MAX_SESSIONS:
                self._sessions.pop(next(iter(self._sessions)), None)
            self._sessions[session_id] = session
        response = handle(request, session)
        # Lax: the callback comes from the provider, and forms of other sites come without the cookie.
        response.set_cookie(COOKIE, session_id, path="/client/", httponly=True, samesite="Lax")
        return response

    def _home(self, request: Request, session: Session) -> Response:
        if session.tokens is None:
            return client_pages.signed_out(self._demo, session.note)
        exchange = session.exchange
        return client_pages.signed_in(
            session.tokens.to_dict(),
            exchange=None if exchange is None else (exchange.request, exchange.answer),
            can_refresh=session.tokens.refresh_token is not None,
            # Right after a refresh, a second one counts as the same client that did not get the answer.
            can_reuse=len(session.used_refresh_tokens) > 1,
        )

    def _sign_in(self, request: Request, session: Session) -> Response:
        asked = [token for token in SCOPES if token in request.form.getlist("scope")]
        session.state, session.code_verifier, session.note = new_state(), new_code_verifier(), ""
        where = AuthorizationRequest(
            response_type=ResponseType.CODE,
            client_id=self._demo.app,
            redirect_uri=self._demo.url(CALLBACK),
            scope=Scope(*asked) if asked else None,
            state=session.state,
            code_challenge=code_challenge(session.code_verifier),
            code_challenge_method="S256",
        ).to_uri(self._demo.url("/oauth2/authorize"))
        return Response(status=303, headers={"Location": where})

    def _callback(self, request: Request, session: Session) -> Response:
        # A state is good for one answer.
        state, session.state = session.state, None
        try:
            granted = verify_callback(request.url, state=state or new_state(), issuer=self._demo.issuer)
        except AuthorizationDenied as denied:
            session.note = f"The provider answered {denied.response.error}: you did not allow it."
            return self._back()
        except CallbackError:
            session.note = "That was no answer to a question of this browser. Please sign in again."
            return self._back()
        grant = AuthorizationCodeGrant(
            code=granted.code or "", redirect_uri=self._demo.url(CALLBACK), code_verifier=session.code_verifier
        )
        session.used_refresh_tokens = []
        self._ask_for_tokens(session, grant)
        return self._back()

    def _call(self, request: Request, session: Session) -> Response:
        path = request.form.get("path", "")
        if session.tokens is not None and path in API:
            authorization = f"Bearer {session.tokens.access_token}"
            self._exchange(session, f"GET {path}\nAuthorization: {authorization}", path, authorization=authorization)
        return self._back()

    def _refresh(self, request: Request, session: Session) -> Response:
        if session.tokens is not None and session.tokens.refresh_token is not None:
            old = session.tokens.refresh_token
            if self._ask_for_tokens(session, RefreshTokenGrant(refresh_token=old)):
                session.used_refresh_tokens.append(old)
        return self._back()

    def _reuse(self, request: Request, session: Session) -> Response:
        """What a thief would do with a refresh token that he copied earlier."""
        if session.used_refresh_tokens:
            self._ask_for_tokens(session, RefreshTokenGrant(refresh_token=session.used_refresh_tokens[0]))
        return self._back()

    def _revoke(self, request: Request, session: Session) -> Response:
        if session.tokens is not None:
            token = session.tokens.refresh_token or session.tokens.access_token
            form = encode_form([("token", token), ("client_id", self._demo.app)])
            self._exchange(session, f"POST /oauth2/revoke\n\n{form}", "/oauth2/revoke", form=form)
        return self._back()

    def _forget(self, request: Request, session: Session) -> Response:
        session.tokens = session.exchange = None
        return self._back()

    def _show_code(self, request: Request, session: Session) -> Response:
        return client_pages.code_page(self._demo, request.args.get("code"), request.args.get("error"))

    def _ask_for_tokens(self, session: Session, grant: AuthorizationGrant) -> bool:
        form = TokenRequest(grant=grant, client=PublicClient(client_id=self._demo.app)).to_form()
        answer = self._exchange(session, f"POST /oauth2/token\n\n{form}", "/oauth2/token", form=form)
        tokens = parse_token_response(answer.status, answer.text)
        if not isinstance(tokens, TokenResponse):
            session.note = f"The token endpoint answered {json.dumps(tokens.error)}."
            return False
        session.tokens = tokens
        return True

    def _exchange(
        self, session: Session, shown: str, path: str, *, form: str | None = None, authorization: str | None = None
    ) -> Answer:
        headers = {} if authorization is None else {"Authorization": authorization}
        answer = self._fetch(self._demo.url(path), form=form, headers=headers)
        session.exchange = Exchange(request=shown, answer=answer)
        return answer

    def _back(self) -> Response:
        return Response(status=303, headers={"Location": "/client/"})
