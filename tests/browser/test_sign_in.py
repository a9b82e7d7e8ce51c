"""Signing in and deciding in Chromium, as people do it: with mistakes, a second tab, and the back button."""

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.live import parameters

pytestmark = pytest.mark.browser


def sign_in(page, username="alice", password="wonder land"):
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def press(page, button):
    page.get_by_role("button", name=button, exact=True).click()


def received(page, by="GET"):
    """What the client got, once the browser is there."""
    expect(page.get_by_role("heading")).to_have_text(f"Back by {by}")
    names, values = page.locator("dt").all_inner_texts(), page.locator("dd").all_inner_texts()
    return dict(zip(names, values, strict=True))


def at_consent(page):
    expect(page.get_by_role("heading", level=1)).to_have_text("Photo printer wants to use your account")


def test_wrong_password_then_the_right_one_then_allow(desk, client, site):
    page = desk.page()
    page.goto(f"{site}/start?{urlencode({'to': client.url()})}")
    page.get_by_role("link", name="Sign in").click()
    expect(page).to_have_title(re.compile("Sign in to 127.0.0.1"))
    expect(page.get_by_role("main")).to_contain_text("to continue to Photo printer")
    expect(page.get_by_label("User name")).to_be_focused()

    sign_in(page, password="looking glass")
    expect(page.get_by_role("alert")).to_have_text("The user name or the password is wrong.")
    expect(page.get_by_label("User name")).to_have_value("alice")
    expect(page.get_by_label("Password")).to_be_focused()
    expect(page.get_by_label("Password")).to_have_value("")

    sign_in(page)
    at_consent(page)
    expect(page.get_by_role("main")).to_contain_text("Alice Liddell")
    asked = page.get_by_role("list", name="It will be able to").get_by_role("listitem")
    expect(asked).to_have_text(["Read your reports", "Change and delete your reports"])
    expect(page.get_by_role("main")).to_contain_text("You will return to localhost")

    press(page, "Allow")
    got = received(page)
    assert got.keys() == {"code", "state", "iss"}
    assert (got["state"], got["iss"]) == ("a state & more", client.server.issuer)
    assert client.redeem(got["code"]) == "alice"


def test_cancel_tells_the_client_and_asks_again_next_time(desk, client):
    page = desk.page()
    page.goto(client.url())
    sign_in(page)
    press(page, "Cancel")
    got = received(page)
    assert (got["error"], got["state"]) == ("access_denied", "a state & more")
    assert "code" not in got
    page.goto(client.url())
    at_consent(page)


def test_consent_is_remembered(desk, client):
    page = desk.page()
    page.goto(client.url())
    sign_in(page)
    press(page, "Allow")
    first = received(page)["code"]
    page.goto(client.url())
    assert received(page)["code"] != first


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "no-javascript"])
def test_form_post(desk, client, javascript):
    page = desk.page(java_script_enabled=javascript)
    page.goto(client.url(response_mode="form_post", state="<ü> & \"'+%0A"))
    sign_in(page)
    press(page, "Allow")
    if not javascript:
        expect(page.get_by_role("main")).to_contain_text("Photo printer")
        press(page, "Continue")
    got = received(page, by="POST")
    assert got["state"] == "<ü> & \"'+%0A"
    assert client.redeem(got["code"]) == "alice"


def test_form_post_of_an_error(desk, client):
    page = desk.page()
    page.goto(client.url(response_mode="form_post", scope="everything"))
    assert received(page, by="POST")["error"] == "invalid_scope"


def test_everything_works_without_javascript(desk, client):
    page = desk.page(java_script_enabled=False)
    page.goto(client.url())
    sign_in(page, password="looking glass")
    expect(page.get_by_role("alert")).to_be_visible()
    sign_in(page)
    press(page, "Allow")
    assert client.redeem(received(page)["code"]) == "alice"


def test_another_account(desk, client):
    page = desk.page()
    page.goto(client.url())
    sign_in(page)
    page.get_by_role("button", name="Use another account").click()
    expect(page.get_by_label("User name")).to_have_value("")
    sign_in(page, "bob", "builder")
    at_consent(page)
    expect(page.get_by_role("main")).not_to_contain_text("Alice")
    press(page, "Allow")
    assert client.redeem(received(page)["code"]) == "bob"


def test_back_after_allow_leads_to_the_client_again(desk, client):
    page = desk.page()
    page.goto(client.url())
    sign_in(page)
    at_consent(page)
    press(page, "Allow")
    first = received(page)["code"]
    page.go_back()
    second = received(page)["code"]
    assert second != first
    assert client.redeem(second) == "alice"


def test_back_after_signing_in_does_not_ask_for_the_password_again(desk, client):
    page = desk.page()
    page.goto(client.url())
    sign_in(page)
    at_consent(page)
    page.go_back()
    at_consent(page)
    press(page, "Allow")
    assert "code" in received(page)


def test_pressing_allow_twice(desk, client):
    page = desk.page()
    page.goto(client.url())
    sign_in(page)
    page.get_by_role("button", name="Allow", exact=True).dblclick()
    assert client.redeem(received(page)["code"]) == "alice"


def test_pressing_sign_in_twice(desk, client):
    page = desk.page()
    page.goto(client.url())
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password").fill("wonder land")
    page.get_by_role("button", name="Sign in").dblclick()
    at_consent(page)


def test_two_tabs_at_the_consent_page(desk, client):
    browser = desk.browser()
    one, two = browser.new_page(), browser.new_page()
    one.goto(client.url(state="one"))
    sign_in(one)
    two.goto(client.url(state="two"))
    at_consent(two)
    press(one, "Allow")
    assert received(one)["state"] == "one"
    press(two, "Cancel")
    assert received(two)["state"] == "two"


def test_second_tab_at_the_login_page(desk, client):
    browser = desk.browser()
    one, two = browser.new_page(), browser.new_page()
    one.goto(client.url(state="one"))
    two.goto(client.url(state="two"))
    sign_in(one)
    at_consent(one)
    # Signing in gave this browser another id; the form in the other tab has the one before.
    sign_in(two)
    at_consent(two)
    press(two, "Allow")
    assert received(two)["state"] == "two"


def test_consent_page_of_who_is_no_longer_signed_in(desk, client):
    desk.expect("status of 403")
    browser = desk.browser()
    one, two = browser.new_page(), browser.new_page()
    one.goto(client.url())
    sign_in(one)
    at_consent(one)
    two.goto(client.url())
    two.get_by_role("button", name="Use another account").click()
    sign_in(two, "bob", "builder")
    at_consent(two)
    # What Alice was asked in the first tab is not for Bob to allow.
    press(one, "Allow")
    expect(one.get_by_role("heading", level=1)).to_have_text("Please start again")


def test_wrong_password_does_not_go_on_as_who_was_signed_in(desk, client):
    page = desk.page()
    page.goto(client.url())
    sign_in(page)
    press(page, "Allow")
    received(page)
    page.goto(client.url(prompt="login"))
    sign_in(page, password="looking glass")
    expect(page.get_by_role("alert")).to_be_visible()
    sign_in(page)
    assert client.redeem(received(page)["code"]) == "alice"


def test_page_left_open_for_too_long(desk, client, server):
    desk.expect("status of 403")
    page = desk.page()
    page.goto(client.url())
    sign_in(page)
    at_consent(page)
    with server.later(3601):
        press(page, "Allow")
        expect(page.get_by_role("heading", level=1)).to_have_text("Please start again")
    page.goto(client.url())
    at_consent(page)


def test_keyboard_alone(desk, client):
    page = desk.page()
    page.goto(client.url())
    expect(page.get_by_label("User name")).to_be_focused()
    page.keyboard.type("alice")
    page.keyboard.press("Tab")
    page.keyboard.type("wonder land")
    page.keyboard.press("Enter")
    at_consent(page)
    for name in ("Not you? Use another account", "Cancel", "Allow"):
        page.keyboard.press("Tab")
        button = page.get_by_role("button", name=name, exact=True)
        expect(button).to_be_focused()
        assert button.evaluate("button => getComputedStyle(button).outlineStyle") != "none"
    page.keyboard.press("Enter")
    assert client.redeem(received(page)["code"]) == "alice"


def test_app_with_a_scheme_of_its_own(desk, app):
    page = desk.page()
    page.goto(app.url())
    sign_in(page)
    expect(page.get_by_role("main")).to_contain_text("the app on this device that opens nuxeo: links")
    # Nothing on this machine opens such links: the request is all there is to see, and that nothing forbade it.
    with page.expect_event("requestfailed", lambda request: request.url.startswith("nuxeo:")) as gone:
        press(page, "Allow")
    url = gone.value.url
    assert url.startswith("nuxeo://authorize?code=")
    assert app.redeem(parameters(url)["code"]) == "alice"


@pytest.mark.promise(10)
def test_page_of_ours_cannot_be_framed(desk, client, site):
    desk.expect("frame-ancestors 'none'")
    page = desk.page()
    with page.context.expect_event("console", lambda message: "frame-ancestors" in message.text):
        page.goto(f"{site}/frame?{urlencode({'of': client.url()})}")
    frame = page.frames[1]
    assert frame.get_by_label("Password").count() == 0


@pytest.mark.promise(10)
def test_form_of_another_site_is_refused(desk, client, site, server):
    desk.expect("status of 403")
    page = desk.page()
    page.goto(client.url())
    sign_in(page)
    at_consent(page)
    ticket = page.locator("input[name=ticket]").last.input_value()
    forged = {"action": server.url("/oauth2/consent"), "ticket": ticket, "decision": "allow"}
    page.goto(f"{site}/forge?{urlencode(forged)}")
    press(page, "Win a prize")
    expect(page.get_by_role("heading", level=1)).to_have_text("Please start again")
    page.goto(client.url())
    at_consent(page)
