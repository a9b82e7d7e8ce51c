"""docs/login.md and docs/hosting.md: every block of a section is the file its first line names, and they all run."""

import importlib
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

import paste.deploy
import pytest
from webtest import TestApp

from oauth_filter import OAuthFilter
from oauth_filter import Principal
from oauth_filter import User
from oauth_filter import credentials
from oauth_filter import ini
from oauth_filter import passwords
from oauth_filter.records import Client
from oauth_filter.scope import Scope

DOCS = Path(__file__).parents[2] / "docs"
SECTION = re.compile(r"^## (.+)\n((?:(?!^## ).*\n)*)", re.MULTILINE)
BLOCK = re.compile(r"^```(python|ini)\n[#;] (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CALLBACK = "https://client.example/cb"
ASKED = {
    "response_type": "code",
    "client_id": "app",
    "redirect_uri": CALLBACK,
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
}
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636 appendix B


def sections():
    for name in ("login.md", "hosting.md"):
        for heading, text in SECTION.findall((DOCS / name).read_text()):
            if BLOCK.search(text):
                yield name, heading, text


@pytest.fixture
def written(tmp_path, monkeypatch):
    """A function that writes the files of a section into an empty folder, in which Python then is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    (tmp_path / "oauth.secret").write_text("s" * 43 + "\n")
    (tmp_path / "oauth.secret").chmod(0o600)

    def write(page, heading):
        [text] = [text for name, found, text in sections() if (name, found) == (page, heading)]
        for _, name, content in BLOCK.findall(text):
            (tmp_path / name).write_text(content)
        # Every block is one of the files, and no file is written twice.
        assert len(BLOCK.findall(text)) == len(re.findall(r"^```(?:python|ini)$", text, re.MULTILINE))
        assert len({name for _, name, _ in BLOCK.findall(text)}) == len(BLOCK.findall(text))
        for name in sorted(tmp_path.glob("*.py")):
            importlib.import_module(name.stem)
        for name in tmp_path.glob("*.ini"):
            if "[oauth_filter]" in name.read_text():
                assert ini.load(name).secret == "s" * 43
        return importlib.import_module

    yield write
    for name in set(sys.modules) - before:
        if Path(getattr(sys.modules[name], "__file__", None) or "/").parent == tmp_path:
            del sys.modules[name]


def browse(application, guarded=None):
    """A browser, and a client that it can be sent by."""
    guarded = guarded or application
    guarded.store.put(Client(key="app", client_id="app", name="My App", redirect_uris=(CALLBACK,)))
    origin = urlsplit(guarded.settings.issuer)
    return TestApp(application, extra_environ={"wsgi.url_scheme": origin.scheme, "HTTP_HOST": origin.netloc})


def add_alice(guarded):
    hashed = passwords.hash_secret("wonderland")
    guarded.store.put(User(key="alice", subject=credentials.new_id(), password_hash=hashed))


def sign_in(page):
    page.form["username"], page.form["password"] = "alice", "wonderland"
    return page.form.submit().follow()


def allow(browser, page, mount=""):
    """Press Allow and redeem the code; headers with the token."""
    answer = page.forms[max(page.forms, key=str)].submit("decision", value="allow")
    assert answer.headers["Location"].startswith(CALLBACK)
    code = re.search("code=([^&]+)", answer.headers["Location"])[1]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "client_id": "app"}
    token = browser.post(f"{mount}/oauth2/token", form | {"code_verifier": VERIFIER}).json
    return {"Authorization": f"Bearer {token['access_token']}"}


def authorize(browser, mount="", **changes):
    return browser.get(f"{mount}/oauth2/authorize", params=ASKED | changes)


def our_own_users(load):
    application = load("wsgi").application
    browser = browse(application)
    add_alice(application)
    headers = allow(browser, sign_in(authorize(browser)))
    subject = application.store.get(User, "alice").subject
    assert browser.get("/", headers=headers).text == f"Hello {subject}"


def the_applications_own_login(load):
    browser = browse(load("wsgi").application)
    assert browser.get("/").text == "Hello stranger"
    assert browser.get("/api/notes", status=401)
    page = sign_in(authorize(browser).follow())
    assert "alice" in page.text
    headers = allow(browser, page)
    assert browser.get("/api/notes", headers=headers).json == ["A note of alice"]
    assert browser.get("/").text == "Hello alice"
    away = browser.post("/login?next=//evil.example/", {"username": "alice", "password": "wonderland"})
    assert away.headers["Location"] in ("/", "http://localhost:8080/")
    assert load("view_of_pyramid").whoami(type("Request", (), {"authenticated_userid": None})) == {"username": None}


def somebody_in_front(load):
    browser = browse(load("wsgi").signed_in_by_the_house, load("wsgi").guarded)
    headers = allow(browser, authorize(browser))
    assert browser.get("/", headers=headers).text == "Hello alice"
    assert browser.get("/", status=401)
    behind = browse(OAuthFilter(load("wsgi").application, "header.ini"))
    behind.extra_environ["HTTP_X_REMOTE_USER"] = "alice"
    assert "error=access_denied" in authorize(behind).headers["Location"]
    behind.extra_environ["REMOTE_ADDR"] = "127.0.0.1"
    # It is the same store, so alice has allowed the client already.
    assert "code=" in authorize(behind).headers["Location"]


def a_function_of_your_own(load):
    browser = browse(load("wsgi").application)
    headers = allow(browser, sign_in(authorize(browser)))
    assert browser.get("/", headers=headers).text == "Hello 4711"
    assert load("people").check("nobody", "") is None
    del load("people").PEOPLE["alice"]
    assert 'name="password"' in authorize(browser).text


def in_front_of_an_application(load):
    application = load("wsgi").application
    browser = browse(application)
    add_alice(application)
    assert browser.get("/static/").text == "nobody"
    assert browser.get("/reports/q1", status=401)
    headers = allow(browser, sign_in(authorize(browser, scope="reports:read")))
    assert browser.get("/reports/q1", headers=headers).text == "alice"
    piped = paste.deploy.loadapp("config:development.ini", relative_to=str(Path.cwd()))
    assert isinstance(piped, OAuthFilter)
    # The same store: the token is good there as well.
    assert TestApp(piped).get("/anything", headers=headers).text == "Hello alice"


def what_your_application_sees(load):
    principal = {"oauth_filter.principal": a_principal("reports:read")}
    flask, pyramid = TestApp(load("views_of_flask").app), TestApp(load("views_of_pyramid").main())
    assert flask.get("/reports/q1", extra_environ=principal).json == {"name": "q1", "reader": "alice"}
    assert flask.get("/reports/q1", status=401)
    assert pyramid.get("/reports", extra_environ=principal).json == {"reader": "alice"}
    assert pyramid.get("/reports", status=401)
    assert pyramid.get("/edit", extra_environ=principal).json == {"editor": "alice"}
    assert pyramid.get("/edit", expect_errors=True).status_int == 403


def a_principal(scope):
    return Principal(subject="4711", username="alice", client_id="app", scope=Scope.parse(scope), expires_at=None)


def behind_a_proxy_that_ends_tls(load):
    settings = ini.load("oauth.ini")
    assert settings.is_https
    assert settings.trusted_proxies == ("127.0.0.1",)


def below_a_path(load):
    wsgi = load("wsgi")
    browser = browse(wsgi.application, wsgi.guarded)
    add_alice(wsgi.guarded)
    for path in "/.well-known/oauth-authorization-server/nuxeo", "/nuxeo/.well-known/oauth-authorization-server":
        assert browser.get(path).json["issuer"] == "https://api.example.com/nuxeo"
    headers = allow(browser, sign_in(authorize(browser, "/nuxeo")), "/nuxeo")
    assert browser.get("/nuxeo/about").status_int == 200
    assert browser.get("/nuxeo/other", status=401)
    assert browser.get("/nuxeo/other", headers=headers).status_int == 200
    assert browser.get("/.well-known/nothing/nuxeo", expect_errors=True).status_int in (401, 404)
    assert browser.get("/elsewhere", expect_errors=True).status_int == 404


def two_filters(load):
    one, other = (load("wsgi").application.mounts[mount] for mount in ("/one", "/other"))
    assert one.store.get(User, "alice") is None
    add_alice(one)
    assert other.store.get(User, "alice") is None
    browser = browse(load("wsgi").application, one)
    headers = allow(browser, sign_in(authorize(browser, "/one")), "/one")
    assert browser.get("/one/x", headers=headers).text == "/one"
    assert browser.get("/other/x", headers=headers, status=401)


CHECKS = {
    "Our own users": our_own_users,
    "The application's own login": the_applications_own_login,
    "Somebody in front": somebody_in_front,
    "A function of your own": a_function_of_your_own,
    "In front of an application": in_front_of_an_application,
    "What your application sees": what_your_application_sees,
    "Behind a proxy that ends TLS": behind_a_proxy_that_ends_tls,
    "Below a path": below_a_path,
    "Two filters": two_filters,
}


@pytest.mark.parametrize(("page", "heading"), [(page, heading) for page, heading, _ in sections()])
def test_a_section_does_what_it_says(written, page, heading):
    CHECKS[heading](written(page, heading))


@pytest.mark.parametrize("page", ["login.md", "hosting.md"])
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)]+)\)", (DOCS / page).read_text()):
        name, _, anchor = target.partition("#")
        headings = re.findall(r"^##? (.+)$", (DOCS / (name or page)).read_text(), re.MULTILINE)
        assert not anchor or anchor in {heading.lower().replace(" ", "-") for heading in headings}
