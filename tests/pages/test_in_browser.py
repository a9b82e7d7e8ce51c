"""The pages in Chromium, under the headers they are sent with. Its requests are answered here, without a server."""

import shutil
from importlib.resources import files
from urllib.parse import parse_qsl

import pytest

from oauth_filter.authorization_server.pages import page_headers

pytestmark = pytest.mark.browser

ISSUER = "https://id.example.com"
STATIC = files("oauth_filter.authorization_server") / "static"
TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@pytest.fixture(scope="module")
def chromium():
    found = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
    if found is None:
        pytest.skip("no Chromium on this machine: the pages were NOT looked at in a browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, pages):
    """Open a template in a new tab. The tab's `posted` holds what a form sent, `complaints` what the browser said."""
    contexts = []

    def visit(template, values, *, headers, **options):
        context = chromium.new_context(**options)
        contexts.append(context)
        tab = context.new_page()
        tab.posted, tab.complaints = [], []
        html = pages.render(template, **values)

        def answer(route, request):
            name = request.url.rpartition("/static/")[2]
            if request.method == "POST":
                tab.posted.append((request.url, parse_qsl(request.post_data or "", keep_blank_values=True)))
                route.fulfill(body="arrived", content_type="text/plain")
            elif name != request.url:
                content_type = TYPES[name.rpartition(".")[2]]
                route.fulfill(body=(STATIC / name).read_bytes(), content_type=content_type)
            else:
                route.fulfill(body=html, headers=dict(headers))

        tab.on("console", lambda message: tab.complaints.append(message.text))
        tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
        context.route("**/*", answer)
        tab.goto(f"{ISSUER}/page")
        return tab

    yield visit
    for context in contexts:
        context.close()


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_form_post_delivers_every_value(visit, script):
    # An input named submit would hide the form's own submit function.
    parameters = [("code", "a+b/c="), ("state", "\"'<>&é😀 %20 &#10; \t"), ("submit", "1"), ("iss", ISSUER)]
    action = "https://client.example/cb?x=1&y=2"
    tab = visit(
        "form_post.html",
        {"action": action, "client_name": "Paperwork", "parameters": parameters},
        headers=page_headers(form_targets=[action], script=True),
        java_script_enabled=script,
    )
    if not script:
        tab.get_by_role("button", name="Continue").click()
    tab.wait_for_url(action)
    assert tab.posted == [(action, parameters)]
    assert tab.complaints == []


def test_form_goes_nowhere_the_policy_does_not_name(visit):
    tab = visit(
        "form_post.html",
        {"action": "https://evil.example/", "client_name": "Paperwork", "parameters": [("code", "x")]},
        headers=page_headers(form_targets=["https://client.example/cb"], script=True),
        java_script_enabled=False,
    )
    with tab.expect_console_message(lambda message: "form-action" in message.text):
        # Playwright would wait for the navigation that the browser refuses.
        tab.get_by_role("button", name="Continue").click(no_wait_after=True)
    assert tab.posted == []


@pytest.mark.parametrize("width", [320, 375, 1280])
@pytest.mark.parametrize("template", ["login.html", "consent.html", "error.html"])
def test_pages_fit_every_width_and_buttons_fit_a_finger(visit, hostile, template, width):
    tab = visit(template, hostile[template], headers=page_headers(), viewport={"width": width, "height": 700})
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    for control in tab.locator("button, input:not([type=hidden])").all():
        box = control.bounding_box()
        assert box["height"] >= 44
        assert box["width"] >= 44
    assert tab.complaints == []


def test_consent_is_operated_by_keyboard_alone(visit, plain):
    tab = visit("consent.html", plain["consent.html"] | {"action": "/decide"}, headers=page_headers())
    reached = []
    for _ in range(3):
        tab.keyboard.press("Tab")
        reached.append(tab.evaluate("document.activeElement.innerText"))
        assert tab.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert reached == ["Not you? Use another account", "Cancel", "Allow"]
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/decide")
    assert tab.posted == [(f"{ISSUER}/decide", [("ticket", "plain words"), ("decision", "allow")])]


def test_login_is_operated_by_keyboard_alone(visit, plain):
    values = plain["login.html"] | {"action": "/login", "username": "", "error": None}
    tab = visit("login.html", values, headers=page_headers(), java_script_enabled=False)
    tab.locator("#username:focus").wait_for()  # what is typed before the page is ready goes nowhere
    tab.keyboard.type("alice")
    tab.keyboard.press("Tab")
    tab.keyboard.type("secret")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/login")
    fields = [("ticket", "plain words"), ("username", "alice"), ("password", "secret")]
    assert tab.posted == [(f"{ISSUER}/login", fields)]


def test_consent_reads_well_aloud(visit, plain):
    values = plain["consent.html"] | {"client_name": "Paperwork", "scopes": [("a", "Read your reports")]}
    tab = visit("consent.html", values, headers=page_headers())
    assert tab.get_by_role("heading", level=1).inner_text() == "Paperwork wants to use your account"
    assert tab.get_by_role("list", name="It will be able to").get_by_role("listitem").all_inner_texts() == [
        "Read your reports"
    ]
    assert tab.title() == "Allow Paperwork to use your account? \N{EN DASH} id.example.com"
