"""Validate, inspect and approve, for a page of the client's own, as FusionAuth documents them."""

import pytest

from oauth_filter.records import User
from tests.provider import Provider
from tests.rfc8628_device.conftest import GRANT
from tests.rfc8628_device.conftest import Device

SCOPES = {"read": "Read", "write": "Write"}
ABOUT = {"metaData.device.name": "TV", "metaData.device.description": "In the hall", "metaData.device.type": "OTHER"}
TOLD = {"name": "TV", "description": "In the hall", "type": "OTHER"}


@pytest.fixture
def provider(clock):
    return Provider(clock, scopes=SCOPES)


@pytest.fixture
def device(provider):
    return Device(provider, "app", scope="read openid offline_access", **ABOUT)


@pytest.fixture
def user_token(provider):
    """A token of alice for the client, with all that the device asks for."""
    return provider.tokens(scope="read openid offline_access")["access_token"]


@pytest.fixture
def post(provider):
    def post(path, headers=None, **form):
        form = {name: value for name, value in form.items() if value is not None}
        return provider.browser().post(path, data=form, headers=provider.basic() if headers is None else headers)

    return post


class TestValidate:
    @pytest.fixture
    def validate(self, provider):
        def validate(method="get", **query):
            send = provider.browser()
            if method == "get":
                return send.get("/oauth2/device/validate", query_string=query)
            return send.post("/oauth2/device/validate", data=query)

        return validate

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_a_code_that_waits(self, validate, device, method):
        answer = validate(method, client_id="app", user_code=device.user_code.lower(), tenantId="t")
        assert (answer.status_code, answer.data) == (200, b"")
        assert answer.headers["Cache-Control"] == "no-store"

    @pytest.mark.parametrize(
        ("query", "reason"),
        [
            ({}, "missing_client_id"),
            ({"client_id": "app"}, "missing_user_code"),
            ({"client_id": "app", "user_code": "nonsense"}, "invalid_user_code"),
            ({"client_id": "app", "user_code": "BCDF-GHJK"}, "invalid_user_code"),
            ({"client_id": "nobody", "user_code": "BCDF-GHJK"}, "invalid_user_code"),
        ],
    )
    def test_everything_else(self, validate, query, reason):
        answer = validate(**query)
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")
        assert answer.json["error_reason"] == reason

    def test_the_code_of_another_client_is_none(self, validate, device):
        answer = validate(client_id="native", user_code=device.user_code)
        assert answer.json["error_reason"] == "invalid_user_code"

    def test_one_that_has_expired(self, validate, device, clock):
        clock.advance(600)
        answer = validate(client_id="app", user_code=device.user_code)
        assert answer.json["error_reason"] == "user_code_expired"

    def test_one_that_has_been_decided(self, validate, device, post, user_token):
        post("/oauth2/device/approve", token=user_token, user_code=device.user_code)
        answer = validate(client_id="app", user_code=device.user_code)
        assert answer.json["error_reason"] == "invalid_user_code"


class TestUserCode:
    def test_it_tells_what_waits(self, device, post, clock):
        clock.advance(100)
        answer = post("/oauth2/device/user-code", user_code=device.user_code.replace("-", "").lower())
        assert answer.status_code == 200
        assert answer.json == {
            "client_id": "app",
            "deviceInfo": TOLD,
            "expires_in": 500,
            "scope": "read",
            "user_code": device.user_code,
        }

    @pytest.mark.parametrize("client_id", ["app", "native"])
    def test_only_clients_that_have_authenticated_are_told(self, device, post, client_id):
        answer = post("/oauth2/device/user-code", {}, client_id=client_id, user_code=device.user_code)
        assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")

    def test_not_of_other_clients(self, provider, post):
        device = Device(provider)
        answer = post("/oauth2/device/user-code", user_code=device.user_code)
        assert (answer.status_code, answer.json["error_reason"]) == (400, "invalid_user_code")


class TestApprove:
    PATH = "/oauth2/device/approve"

    def test_the_user_of_the_token_is_who_the_device_acts_for(self, provider, device, post, user_token):
        answer = post(self.PATH, token=user_token, user_code=device.user_code)
        assert answer.status_code == 200
        subject = provider.store.get(User, "alice").subject
        assert answer.json == {"deviceGrantStatus": "Approved", "deviceInfo": TOLD, "userId": subject}
        tokens = device.poll().json
        assert tokens["scope"] == "read openid offline_access"
        assert provider.call(tokens["access_token"]).json["REMOTE_USER"] == "alice"

    def test_it_approves_once(self, device, post, user_token):
        assert post(self.PATH, token=user_token, user_code=device.user_code).status_code == 200
        answer = post(self.PATH, token=user_token, user_code=device.user_code)
        assert (answer.status_code, answer.json["error_reason"]) == (400, "invalid_user_code")

    def test_a_device_gets_no_more_than_the_token_has(self, provider, post):
        device = Device(provider, "app", scope="read write")
        token = provider.tokens(scope="read")["access_token"]
        answer = post(self.PATH, token=token, user_code=device.user_code)
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_scope")
        assert device.error() == "authorization_pending"

    def test_a_client_cannot_approve_the_device_of_another(self, provider, post, user_token):
        device = Device(provider)
        answer = post(self.PATH, token=user_token, user_code=device.user_code)
        assert (answer.status_code, answer.json["error_reason"]) == (400, "invalid_user_code")
        assert device.error() == "authorization_pending"

    def test_a_client_cannot_use_the_token_of_another(self, provider, device, post):
        token = provider.tokens("native", scope="read openid offline_access")["access_token"]
        answer = post(self.PATH, token=token, user_code=device.user_code)
        assert (answer.status_code, answer.json["error_reason"]) == (400, "access_token_invalid")
        assert device.error() == "authorization_pending"

    def test_a_client_is_not_a_user(self, provider, device, post):
        token = provider.token(grant_type="client_credentials", scope="read").json["access_token"]
        answer = post(self.PATH, token=token, user_code=device.user_code)
        assert answer.json["error_reason"] == "access_token_invalid"

    @pytest.mark.promise(4)
    def test_a_token_that_has_ended_approves_nothing(self, provider, device, post, user_token):
        provider.revoke(user_token)
        answer = post(self.PATH, token=user_token, user_code=device.user_code)
        assert answer.json["error_reason"] == "access_token_invalid"

    @pytest.mark.promise(4)
    def test_nor_one_of_a_user_who_is_disabled(self, provider, device, post, user_token):
        provider.add_user("alice", enabled=False)
        answer = post(self.PATH, token=user_token, user_code=device.user_code)
        assert answer.json["error_reason"] == "access_token_invalid"

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"token": None}, "missing_token"),
            ({"token": "x"}, "access_token_invalid"),
            ({"user_code": None}, "missing_user_code"),
            ({"user_code": "BCDF-GHJK"}, "invalid_user_code"),
        ],
    )
    def test_what_is_missing_or_wrong(self, device, post, user_token, change, reason):
        answer = post(self.PATH, **({"token": user_token, "user_code": device.user_code} | change))
        assert (answer.status_code, answer.json["error_reason"]) == (400, reason)
        assert device.error() == "authorization_pending"

    def test_only_for_clients_that_have_authenticated(self, device, post, user_token):
        answer = post(self.PATH, {}, client_id="app", token=user_token, user_code=device.user_code)
        assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")

    @pytest.mark.promise(12)
    def test_guesses_are_the_users(self, provider, device, post, user_token):
        for number in range(10):
            post(self.PATH, token=user_token, user_code=f"BBBBBBB{'BCDFGHJKLM'[number]}")
        assert post(self.PATH, token=user_token, user_code=device.user_code).status_code == 429
        assert post("/oauth2/device/user-code", user_code=device.user_code).status_code == 200


class TestFusionAuth:
    """The documented requests, host and id apart; how the answers differ is in docs/device.md."""

    CLIENT = "3c219e58-ed0e-4b18-ad48-f4f92793ae32"

    @pytest.fixture
    def provider(self, clock):
        provider = Provider(clock, fusionauth_parameters=True, refresh_token_requires_offline_access=True)
        provider.add_client(self.CLIENT)
        return provider

    def send(self, provider, path, body):
        return provider.browser().post(path, data=body, content_type="application/x-www-form-urlencoded")

    def test_the_flow(self, provider, make_person):
        body = f"client_id={self.CLIENT}&scope=offline_access"
        said = self.send(provider, "/oauth2/device_authorize", body).json
        poll = (
            f"client_id={self.CLIENT}&device_code={said['device_code']}"
            "&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code"
        )
        answer = self.send(provider, "/oauth2/token", poll)
        assert answer.json["error"] == "authorization_pending"
        assert "error_reason" not in answer.json
        make_person().allow(said["user_code"])
        tokens = self.send(provider, "/oauth2/token", poll).json
        assert tokens["token_type"] == "Bearer"
        assert tokens["refresh_token"]
        assert tokens["userId"] == provider.store.get(User, "alice").subject

    def test_an_unknown_device_code(self, provider):
        answer = provider.token(
            self.CLIENT, grant_type=GRANT, device_code="e6f_lF1rG_yroI0DxeQB5OrLDKU18lrDhFXeQqIKAjg"
        )
        assert answer.json["error_reason"] == "invalid_device_code"
