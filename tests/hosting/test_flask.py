"""`oauth_filter.hosting.flask` in a real Flask application."""

import flask
import pytest
from webtest import TestApp

from oauth_filter import Rule
from oauth_filter.hosting.flask import current_principal
from oauth_filter.hosting.flask import requires_scope


def an_application():
    app = flask.Flask("application")

    @app.get("/who")
    def who():
        principal = current_principal()
        return {"username": principal and principal.username, "client_id": principal and principal.client_id}

    @app.get("/reports/<name>")
    @requires_scope("reports:read")
    def report(name):
        """A report."""
        return f"{name} for {current_principal().username}"

    @app.post("/reports/<name>")
    @requires_scope("reports:read", "reports:write", realm="reports")
    def change(name):
        return "changed"

    @app.get("/any")
    @requires_scope()
    def any_token():
        return "any"

    return app


@pytest.fixture
def provider(make_provider):
    scopes = {"reports:read": "Read your reports", "reports:write": "Change your reports"}
    return make_provider(application=an_application(), scopes=scopes, protect=(Rule(path="/", access="optional"),))


@pytest.fixture
def app(provider):
    return TestApp(provider.filter)


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def reader(provider):
    return bearer(provider.tokens(scope="reports:read")["access_token"])


@pytest.fixture
def machine(provider):
    return bearer(provider.token(grant_type="client_credentials", scope="reports:write").json["access_token"])


def test_who_calls(app, reader, machine):
    assert app.get("/who").json == {"username": None, "client_id": None}
    assert app.get("/who", headers=reader).json == {"username": "alice", "client_id": "app"}
    assert app.get("/who", headers=machine).json == {"username": None, "client_id": "app"}


def test_a_view_with_a_scope(app, reader):
    assert app.get("/reports/q1", headers=reader).text == "q1 for alice"


@pytest.mark.rfc("6750", "3")
def test_without_a_token(app):
    answer = app.get("/reports/q1", status=401)
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api", scope="reports:read"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert app.head("/reports/q1", status=401).body == b""


@pytest.mark.rfc("6750", "3.1")
def test_with_another_scope(app, reader, machine):
    answer = app.get("/reports/q1", headers=machine, status=403)
    assert answer.json["error"] == "insufficient_scope"
    answer = app.post("/reports/q1", headers=reader, status=403)
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith('Bearer realm="reports", error="insufficient_scope"')
    assert challenge.endswith('scope="reports:read reports:write"')


def test_any_token(app, reader, machine):
    assert app.get("/any", headers=reader).text == "any"
    assert app.get("/any", headers=machine).text == "any"
    assert app.get("/any", status=401)


def test_the_view_keeps_its_name():
    assert an_application().view_functions["report"].__doc__ == "A report."


def test_without_the_filter_nobody_gets_in():
    app = TestApp(an_application())
    spoofed = {"Oauth-Filter-Principal": "alice", "Authorization": "Bearer x"}
    assert app.get("/reports/q1", headers=spoofed, status=401)
    assert app.get("/reports/q1", extra_environ={"oauth_filter.principal": "alice"}, status=401)


def test_outside_of_a_request():
    with pytest.raises(RuntimeError):
        current_principal()


def test_what_is_no_scope():
    with pytest.raises(ValueError, match="scope-token"):
        requires_scope("reports:read reports:write")
