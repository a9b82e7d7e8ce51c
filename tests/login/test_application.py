"""`login = application`: the wrapped application's own session and login page, asked in-process."""

import json
import logging
from http.cookies import SimpleCookie
from urllib.parse import parse_qs
from urllib.parse import urlsplit
from wsgiref.validate import validator

import flask
import pytest
from werkzeug.test import Client as Browser

from oauth_filter import Rule
from tests.provider import CALLBACK
from tests.provider import Provider
from tests.provider import echo
from tests.provider import returned
from tests.provider import ticket

SETTINGS = {
    "login": "application",
    "who_am_i": "/whoami",
    "application_login": "/login?next={next}",
    "protect": (Rule.parse("/login", "public"), Rule.parse("/page", "public")),
}


def an_application():
    """One that has signed its users in by a form and a session since long before there was a filter."""
    app = flask.Flask("application")
    app.secret_key = "not so secret"

    @app.route("/login", methods=["GET", "POST"])
    def login():
        if flask.request.method == "GET":
            return "the application's own form"
        flask.session["user"] = flask.request.form["user"]
        return flask.redirect(flask.request.args.get("next", "/page"))

    @app.get("/page")
    def page():
        return f"hello {flask.session.get('user', 'stranger')}, {flask.request.environ.get('REMOTE_USER')}"

    @app.get("/api")
    def api():
        return {"REMOTE_USER": flask.request.environ.get("REMOTE_USER")}

    @app.get("/whoami")
    def whoami():
        return {"username": flask.session.get("user"), "name": "Alice Example"}

    return app


def strict(application):
    """The application, where each question it is asked must be a valid WSGI request, and be dealt with as such."""
    checked = validator(application)

    def asked(environ, start_response):
        return (checked if environ["PATH_INFO"] == "/whoami" else application)(environ, start_response)

    return asked


@pytest.fixture
def provider(make_provider):
    return make_provider(application=strict(an_application()), **SETTINGS)


class TestAnApplication:
    def test_whom_it_does_not_know_it_signs_in_and_sends_back(self, provider):
        browser = provider.browser()
        answer = provider.authorize(browser)
        assert answer.status_code == 303
        form = browser.get(answer.location)
        assert form.text == "the application's own form"
        answer = browser.post(answer.location, data={"user": "alice"})
        assert answer.status_code == 302
        back = urlsplit(answer.location)
        assert back.path == "/oauth2/authorize"
        assert parse_qs(back.query) == {name: [value] for name, value in provider.request().items()}
        page = browser.get(answer.location)
        assert "Alice Example" in page.text
        assert 'name="switch"' not in page.text
        tokens = provider.redeem(returned(provider.decide(browser, page))["code"]).json
        assert provider.call(tokens["access_token"]).json["REMOTE_USER"] == "alice"
        assert provider.refresh(tokens["refresh_token"]).status_code == 200

    def test_a_request_that_was_posted_comes_back_whole(self, provider):
        browser = provider.browser()
        asked = provider.request(state="a&b=ü +%", custom="x")
        answer = browser.get(browser.post("/oauth2/authorize", data=asked).location)
        back = parse_qs(urlsplit(answer.location).query)["next"][0]
        assert parse_qs(urlsplit(back).query) == {name: [value] for name, value in asked.items()}

    def test_whom_it_knows_is_asked_for_consent_only(self, provider):
        browser = provider.browser()
        browser.post("/login", data={"user": "alice"})
        assert "My App" in provider.authorize(browser).text

    @pytest.mark.rfc("OpenID Core", "3.1.2.1", "If it cannot reauthenticate the End-User, it MUST return an error")
    @pytest.mark.parametrize("again", [{"prompt": "login"}, {"prompt": "select_account"}, {"max_age": "0"}])
    def test_whom_it_knows_cannot_be_asked_again(self, provider, again):
        browser = provider.browser()
        # Whom it does not know it asks anyway.
        back = parse_qs(urlsplit(provider.authorize(browser, prompt="login").location).query)["next"][0]
        browser.post("/login", data={"user": "alice"})
        assert "My App" in browser.get(back).text
        assert returned(provider.authorize(browser, **again))["error"] == "login_required"

    def test_its_own_pages_work_as_before(self, provider):
        browser = provider.browser()
        browser.post("/login", data={"user": "alice"})
        assert browser.get("/page").text == "hello alice, None"

    def test_its_session_is_no_access_token(self, provider):
        browser = provider.browser()
        browser.post("/login", data={"user": "alice"})
        assert browser.get("/api").status_code == 401

    def test_the_view_needs_no_rule(self, provider):
        # It is asked behind the guard; from outside it is as closed as everything else.
        assert provider.browser().get("/whoami").status_code == 401

    def test_signing_out_there_signs_out_here(self, provider):
        browser = provider.browser()
        browser.post("/login", data={"user": "alice"})
        page = provider.authorize(browser)
        browser.delete_cookie("session")
        assert provider.authorize(browser).status_code == 303
        assert provider.decide(browser, page).status_code == 403

    @pytest.mark.promise(10)
    def test_to_be_signed_in_is_not_to_consent(self, provider):
        browser = provider.browser()
        browser.post("/login", data={"user": "alice"})
        page = provider.authorize(browser)
        # Another site can make the browser send a form, but has no ticket of this browser and user.
        mallory = provider.browser()
        mallory.post("/login", data={"user": "mallory"})
        for forged in ("", "x", ticket(provider.authorize(mallory))):
            answer = browser.post("/oauth2/consent", data={"ticket": forged, "decision": "allow"})
            assert answer.status_code == 403
        assert "code" in returned(provider.decide(browser, page))

    @pytest.mark.promise(10)
    def test_whose_session_was_swapped_consents_to_nothing(self, provider):
        # Login CSRF: somebody signs the browser in with an account of his own while the consent page is open.
        browser = provider.browser()
        browser.post("/login", data={"user": "alice"})
        page = provider.authorize(browser)
        browser.post("/login", data={"user": "mallory"})
        assert provider.decide(browser, page).status_code == 403

    def test_there_is_no_password_of_ours_to_guess(self, provider):
        answer = provider.browser().post("/oauth2/login", data={"username": "alice", "password": "x", "ticket": ""})
        assert answer.status_code == 403


class WhoAmI:
    """An application that answers /whoami as it is told, and remembers how it was asked."""

    def __init__(self, status="200 OK", content_type="application/json", body=b'{"username": "alice"}'):
        self.status = status
        self.content_type = content_type
        self.body = body
        self.asked = []
        self.closed = 0

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"] != "/whoami":
            return echo(environ, start_response)
        self.asked.append(environ)
        headers = [("Content-Type", self.content_type)] if self.content_type else []
        start_response(self.status, headers)
        return Streamed(self)


class Streamed:
    def __init__(self, answer):
        self.answer = answer
        self.parts = iter(self.answer.body[i : i + 1] for i in range(len(answer.body)))

    def __iter__(self):
        return self.parts

    def close(self):
        self.answer.closed += 1


def outcome(provider, browser=None):
    answer = provider.authorize(browser)
    if answer.status_code == 200:
        return "somebody"
    if answer.location.startswith("/login?"):
        return "nobody"
    return returned(answer)["error"]


TEXT = "text/plain; charset=utf-8"
JSON = "application/json"


class TestAnswers:
    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            (JSON, b'{"username": "alice"}'),
            ("Application/JSON; charset=utf-8", b' {"username": "alice", "name": null, "id": 7}\n'),
            (JSON, b'{"username": "alice", "name": "Al\\nice"}'),
            (TEXT, b"alice\n"),
            ("text/plain", b" alice "),
        ],
    )
    def test_alice(self, make_provider, content_type, body):
        view = WhoAmI(content_type=content_type, body=body)
        provider = make_provider(application=view, **SETTINGS)
        page = provider.authorize()
        assert ">alice<" in page.text
        assert view.closed == 1

    def test_a_name_beyond_ascii(self, make_provider):
        view = WhoAmI(content_type=TEXT, body="r\u00e9n\u00e9e".encode())
        assert "r\u00e9n\u00e9e" in make_provider(application=view, **SETTINGS).authorize().text

    @pytest.mark.parametrize(
        ("status", "content_type", "body"),
        [
            ("200 OK", JSON, b"{}"),
            ("200 OK", JSON, b"null"),
            ("200 OK", JSON, b'{"username": null}'),
            ("200 OK", JSON, b'{"username": ""}'),
            ("200 OK", TEXT, b""),
            ("200 OK", TEXT, b"None"),
            ("200 OK", TEXT, b"AnonymousUser"),
            ("204 No Content", "", b""),
            ("302 Found", "text/html", b"<a href=/login>sign in</a>"),
            ("303 See Other", "", b""),
            ("401 Unauthorized", JSON, b'{"username": "alice"}'),
            ("403 Forbidden", TEXT, b"alice"),
        ],
    )
    def test_nobody(self, make_provider, status, content_type, body):
        view = WhoAmI(status, content_type, body)
        assert outcome(make_provider(application=view, **SETTINGS)) == "nobody"
        assert view.closed == 1

    @pytest.mark.parametrize(
        ("status", "content_type", "body", "logged"),
        [
            # A sign-in form that comes with a 200 must not become a user, even on one line.
            ("200 OK", "text/html; charset=utf-8", b"<h1>Please sign in</h1>", "neither application/json nor"),
            ("200 OK", "text/html", b"alice", "neither application/json nor"),
            ("200 OK", "", b"alice", "neither application/json nor"),
            ("200 OK", JSON, b"", "malformed"),
            ("200 OK", JSON, b"{", "malformed"),
            ("200 OK", JSON, b"[" * 50_000, "malformed"),
            ("200 OK", JSON, b'{"username": "\xff"}', "malformed"),
            ("200 OK", TEXT, b"\xff", "malformed"),
            ("200 OK", JSON, b'"alice"', "not an object"),
            ("200 OK", JSON, b"[]", "not an object"),
            ("200 OK", JSON, b'{"username": 7}', "not a text"),
            ("200 OK", JSON, b'{"username": true}', "not a text"),
            ("200 OK", JSON, b'{"username": "al\\u0000ice"}', "not a text"),
            ("200 OK", JSON, b'{"username": "\\ud800"}', "not a text"),
            ("200 OK", TEXT, b"al\nice", "not a text"),
            ("200 OK", TEXT, b"a" * 256, "not a text"),
            ("200 OK", TEXT, b"a" * 100_000, "more than 65536 bytes"),
            ("201 Created", TEXT, b"alice", "status 201"),
            ("404 Not Found", TEXT, b"alice", "status 404"),
            ("500 Internal Server Error", JSON, b'{"username": "alice"}', "status 500"),
            ("503 Service Unavailable", TEXT, b"alice", "status 503"),
            ("OK", TEXT, b"alice", "failed in the application"),
        ],
    )
    @pytest.mark.promise(7)
    def test_no_answer(self, make_provider, caplog, status, content_type, body, logged):
        view = WhoAmI(status, content_type, body)
        provider = make_provider(application=view, **SETTINGS)
        assert outcome(provider) == "temporarily_unavailable"
        assert logged in caplog.text
        assert "/whoami" in caplog.text
        assert provider.events[-1].reason == "who_am_i_failed"
        assert view.closed == (0 if status == "OK" else 1)

    def test_an_application_that_crashes(self, make_provider, caplog):
        def crashing(environ, start_response):
            raise ZeroDivisionError

        provider = make_provider(application=crashing, **SETTINGS)
        browser = provider.browser()
        browser.set_cookie("sid", "the-session-of-alice")
        assert outcome(provider, browser) == "temporarily_unavailable"
        assert "ZeroDivisionError" in caplog.text
        assert "the-session-of-alice" not in caplog.text

    def test_one_that_crashes_half_way(self, make_provider):
        def crashing(environ, start_response):
            start_response("200 OK", [("Content-Type", TEXT)])
            yield b"alice"
            raise ZeroDivisionError

        assert outcome(make_provider(application=crashing, **SETTINGS)) == "temporarily_unavailable"

    def test_one_that_says_nothing(self, make_provider):
        provider = make_provider(application=lambda environ, start_response: [], **SETTINGS)
        assert outcome(provider) == "temporarily_unavailable"

    def test_one_that_crashes_once_the_consent_page_is_shown(self, make_provider):
        view = WhoAmI()
        provider = make_provider(application=view, **SETTINGS)
        browser = provider.browser()
        page = provider.authorize(browser)
        view.status = "500 Internal Server Error"
        answer = provider.decide(browser, page)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert "could not say who is signed in" in answer.text

    def test_one_that_answers_by_write_and_changes_its_mind(self, make_provider):
        def odd(environ, start_response):
            write = start_response("200 OK", [("Content-Type", TEXT)])
            write(b"ali")
            return [b"ce"]

        assert outcome(make_provider(application=odd, **SETTINGS)) == "somebody"

        def mending(environ, start_response):
            start_response("200 OK", [("Content-Type", TEXT)])
            try:
                raise ZeroDivisionError
            except ZeroDivisionError as error:
                start_response("500 Oops", [], (type(error), error, None))
            return [b""]

        assert outcome(make_provider(application=mending, **SETTINGS)) == "temporarily_unavailable"


class TestTheQuestion:
    def test_what_it_consists_of(self, make_provider):
        view = WhoAmI()
        provider = make_provider(application=strict(view), **SETTINGS)
        browser = provider.browser()
        browser.set_cookie("sid", "of-alice")
        headers = {
            "User-Agent": "Browser/1.0",
            "Accept-Language": "fr",
            "X-Forwarded-Proto": "https",
            "Authorization": "Basic YWxpY2U6",
            "X-Remote-User": "mallory",
            "Remote-User": "mallory",
            "Content-Type": "application/x-www-form-urlencoded",
            "If-None-Match": '"x"',
            "Range": "bytes=0-1",
        }
        body = provider.request()
        browser.post("/oauth2/authorize", data=body, headers=headers, environ_overrides={"REMOTE_USER": "mallory"})
        [asked] = view.asked
        assert asked["REQUEST_METHOD"] == "GET"
        assert asked["PATH_INFO"] == "/whoami"
        assert asked["QUERY_STRING"] == ""
        assert asked["CONTENT_LENGTH"] == "0"
        assert asked["wsgi.input"].read(1) == b""
        assert SimpleCookie(asked["HTTP_COOKIE"])["sid"].value == "of-alice"
        assert {name for name in asked if name.startswith("HTTP_")} == {
            "HTTP_ACCEPT",
            "HTTP_ACCEPT_LANGUAGE",
            "HTTP_COOKIE",
            "HTTP_HOST",
            "HTTP_USER_AGENT",
            "HTTP_X_FORWARDED_PROTO",
        }
        assert not {"REMOTE_USER", "AUTH_TYPE", "CONTENT_TYPE"} & asked.keys()
        assert "mallory" not in json.dumps({name: str(value) for name, value in asked.items()})

    @pytest.mark.parametrize(
        ("who_am_i", "path", "query"),
        [
            ("/whoami", "/whoami", ""),
            ("/api/me?format=json", "/api/me", "format=json"),
            ("/wer/bin/ich/\u00fc", "/wer/bin/ich/\xc3\xbc", ""),
        ],
    )
    def test_where_it_goes(self, make_provider, who_am_i, path, query):
        asked = []

        def application(environ, start_response):
            asked.append((environ["PATH_INFO"], environ["QUERY_STRING"]))
            start_response("204 No Content", [])
            return []

        provider = make_provider(application=validator(application), **(SETTINGS | {"who_am_i": who_am_i}))
        provider.authorize()
        assert asked == [(path, query)]

    def test_it_is_asked_of_the_application_where_that_is_mounted(self, make_provider):
        view = WhoAmI(status="401 Unauthorized")
        provider = make_provider(application=strict(view), issuer="https://host.example/nuxeo", **SETTINGS)
        browser = Browser(provider.filter)
        answer = browser.get(
            "/oauth2/authorize", base_url="https://host.example/nuxeo", query_string=provider.request()
        )
        assert view.asked[0]["SCRIPT_NAME"] == "/nuxeo"
        assert view.asked[0]["wsgi.url_scheme"] == "https"
        assert answer.location.startswith("/nuxeo/login?next=%2Fnuxeo%2Foauth2%2Fauthorize%3F")

    def test_it_is_asked_only_where_a_browser_wants_a_code(self, make_provider):
        view = WhoAmI()
        provider = make_provider(application=view, **SETTINGS)
        token = provider.token(grant_type="client_credentials").json["access_token"]
        provider.call(token)
        provider.revoke(token)
        provider.authorize(client_id="unknown")
        provider.authorize(redirect_uri=CALLBACK + "/other")
        assert view.asked == []


def test_the_log_says_who_consented(provider, caplog):
    caplog.set_level(logging.INFO, "oauth_filter")
    browser = provider.browser()
    browser.post("/login", data={"user": "alice"})
    provider.decide(browser, provider.authorize(browser))
    assert [(event.name, event.username) for event in provider.events] == [
        ("consent_given", "alice"),
        ("code_issued", "alice"),
    ]


def test_a_login_page_that_is_not_public_is_a_dead_end(make_provider):
    # Said in the documentation: without a rule everything needs a token, the login page as well.
    settings = SETTINGS | {"protect": ()}
    provider = make_provider(application=an_application(), **settings)
    browser = provider.browser()
    assert browser.get(provider.authorize(browser).location).status_code == 401


def test_two_filters_over_one_application(clock):
    app = an_application()
    here, there = (Provider(clock, application=app, **SETTINGS) for _ in range(2))
    browser = here.browser()
    browser.post("/login", data={"user": "alice"})
    page = here.authorize(browser)
    token = here.redeem(returned(here.decide(browser, page))["code"]).json["access_token"]
    assert here.call(token).status_code == 200
    assert there.call(token).status_code == 401
