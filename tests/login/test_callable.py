"""`login = package.module:callable`: somebody else's passwords on our login page."""

import sys
from types import ModuleType

import pytest

from oauth_filter import ConfigError
from oauth_filter import OAuthError
from oauth_filter import Settings
from oauth_filter import User
from tests.provider import Provider
from tests.provider import returned
from tests.provider import ticket

PATH = "directory_of_the_house:check"


@pytest.fixture
def house(monkeypatch):
    """A module with a callable `check`, as a developer would write one."""
    module = ModuleType("directory_of_the_house")
    module.known = {"alice": User(key="alice", name="Alice Example"), "gone": User(key="gone", enabled=False)}

    def check(username, password):
        return module.known.get(username) if password == "open sesame" else None

    module.check = check
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


@pytest.fixture
def provider(make_provider, house):
    return make_provider(login=PATH)


def sign_in(provider, username="alice", password="open sesame"):
    browser = provider.browser()
    return browser, provider.sign_in(browser, provider.authorize(browser), username, password)


def tokens(provider):
    browser, page = sign_in(provider)
    return provider.redeem(returned(provider.decide(browser, page))["code"]).json


def test_a_password_it_knows(provider):
    found = tokens(provider)
    assert provider.call(found["access_token"]).json["oauth_filter.subject"] == "alice"
    assert provider.refresh(found["refresh_token"]).status_code == 200


@pytest.mark.parametrize(("username", "password"), [("alice", "x"), ("bob", "open sesame"), ("gone", "open sesame")])
def test_one_it_does_not(provider, username, password):
    _, page = sign_in(provider, username, password)
    assert "The user name or the password is wrong." in page.text


def test_a_hash_it_returns_does_not_end_the_session_at_once(provider, house):
    house.known["alice"] = User(key="alice", password_hash="scrypt:...")
    _, page = sign_in(provider)
    assert "My App" in page.text
    assert 'name="decision"' in page.text


def test_without_find_nobody_takes_a_subject_of_choice(provider, house):
    house.known["alice"] = User(key="alice", subject="somebody-else")
    assert provider.call(tokens(provider)["access_token"]).json["oauth_filter.subject"] == "alice"


class TestFind:
    @pytest.fixture
    def house(self, house):
        house.known["alice"] = User(key="alice", subject="4711", name="Alice Example", password_hash="hash 1")
        house.check.find = house.known.get
        return house

    def test_it_names_the_subject(self, provider):
        browser, page = sign_in(provider)
        assert "Alice Example" in page.text
        token = provider.redeem(returned(provider.decide(browser, page))["code"]).json["access_token"]
        assert provider.call(token).json["oauth_filter.subject"] == "4711"
        assert provider.call(token).json["REMOTE_USER"] == "alice"

    def test_without_a_subject_the_name_is_one(self, provider, house):
        house.known["alice"] = User(key="alice")
        found = tokens(provider)
        assert provider.call(found["access_token"]).json["oauth_filter.subject"] == "alice"
        assert "refresh_token" in found

    @pytest.mark.parametrize("now", [None, User(key="alice", subject="4711", enabled=False), User(key="alice")])
    def test_it_ends_what_was_begun(self, provider, house, clock, now):
        browser, page = sign_in(provider)
        found = provider.redeem(returned(provider.decide(browser, page))["code"]).json
        assert provider.call(found["access_token"]).status_code == 200
        house.known["alice"] = now
        clock.advance(61)  # nobody announces a change here: a token is judged afresh once a minute
        assert provider.call(found["access_token"]).status_code == 401
        assert provider.refresh(found["refresh_token"]).json["error"] == "invalid_grant"
        assert 'name="password"' in provider.authorize(browser).text

    def test_a_changed_hash_signs_out(self, provider, house):
        browser, page = sign_in(provider)
        assert 'name="decision"' in page.text
        house.known["alice"] = User(key="alice", subject="4711", password_hash="hash 2")
        assert 'name="password"' in provider.authorize(browser).text


class TestTrouble:
    def test_it_may_say_that_it_cannot_tell_now(self, make_provider, house):
        def check(username, password):
            raise OAuthError("temporarily_unavailable", "The directory does not answer.")

        house.check = check
        provider = make_provider(login=PATH)
        browser = provider.browser()
        data = {"ticket": ticket(provider.authorize(browser)), "username": "alice", "password": "open sesame"}
        answer = browser.post("/oauth2/login", data=data)
        assert answer.status_code == 503
        assert "The directory does not answer." in answer.text

    @pytest.mark.promise(13)
    def test_it_costs_nobody_a_code(self, make_provider, house):
        is_down = False

        def find(username):
            if is_down:
                raise OAuthError("temporarily_unavailable", "The directory does not answer.")
            return house.known.get(username)

        house.check.find = find
        provider = make_provider(login=PATH)
        browser, page = sign_in(provider)
        code = returned(provider.decide(browser, page))["code"]
        is_down = True
        assert provider.redeem(code).status_code == 503
        is_down = False
        assert provider.redeem(code).status_code == 200

    def test_what_is_no_user_signs_nobody_in(self, make_provider, house, caplog):
        house.check = lambda username, password: True
        provider = make_provider(login=PATH)
        browser = provider.browser()
        data = {"ticket": ticket(provider.authorize(browser)), "username": "alice", "password": "open sesame"}
        assert browser.post("/oauth2/login", data=data).status_code == 500
        assert "returned bool, not oauth_filter.User or None" in caplog.text
        assert "open sesame" not in caplog.text
        assert 'name="password"' in provider.authorize(browser).text


@pytest.mark.parametrize(
    ("login", "says"),
    [
        ("no_such_module:check", "ModuleNotFoundError"),
        ("directory_of_the_house:chekc", "AttributeError"),
        ("directory_of_the_house:known", "nothing that can be called"),
        ("broken_module:check", "ZeroDivisionError"),
    ],
)
def test_a_path_that_leads_nowhere_is_said_at_start(house, clock, tmp_path, monkeypatch, login, says):
    (tmp_path / "broken_module.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match=says) as raised:
        Provider(clock, login=login)
    assert [problem.option for problem in raised.value.problems] == ["login"]


@pytest.mark.parametrize("login", ["module", "module:", ":callable", "a b:c", "directory "])
def test_what_is_no_path_either(login):
    with pytest.raises(ConfigError, match="login"):
        Settings(secret="s" * 32, login=login)
