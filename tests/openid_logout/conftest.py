"""A user who has signed in to several clients, and a client's server that listens for logout tokens."""

import threading
import time
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from tests.provider import Provider

GOODBYE = "https://client.example/goodbye"


class Visitor:
    """A browser of alice, and the ID tokens that clients got in it."""

    def __init__(self, provider, username="alice"):
        self.provider = provider
        self.browser = provider.browser()
        self.username = username
        self.id_tokens = {}
        self.tokens = {}

    def sign_in_to(self, client_id="app", **parameters):
        code = self.provider.code(
            client_id, browser=self.browser, username=self.username, **{"scope": "openid"} | parameters
        )
        self.tokens[client_id] = self.provider.redeem(code, client_id).json
        self.id_tokens[client_id] = self.tokens[client_id]["id_token"]
        return self.id_tokens[client_id]

    def logout(self, **parameters):
        return self.browser.get("/oauth2/logout", query_string=parameters)

    def cookie(self):
        return self.browser.get_cookie("oauth_filter", path="/oauth2").value

    @property
    def is_signed_in(self):
        """Whether an authorization request is answered without asking for a password."""
        return "password" not in self.provider.authorize(self.browser, scope="openid").text


@pytest.fixture
def with_logout(make_provider):
    """A provider whose client `app` may send people to a page of its own after signing out."""

    def make(**settings):
        provider = make_provider(**settings)
        provider.add_client("app", secret=provider.secret, name="My App", post_logout_redirect_uris=(GOODBYE,))
        return provider

    return make


@pytest.fixture
def provider(with_logout) -> Provider:
    return with_logout()


@pytest.fixture
def alice(provider):
    visitor = Visitor(provider)
    visitor.sign_in_to("app")
    return visitor


class Receiver:
    """A client's server: notes what it is sent, and answers what it is told to, 200 in the end.

    `pages` is what it shows to browsers, by path; all other pages are empty.
    """

    def __init__(self):
        self.received = []
        self.visited = []
        self.pages = {}
        self.answers = []
        self.enough = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                receiver.received.append((self.path, self.headers["Content-Type"], parse_qs(body)))
                status = receiver.answers.pop(0) if receiver.answers else 200
                if status == "silence":
                    receiver.enough.wait(20)
                    return
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", receiver.url("/elsewhere"))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self):
                receiver.visited.append(self.path)
                body = receiver.pages.get(self.path, "").encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def url(self, path="/logout"):
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    @property
    def tokens(self):
        return [form["logout_token"][0] for _, _, form in self.received]

    def close(self):
        self.enough.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def outcome():
    """Wait for the event that ends a delivery; how long it takes is not judged."""

    def outcome(provider, number=1):
        for _ in range(2000):
            found = [event for event in list(provider.events) if event.name.startswith("logout_")]
            if len(found) >= number:
                return found
            time.sleep(0.01)
        raise AssertionError(f"no outcome: {[event.name for event in provider.events]}")

    return outcome
