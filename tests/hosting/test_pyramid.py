"""`oauth_filter.hosting.pyramid` in a real Pyramid application."""

import pytest
from pyramid.authentication import SessionAuthenticationHelper
from pyramid.authorization import Allow
from pyramid.authorization import Authenticated
from pyramid.config import Configurator
from pyramid.session import SignedCookieSessionFactory
from webtest import TestApp

from oauth_filter import Rule
from oauth_filter.hosting.pyramid import OAuthSecurityPolicy


class Root:
    __acl__ = (
        (Allow, "user:alice", "edit"),
        (Allow, "client:app", "count"),
        (Allow, "scope:reports:read", "view"),
        (Allow, Authenticated, "enter"),
        (Allow, "group:admins", "rule"),
    )

    def __init__(self, request):
        pass


class Sessions:
    """The policy the application has had all along: its own session, and one administrator."""

    def __init__(self):
        self._helper = SessionAuthenticationHelper()

    def identity(self, request):
        return self._helper.authenticated_userid(request)

    authenticated_userid = identity

    def permits(self, request, context, permission):
        return self.identity(request) == "boss"

    def remember(self, request, userid, **options):
        return self._helper.remember(request, userid, **options)

    def forget(self, request, **options):
        return self._helper.forget(request, **options)


def an_application(policy):
    config = Configurator(root_factory=Root, settings={"oauth_realm": "reports"})
    config.include("oauth_filter.hosting.pyramid")
    config.set_session_factory(SignedCookieSessionFactory("not so secret"))
    config.set_security_policy(policy)

    def who(request):
        principal = request.oauth_principal
        return {
            "client_id": principal and principal.client_id,
            "userid": request.authenticated_userid,
            "identity": type(request.identity).__name__,
        }

    def login(request):
        request.response.headerlist.extend(request.security_policy.remember(request, request.params["user"]))
        return {}

    def logout(request):
        request.response.headerlist.extend(request.security_policy.forget(request))
        return {}

    def scoped(request):
        return {"scope": str(request.oauth_principal.scope)}

    def done(request):
        return {}

    config.add_request_method(lambda request: policy, "security_policy", property=True)
    for view, name, options in [
        (who, "who", {}),
        (login, "login", {}),
        (logout, "logout", {}),
        (scoped, "scoped", {"oauth_scope": "reports:read"}),
        (scoped, "both", {"oauth_scope": "reports:read reports:write"}),
        (scoped, "any", {"oauth_scope": ""}),
        *((done, permission, {"permission": permission}) for permission in ("edit", "count", "view", "enter", "rule")),
    ]:
        config.add_view(view, name=name, renderer="json", **options)
    return config.make_wsgi_app()


@pytest.fixture
def make_app(make_provider):
    def make(policy):
        scopes = {"reports:read": "Read your reports", "reports:write": "Change your reports"}
        application = an_application(policy)
        rules = (Rule(path="/", access="optional"),)
        provider = make_provider(application=application, scopes=scopes, protect=rules)
        reader = {"Authorization": f"Bearer {provider.tokens(scope='reports:read')['access_token']}"}
        own = provider.token(grant_type="client_credentials", scope="reports:write").json["access_token"]
        return TestApp(provider.filter), reader, {"Authorization": f"Bearer {own}"}, provider

    return make


def allowed(app, headers=None):
    names = ("edit", "count", "view", "enter", "rule")
    return {name for name in names if app.get(f"/{name}", headers=headers, expect_errors=True).status_int == 200}


def test_who_calls(make_app):
    app, reader, machine, _ = make_app(OAuthSecurityPolicy())
    assert app.get("/who").json == {"client_id": None, "userid": None, "identity": "NoneType"}
    assert app.get("/who", headers=reader).json == {"client_id": "app", "userid": "alice", "identity": "Principal"}
    assert app.get("/who", headers=machine).json == {"client_id": "app", "userid": None, "identity": "Principal"}


@pytest.mark.rfc("6750", "3")
def test_views_with_a_scope(make_app):
    app, reader, machine, _ = make_app(OAuthSecurityPolicy())
    assert app.get("/scoped", headers=reader).json == {"scope": "reports:read"}
    answer = app.get("/scoped", status=401)
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="reports", scope="reports:read"'
    answer = app.get("/scoped", headers=machine, status=403)
    assert answer.json["error"] == "insufficient_scope"
    answer = app.get("/both", headers=reader, status=403)
    assert answer.headers["WWW-Authenticate"].endswith('scope="reports:read reports:write"')
    assert app.get("/any", headers=machine).json == {"scope": "reports:write"}
    assert app.get("/any", status=401)


def test_what_a_token_may(make_app):
    app, reader, machine, _ = make_app(OAuthSecurityPolicy())
    assert allowed(app) == set()
    assert allowed(app, reader) == {"edit", "count", "view", "enter"}
    assert allowed(app, machine) == {"count", "enter"}


def test_a_user_cannot_be_named_like_a_group(make_app):
    app, _, _, provider = make_app(OAuthSecurityPolicy())
    for username in ("group:admins", "user:alice", "scope:reports:read", "system.Authenticated"):
        provider.add_user(username)
        token = provider.redeem(provider.code(username=username, scope="reports:write")).json["access_token"]
        assert allowed(app, {"Authorization": f"Bearer {token}"}) == {"count", "enter"}


def test_beside_the_policy_of_the_application(make_app):
    app, reader, machine, _ = make_app(OAuthSecurityPolicy(Sessions()))
    assert allowed(app) == set()
    assert app.get("/who").json["userid"] is None
    app.get("/login?user=boss")
    assert app.get("/who").json == {"client_id": None, "userid": "boss", "identity": "str"}
    assert allowed(app) == {"edit", "count", "view", "enter", "rule"}
    # Who brings a token is what the token says, whoever else the browser is signed in as.
    assert app.get("/who", headers=reader).json["userid"] == "alice"
    assert allowed(app, machine) == {"count", "enter"}
    app.get("/logout")
    assert app.get("/who").json["userid"] is None


def test_alone_it_keeps_no_session(make_app):
    app, *_ = make_app(OAuthSecurityPolicy())
    app.get("/login?user=boss")
    app.get("/logout")
    assert app.get("/who").json["userid"] is None


def test_without_the_filter_nobody_gets_in():
    app = TestApp(an_application(OAuthSecurityPolicy()))
    assert app.get("/scoped", headers={"Authorization": "Bearer x"}, status=401)
    assert app.get("/scoped", extra_environ={"oauth_filter.principal": "alice"}, status=401)
    assert allowed(app) == set()
