"""A protected site: a filter around an application that keeps the environ of each request it gets."""

import json
from wsgiref.util import setup_testing_defaults

import pytest

from oauth_filter import Client
from oauth_filter import OAuthFilter
from oauth_filter import Rule
from oauth_filter import User
from oauth_filter import credentials
from oauth_filter.records import AccessToken

HOUR = 3600


class Answer:
    def __init__(self, status, headers, body):
        self.status = int(status.split()[0])
        self.header_list = headers
        self.headers = {name.lower(): value for name, value in headers}
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def challenge(self):
        return self.headers.get("www-authenticate")


class Site:
    """`seen` holds the environs that reached the application; `request` sends one."""

    def __init__(self, settings, clock, store=None):
        self.clock = clock
        self.seen = []
        self.filter = OAuthFilter(self._application, settings, store=store, now=clock)
        self.store = self.filter.store
        self.store.put(
            Client(key="app", name="App"),
            Client(key="robot", name="Robot"),
            User(key="alice", subject="subject-of-alice"),
        )

    def _application(self, environ, start_response):
        self.seen.append(environ)
        start_response("200 OK", [("Content-Type", "text/plain"), ("Cache-Control", "public, max-age=60")])
        return [b"the application"]

    def issue(self, scope="read", *, client_id="app", username="alice", lifetime=HOUR, grant_id="grant"):
        token = credentials.generate(credentials.ACCESS_TOKEN)
        self.store.put(
            AccessToken(
                key=credentials.digest(token),
                client_id=client_id,
                subject=username and f"subject-of-{username}",
                username=username,
                scope=scope,
                grant_id=grant_id,
                issued_at=self.clock(),
                expires_at=lifetime and self.clock() + lifetime,
            )
        )
        return token

    def request(self, path="/api", *, token=None, method="GET", query="", **environ):
        self.seen.clear()
        environ = {"SCRIPT_NAME": "", "PATH_INFO": path, "REQUEST_METHOD": method, "QUERY_STRING": query, **environ}
        setup_testing_defaults(environ)
        if token is not None:
            environ["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        answer = []

        def start_response(status, headers, exc_info=None):
            answer[:] = [status, headers]

        body = b"".join(self.filter(environ, start_response))
        return Answer(*answer, body)

    @property
    def environ(self):
        """That of the one request that reached the application."""
        (environ,) = self.seen
        return environ


@pytest.fixture
def site_of(settings, clock):
    """A site by its rules, as lines of `[protect]`, and changes of its settings."""

    def make(*lines, store=None, **changes):
        rules = tuple(Rule.parse(*line.split(" = ")) for line in lines)
        return Site(settings(protect=rules, **changes), clock, store)

    return make


@pytest.fixture
def site(site_of):
    return site_of("/public/ = public", "/optional/ = optional", "/reports/ = reports:read reports:list")
