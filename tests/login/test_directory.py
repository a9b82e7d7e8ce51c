"""`login = directory`: our own users, our own login page."""

from dataclasses import replace

import pytest

from oauth_filter import passwords
from oauth_filter.records import User
from tests.provider import returned
from tests.provider import ticket


@pytest.fixture
def provider(make_provider):
    return make_provider()


def change(provider, **changes):
    provider.store.put(replace(provider.store.get(User, "alice"), **changes))


def is_asked_to_sign_in(page):
    return page.status_code == 200 and 'name="password"' in page.text


def is_asked_to_consent(page):
    return page.status_code == 200 and 'name="decision"' in page.text


def test_sign_in_consent_and_never_asked_again(provider):
    browser = provider.browser()
    page = provider.authorize(browser)
    assert is_asked_to_sign_in(page)
    page = provider.sign_in(browser, page)
    assert is_asked_to_consent(page)
    assert "code" in returned(provider.decide(browser, page))
    assert "code" in returned(provider.authorize(browser))


@pytest.mark.promise(6)
def test_a_wrong_password_and_an_unknown_user_look_the_same(provider):
    pages = []
    for username, password in [("alice", "wrong"), ("nobody", "wrong"), ("alice", ""), ("alice", "x" * 5000)]:
        browser = provider.browser()
        page = provider.sign_in(browser, provider.authorize(browser), username, password)
        assert is_asked_to_sign_in(page)
        pages.append(page.text)
    alert = "The user name or the password is wrong."
    assert all(alert in page for page in pages)
    # The name is shown again and the ticket is another one; nothing else differs.
    assert len({page.count("<") for page in pages}) == 1


def test_a_failure_is_said_once(provider):
    browser = provider.browser()
    page = provider.sign_in(browser, provider.authorize(browser), password="wrong")
    assert "is wrong" in page.text
    assert "is wrong" not in provider.authorize(browser).text


def test_a_session_ends(provider, clock):
    browser = provider.browser()
    provider.sign_in(browser, provider.authorize(browser))
    clock.advance(provider.settings.session_lifetime - 1)
    assert not is_asked_to_sign_in(provider.authorize(browser))
    clock.advance(1)
    assert is_asked_to_sign_in(provider.authorize(browser))


def test_another_account(provider):
    provider.add_user("bob")
    browser = provider.browser()
    page = provider.sign_in(browser, provider.authorize(browser))
    page = browser.get(browser.post("/oauth2/consent", data={"ticket": ticket(page), "switch": "1"}).location)
    assert is_asked_to_sign_in(page)
    page = provider.sign_in(browser, page, "bob")
    assert is_asked_to_consent(page)
    assert "bob" in page.text


@pytest.mark.promise(4)
def test_a_disabled_user_is_out_at_once(provider):
    browser = provider.browser()
    tokens = provider.redeem(provider.code(browser=browser)).json
    code = provider.code(browser=browser)
    assert provider.call(tokens["access_token"]).status_code == 200
    change(provider, enabled=False)

    assert provider.call(tokens["access_token"]).status_code == 401
    assert provider.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"
    assert provider.redeem(code).json["error"] == "invalid_grant"
    page = provider.authorize(browser)
    assert is_asked_to_sign_in(page)
    assert is_asked_to_sign_in(provider.sign_in(browser, page))


def test_a_changed_password_signs_every_browser_out(provider):
    browsers = [provider.browser(), provider.browser()]
    for browser in browsers:
        provider.sign_in(browser, provider.authorize(browser))
        assert is_asked_to_consent(provider.authorize(browser))
    change(provider, password_hash=passwords.hash_secret("another one"))
    for browser in browsers:
        assert is_asked_to_sign_in(provider.authorize(browser))


def test_a_consent_page_of_somebody_signed_out_since_is_worth_nothing(provider):
    browser = provider.browser()
    page = provider.sign_in(browser, provider.authorize(browser))
    change(provider, password_hash=passwords.hash_secret("another one"))
    assert provider.decide(browser, page).status_code == 403


def test_a_new_user_of_an_old_name_inherits_nothing(provider):
    browser = provider.browser()
    tokens = provider.redeem(provider.code(browser=browser)).json
    code = provider.code(browser=browser)
    provider.store.delete(User, "alice")
    assert provider.call(tokens["access_token"]).status_code == 401
    # The same name and even the same password.
    provider.add_user("alice")

    assert provider.call(tokens["access_token"]).status_code == 401
    assert provider.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"
    assert provider.redeem(code).json["error"] == "invalid_grant"
    page = provider.authorize(browser)
    assert is_asked_to_sign_in(page)
    assert is_asked_to_consent(provider.sign_in(browser, page))


def test_a_name_typed_in_another_unicode_form_is_the_same_name(provider):
    provider.add_user("ren\u00e9")
    browser = provider.browser()
    page = provider.sign_in(browser, provider.authorize(browser), "rene\u0301")
    assert is_asked_to_consent(page)
