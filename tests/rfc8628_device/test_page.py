"""The page for devices: sign in, enter the code, decide -- RFC 8628 sections 3.3, 5.4 and 6.1."""

import html
import re

import flask
import pytest
from werkzeug.test import Client as Browser

from oauth_filter import Rule
from tests.provider import PASSWORD
from tests.provider import Provider
from tests.provider import ticket
from tests.rfc8628_device.conftest import Device
from tests.rfc8628_device.conftest import Person


def shown_code(page):
    return html.unescape(re.search(r'name="user_code" value="([^"]*)"', page.text)[1])


@pytest.mark.rfc("8628", "3.3", "the user authenticates, then enters the code, then consents")
def test_somebody_signs_in_enters_the_code_and_allows(make_provider):
    provider = make_provider(scopes={"read": "Read your reports"})
    device = Device(provider, scope="read", **{"metaData.device.name": "The TV", "metaData.device.type": "TV"})
    browser = provider.browser()
    page = browser.get("/oauth2/device")
    assert 'name="password"' in page.text
    assert "continue to" not in page.text
    person = Person(provider, browser=browser)
    assert "alice" in person.page.text
    page = person.enter(device.user_code)
    for told in ("My Phone App", "The TV · TV", device.user_code, "Read your reports", "alice"):
        assert told in page.text
    page = person.decide("allow")
    assert "Device connected" in page.text
    assert device.poll().status_code == 200
    assert [event.name for event in provider.events if event.detail == "device"] == ["code_issued", "consent_given"]


@pytest.mark.rfc("8628", "3.5", "access_denied")
@pytest.mark.parametrize("decision", ["deny", "", "odd"])
def test_whatever_is_not_allow_is_a_refusal(provider, start, person, decision):
    device = start()
    person.enter(device.user_code)
    assert "Device refused" in person.decide(decision).text
    answer = device.poll()
    assert (answer.status_code, answer.json["error"]) == (400, "access_denied")
    assert answer.json["error_reason"] == "consent_canceled"


@pytest.mark.rfc("8628", "3.3.1", "verification_uri_complete saves typing, not the confirmation")
def test_a_code_in_the_url_is_filled_in_and_nothing_more(provider, start):
    device = start()
    browser = provider.browser()
    url = device.answer.json["verification_uri_complete"].removeprefix("http://localhost:8080")
    page = provider.sign_in(browser, browser.get(url + "&client_id=native&tenantId=t"))
    assert shown_code(page) == device.user_code
    assert "My Phone App" not in page.text
    person = Person(provider, browser=browser)
    assert device.user_code in person.enter(device.user_code).text
    assert device.error() == "authorization_pending"


@pytest.mark.parametrize("sent", ["<script>", "BCDF", "B" * 9, "BCDFGHJA", "%00", "&user_code=B"])
def test_what_is_no_code_is_not_repeated(provider, person, sent):
    answer = person.browser.get(f"/oauth2/device?user_code={sent}")
    if answer.status_code == 200:
        assert shown_code(answer) == ""
    assert "<script>" not in answer.text


@pytest.mark.rfc("8628", "6.1", "case, punctuation and other characters do not matter")
@pytest.mark.parametrize(
    "typed",
    [
        str.lower,
        lambda code: code.replace("-", ""),
        lambda code: " ".join(code),
        lambda code: f"\t{code.replace('-', chr(0x2013))}\n",
        lambda code: "".join(chr(ord(c) + 0xFEE0) for c in code),
        lambda code: code.replace("-", "_1a"),
    ],
    ids=["lower case", "no dash", "spaces", "another dash", "full width", "other characters"],
)
def test_however_it_is_typed(start, person, typed):
    device = start()
    assert device.user_code in person.enter(typed(device.user_code)).text


@pytest.mark.parametrize("typed", ["", "BCDF", "BCDFGHJK", "🤷" * 50, "B" * 101])
def test_a_wrong_code_is_asked_for_again(person, typed):
    page = person.enter(typed)
    assert page.status_code == 200
    assert 'role="alert"' in page.text
    assert ticket(page)


def test_an_expired_code_is_said_to_be_expired(start, person, clock):
    device = start()
    clock.advance(600)
    assert "expired" in person.enter(device.user_code).text


def test_time_runs_out_before_the_decision(start, person, clock):
    device = start()
    person.enter(device.user_code)
    clock.advance(600)
    assert "expired" in person.decide("allow").text
    assert device.error() == "expired_token"


def test_one_decision_is_the_last(provider, start, make_person):
    provider.add_user("mallory")
    device = start()
    alice, mallory = make_person("alice"), make_person("mallory")
    alice.enter(device.user_code)
    mallory.enter(device.user_code)
    alice.decide("allow")
    assert "not valid" in mallory.decide("deny").text
    assert "not valid" in mallory.enter(device.user_code).text
    assert provider.call(device.poll().json["access_token"]).json["REMOTE_USER"] == "alice"


def test_the_answer_can_be_looked_at_again(start, person):
    person.enter(start().user_code)
    answer = person.browser.post("/oauth2/device", data={"ticket": ticket(person.page), "decision": "allow"})
    assert answer.status_code == 303
    assert person.browser.get(answer.location).text == person.browser.get(answer.location).text


def test_a_client_that_is_disabled_meanwhile(provider, start, person):
    device = start()
    person.enter(device.user_code)
    provider.add_client("native", enabled=False)
    assert "not valid" in person.decide("allow").text


def test_a_client_for_registered_users(provider, person):
    provider.add_client("native", registration_required=True)
    device = Device(provider)
    assert person.enter(device.user_code).status_code == 403
    assert device.error() == "authorization_pending"
    provider.add_user("bob", registrations=("native",))
    Person(provider, "bob").allow(device.user_code)
    assert device.poll().status_code == 200


def test_trusted_applications_are_asked_about_too(provider, person):
    """Somebody else's device could show the code: no policy of the client knows better."""
    provider.add_client("native", auto_grant=True)
    assert 'value="allow"' in person.enter(Device(provider).user_code).text


def test_what_a_device_says_about_itself_is_cut_and_escaped(start, person):
    text = person.enter(start(**{"metaData.device.name": "<b>" + "x" * 500}).user_code).text
    assert "&lt;b&gt;" + "x" * 97 in text
    assert "x" * 98 not in text


def test_somebody_else_can_sign_in_and_finds_the_code_filled_in(provider, start, person):
    provider.add_user("bob")
    device = start()
    page = person.enter(device.user_code)
    answer = person.browser.post("/oauth2/device", data={"ticket": ticket(page), "switch": "1"})
    page = provider.sign_in(person.browser, person.browser.get(answer.location), "bob")
    assert shown_code(page) == device.user_code
    Person(provider, browser=person.browser).allow(device.user_code)
    assert provider.call(device.poll().json["access_token"]).json["REMOTE_USER"] == "bob"


def test_a_wrong_password_leads_back_here(provider):
    browser = provider.browser()
    page = browser.get("/oauth2/device?user_code=BCDF-GHJK")
    page = provider.sign_in(browser, page, password="wrong")
    assert 'role="alert"' in page.text
    assert shown_code(provider.sign_in(browser, page)) == "BCDF-GHJK"


@pytest.mark.promise(10)
class TestForgery:
    """The approval of a device that an attacker has started is what they want most -- section 5.4."""

    def test_a_form_without_a_ticket(self, start, person):
        device = start()
        for fields in (
            {"user_code": device.user_code},
            {"user_code": device.user_code, "decision": "allow"},
            {"ticket": "x", "decision": "allow"},
        ):
            assert person.browser.post("/oauth2/device", data=fields).status_code == 403

    def test_the_ticket_of_another_browser(self, provider, start, person, make_person):
        device = start()
        page = make_person().enter(device.user_code)
        assert person.decide("allow", page).status_code == 403
        assert device.error() == "authorization_pending"

    def test_the_ticket_of_another_user_of_this_browser(self, provider, start, person):
        provider.add_user("bob")
        device = start()
        page = person.enter(device.user_code)
        provider.sign_in(person.browser, provider.authorize(person.browser, prompt="login"), "bob")
        assert person.decide("allow", page).status_code == 403

    @pytest.mark.parametrize("step", ["the entry form's", "the URL's", "a consent page's"])
    def test_the_ticket_of_something_else(self, provider, start, person, step):
        device = start()
        answer = person.browser.post(
            "/oauth2/device", data={"ticket": ticket(person.page), "user_code": device.user_code}
        )
        sealed = {
            "the entry form's": ticket(person.page),
            "the URL's": answer.location.partition("step=")[2],
            "a consent page's": ticket(provider.authorize(person.browser)),
        }[step]
        person.browser.post("/oauth2/device", data={"ticket": sealed, "decision": "allow"})
        assert device.error() == "authorization_pending"

    def test_a_ticket_is_good_for_an_hour(self, make_provider, clock):
        provider = make_provider(device_code_lifetime=7200)
        device, person = Device(provider), Person(provider)
        page = person.enter(device.user_code)
        clock.advance(3600)
        assert person.decide("allow", page).status_code == 403

    def test_another_site_cannot_post_the_form(self, start, person):
        person.enter(start().user_code)
        answer = person.browser.post(
            "/oauth2/device",
            data={"ticket": ticket(person.page), "decision": "allow"},
            headers={"Sec-Fetch-Site": "cross-site"},
        )
        assert answer.status_code == 403

    def test_a_made_up_step(self, person):
        assert person.browser.get("/oauth2/device?step=allowed+Evil").status_code == 403

    def test_nobody_is_signed_in(self, provider, person):
        answer = provider.browser().post("/oauth2/device", data={"ticket": ticket(person.page), "user_code": "x"})
        assert answer.status_code == 403

    def test_pages_cannot_be_framed_cached_or_scripted(self, start, person):
        pages = [person.page, person.enter(start().user_code), person.decide("allow")]
        for page in pages:
            assert page.headers["X-Frame-Options"] == "DENY"
            assert page.headers["Cache-Control"] == "no-store"
            assert page.headers["Referrer-Policy"] == "no-referrer"
            policy = page.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "form-action 'self'" in policy

    def test_forms_are_answered_by_303(self, start, person):
        device = start()
        answer = person.browser.post(
            "/oauth2/device", data={"ticket": ticket(person.page), "user_code": device.user_code}
        )
        assert answer.status_code == 303
        page = person.follow(answer)
        answer = person.browser.post("/oauth2/device", data={"ticket": ticket(page), "decision": "allow"})
        assert answer.status_code == 303


class TestOtherLogins:
    def application(self):
        app = flask.Flask("application")
        app.secret_key = "not so secret"

        @app.get("/login")
        def login():
            flask.session["user"] = "alice"
            return flask.redirect(flask.request.args["next"])

        @app.get("/whoami")
        def whoami():
            return {"username": flask.session.get("user")}

        return app

    def test_the_application_signs_people_in(self, clock):
        provider = Provider(
            clock,
            application=self.application(),
            login="application",
            who_am_i="/whoami",
            application_login="/login?next={next}",
            protect=(Rule.parse("/login", "public"),),
        )
        device, browser = Device(provider), provider.browser()
        url = f"/oauth2/device?user_code={device.user_code}"
        answer = browser.get(url)
        assert answer.status_code == 303
        answer = browser.get(answer.location)
        assert answer.location == url.replace("-", "")
        assert shown_code(browser.get(answer.location)) == device.user_code
        Person(provider, browser=browser).allow(device.user_code)
        assert device.poll().status_code == 200

    def test_the_server_in_front_signs_people_in(self, make_provider):
        provider = make_provider(login="remote_user")
        device = Device(provider)
        assert provider.browser().get("/oauth2/device").status_code == 403
        browser = Browser(lambda environ, start: provider.filter(environ | {"REMOTE_USER": "carol"}, start))
        person = Person(provider, browser=browser)
        assert 'name="switch"' not in person.enter(device.user_code).text
        person.decide("allow")
        assert provider.call(device.poll().json["access_token"]).json["REMOTE_USER"] == "carol"

    def test_below_a_path(self, make_provider):
        provider = make_provider(issuer="https://api.example.com/base")
        at = {"base_url": "https://api.example.com/base/"}
        browser = provider.browser()
        page = browser.get("/oauth2/device", **at)
        assert 'action="/base/oauth2/login"' in page.text
        fields = {"ticket": ticket(page), "username": "alice", "password": PASSWORD}
        answer = browser.post("/oauth2/login", data=fields, **at)
        assert answer.location == "/base/oauth2/device"
        page = browser.get("/oauth2/device", **at)
        assert 'action="/base/oauth2/device"' in page.text
        answer = browser.post("/oauth2/device", data={"ticket": ticket(page), "user_code": "x"}, **at)
        assert answer.location.startswith("/base/oauth2/device?step=")
