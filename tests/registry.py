"""Every endpoint there is, and a good request to each.

The endpoints come from the registry, so that a new one is covered by whatever runs over all of them on the day it
appears. What a good request looks like is known for those of today; an unknown one is sent every parameter there is.
"""

import json
from base64 import b64encode
from dataclasses import dataclass
from dataclasses import replace
from ipaddress import IPv4Address
from urllib.parse import parse_qsl
from urllib.parse import urlsplit

from oauth_filter import Settings
from oauth_filter import credentials
from oauth_filter import passwords
from oauth_filter.authorization_server.app import AuthorizationServer
from oauth_filter.records import User
from oauth_filter.stores import open_store
from tests.provider import CALLBACK
from tests.provider import VERIFIER
from tests.provider import Provider
from tests.provider import ticket
from tests.wire import Request

NOW = 1_700_000_000.25
MARK = "MARK1234"
"""Stands in what is bad about a request, and must not come back."""
OPTIONS = {
    "nuxeo_directory_api": True,
    "jwt_secret": "a secret for assertions that is as long as HS512 would like it to be",
    "administrators": ("alice",),
    "scopes": {"read": "Read"},
}
"""Everything that adds an endpoint or a grant type is on."""


def application(environ, start_response):
    """What is protected. It says nothing of its own, so that whatever is echoed is echoed by the filter."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "0")])
    return []


def endpoints():
    settings = Settings(issuer="http://localhost:8080", store="memory:", secret="s" * 64, **OPTIONS)
    store = open_store("memory:", now=lambda: NOW)
    return AuthorizationServer(settings, store, application=application, now=lambda: NOW).server.endpoints


ENDPOINTS = endpoints()


@dataclass(frozen=True, kw_only=True)
class Target:
    """A path, one of its methods, and whether errors there are for programs or for people."""

    path: str
    method: str
    answers: str
    methods: tuple = ()

    def __str__(self):
        return f"{self.method} {self.path}"

    @property
    def is_known(self):
        """Whether `World.good` knows a good request to it."""
        of_a_file = self.path.startswith(("/oauth2/static/", "/.well-known/oauth-authorization-server"))
        return of_a_file or self.path in (*PARAMETERS, DIRECTORY, "/api")

    @property
    def has_parameters(self):
        """Whether its parameters are known here, and so what has to become of bad ones."""
        return self.path in PARAMETERS

    @property
    def takes_a_form(self):
        return self.method == "POST" and self.has_parameters


TARGETS = [
    Target(path=endpoint.path, method=method, answers=endpoint.answers, methods=endpoint.methods)
    for endpoint in ENDPOINTS
    for method in endpoint.methods
]
ELSEWHERE = [
    Target(path="/api", method="GET", answers="json"),
    Target(path="/api", method="POST", answers="json"),
    Target(path="/oauth2/nothing/here", method="POST", answers="page"),
]
EVERYWHERE = TARGETS + ELSEWHERE
DIRECTORY = "/api/v1/directory/oauth2Clients"
CLIENT_PARAMETERS = ("client_id", "client_secret", "client_assertion", "client_assertion_type")
TOKEN_PARAMETERS = ("grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "scope", "assertion")
PARAMETERS = {
    "/oauth2/authorize": (
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "response_mode",
        "code_challenge",
        "code_challenge_method",
        *("nonce", "prompt", "max_age", "display", "ui_locales", "login_hint", "id_token_hint", "acr_values", "claims"),
        *("request", "request_uri", "registration"),
    ),
    "/oauth2/token": (*TOKEN_PARAMETERS, *CLIENT_PARAMETERS),
    "/oauth2/revoke": ("token", "token_type_hint", *CLIENT_PARAMETERS),
    "/oauth2/login": ("ticket", "username", "password"),
    "/oauth2/consent": ("ticket", "decision", "switch"),
}
"""What each endpoint is asked with; one that does not stand here is asked with all of it."""
ALL_PARAMETERS = tuple(dict.fromkeys(name for names in PARAMETERS.values() for name in names))


class World:
    """A provider with everything good in it: what is bad about a request is then what the test made bad."""

    def __init__(self, **options):
        self.provider = Provider(lambda: NOW, application=application, **OPTIONS, **options)
        # Generated, because those are checked without scrypt.
        self.password = credentials.generate(credentials.CLIENT_SECRET)
        self.provider.store.put(
            User(key="alice", subject="a", password_hash=passwords.hash_secret(self.password), administrator=True)
        )
        self.browser = self.provider.browser()
        self.consent_page = self.provider.sign_in(
            self.browser, self.provider.authorize(self.browser), password=self.password
        )
        self.stranger = self.provider.browser()
        self.login_page = self.provider.authorize(self.stranger)
        self.tokens = self.provider.token(grant_type="client_credentials").json
        self.asked = 0
        self.secrets = {
            self.provider.secret,
            self.provider.settings.secret,
            self.password,
            VERIFIER,
            self.tokens["access_token"],
            ticket(self.consent_page),
            ticket(self.login_page),
            self.cookie(self.browser),
            self.cookie(self.stranger),
            OPTIONS["jwt_secret"],
        }

    def cookie(self, browser):
        return browser.get_cookie("oauth_filter", path="/oauth2").value

    def code(self):
        """A code of its own, because a failing redemption may burn it."""
        answer = self.provider.decide(self.browser, self.consent_page)
        code = dict(parse_qsl(urlsplit(answer.location).query))["code"]
        self.secrets.add(code)
        return code

    def good(self, target):
        """A request to the target that would succeed, from an address of its own: guesses are limited for each."""
        request = self._good(target)
        self.asked += 1
        return replace(request, headers={"REMOTE_ADDR": str(IPv4Address("10.0.0.0") + self.asked)} | request.headers)

    def _good(self, target):
        client = [("client_id", "app"), ("client_secret", self.provider.secret)]
        request = Request(method=target.method, path=target.path)
        bearer = {"HTTP_AUTHORIZATION": f"Bearer {self.tokens['access_token']}"}
        match target.path:
            case "/oauth2/authorize":
                return replace(request, fields=list(self.provider.request("app").items()))
            case "/oauth2/login":
                fields = [("ticket", ticket(self.login_page)), ("username", "alice"), ("password", self.password)]
                return replace(request, fields=fields, headers=self.cookies(self.stranger))
            case "/oauth2/consent":
                fields = [("ticket", ticket(self.consent_page)), ("decision", "allow")]
                return replace(request, fields=fields, headers=self.cookies(self.browser))
            case "/oauth2/token":
                fields = [
                    ("grant_type", "authorization_code"),
                    ("code", self.code()),
                    ("redirect_uri", CALLBACK),
                    ("code_verifier", VERIFIER),
                ]
                return replace(request, fields=client + fields)
            case "/oauth2/revoke":
                return replace(request, fields=[*client, ("token", credentials.generate(credentials.REFRESH_TOKEN))])
            case path if path == DIRECTORY:
                return replace(
                    request, body=self.entry(), content_type="application/json", headers=self.administrator()
                )
            case "/api":
                return replace(request, headers=bearer, fields=[("q", "1")])
        if target.is_known or target.method == "GET":
            return request
        fields = [*client, *((name, MARK) for name in ALL_PARAMETERS)]
        return replace(request, fields=fields, headers=self.cookies(self.browser))

    def cookies(self, browser):
        return {"HTTP_COOKIE": f"oauth_filter={self.cookie(browser)}"}

    def administrator(self):
        pair = f"alice:{self.password}"
        return {"HTTP_AUTHORIZATION": "Basic " + b64encode(pair.encode()).decode()}

    def entry(self):
        properties = {"name": "N", "clientId": f"client{self.asked}", "redirectURIs": "https://c.example/cb"}
        return json.dumps(
            {"entity-type": "directoryEntry", "directoryName": "oauth2Clients", "properties": properties}
        ).encode()
