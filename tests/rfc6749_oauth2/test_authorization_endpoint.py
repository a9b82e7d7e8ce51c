"""The authorization endpoint -- RFC 6749 sections 3.1, 4.1.1 and 4.1.2."""

from html.parser import HTMLParser

import pytest

from oauth_filter import credentials
from oauth_filter.records import AuthorizationCode
from tests.provider import CALLBACK
from tests.provider import ISSUER
from tests.provider import PASSWORD
from tests.provider import returned
from tests.provider import ticket


@pytest.mark.rfc("6749", "4.1.2")
def test_a_user_who_signs_in_and_allows_comes_back_with_a_code(provider):
    browser = provider.browser()
    page = provider.sign_in(browser, provider.authorize(browser))
    answer = returned(provider.decide(browser, page))
    assert answer.keys() == {"code", "state", "iss"}
    assert answer["state"] == "xyz"


@pytest.mark.rfc("9207", "2")
def test_every_answer_names_the_issuer(provider):
    browser = provider.browser()
    page = provider.sign_in(browser, provider.authorize(browser))
    assert returned(provider.decide(browser, page, "deny"))["iss"] == ISSUER
    assert returned(provider.authorize(browser, response_type="token"))["iss"] == ISSUER


def test_the_request_can_come_as_a_post(provider):
    browser = provider.browser()
    answer = browser.post("/oauth2/authorize", data=provider.request())
    assert answer.status_code == 303
    page = provider.sign_in(browser, browser.get(answer.location))
    assert "code" in returned(provider.decide(browser, page))
    assert "code" in returned(browser.post("/oauth2/authorize", data=provider.request()))


@pytest.mark.promise(10)
@pytest.mark.parametrize("prompt", [None, "none"])
def test_a_post_from_another_site_ends_no_session(provider, prompt):
    browser = provider.browser()
    provider.code(browser=browser)
    # The cookie is SameSite=Lax: it does not come with the form, and would be replaced by one in the answer.
    answer = provider.browser().post("/oauth2/authorize", data=provider.request(prompt=prompt, state="a&b=ü"))
    assert "Set-Cookie" not in answer.headers
    assert returned(browser.get(answer.location))["state"] == "a&b=ü"


@pytest.mark.parametrize("state", ["a b&c=d#€\U0001f511", " ", "%41", "+", "x" * 2000])
@pytest.mark.rfc("6749", "4.1.2", "state is echoed exactly")
def test_state_comes_back_as_it_was(provider, state):
    browser = provider.browser()
    page = provider.sign_in(browser, provider.authorize(browser, state=state))
    assert returned(provider.decide(browser, page))["state"] == state


def test_without_a_state_none_comes_back(provider):
    assert "state" not in returned(provider.authorize(state=None, response_type="token"))


@pytest.mark.rfc("6749", "4.1.2.1")
def test_cancel_is_access_denied(provider):
    browser = provider.browser()
    page = provider.sign_in(browser, provider.authorize(browser))
    answer = returned(provider.decide(browser, page, "deny"))
    assert answer["error"] == "access_denied"
    assert answer["error_reason"] == "consent_canceled"
    assert answer["state"] == "xyz"
    assert "code" not in answer


def test_a_consent_is_remembered_for_what_was_allowed_and_no_more(make_provider):
    provider = make_provider(scopes={"read": "Read your files", "write": "Write your files"})
    browser = provider.browser()
    page = provider.sign_in(browser, provider.authorize(browser, scope="read"))
    assert "Read your files" in page.text
    provider.decide(browser, page)
    assert "code" in returned(provider.authorize(browser, scope="read"))
    page = provider.authorize(browser, scope="read write")
    assert "Write your files" in page.text
    provider.decide(browser, page)
    assert "code" in returned(provider.authorize(browser, scope="write read"))
    provider.clock.advance(provider.settings.consent_lifetime)
    assert provider.sign_in(browser, provider.authorize(browser, scope="read")).status_code == 200


def test_a_client_with_auto_grant_skips_the_page(provider):
    provider.add_client("ours", auto_grant=True)
    browser = provider.browser()
    assert "code" in returned(provider.sign_in(browser, provider.authorize(browser, "ours")))


@pytest.mark.rfc("9700", "2.1")
def test_a_user_allows_what_the_page_showed_and_no_more(make_provider):
    provider = make_provider(scopes={"read": "Read things", "write": "Write things"})
    provider.add_client("app", provider.secret, scope="read")
    browser = provider.browser()
    page = provider.sign_in(browser, provider.authorize(browser))
    provider.add_client("app", provider.secret, scope="read write")
    page = provider.decide(browser, page)
    assert page.status_code == 200
    assert "Write things" in page.text
    assert provider.redeem(returned(provider.decide(browser, page))["code"]).json["scope"] == "read write"


def test_the_consent_page_names_the_client_the_user_and_where_the_browser_goes(make_provider):
    provider = make_provider(scopes={"read": "Read your files"})
    browser = provider.browser()
    page = provider.sign_in(browser, provider.authorize(browser, scope="read"))
    for said in ("My App", "alice", "client.example", "Read your files"):
        assert said in page.text


def test_pages_bear_the_name_of_the_product(make_provider):
    assert "Sign in to localhost:8080" in make_provider().authorize().text
    assert "Sign in to Example Reports" in make_provider(product="Example Reports").authorize().text


def test_use_another_account_signs_the_browser_out(provider):
    provider.add_user("bob")
    browser = provider.browser()
    page = provider.sign_in(browser, provider.authorize(browser))
    answer = browser.post("/oauth2/consent", data={"ticket": ticket(page), "switch": "1"})
    page = browser.get(answer.location)
    assert 'name="password"' in page.text
    assert "bob" in provider.sign_in(browser, page, "bob").text


@pytest.mark.promise(3)
@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"client_id": ""},
        {"redirect_uri": "https://client.example/cb/"},
        {"redirect_uri": "https://client.example/cb?x=1"},
        {"redirect_uri": "https://client.example:443/cb"},
        {"redirect_uri": "https://CLIENT.example/cb"},
        {"redirect_uri": "https://client.example/cb#"},
        {"redirect_uri": "https://client.example/CB"},
        {"redirect_uri": " https://client.example/cb"},
        {"redirect_uri": "https://client.example/cb\n"},
        {"redirect_uri": "https://client.example/c\tb"},
        {"redirect_uri": "https://client.example\\@evil.example/cb"},
        {"redirect_uri": "https://client.example@evil.example/cb"},
        {"redirect_uri": "https://evil.example/cb"},
        {"redirect_uri": "https://client.example/../cb"},
        {"redirect_uri": "//client.example/cb"},
        {"redirect_uri": "/cb"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "http://client.example/cb"},
        {"redirect_uri": "https://[::1/cb"},
        {"redirect_uri": "https://client.example:99999/cb"},
    ],
)
def test_without_a_registered_destination_the_error_is_a_page(provider, change):
    answer = provider.authorize(**change)
    assert answer.status_code == 400
    assert answer.mimetype == "text/html"
    assert "Location" not in answer.headers
    assert "evil" not in answer.text, "a page must not repeat what the request said"


@pytest.mark.promise(3)
def test_a_disabled_client_is_answered_by_a_page(provider):
    provider.add_client("old", enabled=False)
    assert provider.authorize(client_id="old").status_code == 400


@pytest.mark.rfc("6749", "3.1.2.3")
def test_the_redirect_uri_may_be_left_out_when_there_is_only_one(provider):
    assert "code" in returned_code(provider, redirect_uri=None)
    provider.add_client("two", redirect_uris=(CALLBACK, CALLBACK + "2"))
    assert provider.authorize(client_id="two", redirect_uri=None).status_code == 400


def returned_code(provider, **parameters):
    browser = provider.browser()
    page = provider.sign_in(browser, provider.authorize(browser, **parameters))
    return returned(provider.decide(browser, page))


@pytest.mark.rfc("8252", "7.3")
@pytest.mark.parametrize(
    ("registered", "asked", "is_ours"),
    [
        ("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb", True),
        ("http://127.0.0.1:8000/cb", "http://127.0.0.1:49152/cb", True),
        ("http://[::1]/cb", "http://[::1]:5/cb", True),
        ("http://localhost/cb", "http://localhost:5/cb", True),
        ("http://127.0.0.1/cb", "http://127.0.0.1:49152/other", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:1@evil.example/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb", False),
        ("http://127.0.0.1/cb", "http://localhost/cb", False),
        ("http://127.0.0.1/cb", "https://127.0.0.1:5/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:/cb", False),
        ("https://client.example/cb", "https://client.example:8443/cb", False),
    ],
)
def test_only_a_loopback_port_may_differ(provider, registered, asked, is_ours):
    provider.add_client("desktop", redirect_uris=(registered,))
    answer = provider.authorize(client_id="desktop", redirect_uri=asked, response_type="none")
    if is_ours:
        assert answer.location.startswith(asked + "?error=")
    else:
        assert answer.status_code == 400


def test_the_query_of_a_redirect_uri_is_kept_byte_for_byte(provider):
    uri = "https://client.example/cb?a=b%20c&flag&u=%7Ex"
    provider.add_client("query", redirect_uris=(uri,))
    answer = provider.authorize(client_id="query", redirect_uri=uri, response_type="none")
    assert answer.location.startswith(uri + "&error=")


def test_a_custom_scheme_cannot_receive_a_form(provider):
    provider.add_client("phone", redirect_uris=("nuxeo://authorize",), auto_grant=True)
    answer = provider.authorize(client_id="phone", redirect_uri="nuxeo://authorize", response_mode="form_post")
    assert answer.location.startswith("nuxeo://authorize?error=invalid_request&")


def test_a_custom_scheme_is_returned_to(provider):
    provider.add_client("phone", redirect_uris=("nuxeo://authorize",))
    answer = provider.authorize(client_id="phone", redirect_uri="nuxeo://authorize", response_type="none")
    assert answer.location.startswith("nuxeo://authorize?error=")


@pytest.mark.parametrize(
    ("change", "error", "reason"),
    [
        ({"response_type": None}, "invalid_request", "missing_response_type"),
        ({"response_type": "none"}, "unsupported_response_type", "invalid_response_type"),
        ({"response_type": "code nonsense"}, "unsupported_response_type", "invalid_response_type"),
        ({"response_type": "token"}, "unauthorized_client", "grant_type_disabled"),
        ({"response_type": "code token"}, "unauthorized_client", "grant_type_disabled"),
        ({"response_mode": "nonsense"}, "invalid_request", "invalid_response_mode"),
        ({"scope": 'a"b'}, "invalid_scope", "invalid_scope"),
        ({"scope": "unknown"}, "invalid_scope", "unknown_scope"),
        ({"code_challenge": "short"}, "invalid_request", "invalid_pkce_code_challenge"),
        ({"code_challenge": None}, "invalid_request", "missing_code_challenge"),
        ({"code_challenge_method": "plain"}, "invalid_request", "invalid_pkce_code_challenge_method"),
        ({"code_challenge_method": "s256"}, "invalid_request", "invalid_pkce_code_challenge_method"),
        ({"code_challenge_method": None}, "invalid_request", "invalid_pkce_code_challenge_method"),
    ],
)
@pytest.mark.rfc("6749", "4.1.2.1")
def test_once_there_is_a_destination_errors_go_to_it(make_provider, change, error, reason):
    provider = make_provider(scopes={"read": "Read"})
    answer = returned(provider.authorize(**change))
    assert (answer["error"], answer["error_reason"], answer["state"]) == (error, reason, "xyz")


def test_a_client_without_the_grant_type_is_refused(provider):
    provider.add_client("service", grant_types=("client_credentials",))
    assert returned(provider.authorize(client_id="service"))["error"] == "unauthorized_client"


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "state", "response_type", "scope", "code_challenge"])
@pytest.mark.promise(7)
@pytest.mark.rfc("6749", "3.1", "parameters MUST NOT be included more than once")
def test_a_repeated_parameter_is_refused_on_a_page(provider, name):
    parameters = [*provider.request(scope="a").items(), (name, "other")]
    answer = provider.browser().get("/oauth2/authorize", query_string=encoded(parameters))
    assert answer.status_code == 400


def encoded(pairs):
    from urllib.parse import urlencode

    return urlencode(pairs)


def test_fragment_keeps_the_code_out_of_server_logs(provider):
    browser = provider.browser()
    page = provider.sign_in(browser, provider.authorize(browser, response_mode="fragment"))
    answer = provider.decide(browser, page)
    assert answer.location.startswith(CALLBACK + "#code=")


@pytest.mark.rfc("6749", "4.2.2.1", "the fragment, where the client looks for the answer to response_type=token")
def test_an_error_goes_where_the_client_looks_for_it(provider):
    assert provider.authorize(response_type="token").location.startswith(CALLBACK + "#error=")


def test_form_post_is_a_page_that_posts_to_the_client(provider):
    browser = provider.browser()
    state = 'a"b<c>&d\n%'
    page = provider.sign_in(browser, provider.authorize(browser, response_mode="form_post", state=state))
    answer = provider.decide(browser, page)
    assert answer.status_code == 200
    form = Form(answer.text)
    assert form.action == CALLBACK
    assert form.fields.keys() == {"code", "state", "iss"}
    assert form.fields["state"] == state
    assert provider.redeem(form.fields["code"]).status_code == 200
    assert "script-src 'self';" in answer.headers["Content-Security-Policy"]


class Form(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.action, self.fields = None, {}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.action = attributes["action"]
        if tag == "input":
            self.fields[attributes["name"]] = attributes.get("value")


# Signing in


def test_a_wrong_password_says_so_and_keeps_the_name(provider):
    browser = provider.browser()
    page = provider.sign_in(browser, provider.authorize(browser), "alice", "wrong")
    assert "user name or the password is wrong" in page.text
    assert 'value="alice"' in page.text
    assert "wrong" not in provider.authorize(browser).text.replace("password is wrong", ""), "it is said once"


@pytest.mark.promise(6)
def test_an_unknown_user_and_a_wrong_password_look_the_same(provider):
    pages = []
    for username in ("alice", "nobody"):
        browser = provider.browser()
        page = provider.sign_in(browser, provider.authorize(browser), username, "wrong")
        pages.append(page.text.replace(username, "").replace(ticket(page), ""))
    assert pages[0] == pages[1]


@pytest.mark.promise(5)
def test_the_password_is_in_no_answer_and_no_event(provider, caplog):
    browser = provider.browser()
    page = provider.authorize(browser)
    answer = browser.post(
        "/oauth2/login", data={"ticket": ticket(page), "username": "alice", "password": PASSWORD + "!"}
    )
    assert PASSWORD not in str(answer.headers) + answer.text + repr(provider.events) + caplog.text


@pytest.mark.promise(12)
class TestGuessing:
    def guess(self, provider, username="alice", password="wrong", address="192.0.2.1"):
        browser = provider.browser()
        page = provider.authorize(browser)
        fields = {"ticket": ticket(page), "username": username, "password": password}
        answer = browser.post("/oauth2/login", data=fields, environ_overrides={"REMOTE_ADDR": address})
        return browser.get(answer.location).text

    def test_is_bounded_and_the_owner_is_not_locked_out(self, provider):
        for _ in range(5):
            assert "password is wrong" in self.guess(provider)
        assert "too many wrong passwords" in self.guess(provider, password=PASSWORD)
        assert "too many wrong passwords" in self.guess(provider)
        assert "wants to use your account" in self.guess(provider, password=PASSWORD, address="192.0.2.2")
        provider.clock.advance(60)
        assert "wants to use your account" in self.guess(provider, password=PASSWORD)

    def test_right_passwords_are_not_counted(self, provider):
        for _ in range(10):
            assert "wants to use your account" in self.guess(provider, password=PASSWORD)

    @pytest.mark.promise(5)
    def test_what_was_typed_for_a_name_is_logged_only_if_it_is_one(self, provider):
        self.guess(provider, username="my secret password")
        self.guess(provider, username="alice")
        failed = [event.username for event in provider.events if event.name == "sign_in_failed"]
        assert failed == [None, "alice"]


def test_a_session_ends(provider):
    browser = provider.browser()
    provider.code(browser=browser)
    provider.clock.advance(provider.settings.session_lifetime - 1)
    assert "code" in returned(provider.authorize(browser))
    provider.clock.advance(1)
    assert 'name="password"' in provider.authorize(browser).text


@pytest.mark.promise(10)
class TestForms:
    def test_answer_with_303(self, provider):
        browser = provider.browser()
        page = provider.sign_in(browser, provider.authorize(browser))  # asserts 303 of the login form
        assert provider.decide(browser, page).status_code == 303

    @pytest.mark.parametrize("made_up", ["", "x", "é" * 50, "a.b", "W10.aaaa", "\x00"])
    def test_refuse_a_ticket_that_is_none(self, provider, made_up):
        browser = provider.browser()
        provider.authorize(browser)
        for path in ("/oauth2/login", "/oauth2/consent"):
            answer = browser.post(path, data={"ticket": made_up, "username": "alice", "password": PASSWORD})
            assert answer.status_code in (400, 403)
            assert "Location" not in answer.headers

    def test_refuse_the_ticket_of_another_browser(self, provider):
        theirs = provider.authorize(provider.browser())
        mine = provider.browser()
        provider.authorize(mine)
        fields = {"ticket": ticket(theirs), "username": "alice", "password": PASSWORD}
        assert mine.post("/oauth2/login", data=fields).status_code == 403

    def test_refuse_a_browser_without_cookies(self, provider):
        fields = {"ticket": ticket(provider.authorize()), "username": "alice", "password": PASSWORD}
        assert provider.browser().post("/oauth2/login", data=fields).status_code == 403

    def test_refuse_a_login_ticket_at_the_consent_endpoint(self, provider):
        browser = provider.browser()
        provider.code(browser=browser, scope=None)
        other = provider.browser()
        login_ticket = ticket(provider.authorize(other))
        provider.sign_in(other, provider.authorize(other))
        assert other.post("/oauth2/consent", data={"ticket": login_ticket, "decision": "allow"}).status_code == 403

    def test_refuse_the_ticket_of_another_user(self, provider):
        provider.add_user("bob")
        browser = provider.browser()
        alices = provider.sign_in(browser, provider.authorize(browser))
        answer = browser.post("/oauth2/consent", data={"ticket": ticket(alices), "switch": "1"})
        provider.sign_in(browser, browser.get(answer.location), "bob")
        assert provider.decide(browser, alices).status_code == 403

    def test_refuse_a_ticket_after_an_hour(self, provider):
        browser = provider.browser()
        page = provider.authorize(browser)
        provider.clock.advance(3600)
        fields = {"ticket": ticket(page), "username": "alice", "password": PASSWORD}
        assert browser.post("/oauth2/login", data=fields).status_code == 403

    def test_refuse_what_the_browser_says_comes_from_another_site(self, provider):
        browser = provider.browser()
        page = provider.sign_in(browser, provider.authorize(browser))
        answer = browser.post(
            "/oauth2/consent",
            data={"ticket": ticket(page), "decision": "allow"},
            headers={"Sec-Fetch-Site": "cross-site"},
        )
        assert answer.status_code == 403

    def test_a_consent_does_not_work_by_get(self, provider):
        browser = provider.browser()
        page = provider.sign_in(browser, provider.authorize(browser))
        answer = browser.get("/oauth2/consent", query_string={"ticket": ticket(page), "decision": "allow"})
        assert answer.status_code == 405
        assert answer.headers["Allow"] == "POST"

    @pytest.mark.parametrize("pages", ["login", "consent", "error"])
    def test_cannot_be_framed_cached_or_scripted(self, provider, pages):
        browser = provider.browser()
        page = provider.authorize(browser, client_id="nobody" if pages == "error" else "app")
        if pages == "consent":
            page = provider.sign_in(browser, page)
        policy = page.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "unsafe-inline" not in policy
        assert page.headers["X-Frame-Options"] == "DENY"
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["X-Content-Type-Options"] == "nosniff"

    def test_the_cookie_is_out_of_reach(self, make_provider):
        provider = make_provider(issuer="https://api.example.com")
        cookie = provider.authorize().headers["Set-Cookie"]
        assert cookie.startswith("__Secure-oauth_filter=")
        for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/oauth2"):
            assert attribute in cookie.split("; ")

    def test_signing_in_changes_what_the_browser_is_known_by(self, provider):
        browser = provider.browser()
        consent = provider.sign_in(browser, provider.authorize(browser))
        provider.sign_in(browser, provider.authorize(browser, prompt="login"))
        assert provider.decide(browser, consent).status_code == 403

    def test_a_second_tab_can_still_sign_in_and_the_button_be_pressed_twice(self, provider):
        browser = provider.browser()
        one, other = provider.authorize(browser), provider.authorize(browser, state="other")
        provider.sign_in(browser, one)
        assert "wants to use your account" in provider.sign_in(browser, one).text
        page = provider.sign_in(browser, other)
        assert returned(provider.decide(browser, page))["state"] == "other"


def test_a_code_is_stored_only_as_its_digest(provider):
    code = provider.code()
    assert provider.store.get(AuthorizationCode, code) is None
    assert provider.store.get(AuthorizationCode, credentials.digest(code)) is not None
    assert code not in repr(provider.events)
