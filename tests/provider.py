"""A whole provider in a test: the filter around an application that answers who it was told is asking."""

import base64
import html
import json
import re
from urllib.parse import parse_qsl
from urllib.parse import quote_plus
from urllib.parse import urlsplit

import pytest
from werkzeug.test import Client as Browser
from werkzeug.test import TestResponse

from oauth_filter import OAuthFilter
from oauth_filter import Settings
from oauth_filter import credentials
from oauth_filter import passwords
from oauth_filter.messages import code_challenge
from oauth_filter.messages import new_code_verifier
from oauth_filter.records import Client
from oauth_filter.records import User

ISSUER = "http://localhost:8080"
CALLBACK = "https://client.example/cb"
PASSWORD = "correct horse battery staple"
# Hashing costs some 60 ms; tests do not need a hash of their own each.
PASSWORD_HASH = passwords.hash_secret(PASSWORD)
VERIFIER = new_code_verifier()


def echo(environ, start_response):
    """Answer as JSON what the filter told the application."""
    said = {
        name: environ.get(name)
        for name in (
            "REMOTE_USER",
            "AUTH_TYPE",
            "QUERY_STRING",
            "oauth_filter.subject",
            "oauth_filter.client_id",
            "oauth_filter.scope",
        )
    }
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(said).encode()]


class Provider:
    """One filter, its store, a user `alice`, a confidential client `app` and a public client `native`."""

    def __init__(self, clock, application=echo, store=None, **settings):
        settings = {"issuer": ISSUER, "secret": "s" * 64, "store": "memory:"} | settings
        self.clock = clock
        self.events = []
        self.settings = Settings(on_event=self.events.append, **settings)
        self.filter = OAuthFilter(application, self.settings, store=store, now=clock)
        self.store = self.filter.store
        self.secret = credentials.generate(credentials.CLIENT_SECRET)
        if self.store.get(User, "alice") is None:
            self.add_user("alice")
        self.add_client("app", secret=self.secret, name="My App")
        self.add_client("native", name="My Phone App")

    def add_user(self, username, **fields):
        user = User(key=username, subject=credentials.new_id(), password_hash=PASSWORD_HASH, **fields)
        self.store.put(user)
        return user

    def add_client(self, client_id, secret=None, redirect_uris=(CALLBACK,), **fields):
        client = Client(
            key=client_id,
            client_id=client_id,
            secret_hash=passwords.hash_secret(secret) if secret else None,
            redirect_uris=redirect_uris,
            **fields,
        )
        self.store.put(client)
        return client

    def browser(self):
        """A browser of its own: cookies are kept, redirects are not followed."""
        return Browser(self.filter)

    # The authorization endpoint

    def request(self, client_id="app", **parameters):
        """An authorization request with PKCE; a parameter given as None is left out."""
        asked = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": CALLBACK,
            "state": "xyz",
            "code_challenge": code_challenge(VERIFIER),
            "code_challenge_method": "S256",
        } | parameters
        return {name: value for name, value in asked.items() if value is not None}

    def authorize(self, browser=None, client_id="app", **parameters):
        """Send the browser with an authorization request; the answer, whatever it is."""
        browser = browser or self.browser()
        return browser.get("/oauth2/authorize", query_string=self.request(client_id, **parameters))

    def sign_in(self, browser, page, username="alice", password=PASSWORD):
        """Fill in the login page and return what comes after it."""
        fields = {"ticket": ticket(page), "username": username, "password": password}
        answer = browser.post("/oauth2/login", data=fields)
        assert answer.status_code == 303, answer.text
        return browser.get(answer.location)

    def decide(self, browser, page, decision="allow"):
        """Press a button of the consent page and return what comes after it."""
        return browser.post("/oauth2/consent", data={"ticket": ticket(page), "decision": decision})

    def code(self, client_id="app", browser=None, username="alice", **parameters):
        """Go all the way and bring back a code."""
        browser = browser or self.browser()
        page = self.authorize(browser, client_id, **parameters)
        if "password" in page.text:
            page = self.sign_in(browser, page, username)
        if page.status_code == 200:
            page = self.decide(browser, page)
        return returned(page)["code"]

    # The token endpoint

    def basic(self, client_id="app", secret=None):
        """The Authorization header of a client -- RFC 6749 section 2.3.1."""
        pair = f"{quote_plus(client_id)}:{quote_plus(secret or self.secret)}"
        return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}

    def token(self, client_id="app", **form):
        """POST to the token endpoint: `app` with its secret, every other client as a public one."""
        form = {name: value for name, value in form.items() if value is not None}
        if client_id == "app":
            return self.browser().post("/oauth2/token", data=form, headers=self.basic())
        return self.browser().post("/oauth2/token", data={"client_id": client_id} | form)

    def redeem(self, code, client_id="app", **form):
        """Redeem a code."""
        redemption = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        return self.token(client_id, **(redemption | form))

    def tokens(self, client_id="app", **parameters):
        """The token response of a whole code flow."""
        answer = self.redeem(self.code(client_id, **parameters), client_id)
        assert answer.status_code == 200, answer.text
        return answer.json

    def refresh(self, refresh_token, client_id="app", **form):
        return self.token(client_id, grant_type="refresh_token", refresh_token=refresh_token, **form)

    def revoke(self, token, client_id="app", **form):
        headers = self.basic() if client_id == "app" else {}
        return self.browser().post(
            "/oauth2/revoke", data={"token": token, "client_id": client_id} | form, headers=headers
        )

    # The application

    def call(self, access_token=None, path="/api"):
        """Call the application, as a client with that token."""
        headers = {"Authorization": f"Bearer {access_token}"} if access_token else {}
        return self.browser().get(path, headers=headers)


def ticket(page: TestResponse) -> str:
    """The ticket in the form of a page of ours."""
    found = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert found, f"there is no form on this page ({page.status}): {page.text}"
    return html.unescape(found[1])


def returned(answer: TestResponse) -> dict[str, str]:
    """What a redirect brings to the client."""
    assert answer.status_code in (302, 303), answer.text
    assert answer.location.startswith(CALLBACK), answer.location
    uri = urlsplit(answer.location)
    return dict(parse_qsl(uri.query or uri.fragment, keep_blank_values=True))


@pytest.fixture
def make_provider(clock):
    """A provider with settings of the test's own."""

    def make(**settings):
        return Provider(clock, **settings)

    return make


@pytest.fixture
def provider(make_provider):
    return make_provider()
