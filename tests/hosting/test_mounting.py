"""Below a path, behind a proxy that ends TLS, and two in one process."""

import re
from urllib.parse import urlsplit

import pytest
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from oauth_filter import Rule
from oauth_filter.records import User
from tests.provider import CALLBACK
from tests.provider import PASSWORD
from tests.provider import echo

HOST = "https://host.example"
ISSUER = HOST + "/nuxeo"


def mounted(provider):
    """As docs/hosting.md has it: below /nuxeo, and the one path that RFC 8414 puts outside."""
    dispatched = DispatcherMiddleware(NotFound(), {"/nuxeo": provider.filter})

    def site(environ, start_response):
        if environ["PATH_INFO"] == "/.well-known/oauth-authorization-server/nuxeo":
            return provider.filter(environ, start_response)
        return dispatched(environ, start_response)

    return site


def links(page):
    """Everything a page leads to."""
    return re.findall(r'(?:href|src|action)="([^"]+)"', page.text)


def walk(provider, browser, mount=""):
    """Sign in and allow, by what the pages say and not by what we know; every page and answer on the way."""
    steps = [browser.get(f"{mount}/oauth2/authorize", params=provider.request())]
    form = steps[-1].forms[0]
    form["username"], form["password"] = "alice", PASSWORD
    steps.append(form.submit())
    steps.append(steps[-1].follow())
    # The last form of the page is the one with the buttons Cancel and Allow.
    form = steps[-1].forms[max(steps[-1].forms, key=str)]
    steps.append(form.submit("decision", value="allow"))
    return steps


class TestBelowAPath:
    @pytest.fixture
    def provider(self, make_provider):
        return make_provider(issuer=ISSUER, protect=(Rule.parse("/open/", "public"),))

    @pytest.fixture
    def browser(self, provider, browse):
        return browse(mounted(provider), HOST)

    def test_the_browser_never_leaves_it(self, provider, browser):
        steps = walk(provider, browser, "/nuxeo")
        for page in steps[0], steps[2]:
            assert page.content_type == "text/html"
            assert len(links(page)) >= 2
            assert all(link.startswith("/nuxeo/oauth2/") for link in links(page))
            for link in links(page):
                if "static" in link:
                    assert browser.get(link).status_int == 200
        assert urlsplit(steps[1].headers["Location"])[:3] == ("", "", "/nuxeo/oauth2/authorize")
        assert steps[3].headers["Location"].startswith(CALLBACK + "?")
        assert "iss=https%3A%2F%2Fhost.example%2Fnuxeo" in steps[3].headers["Location"]

    def test_the_cookie_is_for_our_paths_there(self, provider, browser):
        [cookie] = walk(provider, browser, "/nuxeo")[1].headers.getall("Set-Cookie")
        assert cookie.startswith("__Secure-oauth_filter=")
        said = {part.strip() for part in cookie.split(";")[1:]}
        assert said == {"Path=/nuxeo/oauth2", "Secure", "HttpOnly", "SameSite=Lax"}

    @pytest.mark.rfc("8414", "3.1")
    @pytest.mark.parametrize(
        "path",
        ["/.well-known/oauth-authorization-server/nuxeo", "/nuxeo/.well-known/oauth-authorization-server"],
    )
    def test_the_metadata_is_where_clients_look(self, browser, path):
        said = browser.get(path).json
        assert said["issuer"] == ISSUER
        urls = [url for name, url in said.items() if name.endswith("_endpoint")]
        assert len(urls) >= 3
        for url in urls:
            assert url.startswith(ISSUER + "/oauth2/")
            assert browser.get(url, expect_errors=True).status_int in (303, 400, 401, 405), "it is there"

    def test_rules_are_about_paths_below_it(self, provider, browser):
        code = re.search("code=([^&]+)", walk(provider, browser, "/nuxeo")[3].headers["Location"])[1]
        tokens = provider.redeem(code).json
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert browser.get("/nuxeo/api", status=401)
        assert browser.get("/nuxeo/api", headers=headers).json["REMOTE_USER"] == "alice"
        assert browser.get("/nuxeo/open/").json["REMOTE_USER"] is None
        assert browser.get("/nuxeo", status=401)

    @pytest.mark.promise(9)
    def test_the_request_has_no_say_in_where_we_are(self, provider, browse):
        # A proxy that takes the prefix off, and somebody who sends every header there is.
        def proxy(environ, start_response):
            changed = {
                "PATH_INFO": environ["PATH_INFO"].removeprefix("/nuxeo"),
                "SCRIPT_NAME": "/elsewhere",
                "HTTP_HOST": "evil.example",
                "HTTP_X_FORWARDED_HOST": "evil.example",
                "HTTP_X_FORWARDED_PREFIX": "/evil",
                "HTTP_X_FORWARDED_PROTO": "http",
                "wsgi.url_scheme": "http",
            }
            return provider.filter(environ | changed, start_response)

        steps = walk(provider, browse(proxy, HOST), "/nuxeo")
        said = "".join(f"{step.headers} {step.text}" for step in steps)
        assert "evil" not in said
        assert "elsewhere" not in said
        assert all(link.startswith("/nuxeo/oauth2/") for link in links(steps[2]))


class TestBehindTLS:
    """https outside, http inside."""

    @pytest.fixture
    def browser(self, provider, browse):
        def proxy(environ, start_response):
            assert environ["wsgi.url_scheme"] == "https"
            changed = {
                "wsgi.url_scheme": "http",
                "HTTP_HOST": "127.0.0.1:8000",
                "SERVER_NAME": "127.0.0.1",
                "SERVER_PORT": "8000",
                "REMOTE_ADDR": "127.0.0.1",
                "HTTP_X_FORWARDED_FOR": "203.0.113.9, 198.51.100.7",
            }
            return provider.filter(environ | changed, start_response)

        return browse(proxy, HOST)

    @pytest.fixture
    def provider(self, make_provider):
        return make_provider(issuer=HOST, trusted_proxies=("127.0.0.1",))

    def test_the_cookie_is_a_secure_one(self, provider, browser):
        [cookie] = walk(provider, browser)[1].headers.getall("Set-Cookie")
        assert cookie.startswith("__Secure-oauth_filter=")
        assert "Secure" in {part.strip() for part in cookie.split(";")}

    def test_what_it_says_of_itself_is_https(self, browser):
        said = browser.get("/.well-known/oauth-authorization-server").json
        assert all(url.startswith(HOST) for name, url in said.items() if name == "issuer" or name.endswith("_endpoint"))

    def test_the_log_knows_who_it_was(self, provider, browser):
        walk(provider, browser)
        assert {event.address for event in provider.events} == {"198.51.100.7"}

    def test_an_http_issuer_has_a_cookie_that_http_can_carry(self, make_provider, browse):
        provider = make_provider()
        [cookie] = walk(provider, browse(provider.filter, "http://localhost:8080"))[1].headers.getall("Set-Cookie")
        assert cookie.startswith("oauth_filter=")
        assert "Secure" not in cookie


class TestTwoInOneProcess:
    """Both with the same secret, as happens when an ini file is copied; the store of each is its own."""

    @pytest.fixture
    def one(self, make_provider):
        return make_provider(issuer=HOST + "/one")

    @pytest.fixture
    def other(self, make_provider, one):
        other = make_provider(issuer=HOST + "/other")
        # The very same user, so that nothing but the issuer keeps the two apart.
        other.store.put(one.store.get(User, "alice"))
        return other

    @pytest.fixture
    def browser(self, one, other, browse):
        return browse(DispatcherMiddleware(echo, {"/one": one.filter, "/other": other.filter}), HOST)

    def test_each_has_its_own_sessions(self, one, other, browser):
        walk(one, browser, "/one")
        assert 'name="password"' in browser.get("/other/oauth2/authorize", params=other.request()).text
        # Both stay signed in beside each other.
        walk(other, browser, "/other")
        for provider, mount in (one, "/one"), (other, "/other"):
            assert browser.get(f"{mount}/oauth2/authorize", params=provider.request()).status_int == 303

    def test_a_cookie_carried_over_is_worth_nothing(self, one, other, browser, browse):
        cookie = walk(one, browser, "/one")[1].headers["Set-Cookie"].split(";")[0]
        query = {"params": other.request(), "headers": {"Cookie": cookie}}
        stranger = browse(DispatcherMiddleware(echo, {"/one": one.filter, "/other": other.filter}), HOST)
        assert 'name="decision"' not in stranger.get("/other/oauth2/authorize", **query).text
        assert stranger.get("/one/oauth2/authorize", params=one.request(), headers={"Cookie": cookie}).status_int == 303

    def test_nor_is_a_ticket(self, one, browser):
        page = browser.get("/one/oauth2/authorize", params=one.request())
        cookie = page.headers["Set-Cookie"].split(";")[0]
        fields = {"ticket": page.form["ticket"].value, "username": "alice", "password": PASSWORD}
        headers = {"Cookie": cookie}
        assert browser.post("/other/oauth2/login", fields, headers=headers, expect_errors=True).status_int == 403
        assert browser.post("/one/oauth2/login", fields, headers=headers).status_int == 303

    @pytest.mark.promise(8)
    def test_nor_is_a_token(self, one, other):
        token = one.token(grant_type="client_credentials").json["access_token"]
        assert one.call(token).status_code == 200
        assert other.call(token).status_code == 401
        # The client of the other one is not even told that there is such a token, and cannot end it.
        assert other.revoke(token).status_code == 200
        assert one.call(token).status_code == 200


def test_one_around_another(make_provider, browse):
    # An application that has been given a filter of its own: the outer one decides first, the inner one after it.
    inner = make_provider(issuer=HOST + "/inner")
    outer = make_provider(
        issuer=HOST,
        application=DispatcherMiddleware(echo, {"/inner": inner.filter}),
        protect=(Rule.parse("/inner/", "public"),),
    )
    browser = browse(outer.filter, HOST)
    assert browser.get("/.well-known/oauth-authorization-server").json["issuer"] == HOST
    assert browser.get("/inner/.well-known/oauth-authorization-server").json["issuer"] == HOST + "/inner"
    token = inner.token(grant_type="client_credentials").json["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert browser.get("/inner/api", headers=headers).json["oauth_filter.client_id"] == "app"
    assert browser.get("/api", headers=headers, status=401)
