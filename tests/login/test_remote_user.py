"""`login = remote_user`: the server or a middleware in front has authenticated."""

import pytest
from werkzeug.test import Client as Browser

from tests.provider import PASSWORD
from tests.provider import returned

HEADER = {"remote_user_key": "HTTP_X_REMOTE_USER", "trusted_proxies": ("10.0.0.0/8", "fd00::/8")}


def in_front(provider, **keys):
    """A browser that reaches the filter through something which sets environ keys."""

    def front(environ, start_response):
        return provider.filter(environ | keys, start_response)

    return Browser(front)


@pytest.fixture
def provider(make_provider):
    return make_provider(login="remote_user")


def test_whom_the_server_names_is_asked_for_consent_only(provider):
    browser = in_front(provider, REMOTE_USER="alice", AUTH_TYPE="Basic")
    page = provider.authorize(browser)
    assert "My App" in page.text
    assert "alice" in page.text
    assert 'name="switch"' not in page.text
    tokens = provider.redeem(returned(provider.decide(browser, page))["code"]).json
    assert provider.call(tokens["access_token"]).json["REMOTE_USER"] == "alice"
    assert provider.call(tokens["access_token"]).json["oauth_filter.subject"] == "alice"
    assert provider.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.rfc("6749", "4.1.2.1")
@pytest.mark.parametrize("keys", [{}, {"REMOTE_USER": ""}, {"REMOTE_USER": None}])
def test_nobody_is_an_error_the_client_is_told(provider, keys):
    answer = returned(provider.authorize(in_front(provider, **keys)))
    assert answer["error"] == "access_denied"
    assert answer["state"] == "xyz"
    assert provider.events[-1].reason == "authentication_required"


def test_there_is_no_password_to_guess(provider):
    browser = provider.browser()
    answer = browser.post("/oauth2/login", data={"ticket": "", "username": "alice", "password": PASSWORD})
    assert answer.status_code == 403


def test_the_name_is_text(provider):
    raw = "ren\xc3\xa9"
    browser = in_front(provider, REMOTE_USER=raw)
    page = provider.authorize(browser)
    assert "ren\u00e9" in page.text
    tokens = provider.redeem(returned(provider.decide(browser, page))["code"]).json
    # To the application it goes as it came, as PEP 3333 has it.
    assert provider.call(tokens["access_token"]).json["REMOTE_USER"] == raw
    assert provider.call(tokens["access_token"]).json["oauth_filter.subject"] == "ren\u00e9"


def test_a_middleware_may_write_plain_text(provider):
    assert "\u65e5\u672c" in provider.authorize(in_front(provider, REMOTE_USER="\u65e5\u672c")).text


@pytest.mark.parametrize("raw", ["\xff", "al\nice", "al\x00ice", "a" * 256])
def test_what_is_no_name_is_nobody(provider, raw):
    assert returned(provider.authorize(in_front(provider, REMOTE_USER=raw)))["error"] == "access_denied"


def test_a_consent_page_is_of_the_user_it_was_shown_to(provider):
    page = provider.authorize(browser := in_front(provider, REMOTE_USER="alice"))
    mallory = in_front(provider, REMOTE_USER="mallory")
    for cookie in browser._cookies.values():
        mallory.set_cookie(cookie.key, cookie.value, path=cookie.path)
    assert provider.decide(mallory, page).status_code == 403


def test_a_token_counts_more_than_the_server_in_front(provider):
    page = provider.authorize(browser := in_front(provider, REMOTE_USER="alice"))
    token = provider.redeem(returned(provider.decide(browser, page))["code"]).json["access_token"]
    own = provider.token(grant_type="client_credentials").json["access_token"]
    bob = in_front(provider, REMOTE_USER="bob")
    assert bob.get("/api", headers={"Authorization": f"Bearer {token}"}).json["REMOTE_USER"] == "alice"
    # A client acting for itself is not the user of the connection it came over.
    assert bob.get("/api", headers={"Authorization": f"Bearer {own}"}).json["REMOTE_USER"] is None
    assert bob.get("/api").status_code == 401


class TestHeader:
    @pytest.fixture
    def provider(self, make_provider):
        return make_provider(login="remote_user", **HEADER)

    @pytest.mark.parametrize("peer", ["10.1.2.3", "fd00::1", "::ffff:10.1.2.3"])
    def test_a_named_proxy_is_believed(self, provider, peer):
        browser = in_front(provider, REMOTE_ADDR=peer, HTTP_X_REMOTE_USER="alice")
        assert "alice" in provider.authorize(browser).text

    @pytest.mark.promise(9)
    @pytest.mark.parametrize("peer", ["192.0.2.1", "127.0.0.1", "::1", "::ffff:192.0.2.1", "", "unix:", "10.1.2.3, x"])
    def test_nobody_else_is(self, provider, peer):
        headers = {"X-Remote-User": "alice", "X-Forwarded-For": "10.1.2.3", "Forwarded": "for=10.1.2.3"}
        asked = {"query_string": provider.request(), "headers": headers}
        answer = in_front(provider, REMOTE_ADDR=peer).get("/oauth2/authorize", **asked)
        assert returned(answer)["error"] == "access_denied"

    def test_the_other_name_is_nothing(self, provider):
        browser = in_front(provider, REMOTE_ADDR="10.1.2.3", REMOTE_USER="alice")
        assert returned(provider.authorize(browser))["error"] == "access_denied"
