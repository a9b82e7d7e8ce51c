"""Signing out in Chromium, of a live server, with clients on another site."""

import re
from html import escape
from urllib.parse import parse_qs
from urllib.parse import urlencode
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import sync_playwright

from oauth_filter.messages import code_challenge
from oauth_filter.messages import new_code_verifier
from tests import prepare
from tests.live import serving

pytestmark = pytest.mark.browser

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


@pytest.fixture(scope="module")
def chromium():
    path = prepare.chromium()
    if path is None:
        pytest.skip(prepare.no_chromium())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("logout"), options="insecure_allow_private_fetch = true") as server:
        server.add_user("alice", "wonder land", name="Alice Liddell")
        yield server


class Person:
    """Somebody at a browser, whose clients are all at the receiver, which is another site than the issuer."""

    def __init__(self, server, receiver, page):
        self.server, self.receiver, self.page = server, receiver, page
        self.site = receiver.url("").replace("127.0.0.1", "localhost")

    def sign_in_to(self, client_id, **fields):
        """Sign in to a new client; its ID token."""
        back = f"{self.site}/{client_id}/cb"
        fields = {"auto_grant": True, "post_logout_redirect_uris": (f"{self.site}/bye",)} | fields
        self.server.add_client(client_id, back, **fields)
        verifier = new_code_verifier()
        asked = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": back,
            "scope": "openid",
            "code_challenge": code_challenge(verifier),
            "code_challenge_method": "S256",
        }
        self.page.goto(f"{self.server.authorize}?{urlencode(asked)}")
        if not self.page.url.startswith(back):
            self.page.get_by_label("User name").fill("alice")
            self.page.get_by_label("Password").fill("wonder land")
            self.page.get_by_role("button", name="Sign in").click()
            self.page.wait_for_url(f"{back}?**")
        form = {
            "grant_type": "authorization_code",
            "client_id": client_id,
            "code": parse_qs(urlsplit(self.page.url).query)["code"][0],
            "redirect_uri": back,
            "code_verifier": verifier,
        }
        return requests.post(self.server.token, data=form, timeout=30).json()["id_token"]

    @property
    def is_signed_in(self):
        asked = {"response_type": "code", "client_id": "mail", "redirect_uri": f"{self.site}/mail/cb", "prompt": "none"}
        asked |= {"scope": "openid", "code_challenge": "x" * 43, "code_challenge_method": "S256"}
        self.page.goto(f"{self.server.authorize}?{urlencode(asked)}")
        return "code=" in self.page.url


@pytest.fixture
def person(server, receiver, chromium):
    complaints = []
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 900, "height": 760})
    context.on("console", lambda message: complaints.append(message.text))
    person = Person(server, receiver, context.new_page())
    person.sign_in_to("mail", name="Mail", logout_uri=f"{person.site}/mail/out")
    yield person
    context.close()
    # The front page of this host is an API, which wants a token; whatever else Chromium has to say is about our pages.
    assert not [said for said in complaints if "401" not in said]


@pytest.fixture(scope="session")
def screenshots(request):
    folder = request.config.rootpath / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.promise(10)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_asked_and_signed_out_without_a_script(person, receiver, screenshots, scheme):
    page = person.page
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.goto(person.server.url(f"/oauth2/logout?client_id=mail&post_logout_redirect_uri={person.site}/bye&state=s"))
    assert page.get_by_role("heading", level=1).inner_text() == "Do you want to sign out?"
    page.screenshot(path=screenshots / f"logout-{scheme}.png")
    page.get_by_role("button", name="Sign out").click()
    assert page.get_by_role("heading", level=1).inner_text() == "You are signed out"
    page.screenshot(path=screenshots / f"signed_out-{scheme}.png")
    # Nobody presses Continue.
    page.wait_for_url(f"{person.site}/bye?state=s")
    (frame,) = [path for path in receiver.visited if path.startswith("/mail/out")]
    said = parse_qs(urlsplit(frame).query)
    assert said["iss"] == [person.server.issuer]
    assert re.fullmatch(r"[\w-]{22}", said["sid"][0])
    assert not person.is_signed_in


def test_stay_signed_in(person):
    person.page.goto(person.server.url("/oauth2/logout?client_id=mail"))
    person.page.get_by_role("button", name="Stay signed in").click()
    assert person.is_signed_in


def test_a_form_of_another_site_with_an_id_token(person, receiver):
    """Chromium keeps the cookie back from it, and sends it with the GET that our answer leads to."""
    id_token = person.sign_in_to("app")
    fields = {"id_token_hint": id_token, "post_logout_redirect_uri": f"{person.site}/bye", "state": "by form"}
    inputs = "".join(f'<input type="hidden" name="{k}" value="{escape(v)}">' for k, v in fields.items())
    receiver.pages["/app"] = (
        f'<form method="post" action="{person.server.url("/oauth2/logout")}">{inputs}<button>Log out</button></form>'
    )
    person.page.goto(f"{person.site}/app")
    person.page.get_by_role("button", name="Log out").click()
    person.page.get_by_role("link", name="Continue").click()
    person.page.wait_for_url(f"{person.site}/bye?state=by+form")
    assert not person.is_signed_in


@pytest.mark.promise(10)
def test_an_image_on_another_site_signs_nobody_out(person, receiver):
    url = person.server.url("/oauth2/logout")
    receiver.pages["/evil"] = f'<img src="{url}"><iframe src="{url}"></iframe><p>Hello</p>'
    person.page.goto(f"{person.site}/evil")
    assert person.page.get_by_text("Hello").is_visible()
    assert person.is_signed_in
