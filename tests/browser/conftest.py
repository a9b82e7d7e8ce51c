"""A real browser, and what it must not do on any page: complain, or talk to anybody but this machine."""

import re
from urllib.parse import urlencode
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import sync_playwright

from oauth_filter.messages import code_challenge
from oauth_filter.messages import new_code_verifier
from tests import prepare
from tests.live import serving

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # What a page asks of anybody else goes nowhere, and `Desk` sees it.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]
TIMEOUT = 20_000
"""Milliseconds that Chromium waits for anything."""


# Not for the session: while it runs nobody else can start Playwright, or an event loop.
@pytest.fixture(scope="module")
def chromium():
    path = prepare.chromium()
    if path is None:
        pytest.skip(prepare.no_chromium())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("browser")) as server:
        server.add_user("alice", "wonder land", name="Alice Liddell", claims={"email": "alice@example.com"})
        server.add_user("bob", "builder", name="Bob")
        yield server


class Client:
    """A registered client of the server, under a new id, and the requests it makes for the browser."""

    def __init__(self, server, client_id, redirect_uri, **fields):
        self.server, self.client_id, self.redirect_uri = server, client_id, redirect_uri
        self.verifier = new_code_verifier()
        server.add_client(client_id, redirect_uri, **{"name": "Photo printer"} | fields)

    def url(self, **changes):
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": "reports:read reports:write",
            "state": "a state & more",
            "code_challenge": code_challenge(self.verifier),
            "code_challenge_method": "S256",
        }
        return f"{self.server.authorize}?{urlencode(asked | changes)}"

    def redeem(self, code):
        """Who it was that signed in, by a token for the code and a call of the API."""
        form = {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "code": code,
            "code_verifier": self.verifier,
        }
        token = requests.post(self.server.token, data=form, timeout=30).json()
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        return requests.get(self.server.url("/reports/"), headers=headers, timeout=30).json()["username"]


@pytest.fixture
def site(server):
    """Where the client application stands: on another site than the issuer."""
    return server.issuer.replace("127.0.0.1", "localhost") + "/client"


@pytest.fixture
def client(server, site, request):
    """A client that nobody has consented to yet."""
    return Client(server, re.sub(r"\W+", "-", request.node.name), f"{site}/cb")


@pytest.fixture
def app(server, request):
    """One that is an app of the device, with a scheme of its own."""
    return Client(server, re.sub(r"\W+", "-", request.node.name) + "-app", "nuxeo://authorize")


class Desk:
    """Opens browsers that share nothing, and notes what they complained of."""

    def __init__(self, chromium):
        self._chromium = chromium
        self._contexts = []
        self._expected = []
        self.complaints = []
        self.strangers = []

    def browser(self, **options):
        context = self._chromium.new_context(**options)
        context.set_default_timeout(TIMEOUT)
        context.on("request", self._note)
        context.on("console", lambda message: self._complain(message.type, message.text))
        context.on("weberror", lambda error: self._complain("error", str(error.error)))
        self._contexts.append(context)
        return context

    def page(self, **options):
        return self.browser(**options).new_page()

    def expect(self, complaint):
        """Chromium will complain of this, and rightly so."""
        self._expected.append(complaint)

    def close(self):
        for context in self._contexts:
            context.close()
        assert not self.strangers, "a page talked to somebody else"
        unexpected = [said for said in self.complaints if not any(known in said for known in self._expected)]
        assert not unexpected, "Chromium complained"
        for known in self._expected:
            assert any(known in said for said in self.complaints), f"Chromium did not complain of: {known}"

    def _complain(self, kind, text):
        if kind in ("error", "warning"):
            self.complaints.append(text)

    def _note(self, request):
        if not _is_here(request.url):
            self.strangers.append(request.url)


def _is_here(url):
    parts = urlsplit(url)
    return parts.scheme not in ("http", "https", "ws", "wss") or parts.hostname in ("127.0.0.1", "localhost")


@pytest.fixture
def desk(chromium):
    desk = Desk(chromium)
    yield desk
    desk.close()


@pytest.fixture(scope="session")
def screenshots(request):
    """A folder for pictures of the pages, to be looked at; it is not kept in the repository."""
    folder = request.config.rootpath / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
