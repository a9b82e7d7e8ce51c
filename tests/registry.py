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
from oauth_filter.records import Entity
from oauth_filter.records import EntityGrant
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
        of_a_file = self.path.startswith(("/oauth2/static/", "/.well-known/"))
        return of_a_file or self.has_parameters or self.path in (DIRECTORY, GRANTS, *OTHERS)

    @property
    def parameters(self):
        """The names it is asked with, or all there are where nothing is known of it."""
        return PARAMETERS.get(str(self)) or PARAMETERS.get(self.path) or ALL_PARAMETERS

    @property
    def has_parameters(self):
        """Whether its parameters are known here, and so what has to become of bad ones."""
        return str(self) in PARAMETERS or self.path in PARAMETERS

    @property
    def takes_a_form(self):
        return self.method == "POST" and self.has_parameters

    @property
    def takes_json(self):
        return self.method == "POST" and self.path in (DIRECTORY, GRANTS)

    @property
    def needs_a_body(self):
        """Whether it refuses a request without one; who signs out need not say more."""
        return self.takes_json or (self.takes_a_form and self.path != "/oauth2/logout")

    @property
    def authenticates_clients(self):
        return "client_secret" in self.parameters and self.has_parameters

    @property
    def needs_authorization(self):
        """Whether somebody has to authenticate: a client, an administrator, or whoever has a token."""
        return self.authenticates_clients or self.path in (DIRECTORY, GRANTS, "/oauth2/userinfo", "/api")


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
GRANTS = "/oauth2/api/entity/{entity_id}/grant"
OTHERS = ("/api", "/oauth2/userinfo", "/oauth2/jwks")
"""What takes no parameters."""
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
    "/oauth2/introspect": ("token", "token_type_hint", *CLIENT_PARAMETERS),
    "/oauth2/logout": ("id_token_hint", "logout_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales"),
    "/oauth2/device_authorize": (
        "scope",
        *("metaData.device.name", "metaData.device.description", "metaData.device.type"),
        *CLIENT_PARAMETERS,
    ),
    "GET /oauth2/device": ("user_code", "step"),
    "POST /oauth2/device": ("ticket", "user_code", "decision", "switch"),
    "/oauth2/device/validate": ("client_id", "user_code"),
    "/oauth2/device/user-code": ("user_code", *CLIENT_PARAMETERS),
    "/oauth2/device/approve": ("user_code", "token", *CLIENT_PARAMETERS),
}
"""What each endpoint, or one method of it, is asked with; one that does not stand here is asked with all of it."""
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
        self.provider.store.put(Entity(key="billing", permissions=("read",)))
        self.tokens = self.provider.token(grant_type="client_credentials").json
        self.user_token = self._user_token()
        self.device_page = self.browser.get("/oauth2/device")
        self.asked = 0
        self.secrets = {
            self.provider.secret,
            self.provider.settings.secret,
            self.password,
            VERIFIER,
            self.tokens["access_token"],
            self.user_token,
            ticket(self.device_page),
            ticket(self.consent_page),
            ticket(self.login_page),
            self.cookie(self.browser),
            self.cookie(self.stranger),
            OPTIONS["jwt_secret"],
        }

    def cookie(self, browser):
        return browser.get_cookie("oauth_filter", path="/oauth2").value

    def _user_token(self):
        page = self.provider.authorize(self.browser, scope="openid")
        code = dict(parse_qsl(urlsplit(self.provider.decide(self.browser, page).location).query))["code"]
        return self.provider.redeem(code).json["access_token"]

    def user_code(self):
        """A device of its own, because a decision is the only one."""
        device = self.provider.browser().post("/oauth2/device_authorize", data={}, headers=self.provider.basic()).json
        self.secrets.add(device["device_code"])
        return ("user_code", device["user_code"])

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
            case "/oauth2/introspect":
                return replace(request, fields=[*client, ("token", self.tokens["access_token"])])
            case "/oauth2/userinfo":
                return replace(request, headers={"HTTP_AUTHORIZATION": f"Bearer {self.user_token}"})
            case "/oauth2/logout":
                # Without a hint that it is of this session the user is asked, and so is still signed in afterwards.
                return replace(request, fields=[("client_id", "app")], headers=self.cookies(self.browser))
            case "/oauth2/device_authorize":
                return replace(request, fields=client)
            case "/oauth2/device":
                fields = [("ticket", ticket(self.device_page))] if target.method == "POST" else []
                return replace(request, fields=[*fields, self.user_code()], headers=self.cookies(self.browser))
            case "/oauth2/device/validate":
                return replace(request, fields=[("client_id", "app"), self.user_code()])
            case "/oauth2/device/user-code":
                return replace(request, fields=[*client, self.user_code()])
            case "/oauth2/device/approve":
                return replace(request, fields=[*client, self.user_code(), ("token", self.user_token)])
            case path if path == GRANTS:
                return self.grant(replace(request, path=path.format(entity_id="billing"), headers=self.administrator()))
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

    def grant(self, request):
        """A request about what an entity grants to a client."""
        key = EntityGrant.key_of("billing", "native")
        self.provider.store.put(EntityGrant(key=key, entity_id="billing", client_id="native", permissions=("read",)))
        if request.method != "POST":
            return replace(request, query="recipientEntityId=native")
        body = {"grant": {"recipientEntityId": "native", "permissions": ["read"]}}
        return replace(request, body=json.dumps(body).encode(), content_type="application/json")

    def entry(self):
        properties = {"name": "N", "clientId": f"client{self.asked}", "redirectURIs": "https://c.example/cb"}
        return json.dumps(
            {"entity-type": "directoryEntry", "directoryName": "oauth2Clients", "properties": properties}
        ).encode()
