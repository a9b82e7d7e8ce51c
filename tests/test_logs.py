"""Nothing secret is ever logged, at any level, or shown by `repr`: a whole walk, with everything listening."""

import io
import logging
import threading
from dataclasses import replace
from http.client import HTTPConnection
from urllib.parse import urlencode
from urllib.parse import urlsplit
from uuid import uuid4

import jwt
import pytest

from oauth_filter import credentials
from oauth_filter import passwords
from oauth_filter.cli.serve import listen
from oauth_filter.cli.serve import make_server
from oauth_filter.messages import AuthorizationRequest
from oauth_filter.messages import TokenRequest
from oauth_filter.messages import TokenResponse
from oauth_filter.messages import decode_form
from oauth_filter.records import KINDS
from oauth_filter.records import Client
from oauth_filter.settings import JWTIssuer
from tests.provider import CALLBACK
from tests.provider import ISSUER
from tests.provider import PASSWORD
from tests.provider import PASSWORD_HASH
from tests.provider import VERIFIER
from tests.provider import Provider
from tests.provider import ticket

pytestmark = pytest.mark.promise(5)

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
JWT_SECRET = "the secret of the issuer of assertions, as long as it has to be for HS512"
IDP_SECRET = "the secret of another issuer, which is just as long as that of the first"
CONFIGURED_SECRET = "the secret of a client of the settings"
MASTER_SECRET = "the master secret of this provider, of which cookies and tickets are made"
WRONG_PASSWORD = "a password that somebody mistyped"
WRONG_SECRET = "a client secret that is not the right one"


@pytest.fixture
def log():
    """Everything that any logger says, at any level, with tracebacks."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
    root = logging.getLogger()
    names = ["oauth_filter", "werkzeug", "asyncio", "concurrent.futures", *root.manager.loggerDict]
    loggers = [root, *(logging.getLogger(name) for name in names)]
    before = [(logger, logger.level, logger.propagate, logger.disabled) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
        logger.propagate, logger.disabled = True, False
    root.addHandler(handler)
    yield written
    root.removeHandler(handler)
    for logger, level, propagate, disabled in before:
        logger.setLevel(level)
        logger.propagate, logger.disabled = propagate, disabled


class Walk:
    """A provider, everything one can do with it, and every secret that came by."""

    def __init__(self, clock, **settings):
        self.clock = clock
        self.provider = Provider(
            clock,
            **{
                "secret": MASTER_SECRET,
                "jwt_secret": JWT_SECRET,
                "jwt_issuers": (JWTIssuer(issuer="https://idp.example", algorithm="HS256", secret=IDP_SECRET),),
                "clients": (
                    Client(
                        key="configured",
                        client_id="configured",
                        secret_hash=passwords.hash_secret(CONFIGURED_SECRET),
                        redirect_uris=(CALLBACK,),
                    ),
                ),
                "nuxeo_directory_api": True,
                "administrators": ("alice",),
            }
            | settings,
        )
        self.secrets = {
            *(MASTER_SECRET, JWT_SECRET, IDP_SECRET, CONFIGURED_SECRET, PASSWORD, PASSWORD_HASH, VERIFIER),
            *(WRONG_PASSWORD, WRONG_SECRET, self.provider.secret),
        }

    def secret(self, value):
        """Keep in mind, as it is and as it goes over the wire, and hand on."""
        self.secrets |= {value, urlencode({"": value})[1:]}
        return value

    def keep(self, answer):
        """Keep the secrets of an answer in mind and hand it on."""
        for name in ("access_token", "refresh_token", "id_token"):
            if answer.is_json and name in (answer.json or {}):
                self.secret(answer.json[name])
        for cookie in answer.headers.getlist("Set-Cookie"):
            self.secret(cookie.partition("=")[2].partition(";")[0])
        if answer.mimetype == "text/html" and 'name="ticket"' in answer.text:
            self.secret(ticket(answer))
        return answer

    def sign_in(self, browser):
        page = self.keep(self.provider.authorize(browser))
        wrong = {"ticket": ticket(page), "username": "alice", "password": WRONG_PASSWORD}
        self.keep(browser.post("/oauth2/login", data=wrong))
        page = self.keep(self.provider.authorize(browser))
        answer = self.keep(browser.post("/oauth2/login", data=wrong | {"ticket": ticket(page), "password": PASSWORD}))
        return self.keep(browser.get(answer.location))

    def code(self, browser):
        return self.secret(self.provider.code(browser=browser))

    def assertion(self, **claims):
        now = int(self.clock())
        said = {"iss": "i", "sub": "alice", "aud": ISSUER, "iat": now, "exp": now + 300, "jti": uuid4().hex} | claims
        return self.secret(jwt.encode(said, JWT_SECRET, algorithm="HS512"))

    def jwt(self, value):
        return self.keep(self.provider.token(grant_type=JWT_BEARER, assertion=value))

    def succeed(self):
        provider, browser = self.provider, self.provider.browser()
        page = self.sign_in(browser)
        self.keep(provider.decide(browser, page))
        code = self.code(browser)
        tokens = self.keep(provider.redeem(code)).json
        refreshed = self.keep(provider.refresh(tokens["refresh_token"])).json
        assert provider.call(refreshed["access_token"]).status_code == 200
        query = {"access_token": refreshed["access_token"]}
        assert browser.get("/api", query_string=query).status_code == 200
        assert provider.revoke(refreshed["refresh_token"]).status_code == 200
        self.keep(provider.token(grant_type="client_credentials"))
        value = self.assertion()
        assert self.jwt(value).status_code == 200
        assert self.jwt(value).status_code == 400
        self.register(browser)
        self.keep(provider.authorize(browser, response_mode="form_post"))

    def register(self, browser):
        secret = self.secret(credentials.generate(credentials.CLIENT_SECRET))
        properties = {"name": "N", "clientId": "n", "clientSecret": secret, "redirectURIs": "https://n.example/cb"}
        entry = {"entity-type": "directoryEntry", "directoryName": "oauth2Clients", "properties": properties}
        for password in (WRONG_PASSWORD, PASSWORD):
            answer = browser.post("/api/v1/directory/oauth2Clients", json=entry, auth=("alice", password))
        assert answer.status_code == 201, answer.text

    def fail(self):
        """One failure of each kind, each with something secret in the request."""
        provider, browser = self.provider, self.provider.browser()
        page = self.keep(provider.authorize(browser))
        self.sign_in(browser)
        code, other = self.code(browser), self.code(browser)
        wrong = self.secret("a-verifier-that-is-wrong-but-as-long-as-it-has-to-be")
        assert provider.redeem(code, code_verifier=wrong).status_code == 400
        tokens = self.keep(provider.redeem(other)).json
        assert provider.redeem(other).status_code == 400
        assert provider.redeem(self.secret(credentials.generate(credentials.AUTHORIZATION_CODE))).status_code == 400
        assert provider.refresh(tokens["refresh_token"]).status_code == 400
        assert provider.call(tokens["access_token"]).status_code == 401
        assert provider.call(self.secret("nonsense-that-may-be-a-token-of-others")).status_code == 401
        assert provider.call(f"{tokens['access_token']} {tokens['access_token']}").status_code == 400
        both = {"Authorization": f"Bearer {tokens['access_token']}"}
        query = {"access_token": tokens["access_token"]}
        assert browser.get("/api", query_string=query, headers=both).status_code == 400
        for form in (
            {"client_id": "app", "client_secret": WRONG_SECRET},
            {"client_id": "configured", "client_secret": WRONG_SECRET},
            {"client_id": "app", "client_secret": [provider.secret, WRONG_SECRET]},
            {"client_id": "app", "client_secret": provider.secret, "grant_type": "password", "password": PASSWORD},
            {"client_id": "app", "client_secret": provider.secret, "code": code + "%"},
        ):
            assert browser.post("/oauth2/token", data=form).status_code in (400, 401)
        assert browser.post("/oauth2/token", query_string={"client_secret": WRONG_SECRET}).status_code == 400
        assert browser.post("/oauth2/token", json={"client_secret": WRONG_SECRET}).status_code == 400
        assert browser.post("/oauth2/token", data=f"code={code}%zz").status_code == 400
        assert browser.post("/oauth2/revoke", data={"token": tokens["access_token"]}).status_code == 401
        elsewhere = provider.browser()
        assert elsewhere.post("/oauth2/login", data={"ticket": ticket(page), "password": PASSWORD}).status_code == 403
        assert browser.post("/oauth2/consent", data={"ticket": ticket(page) + "x"}).status_code == 403
        assert self.jwt(self.assertion(sub="nobody")).status_code == 400
        assert self.jwt(self.assertion(aud="https://other.example")).status_code == 400
        assert self.jwt(self.assertion()[:-3]).status_code == 400
        assert browser.get("/oauth2/nothing", query_string={"code": code}).status_code == 404


def assert_silent(walk, *texts):
    shown = "\n".join(texts)
    assert [secret for secret in walk.secrets if secret in shown] == []


def test_a_walk_leaves_no_secret_in_any_log(clock, log):
    walk = Walk(clock)
    walk.succeed()
    walk.fail()
    # It was listened to: what is not secret is there, on every subject.
    for said in ("signed_in", "sign_in_failed", "code_issued", "token_refreshed", "token_revoked", "reuse_detected"):
        assert said in log.getvalue()
    assert len(walk.secrets) > 30
    assert_silent(walk, log.getvalue())


def test_neither_events_nor_records_nor_anything_of_the_filter_shows_a_secret(clock, log):
    walk = Walk(clock)
    walk.succeed()
    walk.fail()
    provider = walk.provider
    records = [record for kind in KINDS for record in provider.store.find(kind, limit=1000)]
    assert {type(record).__name__ for record in records} >= {"Client", "User", "AccessToken", "Consent"}
    server = provider.filter._server
    shown = [
        *provider.events,
        *records,
        *(provider.settings, provider.filter, provider.store, server, server.server, provider.filter._guard),
        *(getattr(server.server, field) for field in server.server.__dataclass_fields__),
    ]
    assert_silent(walk, *map(repr, shown), *map(str, shown))
    hashes = [r.secret_hash for r in records if isinstance(r, Client) and r.secret_hash] + [PASSWORD_HASH]
    assert not [h for h in hashes if h in "".join(map(repr, shown))]


def test_messages_do_not_show_their_secrets(provider):
    tokens = provider.tokens()
    form = urlencode({"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": "native"})
    request = TokenRequest.parse(form)
    basic = TokenRequest.parse("grant_type=client_credentials", authorization=provider.basic()["Authorization"])
    response = TokenResponse.parse(provider.refresh(tokens["refresh_token"]).text)
    asked = AuthorizationRequest.parse(urlencode(provider.request(state="the-state-is-secret-as-well")))
    shown = "".join(map(repr, (request, basic, response, asked, decode_form(form))))
    for secret in (*tokens.values(), provider.secret, response.access_token, "the-state-is-secret-as-well"):
        assert not isinstance(secret, str) or secret == "Bearer" or secret not in shown


@pytest.mark.parametrize("broken", ["get", "put", "exchange", "add", "revoke"])
def test_a_bug_is_logged_without_what_was_sent(clock, log, broken, monkeypatch):
    """Tracebacks show code, not values; what is raised here stands for a bug of a store that knows keys only."""
    walk = Walk(clock)
    code = walk.code(walk.provider.browser())
    tokens = walk.keep(walk.provider.redeem(walk.code(walk.provider.browser()))).json

    def fail(*args, **kwargs):
        raise RuntimeError("a bug")

    monkeypatch.setattr(walk.provider.store, broken, fail)
    walk.provider.redeem(code)
    walk.provider.refresh(tokens["refresh_token"])
    walk.provider.revoke(tokens["refresh_token"])
    walk.jwt(walk.assertion())
    assert "RuntimeError: a bug" in log.getvalue()
    assert_silent(walk, log.getvalue())


def test_the_development_server_logs_paths_and_no_queries(clock, log, capfd):
    walk = Walk(clock)
    tokens = walk.keep(walk.provider.token(grant_type="client_credentials")).json
    code = walk.code(walk.provider.browser())
    listening = listen("127.0.0.1", 0)
    server = make_server(walk.provider.filter, listening)
    host, port = listening.getsockname()[:2]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        for method, target in (
            ("GET", f"/api?access_token={tokens['access_token']}"),
            ("GET", f"/oauth2/nothing?code={code}"),
            ("POST", f"/oauth2/token?client_secret={walk.provider.secret}"),
            ("GET", f"/oauth2/authorize?{urlencode(walk.provider.request(state=walk.secret('a-secret-state')))}"),
            ("BREW", f"/api?access_token={tokens['access_token']}"),
        ):
            connection = HTTPConnection(host, port, timeout=30)
            connection.request(method, target)
            assert connection.getresponse().status < 500
            connection.close()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        listening.close()
    assert "/oauth2/nothing" in log.getvalue()
    shown = capfd.readouterr()
    assert_silent(walk, log.getvalue(), shown.out, shown.err)


def test_a_client_shows_neither_its_secret_nor_the_hash_of_it(provider):
    client = provider.store.get(Client, "app")
    assert client.secret_hash not in repr(client)
    assert client.secret_hash not in repr(replace(client, name="another"))
    assert urlsplit(CALLBACK).netloc in repr(client)
