"""The resource owner password credentials grant -- RFC 6749 section 4.3, for clients that list it."""

import base64
import json

import pytest

from oauth_filter.records import DEFAULT_GRANT_TYPES
from tests.provider import PASSWORD
from tests.provider import Provider

LISTED = (*DEFAULT_GRANT_TYPES, "password")


@pytest.fixture
def provider(make_provider):
    provider = make_provider(scopes={"read": "Read", "write": "Write"})
    provider.add_client("old", grant_types=LISTED)
    return provider


@pytest.fixture
def ask(provider):
    """A token request with alice's password, or with what is given instead; None leaves a parameter out."""

    def ask(client_id="old", address="192.0.2.1", provider=provider, headers=None, **form):
        form = {"grant_type": "password", "username": "alice", "password": PASSWORD, "client_id": client_id} | form
        data = {name: value for name, value in form.items() if value is not None}
        return provider.browser().post(
            "/oauth2/token", data=data, headers=headers or {}, environ_base={"REMOTE_ADDR": address}
        )

    return ask


@pytest.mark.rfc("6749", "4.3.3")
def test_the_password_becomes_tokens(provider, ask):
    answer = ask(scope="read")
    assert answer.status_code == 200
    assert answer.json.keys() == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert answer.json["scope"] == "read"
    assert answer.headers["Cache-Control"] == "no-store"
    said = provider.call(answer.json["access_token"]).json
    assert (said["REMOTE_USER"], said["oauth_filter.client_id"]) == ("alice", "old")
    refreshed = provider.refresh(answer.json["refresh_token"], "old")
    assert refreshed.status_code == 200


def test_an_id_token_says_that_it_was_a_password(ask, clock):
    id_token = ask(scope="openid").json["id_token"]
    claims = json.loads(base64.urlsafe_b64decode(id_token.split(".")[1] + "=="))
    assert claims["amr"] == ["pwd"]
    assert claims["auth_time"] == int(clock())
    assert "sid" not in claims


@pytest.mark.rfc("9700", "2.4", "MUST NOT be used: off unless a client lists it")
def test_a_client_that_does_not_list_it_gets_nothing(provider, ask):
    answer = ask("native")
    assert (answer.status_code, answer.json["error"]) == (400, "unauthorized_client")
    assert answer.json["error_reason"] == "grant_type_disabled"


@pytest.mark.promise(6)
@pytest.mark.parametrize(
    "form", [{"password": "wrong"}, {"username": "nobody"}, {"password": "x" * 2000}, {"username": "al\nice"}]
)
def test_wrong_and_unknown_are_one_answer(ask, form):
    answer = ask(**form)
    assert answer.status_code == 400
    assert answer.json == {
        "error": "invalid_grant",
        "error_description": "The user name or the password is wrong.",
        "error_reason": "invalid_user_credentials",
    }


def test_a_disabled_user_is_unknown(provider, ask):
    provider.add_user("alice", enabled=False)
    assert ask().json["error_reason"] == "invalid_user_credentials"


@pytest.mark.rfc("6749", "4.3.2", "username and password are REQUIRED")
@pytest.mark.parametrize("name", ["username", "password"])
@pytest.mark.parametrize("value", [None, ""])
def test_what_is_missing(ask, name, value):
    answer = ask(**{name: value})
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")
    assert answer.json["error_reason"] == f"missing_{name}"


@pytest.mark.parametrize("name", ["username", "password"])
@pytest.mark.rfc("6749", "3.2", "parameters MUST NOT be included more than once")
def test_what_is_there_twice(ask, name):
    answer = ask(**{name: ["alice", "bob"]})
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


@pytest.mark.rfc("6749", "4.3.2", "a confidential client MUST authenticate")
def test_a_confidential_client_authenticates(provider, ask):
    provider.add_client("app", secret=provider.secret, grant_types=LISTED)
    assert ask("app").json["error"] == "invalid_client"
    assert ask("app", headers=provider.basic()).status_code == 200


def test_the_scope_is_the_clients(provider, ask):
    provider.add_client("old", grant_types=LISTED, scope="read")
    assert ask(scope="write").json["error"] == "invalid_scope"
    assert ask(scope=None).json["scope"] == "read"


def test_a_client_for_registered_users(provider, ask):
    provider.add_client("old", grant_types=LISTED, registration_required=True)
    answer = ask()
    assert (answer.status_code, answer.json["error_reason"]) == (400, "registration_required")
    provider.add_user("alice", registrations=("old",))
    assert ask().status_code == 200


def test_letters_that_can_be_written_in_two_ways(provider, ask):
    provider.add_user("ren\u00e9")
    assert ask(username="rene\u0301").status_code == 200


@pytest.mark.promise(15)
@pytest.mark.parametrize(
    ("settings", "is_there"),
    [
        ({}, True),
        ({"login": "remote_user"}, False),
        ({"login": "application", "who_am_i": "/me", "application_login": "/in?{next}"}, False),
    ],
    ids=["directory", "remote_user", "application"],
)
def test_it_is_there_where_passwords_are(clock, ask, settings, is_there):
    provider = Provider(clock, **settings)
    provider.add_client("old", grant_types=LISTED)
    document = provider.browser().get("/.well-known/oauth-authorization-server").json
    assert ("password" in document["grant_types_supported"]) == is_there
    assert (ask(provider=provider).status_code == 200) == is_there
    if not is_there:
        assert ask(provider=provider).json["error"] == "unsupported_grant_type"


@pytest.mark.promise(5)
def test_the_password_is_not_logged(provider, ask, caplog):
    caplog.set_level("DEBUG")
    ask()
    ask(password="a wrong one")
    assert PASSWORD not in caplog.text
    assert "a wrong one" not in caplog.text
    assert [event.reason for event in provider.events if event.name == "sign_in_failed"] == ["invalid_user_credentials"]


@pytest.mark.promise(12)
@pytest.mark.rfc("6749", "4.3.2", "MUST protect against brute force attacks")
class TestGuesses:
    @pytest.fixture
    def provider(self, make_provider):
        provider = make_provider()
        provider.add_client("old", grant_types=LISTED)
        return provider

    def guesses(self, ask, number, **form):
        """How many of the guesses were judged. They are too long to be a password, and so cost nothing."""
        answers = [ask(**({"password": "x" * 1025} | form)) for _ in range(number)]
        assert {answer.json["error"] for answer in answers} <= {"invalid_grant"}
        return [answer.status_code for answer in answers].count(400)

    def test_after_five_an_address_has_to_wait_a_minute(self, ask, clock):
        assert self.guesses(ask, 8) == 5
        answer = ask()
        assert answer.status_code == 429
        assert answer.json == {
            "error": "invalid_grant",
            "error_description": "Too many wrong passwords. Wait a while.",
            "error_reason": "user_locked",
        }
        clock.advance(60)
        assert ask().status_code == 200

    def test_who_goes_on_has_to_wait_ever_longer(self, ask, clock):
        judged = []
        for _ in range(5):
            judged.append(self.guesses(ask, 6))
            clock.advance(60)
        assert judged == [5, 5, 5, 5, 0]
        clock.advance(3600)
        assert self.guesses(ask, 6) == 5

    def test_the_owner_is_not_kept_out_elsewhere(self, ask):
        self.guesses(ask, 6)
        assert ask().status_code == 429
        assert ask(address="192.0.2.2").status_code == 200

    def test_the_same_address_may_be_other_users(self, provider, ask):
        provider.add_user("bob")
        self.guesses(ask, 6)
        assert ask(username="bob").status_code == 200

    def test_the_right_password_does_not_count(self, ask):
        assert [ask().status_code for _ in range(7)] == [200] * 7

    def test_unknown_users_are_counted_alike(self, ask):
        assert self.guesses(ask, 8, username="nobody") == 5

    def test_an_address_behind_a_proxy_is_its_own(self, make_provider, ask):
        provider = make_provider(trusted_proxies=("10.0.0.1",))
        provider.add_client("old", grant_types=LISTED)
        behind = {"provider": provider, "address": "10.0.0.1"}
        assert self.guesses(ask, 6, **behind, headers={"X-Forwarded-For": "192.0.2.1"}) == 5
        assert ask(**behind, headers={"X-Forwarded-For": "192.0.2.2"}).status_code == 200
