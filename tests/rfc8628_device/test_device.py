"""What a device asks for and is told -- RFC 8628 sections 3.1, 3.2, 3.4 and 3.5."""

import base64
import json
import re

import pytest

from oauth_filter import credentials
from oauth_filter.records import DeviceCode
from oauth_filter.records import User
from tests.rfc8628_device.conftest import GRANT
from tests.rfc8628_device.conftest import Device
from tests.rfc8628_device.conftest import Person


class TestDeviceAuthorization:
    @pytest.mark.rfc("8628", "3.2")
    def test_it_gets_two_codes_and_is_told_where_to_send_its_user(self, start):
        answer = start().answer
        assert answer.json.keys() == {
            "device_code",
            "user_code",
            "verification_uri",
            "verification_uri_complete",
            "expires_in",
            "interval",
        }
        assert (answer.json["expires_in"], answer.json["interval"]) == (600, 5)
        assert answer.json["verification_uri"] == "http://localhost:8080/oauth2/device"
        assert answer.json["verification_uri_complete"] == (
            f"http://localhost:8080/oauth2/device?user_code={answer.json['user_code']}"
        )
        assert answer.content_type == "application/json"
        assert answer.headers["Cache-Control"] == "no-store"

    @pytest.mark.rfc("8628", "6.1", "a character set that is easy to enter, without vowels")
    @pytest.mark.rfc("8628", "5.1", "entropy of the user code")
    def test_user_codes_can_be_typed_and_differ(self, start):
        codes = [start().user_code for _ in range(30)]
        assert all(re.fullmatch("[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", code) for code in codes)
        assert len(set(codes)) == 30

    @pytest.mark.rfc("8628", "5.2", "entropy of the device code")
    @pytest.mark.promise(5)
    def test_device_codes_are_secrets_like_any_other(self, provider, start):
        device = start()
        assert credentials.is_well_formed(device.device_code, "ofd")
        assert provider.store.get(DeviceCode, credentials.digest(device.device_code)) is not None
        assert device.device_code not in str(provider.store.find(DeviceCode))

    @pytest.mark.rfc("8628", "3.1", "client authentication requirements of RFC 6749 section 3.2.1 apply")
    def test_a_confidential_client_authenticates(self, provider, start):
        answer = provider.browser().post("/oauth2/device_authorize", data={"client_id": "app"})
        assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")
        assert start("app").answer.status_code == 200

    def test_unless_its_policy_says_otherwise(self, provider):
        provider.add_client("lax", secret=provider.secret, client_authentication="not_required")
        assert Device(provider, "lax").answer.status_code == 200

    @pytest.mark.parametrize("form", [{}, {"client_id": "nobody"}])
    def test_somebody_unknown_gets_nothing(self, provider, form):
        answer = provider.browser().post("/oauth2/device_authorize", data=form)
        assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")

    def test_a_client_that_does_not_list_the_grant_gets_nothing(self, provider):
        provider.add_client("native", grant_types=("authorization_code",))
        answer = provider.browser().post("/oauth2/device_authorize", data={"client_id": "native"})
        assert (answer.status_code, answer.json["error"]) == (400, "unauthorized_client")
        assert answer.json["error_reason"] == "grant_type_disabled"

    def test_the_scope_is_judged_at_once(self, make_provider):
        provider = make_provider(scopes={"read": "Read"})
        answer = provider.browser().post("/oauth2/device_authorize", data={"client_id": "native", "scope": "odd"})
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_scope")

    def test_people_can_be_sent_to_a_page_of_the_application(self, make_provider):
        provider = make_provider(device_verification_uri="https://example.com/tv")
        provider.add_client("other", device_verification_uri="https://tv.example/go?x=1")
        said = Device(provider).answer.json
        assert said["verification_uri"] == "https://example.com/tv"
        said = Device(provider, "other").answer.json
        assert said["verification_uri"] == "https://tv.example/go?x=1"
        assert said["verification_uri_complete"] == f"https://tv.example/go?x=1&user_code={said['user_code']}"

    @pytest.mark.promise(9)
    def test_the_address_comes_from_the_settings(self, provider):
        answer = provider.browser().post(
            "/oauth2/device_authorize", data={"client_id": "native"}, headers={"Host": "evil.example"}
        )
        assert "evil" not in answer.text

    @pytest.mark.rfc("8628", "4", "device_authorization_endpoint")
    @pytest.mark.promise(15)
    def test_metadata_tells_of_it(self, provider):
        document = provider.browser().get("/.well-known/oauth-authorization-server").json
        assert document["device_authorization_endpoint"] == "http://localhost:8080/oauth2/device_authorize"
        assert GRANT in document["grant_types_supported"]


class TestPolling:
    @pytest.mark.rfc("8628", "3.5", "authorization_pending")
    def test_before_a_decision_it_is_told_to_wait(self, start):
        answer = start().poll()
        assert answer.status_code == 400
        assert answer.json == {
            "error": "authorization_pending",
            "error_description": "The user has not decided yet.",
        }
        assert answer.headers["Cache-Control"] == "no-store"

    @pytest.mark.rfc("8628", "3.5", "slow_down")
    def test_one_that_does_not_wait_has_to_wait_longer_each_time(self, start, clock):
        device = start()
        said = []
        for seconds in (0, 5, 4, 5, 10, 20, 20):
            clock.advance(seconds)
            said.append(device.error())
        # The interval is 5, then 10 after the third poll, 15 after the fourth, 20 after the fifth.
        assert said == [
            "authorization_pending",
            "authorization_pending",
            "slow_down",
            "slow_down",
            "slow_down",
            "authorization_pending",
            "authorization_pending",
        ]

    def test_the_time_a_request_takes_does_not_count_against_it(self, start, clock):
        device = start()
        device.error()
        clock.advance(4.75)
        assert device.error() == "authorization_pending"

    def test_the_interval_is_a_setting(self, make_provider, clock):
        device = Device(make_provider(device_poll_interval=20))
        assert device.answer.json["interval"] == 20
        device.error()
        clock.advance(10)
        assert device.error() == "slow_down"

    def test_a_hasty_device_still_gets_its_tokens(self, start, person):
        device = start()
        person.enter(device.user_code)
        assert [device.error(), device.error()] == ["authorization_pending", "slow_down"]
        person.decide("allow")
        assert device.poll().status_code == 200

    @pytest.mark.rfc("8628", "3.5", "a poll and an approval do not undo each other")
    def test_a_poll_leaves_the_decision_alone(self, start, person):
        device = start()
        person.enter(device.user_code)
        device.error()
        person.decide("deny")
        assert device.error() == "access_denied"
        assert device.error() == "access_denied"

    @pytest.mark.rfc("8628", "3.5", "expired_token")
    def test_after_its_time_it_is_told_so_and_later_unknown(self, start, clock):
        device = start()
        clock.advance(599.5)
        assert device.error() == "authorization_pending"
        clock.advance(0.5)
        assert device.error() == "expired_token"
        clock.advance(3599)
        assert device.error() == "expired_token"
        clock.advance(1)
        assert device.error() == "invalid_grant"

    def test_what_was_approved_expires_too(self, start, person, clock):
        device = start()
        person.allow(device.user_code)
        clock.advance(600)
        assert device.error() == "expired_token"

    @pytest.mark.rfc("8628", "3.4", "the device code is REQUIRED")
    def test_a_poll_without_a_code(self, provider):
        answer = provider.token("native", grant_type=GRANT)
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")
        assert answer.json["error_reason"] == "missing_device_code"

    @pytest.mark.parametrize(
        "value",
        ["x", credentials.generate("ofd"), "e6f_lF1rG_yroI0DxeQB5OrLDKU18lrDhFXeQqIKAjg"],
        ids=["short", "never issued", "no form of ours"],
    )
    def test_an_unknown_code(self, provider, value):
        answer = provider.token("native", grant_type=GRANT, device_code=value)
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_grant")
        assert answer.json["error_reason"] == "invalid_device_code"

    @pytest.mark.rfc("8628", "3.4", "the client authenticates as at the token endpoint")
    def test_a_confidential_client_authenticates(self, provider, start):
        device = start("app")
        answer = provider.browser().post(
            "/oauth2/token", data={"client_id": "app", "grant_type": GRANT, "device_code": device.device_code}
        )
        assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")
        assert device.error() == "authorization_pending"


class TestTokens:
    @pytest.mark.rfc("8628", "3.5", "a successful response is that of RFC 6749 section 5.1")
    def test_an_approved_device_acts_for_who_approved_it(self, make_provider):
        provider = make_provider(scopes={"read": "Read"})
        device = Device(provider, scope="read")
        Person(provider).allow(device.user_code)
        answer = device.poll()
        assert answer.status_code == 200
        assert answer.json.keys() == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
        said = provider.call(answer.json["access_token"]).json
        assert said["REMOTE_USER"] == "alice"
        assert said["oauth_filter.client_id"] == "native"
        assert said["oauth_filter.scope"] == "read"
        assert provider.refresh(answer.json["refresh_token"], "native").status_code == 200

    @pytest.mark.rfc("OpenID Core", "2")
    def test_an_id_token_tells_how_the_user_signed_in(self, provider, start, person, clock):
        signed_in_at = int(clock())
        device = start(scope="openid")
        clock.advance(100)
        person.allow(device.user_code)
        claims = json.loads(base64.urlsafe_b64decode(device.poll().json["id_token"].split(".")[1] + "=="))
        assert claims["aud"] == "native"
        assert claims["auth_time"] == signed_in_at
        assert claims["amr"] == ["pwd"]
        assert claims["acr"] == "1"
        assert claims["sid"]

    @pytest.mark.promise(1)
    def test_a_code_is_redeemed_once_and_a_second_time_revokes(self, provider, start, person):
        device = start()
        person.allow(device.user_code)
        token = device.poll().json["access_token"]
        assert provider.call(token).status_code == 200
        answer = device.poll()
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_grant")
        assert answer.json["error_reason"] == "invalid_device_code"
        assert provider.call(token).status_code == 401
        assert [event.name for event in provider.events].count("reuse_detected") == 1

    @pytest.mark.rfc("8628", "3.4", "the code was issued to the client that polls")
    def test_the_code_of_another_client_is_unknown_and_stays_good(self, provider, start, person):
        device = start()
        person.allow(device.user_code)
        answer = provider.token("app", grant_type=GRANT, device_code=device.device_code)
        assert (answer.status_code, answer.json["error_reason"]) == (400, "invalid_device_code")
        assert device.poll().status_code == 200

    @pytest.mark.promise(4)
    def test_a_user_who_is_disabled_meanwhile_lets_nobody_in(self, provider, start, person):
        device = start()
        person.allow(device.user_code)
        user = provider.store.get(User, "alice")
        provider.add_user("alice", enabled=False)
        assert device.error() == "invalid_grant"
        # Somebody new of the same name is somebody new.
        assert provider.add_user("alice").subject != user.subject
        assert device.error() == "invalid_grant"

    @pytest.mark.promise(4)
    @pytest.mark.parametrize(("of", "key"), [("client", "native"), ("subject", None)])
    def test_a_revocation_reaches_it(self, provider, start, person, of, key):
        device = start()
        person.allow(device.user_code)
        provider.store.revoke(of, key or provider.store.get(User, "alice").subject)
        assert device.error() == "invalid_grant"

    def test_a_revoked_client_cannot_be_approved_any_more(self, provider, start, person):
        device = start()
        person.enter(device.user_code)
        provider.store.revoke("client", "native")
        assert "not valid" in person.decide("allow").text
        assert device.error() == "invalid_grant"
