"""Whatever a client sends: no header signs anybody in, and the application is told of nobody."""

import sys
from types import ModuleType

import pytest
from werkzeug.test import Client as Browser

from oauth_filter import Rule
from oauth_filter import User

NAMES = (
    "Remote-User",
    "REMOTE_USER",
    "Remote_User",
    "X-Remote-User",
    "X_Remote_User",
    "X-Forwarded-User",
    "X-Authenticated-User",
    "Auth-Type",
    "Oauth-Filter-Principal",
    "oauth_filter.principal",
    "oauth_filter.subject",
)

SOURCES = {
    "directory": {"login": "directory"},
    "remote_user": {"login": "remote_user"},
    "remote_user by header": {
        "login": "remote_user",
        "remote_user_key": "HTTP_X_REMOTE_USER",
        "trusted_proxies": ("10.0.0.1",),
    },
    "application": {"login": "application", "who_am_i": "/whoami", "application_login": "/login?next={next}"},
    "callable": {"login": "house_directory:check"},
}

# What a web server makes of the header of the same name.
HEADERS = {"HTTP_" + name.upper().replace("-", "_"): "alice" for name in NAMES} | {
    "HTTP_AUTHORIZATION": "Basic YWxpY2U6Y29ycmVjdA==",
    "HTTP_X_FORWARDED_FOR": "10.0.0.1",
    "HTTP_FORWARDED": "for=10.0.0.1;by=10.0.0.1",
    "HTTP_X_REAL_IP": "10.0.0.1",
}


def trusting(environ, start_response):
    """An application that believes whatever names a user, as an old one behind a proxy does."""
    keys = ("REMOTE_USER", "HTTP_REMOTE_USER", "HTTP_X_REMOTE_USER", "oauth_filter.subject", "oauth_filter.principal")
    told = [str(environ[key]) for key in keys if key in environ]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [" ".join(told).encode()]


@pytest.fixture(params=SOURCES.values(), ids=SOURCES)
def source(request, monkeypatch):
    house = ModuleType("house_directory")
    house.check = lambda username, password: User(key=username) if password == "open sesame" else None
    monkeypatch.setitem(sys.modules, house.__name__, house)
    return request.param


@pytest.mark.promise(8)
@pytest.mark.parametrize("method", ["get", "post"])
def test_no_header_signs_anybody_in(make_provider, source, method):
    provider = make_provider(application=trusting, **source)

    def server(environ, start_response):
        return provider.filter(environ | HEADERS | {"REMOTE_ADDR": "192.0.2.1"}, start_response)

    browser = Browser(server)
    asked = provider.request()
    answer = (
        browser.get("/oauth2/authorize", query_string=asked)
        if method == "get"
        else browser.post("/oauth2/authorize", data=asked)
    )
    # Our page, the application's, or access_denied: never the consent page, and never a code.
    assert 'name="decision"' not in answer.text
    assert "code=ofc_" not in (answer.location or "")
    for form in ({"ticket": ""}, {"ticket": "x", "decision": "allow"}):
        assert browser.post("/oauth2/consent", data=form).status_code == 403
    assert not any(event.username == "alice" for event in provider.events)


@pytest.mark.promise(8)
@pytest.mark.parametrize("access", ["public", "optional"])
def test_the_application_is_told_of_nobody(make_provider, source, access):
    settings = source | {"protect": (Rule(path="/", access=access),), "user_header": "X-Remote-User"}
    provider = make_provider(application=trusting, **settings)
    headers = {key: value for key, value in HEADERS.items() if key != "HTTP_AUTHORIZATION"}
    browser = Browser(lambda environ, start_response: provider.filter(environ | headers, start_response))
    assert browser.get("/whatever").text == ""


@pytest.mark.promise(9)
def test_a_cookie_of_ones_own_making_is_none(make_provider):
    provider = make_provider()
    browser = provider.browser()
    for cookie in ("alice", "eyJ1c2VybmFtZSI6ImFsaWNlIn0", "eyJ1c2VybmFtZSI6ImFsaWNlIn0.AAAA", '"', "." * 3000):
        browser.set_cookie("oauth_filter", cookie, path="/oauth2")
        assert 'name="password"' in provider.authorize(browser).text


def test_nobody_registers_clients_by_a_password_that_others_keep(make_provider, source):
    # The API of profile nuxeo takes HTTP Basic: only a source that knows passwords can say yes to one.
    settings = source | {"nuxeo_directory_api": True, "administrators": ("alice",)}
    provider = make_provider(application=trusting, **settings)
    browser = Browser(lambda environ, start_response: provider.filter(environ | HEADERS, start_response))
    for auth in (("alice", ""), ("alice", "alice")):
        answer = browser.post("/api/v1/directory/oauth2Clients", json={}, auth=auth)
        assert answer.status_code == 401
