"""What a registration decides about secrets, consent, users and scopes."""

from dataclasses import replace

import pytest

from oauth_filter import credentials
from oauth_filter import passwords
from oauth_filter.records import Client
from oauth_filter.records import User
from tests.provider import CALLBACK
from tests.provider import returned


class TestSeveralSecrets:
    """A secret can be replaced without a moment at which the client does not work."""

    NEW = credentials.generate(credentials.CLIENT_SECRET)

    @pytest.fixture
    def rotated(self, provider, clock):
        old = provider.store.get(Client, "app")
        provider.store.put(
            replace(
                old,
                secret_hash=passwords.hash_secret(self.NEW),
                old_secret_hashes=((old.secret_hash, clock() + 60), (passwords.hash_secret("chosen"), clock() + 30)),
            )
        )
        return provider

    def status(self, provider, secret):
        headers = provider.basic(secret=secret)
        return provider.browser().post("/oauth2/token", data={"grant_type": "x"}, headers=headers).status_code

    def test_the_old_and_the_new_one_work(self, rotated):
        assert [self.status(rotated, secret) for secret in (self.NEW, rotated.secret, "chosen")] == [400] * 3
        assert self.status(rotated, "another") == 401

    def test_each_old_one_until_its_time(self, rotated, clock):
        # Also when it has been verified, and remembered, before.
        assert self.status(rotated, "chosen") == self.status(rotated, rotated.secret) == 400
        clock.advance(30)
        assert self.status(rotated, "chosen") == 401
        assert self.status(rotated, rotated.secret) == 400
        clock.advance(30)
        assert self.status(rotated, rotated.secret) == 401
        assert self.status(rotated, self.NEW) == 400

    def test_a_disabled_client_has_none(self, rotated):
        rotated.store.put(replace(rotated.store.get(Client, "app"), enabled=False))
        assert [self.status(rotated, secret) for secret in (self.NEW, rotated.secret, "chosen")] == [401] * 3

    @pytest.mark.promise(5)
    def test_they_are_not_shown(self, rotated):
        client = rotated.store.get(Client, "app")
        assert client.old_secret_hashes[0][0] not in repr(client)


class TestConsent:
    def test_remembered_by_default(self, provider):
        browser = provider.browser()
        provider.code(browser=browser)
        assert "code" in returned(provider.authorize(browser))

    def test_always(self, provider):
        provider.add_client("asks", consent="always")
        browser = provider.browser()
        for _ in range(2):
            page = provider.authorize(browser, "asks")
            if "password" in page.text:
                page = provider.sign_in(browser, page)
            assert page.status_code == 200
            assert "not be asked again" not in page.text
            assert "code" in returned(provider.decide(browser, page))
        assert "not be asked again" in provider.authorize(browser).text

    def test_always_means_that_it_cannot_be_had_without_asking(self, provider):
        provider.add_client("asks", consent="always")
        browser = provider.browser()
        provider.code("asks", browser=browser)
        answer = returned(provider.authorize(browser, "asks", prompt="none", scope="openid"))
        assert (answer["error"], answer["error_reason"]) == ("consent_required", "consent_required")

    def test_auto_grant_never_asks(self, provider):
        provider.add_client("ours", auto_grant=True, consent="always")
        browser = provider.browser()
        page = provider.sign_in(browser, provider.authorize(browser, "ours"))
        assert "code" in returned(page)


class TestRegistrationRequired:
    @pytest.fixture
    def closed(self, provider):
        provider.add_client("closed", registration_required=True)
        return provider

    def test_users_who_are_not_registered_are_refused(self, closed):
        browser = closed.browser()
        answer = returned(closed.sign_in(browser, closed.authorize(browser, "closed")))
        assert (answer["error"], answer["error_reason"]) == ("access_denied", "registration_required")
        # Everything else is open to them.
        assert closed.authorize(browser).status_code == 200

    def test_those_who_are_may(self, closed):
        closed.add_user("bob", registrations=("closed",))
        assert closed.code("closed", username="bob")

    def test_a_registration_elsewhere_does_not_count(self, closed):
        closed.add_user("bob", registrations=("app", "close", "closed2"))
        browser = closed.browser()
        page = closed.authorize(browser, "closed")
        assert returned(closed.sign_in(browser, page, "bob"))["error_reason"] == "registration_required"

    def test_it_counts_from_the_moment_it_is_there(self, closed):
        browser = closed.browser()
        closed.sign_in(browser, closed.authorize(browser, "closed"))
        closed.store.put(replace(closed.store.get(User, "alice"), registrations=("closed",)))
        assert "code" in returned(closed.decide(browser, closed.authorize(browser, "closed")))


class TestUnknownScope:
    @pytest.mark.parametrize(
        ("of_the_server", "of_the_client", "granted"),
        [
            ("", None, None),
            ("", "reject", None),
            ("", "remove", "read"),
            ("", "allow", "read strange"),
            ("allow", "reject", None),
            ("allow", "remove", "read"),
            ("remove", "allow", "read strange"),
            ("remove", None, "read"),
        ],
    )
    def test_the_client_decides_before_the_server(self, make_provider, of_the_server, of_the_client, granted):
        provider = make_provider(scopes={"read": "Read"}, unknown_scope=of_the_server)
        provider.add_client("own", unknown_scope=of_the_client)
        answer = provider.authorize(client_id="own", scope="read strange")
        if granted is None:
            assert returned(answer)["error_reason"] == "unknown_scope"
        else:
            tokens = provider.tokens("own", scope="read strange")
            assert tokens["scope"] == granted

    def test_its_own_scopes_bound_it_all_the_same(self, make_provider):
        provider = make_provider(scopes={"read": "Read"})
        provider.add_client("own", unknown_scope="allow", scope="read")
        answer = returned(provider.authorize(client_id="own", scope="read strange"))
        assert answer["error_reason"] == "unknown_scope"


class TestTokens:
    def test_no_refresh_tokens(self, provider):
        provider.add_client("short", generate_refresh_tokens=False)
        assert "refresh_token" not in provider.tokens("short")

    def test_lifetimes_of_its_own(self, provider, clock):
        provider.add_client("brief", access_token_lifetime=5, refresh_token_lifetime=10)
        tokens = provider.tokens("brief")
        assert tokens["expires_in"] == 5
        assert provider.call(tokens["access_token"]).status_code == 200
        clock.advance(5)
        assert provider.call(tokens["access_token"]).status_code == 401
        clock.advance(5)
        assert provider.refresh(tokens["refresh_token"], "brief").json["error_reason"] == "refresh_token_not_found"

    @pytest.mark.parametrize("enabled", [(), ("refresh_token",), ("client_credentials",)])
    def test_a_grant_type_it_is_not_registered_for(self, provider, enabled):
        provider.add_client("few", grant_types=enabled)
        assert returned(provider.authorize(client_id="few"))["error_reason"] == "grant_type_disabled"
        answer = provider.token("few", grant_type="authorization_code", code="x", redirect_uri=CALLBACK)
        assert (answer.json["error"], answer.json["error_reason"]) == ("unauthorized_client", "grant_type_disabled")
