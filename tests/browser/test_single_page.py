"""A single-page application made of oidc-client-ts, on an origin of its own, in Chromium."""

import json
import re
from functools import partial
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import expect

from tests import prepare

pytestmark = [pytest.mark.browser, pytest.mark.node]

PAGE = Path(__file__).with_name("single_page.html")


class Files(BaseHTTPRequestHandler):
    """The library, and the one page at every other address."""

    def __init__(self, files, *arguments):
        self.files = files
        super().__init__(*arguments)

    def do_GET(self):
        content_type, body = self.files.get(self.path.partition("?")[0], self.files["/"])
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class Application:
    """The single-page application, registered and served; `origin` is what the browser calls it."""

    def __init__(self, server, desk, client_id, origin, **fields):
        self.origin = origin
        self.desk = desk
        self.page = desk.page()
        server.add_client(
            client_id,
            f"{origin}/callback",
            f"{origin}/silent",
            name="Photo album",
            post_logout_redirect_uris=(f"{origin}/signed-out",),
            **fields,
        )
        self.page.goto(origin)
        expect(self.heading).to_have_text("Welcome")

    @property
    def heading(self):
        return self.page.get_by_role("heading", level=1)

    def press(self, button):
        self.page.get_by_role("button", name=button, exact=True).click()

    def sign_in(self):
        self.press("Sign in")
        self.page.get_by_label("User name").fill("alice")
        self.page.get_by_label("Password").fill("wonder land")
        self.press("Sign in")
        self.press("Allow")

    def shown(self, heading):
        expect(self.heading).to_have_text(heading)
        names, values = self.page.locator("dt").all_inner_texts(), self.page.locator("dd").all_inner_texts()
        return dict(zip(names, values, strict=True))


@pytest.fixture(scope="module")
def library():
    try:
        return (prepare.node_modules() / "oidc-client-ts/dist/browser/oidc-client-ts.min.js").read_bytes()
    except OSError as error:
        pytest.skip(prepare.no_node_modules(error))


@pytest.fixture
def application(server, desk, library, request):
    """Register and serve it under a host name of this machine, which makes it another site or the issuer's own."""
    client_id = re.sub(r"\W+", "-", request.node.name)
    configuration = {
        "authority": server.issuer,
        "client_id": client_id,
        "scope": "openid profile email reports:read",
    }
    page = PAGE.read_text().replace("CONFIGURATION", json.dumps(configuration))
    files = {"/": ("text/html; charset=utf-8", page.encode()), "/oidc-client-ts.js": ("text/javascript", library)}
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, files)) as http:
        Thread(target=http.serve_forever, daemon=True).start()

        def register(host="localhost", **fields):
            origin = f"http://{host}:{http.server_port}"
            origins = (origin,) if fields.pop("own_origin_only", False) else ()
            return Application(server, desk, client_id, origin, **{"origins": origins} | fields)

        yield register
        http.shutdown()


@pytest.mark.parametrize("own_origin_only", [False, True], ids=["any-origin", "own-origin"])
def test_signs_in_refreshes_and_signs_out(application, own_origin_only):
    album = application(own_origin_only=own_origin_only)
    album.sign_in()
    first = album.shown("Hello Alice Liddell")
    assert (first["email"], first["state"]) == ("alice@example.com", "a state & more")
    assert int(first["keys"]) >= 1

    album.press("Refresh")
    expect(album.page.get_by_text(first["access_token"])).to_have_count(0)
    second = album.shown("Hello Alice Liddell")
    assert second["sub"] == first["sub"]
    assert second["refresh_token"] not in ("", first["refresh_token"])

    album.press("Sign out")
    assert album.shown("Signed out") == {"state": "see you & bye"}
    album.press("Sign in")
    expect(album.page.get_by_label("Password")).to_be_visible()


@pytest.mark.rfc("OpenID Core", "3.1.2.1", "prompt=none in a frame")
def test_signs_in_again_in_a_frame(application):
    album = application("127.0.0.1")
    album.sign_in()
    first = album.shown("Hello Alice Liddell")
    album.press("Sign in again in a frame")
    expect(album.page.get_by_text(first["access_token"])).to_have_count(0)
    assert album.shown("Hello Alice Liddell")["sub"] == first["sub"]


def test_frame_of_another_site_is_told_that_nobody_is_signed_in(application):
    album = application("localhost")
    album.sign_in()
    album.shown("Hello Alice Liddell")
    album.press("Sign in again in a frame")
    # Browsers keep our cookie from it. It is an answer all the same, not a page that never loads.
    assert album.shown("Failed")["error"] == "login_required"


def test_revoked(application, desk):
    desk.expect("status of 400")
    album = application()
    album.sign_in()
    album.shown("Hello Alice Liddell")
    album.press("Revoke")
    album.shown("Revoked")
    album.press("Refresh")
    assert album.shown("Failed")["error"] == "invalid_grant"


def test_pages_of_other_origins_cannot_use_it(application, desk):
    album = application(origins=("https://album.example",))
    album.press("Sign in")
    assert album.shown("Failed")["error"] == "invalid_request"


def test_somebody_who_cancels(application):
    album = application()
    album.press("Sign in")
    album.page.get_by_label("User name").fill("alice")
    album.page.get_by_label("Password").fill("wonder land")
    album.press("Sign in")
    album.press("Cancel")
    assert album.shown("Failed")["error"] == "access_denied"
