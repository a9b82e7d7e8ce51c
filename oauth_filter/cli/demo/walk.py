"""The whole way through the demo over real HTTP, as a browser, a client and a thief would go it, step by step."""

import base64
import json
from collections.abc import Generator
from collections.abc import Iterator
from http.cookiejar import CookieJar
from typing import Any
from typing import Final
from urllib.parse import urljoin
from urllib.parse import urlsplit

from oauth_filter.cli.demo.fetch import Answer
from oauth_filter.cli.demo.fetch import Fetcher
from oauth_filter.cli.demo.forms import Form
from oauth_filter.cli.demo.forms import StepFailed
from oauth_filter.cli.demo.forms import find_form
from oauth_filter.cli.demo.installation import CALLBACK
from oauth_filter.cli.demo.installation import Demo
from oauth_filter.messages import AuthorizationCodeGrant
from oauth_filter.messages import AuthorizationGrant
from oauth_filter.messages import AuthorizationRequest
from oauth_filter.messages import CallbackError
from oauth_filter.messages import ClientAuthentication
from oauth_filter.messages import ClientCredentialsGrant
from oauth_filter.messages import ClientSecretBasic
from oauth_filter.messages import PublicClient
from oauth_filter.messages import RefreshTokenGrant
from oauth_filter.messages import ResponseType
from oauth_filter.messages import TokenRequest
from oauth_filter.messages import code_challenge
from oauth_filter.messages import encode_form
from oauth_filter.messages import new_code_verifier
from oauth_filter.messages import new_state
from oauth_filter.messages import verify_callback
from oauth_filter.scope import Scope

MAX_REDIRECTS: Final = 10


def walk(demo: Demo) -> Iterator[str]:
    """Yield a sentence for each step that went well. Raise StepFailed at the first that did not."""
    try:
        yield from _Walk(demo).steps()
    except OSError as error:
        raise StepFailed(f"nobody answers at {demo.issuer}: {error}") from None
    except KeyError as error:
        raise StepFailed(f"expected: an answer with {error}") from None


class _Walk:
    def __init__(self, demo: Demo) -> None:
        self._demo: Final = demo
        self._browser: Final = Fetcher(CookieJar())
        self._client: Final = Fetcher()

    def steps(self) -> Iterator[str]:
        yield from self._strangers()
        yield from self._machine()
        code, verifier = yield from self._sign_in()
        yield from self._tokens(code, verifier)
        yield from self._again()
        yield from self._demo_client()

    def _strangers(self) -> Iterator[str]:
        home = self._client(self._demo.url("/"))
        _expect(home, 200, "GET / is public")
        yield "GET / is public"
        refused = self._api("/api/me", None)
        _expect(refused, 401, "GET /api/me without a token is refused")
        _require("Bearer" in refused.headers.get("WWW-Authenticate", ""), "the refusal has a Bearer challenge")
        yield "GET /api/me without a token is refused with a challenge"
        _expect(self._api("/api/me", "made-up"), 401, "GET /api/me with a made-up token is refused")
        yield "GET /api/me with a made-up token is refused"
        metadata = self._client(self._demo.url("/.well-known/oauth-authorization-server"))
        found = _json(metadata, 200, "the metadata is there")
        _require(found.get("token_endpoint") == self._demo.url("/oauth2/token"), "the metadata name the token endpoint")
        yield "The metadata name the endpoints"

    def _machine(self) -> Iterator[str]:
        service = ClientSecretBasic(client_id=self._demo.service, client_secret=self._demo.service_secret)
        grant = ClientCredentialsGrant()
        tokens = _json(self._token(grant, service, "reports:read"), 200, "a client gets a token for itself")
        yield "client_credentials: the client gets a token for itself"
        _expect(self._api("/api/reports", tokens["access_token"]), 200, "GET /api/reports with that token")
        yield "GET /api/reports with that token"
        impostor = ClientSecretBasic(client_id=self._demo.service, client_secret="wrong")
        _expect(self._token(grant, impostor), 401, "a wrong client secret is refused")
        yield "client_credentials with a wrong secret is refused"

    def _sign_in(self) -> Generator[str, None, tuple[str, str]]:
        verifier, state = new_code_verifier(), new_state()
        page = self._follow(self._browser(self._authorize_url(verifier, state)))
        form = find_form(page, "Sign in")
        yield "GET /oauth2/authorize leads to the sign-in page"
        page = self._follow(self._press(page, form, username=self._demo.username, password="wrong"))
        form = find_form(page, "Sign in")
        yield "A wrong password leads back to it"
        page = self._follow(self._press(page, form, username=self._demo.username, password=self._demo.password))
        form = find_form(page, "Allow")
        _require("Read your reports" in page.text, "the consent page explains the scopes")
        yield "The right one leads to the consent page, which says what the client asks for"
        code = self._code(self._follow(self._press(page, form)), state)
        yield "Allow sends the browser back with a code and the state"
        return code, verifier

    def _tokens(self, code: str, verifier: str) -> Iterator[str]:
        app = PublicClient(client_id=self._demo.app)
        wrong = self._redeem(code[:-1] + ("a" if code[-1] != "a" else "b"), verifier)
        _require(_json(wrong, 400, "a made-up code is refused").get("error") == "invalid_grant", "as invalid_grant")
        yield "A made-up code is refused"
        first = _json(self._redeem(code, verifier), 200, "the code is exchanged for tokens")
        yield "The code is exchanged for an access token and a refresh token"
        me = _json(self._api("/api/me", first["access_token"]), 200, "GET /api/me with the access token")
        _require(me.get("username") == self._demo.username, f"the API is told that it is {self._demo.username}")
        yield f"GET /api/me with it: the API is told that it is {me['username']}"
        _expect(self._api("/api/reports", first["access_token"]), 200, "GET /api/reports with the access token")
        yield "GET /api/reports with it"
        yield from self._who(first, me["subject"])
        grant = RefreshTokenGrant(refresh_token=first["refresh_token"])
        second = _json(self._token(grant, app), 200, "the refresh token is exchanged for new tokens")
        _require(second["refresh_token"] != first["refresh_token"], "the refresh token is replaced")
        yield "The refresh token is exchanged for new tokens"
        _expect(self._api("/api/me", second["access_token"]), 200, "GET /api/me with the new access token")
        yield "GET /api/me with the new access token"
        # Right after a refresh, a second one counts as the same client that did not get the answer.
        following = RefreshTokenGrant(refresh_token=second["refresh_token"])
        third = _json(self._token(following, app), 200, "the new refresh token is exchanged as well")
        yield "The new refresh token is exchanged as well"
        replayed = _json(self._token(grant, app), 400, "the old refresh token is refused")
        _require(replayed.get("error") == "invalid_grant", "the old refresh token is refused as invalid_grant")
        yield "The old refresh token is refused"
        _expect(self._api("/api/me", third["access_token"]), 401, "the theft ends everything of that sign-in")
        yield "Such a theft ends all tokens of that sign-in: GET /api/me is refused"

    def _who(self, tokens: Any, subject: str) -> Iterator[str]:
        """What a client learns of the user, by OpenID Connect."""
        claims = _claims(tokens["id_token"])
        _require(claims.get("iss") == self._demo.issuer, "the ID token names the issuer")
        _require(claims.get("aud") == self._demo.app, "the ID token is for the client")
        _require(claims.get("sub") == subject, "the ID token names the user")
        yield "An ID token says who has signed in, where, and for whom"
        told = _json(self._api("/oauth2/userinfo", tokens["access_token"]), 200, "GET /oauth2/userinfo")
        _require(told.get("sub") == subject, "userinfo is about the same user")
        _require(told.get("preferred_username") == self._demo.username, "userinfo knows the user name")
        yield f"GET /oauth2/userinfo tells the same, and that it is {told['preferred_username']}"

    def _again(self) -> Iterator[str]:
        verifier, state = new_code_verifier(), new_state()
        code = self._code(self._follow(self._browser(self._authorize_url(verifier, state))), state)
        yield "Signed in and allowed before: GET /oauth2/authorize leads straight back with a code"
        tokens = _json(self._redeem(code, verifier), 200, "that code is exchanged for tokens")
        _expect(self._api("/api/me", tokens["access_token"]), 200, "GET /api/me with that token")
        yield "Its token works"
        form = encode_form([("token", tokens["refresh_token"]), ("client_id", self._demo.app)])
        _expect(self._client(self._demo.url("/oauth2/revoke"), form=form), 200, "POST /oauth2/revoke")
        yield "POST /oauth2/revoke ends it"
        _expect(self._api("/api/me", tokens["access_token"]), 401, "GET /api/me with the revoked token is refused")
        yield "GET /api/me with it is refused"
        replayed = self._redeem(code, verifier)
        _expect(replayed, 400, "a code that has been used is refused")
        yield "The code cannot be used again"

    def _demo_client(self) -> Iterator[str]:
        """The page people click through, clicked through."""
        page = self._browser(self._demo.url("/client/"))
        page = self._follow(self._press(page, find_form(page, "Sign in"), scope="profile"), to_the_end=True)
        page = self._click(page, "GET /api/me", "200 OK")
        yield "The demo client signs in and calls the API"
        page = self._click(page, "GET /api/reports", "403 Forbidden")
        yield "It is refused what it did not ask for (insufficient_scope)"
        page = self._click(page, "Refresh", "200 OK")
        yield "It refreshes"
        page = self._click(page, "Revoke", "200 OK")
        self._click(page, "GET /api/me", "401 Unauthorized")
        yield "It revokes, and is refused"

    def _authorize_url(self, verifier: str, state: str) -> str:
        return AuthorizationRequest(
            response_type=ResponseType.CODE,
            client_id=self._demo.app,
            redirect_uri=self._demo.url(CALLBACK),
            scope=Scope("openid", "profile", "reports:read"),
            state=state,
            code_challenge=code_challenge(verifier),
            code_challenge_method="S256",
        ).to_uri(self._demo.url("/oauth2/authorize"))

    def _code(self, answer: Answer, state: str) -> str:
        where = answer.headers.get("Location", "")
        try:
            return verify_callback(where, state=state, issuer=self._demo.issuer).code or ""
        except CallbackError as error:
            raise StepFailed(f"expected a redirect with a code: {answer.status}, {error}") from None

    def _redeem(self, code: str, verifier: str) -> Answer:
        grant = AuthorizationCodeGrant(code=code, redirect_uri=self._demo.url(CALLBACK), code_verifier=verifier)
        return self._token(grant, PublicClient(client_id=self._demo.app))

    def _token(self, grant: AuthorizationGrant, client: ClientAuthentication, scope: str | None = None) -> Answer:
        request = TokenRequest(grant=grant, client=client, scope=Scope.parse(scope) if scope else None)
        authorization = request.authorization()
        headers = {} if authorization is None else {"Authorization": authorization}
        return self._client(self._demo.url("/oauth2/token"), form=request.to_form(), headers=headers)

    def _api(self, path: str, token: str | None) -> Answer:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return self._client(self._demo.url(path), headers=headers)

    def _press(self, page: Answer, form: Form, **typed: str) -> Answer:
        return self._browser(urljoin(page.url, form.action), form=encode_form((form.fields | typed).items()))

    def _click(self, page: Answer, button: str, status: str) -> Answer:
        after = self._follow(self._press(page, find_form(page, button)), to_the_end=True)
        _require(status in after.text, f"after a click on {button!r} the demo client shows {status}")
        return after

    def _follow(self, answer: Answer, *, to_the_end: bool = False) -> Answer:
        """Follow redirects as a browser does, but only `to_the_end` beyond the provider, to the demo client."""
        for _ in range(MAX_REDIRECTS):
            where = urljoin(answer.url, answer.headers.get("Location", ""))
            if answer.status not in (302, 303) or (urlsplit(where).path == CALLBACK and not to_the_end):
                return answer
            answer = self._browser(where)
        raise StepFailed("the redirects do not end")


def _require(is_met: bool, expectation: str) -> None:
    if not is_met:
        raise StepFailed(f"expected: {expectation}")


def _expect(answer: Answer, status: int, expectation: str) -> None:
    _require(answer.status == status, f"{expectation} (status {status}, not {answer.status})")


def _json(answer: Answer, status: int, expectation: str) -> Any:
    _expect(answer, status, expectation)
    try:
        return json.loads(answer.text)
    except ValueError:
        raise StepFailed(f"expected: {expectation} (JSON)") from None


def _claims(id_token: str) -> Any:
    """What an ID token says; it came from the issuer itself over our own connection (OpenID Connect Core 3.1.3.7)."""
    try:
        body = id_token.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (ValueError, IndexError):
        raise StepFailed("expected: an ID token with claims") from None
