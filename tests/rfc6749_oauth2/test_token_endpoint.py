"""The token endpoint -- RFC 6749 sections 3.2, 4.1.3, 4.4, 5 and 6."""

import base64
import json

import pytest

from oauth_filter.records import GRANT_TYPES
from oauth_filter.records import User
from tests.provider import CALLBACK
from tests.provider import PASSWORD
from tests.provider import VERIFIER


@pytest.mark.rfc("6749", "5.1")
def test_a_code_becomes_tokens(provider):
    answer = provider.redeem(provider.code())
    assert answer.status_code == 200
    assert answer.json.keys() == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert answer.json["token_type"] == "Bearer"
    assert answer.json["expires_in"] == 3600
    assert type(answer.json["expires_in"]) is int
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Pragma"] == "no-cache"
    assert answer.content_type == "application/json"
    assert provider.call(answer.json["access_token"]).json["REMOTE_USER"] == "alice"


def test_the_scope_is_named_and_reaches_the_application(make_provider):
    provider = make_provider(scopes={"read": "Read", "write": "Write"})
    tokens = provider.tokens(scope="read write")
    assert tokens["scope"] == "read write"
    assert provider.call(tokens["access_token"]).json["oauth_filter.scope"] == "read write"


@pytest.mark.parametrize(
    ("policy", "asked", "granted"),
    [("remove", "read nonsense", "read"), ("allow", "read nonsense", "read nonsense"), ("allow", None, None)],
)
def test_what_becomes_of_an_unknown_scope(make_provider, policy, asked, granted):
    provider = make_provider(scopes={"read": "Read"}, unknown_scope=policy)
    assert provider.tokens(scope=asked).get("scope") == granted


def test_a_client_gets_no_scope_it_is_not_registered_for(make_provider):
    provider = make_provider(scopes={"read": "Read", "write": "Write"})
    provider.add_client("app", secret=provider.secret, scope="read")
    assert provider.token(grant_type="client_credentials", scope="write").json["error"] == "invalid_scope"
    assert provider.token(grant_type="client_credentials").json["scope"] == "read"


# The authorization code


@pytest.mark.promise(1)
@pytest.mark.rfc("6749", "4.1.2", "tokens of a code used twice are revoked")
def test_a_replayed_code_revokes_what_it_produced(provider):
    code = provider.code()
    tokens = provider.redeem(code).json
    refreshed = provider.refresh(tokens["refresh_token"]).json
    answer = provider.redeem(code)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_grant")
    assert provider.call(tokens["access_token"]).status_code == 401
    assert provider.call(refreshed["access_token"]).status_code == 401
    assert provider.refresh(refreshed["refresh_token"]).json["error"] == "invalid_grant"
    assert [event.name for event in provider.events].count("reuse_detected") == 1


def test_a_code_expires(provider):
    code = provider.code()
    provider.clock.advance(60)
    answer = provider.redeem(code)
    assert answer.json == {
        "error": "invalid_grant",
        "error_description": "The authorization code is unknown, expired or used.",
        "error_reason": "auth_code_not_found",
    }


@pytest.mark.parametrize(
    ("change", "error", "reason"),
    [
        ({"redirect_uri": CALLBACK + "/"}, "invalid_grant", "invalid_redirect_uri"),
        ({"redirect_uri": None}, "invalid_grant", "invalid_redirect_uri"),
        ({"code_verifier": "x" * 43}, "invalid_grant", "invalid_pkce_code_verifier"),
        ({"code_verifier": "short"}, "invalid_grant", "invalid_pkce_code_verifier"),
        ({"code_verifier": None}, "invalid_request", "missing_code_verifier"),
    ],
)
def test_a_failing_redemption_burns_the_code(provider, change, error, reason):
    code = provider.code()
    answer = provider.redeem(code, **change)
    assert (answer.status_code, answer.json["error"], answer.json["error_reason"]) == (400, error, reason)
    assert provider.redeem(code).json["error"] == "invalid_grant"


@pytest.mark.promise(1)
def test_a_stranger_can_neither_use_nor_burn_a_code(provider):
    code = provider.code()
    assert provider.redeem(code, "native").json["error_reason"] == "auth_code_not_found"
    assert provider.redeem(code).status_code == 200
    assert provider.redeem(code, "native").json["error"] == "invalid_grant"
    assert [event.name for event in provider.events].count("reuse_detected") == 0


def test_a_redirect_uri_that_was_not_sent_need_not_be_repeated(provider):
    code = provider.code(redirect_uri=None)
    assert provider.redeem(code, redirect_uri=None).status_code == 200


def test_a_code_of_a_user_who_is_gone_is_worth_nothing(provider):
    code = provider.code()
    provider.store.delete(User, "alice")
    assert provider.redeem(code).json["error"] == "invalid_grant"
    provider.add_user("alice")
    assert provider.redeem(provider.code()).status_code == 200


@pytest.mark.parametrize("code", ["", "x", "ofc_" + "0" * 49, "é", "\x00", "ofc_" + "A" * 10000])
def test_a_made_up_code_is_refused(provider, code):
    answer = provider.redeem(code)
    assert answer.status_code == 400
    assert answer.json["error"] in ("invalid_grant", "invalid_request")


# Refreshing


@pytest.mark.rfc("9700", "4.14.2")
@pytest.mark.promise(2)
def test_a_refresh_token_is_replaced_and_its_reuse_ends_the_family(provider):
    first = provider.tokens()
    second = provider.refresh(first["refresh_token"]).json
    assert second["refresh_token"] != first["refresh_token"]
    assert provider.call(second["access_token"]).status_code == 200
    assert provider.call(first["access_token"]).status_code == 200, "it lives until it expires"
    third = provider.refresh(second["refresh_token"]).json
    answer = provider.refresh(first["refresh_token"])
    assert (answer.status_code, answer.json["error_reason"]) == (400, "refresh_token_not_found")
    for tokens in (first, second, third):
        assert provider.call(tokens["access_token"]).status_code == 401
        assert provider.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"


def test_a_family_ends_alone(provider):
    one, other = provider.tokens(), provider.tokens()
    provider.refresh(one["refresh_token"])
    provider.clock.advance(provider.settings.refresh_token_grace)
    assert provider.refresh(one["refresh_token"]).status_code == 400
    assert provider.call(one["access_token"]).status_code == 401
    assert provider.call(other["access_token"]).status_code == 200
    assert provider.refresh(other["refresh_token"]).status_code == 200


def test_a_stranger_can_neither_use_nor_end_a_refresh_token(provider):
    tokens = provider.tokens()
    assert provider.refresh(tokens["refresh_token"], "native").json["error"] == "invalid_grant"
    assert provider.refresh(tokens["refresh_token"]).status_code == 200
    assert provider.refresh(tokens["refresh_token"], "native").json["error"] == "invalid_grant"
    assert provider.call(tokens["access_token"]).status_code == 200


@pytest.mark.rfc("6749", "6", "the scope may be narrowed")
def test_a_refresh_may_narrow_the_scope_and_never_widen_it(make_provider):
    provider = make_provider(scopes={"read": "Read", "write": "Write"})
    tokens = provider.tokens(scope="read write")
    narrow = provider.refresh(tokens["refresh_token"], scope="read").json
    assert narrow["scope"] == "read"
    assert provider.call(narrow["access_token"]).json["oauth_filter.scope"] == "read"
    wide = provider.refresh(narrow["refresh_token"]).json
    assert wide["scope"] == "read write", "the refresh token keeps what was granted"
    read_only = provider.tokens(scope="read")
    answer = provider.refresh(read_only["refresh_token"], scope="read write")
    assert answer.json["error"] == "invalid_scope"
    assert provider.refresh(read_only["refresh_token"]).status_code == 200, "a refusal spends nothing"


def test_a_refresh_token_that_lies_unused_expires(provider):
    tokens = provider.tokens()
    provider.clock.advance(30 * 86400 - 1)
    tokens = provider.refresh(tokens["refresh_token"]).json
    provider.clock.advance(30 * 86400)
    assert provider.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"


def test_refresh_can_end_the_access_token_before(make_provider):
    provider = make_provider(refresh_revokes_access_token=True)
    first = provider.tokens()
    assert provider.call(first["access_token"]).status_code == 200
    second = provider.refresh(first["refresh_token"]).json
    assert provider.call(first["access_token"]).status_code == 401
    assert provider.call(second["access_token"]).status_code == 200


def test_refresh_tokens_can_be_reusable(make_provider):
    provider = make_provider(refresh_token_usage="reusable")
    tokens = provider.tokens()
    for _ in range(3):
        answer = provider.refresh(tokens["refresh_token"])
        assert answer.status_code == 200
        assert "refresh_token" not in answer.json


def test_a_client_without_the_grant_gets_no_refresh_token(provider):
    provider.add_client("app", secret=provider.secret, grant_types=("authorization_code",))
    assert "refresh_token" not in provider.tokens()


@pytest.mark.promise(4)
def test_what_a_client_is_no_longer_registered_for_ends_with_the_next_refresh(make_provider):
    provider = make_provider(scopes={"read": "Read", "write": "Write"})
    tokens = provider.tokens(scope="read write")
    provider.add_client("app", secret=provider.secret, scope="read")
    assert provider.refresh(tokens["refresh_token"], scope="write").json["error"] == "invalid_scope"
    assert provider.refresh(tokens["refresh_token"]).json["scope"] == "read"


class TestGrace:
    """The same client repeating a refresh whose answer it did not get."""

    @pytest.mark.promise(2)
    def test_gets_the_same_answer_again_and_again(self, provider):
        first = provider.tokens()
        second = provider.refresh(first["refresh_token"]).json
        provider.clock.advance(provider.settings.refresh_token_grace - 1)
        assert provider.refresh(first["refresh_token"]).json == second
        assert provider.refresh(first["refresh_token"]).json == second
        assert [e.reason for e in provider.events if e.name == "token_refreshed"] == [None, "repeated", "repeated"]
        assert provider.call(second["access_token"]).status_code == 200
        assert provider.refresh(second["refresh_token"]).status_code == 200

    def test_ends(self, provider):
        first = provider.tokens()
        second = provider.refresh(first["refresh_token"]).json
        provider.clock.advance(provider.settings.refresh_token_grace)
        assert provider.refresh(first["refresh_token"]).json["error"] == "invalid_grant"
        assert provider.call(second["access_token"]).status_code == 401

    def test_is_for_the_last_token_only(self, provider):
        first = provider.tokens()
        second = provider.refresh(first["refresh_token"]).json
        third = provider.refresh(second["refresh_token"]).json
        assert provider.refresh(first["refresh_token"]).json["error"] == "invalid_grant"
        assert provider.call(third["access_token"]).status_code == 401

    @pytest.mark.promise(2)
    def test_never_revives_what_was_revoked(self, provider):
        first = provider.tokens()
        second = provider.refresh(first["refresh_token"]).json
        provider.revoke(second["refresh_token"])
        assert provider.refresh(first["refresh_token"]).json["error"] == "invalid_grant"

    def test_is_for_the_same_client_only(self, provider):
        first = provider.tokens()
        provider.refresh(first["refresh_token"])
        assert provider.refresh(first["refresh_token"], "native").json["error"] == "invalid_grant"

    def test_keeps_nothing_readable(self, provider):
        from oauth_filter import credentials
        from oauth_filter.records import Successor

        first = provider.tokens()
        second = provider.refresh(first["refresh_token"]).json
        kept = provider.store.get(Successor, credentials.digest(first["refresh_token"]))
        assert second["refresh_token"] not in kept.sealed

    def test_can_be_turned_off(self, make_provider):
        provider = make_provider(refresh_token_grace=0)
        first = provider.tokens()
        assert provider.refresh(first["refresh_token"]).status_code == 200
        assert provider.refresh(first["refresh_token"]).json["error"] == "invalid_grant"


class TestRefreshTokenLifetimes:
    DAY = 86400

    def test_fixed_counts_from_the_first(self, make_provider):
        provider = make_provider(refresh_token_expiration="fixed")
        tokens = provider.tokens()
        provider.clock.advance(29 * self.DAY)
        tokens = provider.refresh(tokens["refresh_token"]).json
        provider.clock.advance(self.DAY)
        assert provider.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"

    def test_sliding_with_maximum_ends_at_the_maximum(self, make_provider):
        provider = make_provider(
            refresh_token_expiration="sliding_with_maximum", refresh_token_maximum_lifetime=50 * self.DAY
        )
        tokens = provider.tokens()
        for _ in range(2):
            provider.clock.advance(20 * self.DAY)
            tokens = provider.refresh(tokens["refresh_token"]).json
        provider.clock.advance(10 * self.DAY)
        assert provider.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"

    def test_of_the_client(self, provider):
        provider.add_client("app", secret=provider.secret, refresh_token_lifetime=5)
        tokens = provider.tokens()
        provider.clock.advance(5)
        assert provider.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"

    @pytest.mark.parametrize("asked", [60, 3600])
    def test_a_shorter_access_token_can_be_asked_for(self, provider, asked):
        answer = provider.refresh(provider.tokens()["refresh_token"], expires_in=str(asked)).json
        assert answer["expires_in"] == asked

    def test_no_longer_one_than_the_client_has_can_be_asked_for(self, provider):
        provider.add_client("app", secret=provider.secret, access_token_lifetime=60)
        tokens = provider.tokens()
        answer = provider.refresh(tokens["refresh_token"], expires_in="61")
        assert (answer.status_code, answer.json["error_reason"]) == (400, "invalid_expires_in")
        assert provider.refresh(tokens["refresh_token"], expires_in="60").json["expires_in"] == 60

    @pytest.mark.parametrize("asked", ["0", "-1", "x", "1.5", "٣", "3601", "9" * 400])
    def test_a_lifetime_that_is_none_spends_nothing(self, provider, asked):
        tokens = provider.tokens()
        answer = provider.refresh(tokens["refresh_token"], expires_in=asked)
        assert (answer.status_code, answer.json["error_reason"]) == (400, "invalid_expires_in")
        assert provider.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize(("scope", "has_one"), [(None, False), ("profile", False), ("offline_access", True)])
def test_a_refresh_token_can_need_offline_access(make_provider, scope, has_one):
    provider = make_provider(refresh_token_requires_offline_access=True)
    assert ("refresh_token" in provider.tokens(scope=scope)) is has_one


def test_a_client_can_be_given_none(provider):
    provider.add_client("app", secret=provider.secret, generate_refresh_tokens=False)
    assert "refresh_token" not in provider.tokens()


# Client credentials


@pytest.mark.rfc("6749", "4.4")
def test_a_client_gets_a_token_for_itself(provider):
    answer = provider.token(grant_type="client_credentials")
    assert answer.json.keys() == {"access_token", "token_type", "expires_in"}
    said = provider.call(answer.json["access_token"]).json
    assert said["REMOTE_USER"] is None
    assert said["oauth_filter.client_id"] == "app"


@pytest.mark.rfc("6749", "4.4", "MUST only be used by confidential clients")
def test_a_public_client_does_not(provider):
    answer = provider.token("native", grant_type="client_credentials")
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")


def test_lifetimes_are_per_client(provider):
    provider.add_client("app", secret=provider.secret, access_token_lifetime=10)
    answer = provider.token(grant_type="client_credentials").json
    assert answer["expires_in"] == 10
    assert provider.call(answer["access_token"]).status_code == 200
    provider.clock.advance(10)
    assert provider.call(answer["access_token"]).status_code == 401


# The client


class TestClientAuthentication:
    def post(self, provider, form, authorization=None):
        headers = {"Authorization": authorization} if authorization else {}
        return provider.browser().post(
            "/oauth2/token", data={"grant_type": "client_credentials"} | form, headers=headers
        )

    @pytest.mark.rfc("6749", "2.3.1")
    def test_by_post(self, provider):
        answer = self.post(provider, {"client_id": "app", "client_secret": provider.secret})
        assert answer.status_code == 200

    @pytest.mark.rfc("6749", "2.3.1", "both halves are form-encoded")
    def test_by_basic_with_anything_in_it(self, provider):
        client_id, secret = "a:b c+d%é".replace("é", "~"), "p@ss:w+rd %41 é"
        provider.add_client(client_id, secret=secret)
        answer = provider.browser().post(
            "/oauth2/token", data={"grant_type": "client_credentials"}, headers=provider.basic(client_id, secret)
        )
        assert answer.status_code == 200

    @pytest.mark.parametrize("secret", ["a+b", "a%41b", "+fcXet9Iu2kQi61yWD9Tu4ReZ113P6yEAkr32v6WKOQ="])
    def test_by_basic_as_curl_sends_it(self, provider, secret):
        provider.add_client("app", secret=secret)
        plain = base64.b64encode(f"app:{secret}".encode()).decode()
        for header in (f"Basic {plain}", provider.basic("app", secret)["Authorization"]):
            assert self.post(provider, {}, header).status_code == 200
        wrong = base64.b64encode(f"app:{secret}+".encode()).decode()
        assert self.post(provider, {}, f"Basic {wrong}").status_code == 401

    @pytest.mark.rfc("6749", "5.2", "401 with WWW-Authenticate when the header was used")
    @pytest.mark.parametrize("client_id", ["app", "nobody"])
    @pytest.mark.promise(6)
    def test_wrong_and_unknown_are_the_same(self, provider, client_id):
        basic = provider.browser().post(
            "/oauth2/token", data={"grant_type": "client_credentials"}, headers=provider.basic(client_id, "wrong")
        )
        assert basic.status_code == 401
        assert basic.headers["WWW-Authenticate"].startswith("Basic ")
        post = self.post(provider, {"client_id": client_id, "client_secret": "wrong"})
        assert post.status_code == 401
        assert "WWW-Authenticate" not in post.headers
        assert post.json == basic.json
        assert post.json["error"] == "invalid_client"
        assert post.json["error_reason"] == "invalid_client_authentication"

    def test_an_id_that_nobody_has(self, provider):
        answer = self.post(provider, {"client_id": "nobody"})
        assert (answer.status_code, answer.json["error_reason"]) == (401, "invalid_client_id")

    def test_none_at_all(self, provider):
        answer = self.post(provider, {})
        assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")

    @pytest.mark.rfc("6749", "2.3", "MUST NOT use more than one authentication method")
    def test_two_at_once(self, provider):
        answer = self.post(
            provider, {"client_id": "app", "client_secret": provider.secret}, provider.basic()["Authorization"]
        )
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")

    @pytest.mark.parametrize(
        "authorization",
        [
            "Basic",
            "Basic ",
            "Basic !!!",
            "Basic YTpi=",
            "Basic " + base64.b64encode(b"nocolon").decode(),
            "Basic " + base64.b64encode(b":secret").decode(),
            "Basic " + base64.b64encode(b"a%zz:b").decode(),
            "Basic " + base64.b64encode(b"\xff\xfe:b").decode(),
            "Bearer abc",
            "Digest x",
            "\x00",
            "Basic " + "A" * 50000,
        ],
    )
    def test_malformed(self, provider, authorization):
        answer = self.post(provider, {}, authorization)
        assert answer.status_code in (400, 401)
        assert answer.json["error"] in ("invalid_client", "invalid_request")

    def test_a_confidential_client_must(self, provider):
        answer = self.post(provider, {"client_id": "app"})
        assert (answer.status_code, answer.json["error_reason"]) == (401, "missing_client_secret")

    def test_an_empty_secret_is_none(self, provider):
        code = provider.code("native")
        assert provider.redeem(code, "native", client_secret="").status_code == 200

    def test_a_public_client_that_sends_a_secret_is_refused(self, provider):
        answer = provider.redeem(provider.code("native"), "native", client_secret="anything")
        assert answer.json["error"] == "invalid_client"

    @pytest.mark.parametrize(
        ("policy", "with_verifier", "status"),
        [
            ("not_required", True, 200),
            ("not_required_with_pkce", True, 200),
            ("not_required_with_pkce", False, 401),
            ("required", True, 401),
        ],
    )
    def test_policies(self, provider, policy, with_verifier, status):
        provider.add_client("spa", secret=provider.secret, client_authentication=policy, pkce="optional")
        code = provider.code(
            "spa", **({} if with_verifier else {"code_challenge": None, "code_challenge_method": None})
        )
        answer = provider.redeem(code, "spa", code_verifier=VERIFIER if with_verifier else None)
        assert answer.status_code == status
        answer = provider.redeem(provider.code("spa"), "spa", client_secret="wrong")
        assert answer.status_code == 401, "a secret that is sent is checked"

    @pytest.mark.parametrize("grant_type", ["password", "urn:ietf:params:oauth:grant-type:device_code"])
    def test_a_verifier_proves_nothing_where_nothing_checks_it(self, provider, grant_type):
        provider.add_client(
            "spa", secret=provider.secret, client_authentication="not_required_with_pkce", grant_types=GRANT_TYPES
        )
        form = {"grant_type": grant_type, "username": "alice", "password": PASSWORD, "code_verifier": VERIFIER}
        assert provider.token("spa", **form).json["error_reason"] == "missing_client_secret"

    @pytest.mark.promise(4)
    def test_a_disabled_client_stops_at_once(self, provider):
        tokens = provider.tokens()
        assert provider.call(tokens["access_token"]).status_code == 200
        client = provider.add_client("app", secret=provider.secret, enabled=False)
        assert provider.call(tokens["access_token"]).status_code == 401
        assert provider.refresh(tokens["refresh_token"]).status_code == 401
        provider.store.put(client)

    def test_a_changed_secret_is_asked_for_at_once(self, provider):
        provider.add_client("app", secret="chosen by a person")
        form = {"client_id": "app", "client_secret": "chosen by a person"}
        assert self.post(provider, form).status_code == 200
        assert self.post(provider, form).status_code == 200
        provider.add_client("app", secret="another")
        assert self.post(provider, form).status_code == 401
        assert self.post(provider, form | {"client_secret": "another"}).status_code == 200


def test_a_deleted_client_cannot_come_back_to_its_tokens(provider):
    tokens = provider.tokens()
    from oauth_filter.records import Client

    provider.store.delete(Client, "app")
    provider.store.revoke("client", "app")
    assert provider.call(tokens["access_token"]).status_code == 401
    provider.add_client("app", secret=provider.secret)
    assert provider.call(tokens["access_token"]).status_code == 401
    assert provider.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"
    assert provider.call(provider.tokens()["access_token"]).status_code == 200


# What is sent


@pytest.mark.parametrize(
    ("form", "error", "reason"),
    [
        ({}, "invalid_request", "missing_grant_type"),
        ({"grant_type": "implicit"}, "unsupported_grant_type", "invalid_grant_type"),
        ({"grant_type": "password"}, "unauthorized_client", "grant_type_disabled"),
        ({"grant_type": "AUTHORIZATION_CODE"}, "unsupported_grant_type", "invalid_grant_type"),
        ({"grant_type": "authorization_code"}, "invalid_request", "missing_code"),
        ({"grant_type": "refresh_token"}, "invalid_request", "missing_refresh_token"),
        (
            {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "x"},
            "unsupported_grant_type",
            "invalid_grant_type",
        ),
    ],
)
def test_what_is_missing_or_unknown(provider, form, error, reason):
    answer = provider.token(**form)
    assert (answer.status_code, answer.json["error"], answer.json["error_reason"]) == (400, error, reason)


def test_a_grant_type_the_client_is_not_registered_for(provider):
    provider.add_client("app", secret=provider.secret, grant_types=("authorization_code",))
    answer = provider.token(grant_type="client_credentials")
    assert (answer.json["error"], answer.json["error_reason"]) == ("unauthorized_client", "grant_type_disabled")


def test_parameters_in_the_query_are_refused_with_a_reason(provider):
    answer = provider.browser().post("/oauth2/token?grant_type=client_credentials", headers=provider.basic())
    assert (answer.status_code, answer.json["error_reason"]) == (400, "parameters_in_query")


def test_parameters_in_the_query_can_be_allowed(make_provider):
    provider = make_provider(token_parameters_in_query=True)
    answer = provider.browser().post("/oauth2/token?grant_type=client_credentials", headers=provider.basic())
    assert answer.status_code == 200
    answer = provider.browser().post(
        "/oauth2/token?grant_type=client_credentials", data={"grant_type": "refresh_token"}, headers=provider.basic()
    )
    assert answer.json["error"] == "invalid_request", "what is sent in both places must not differ"


def test_json_is_not_a_form(provider):
    answer = provider.browser().post(
        "/oauth2/token", json={"grant_type": "client_credentials"}, headers=provider.basic()
    )
    assert (answer.status_code, answer.json["error_reason"]) == (400, "invalid_content_type")


@pytest.mark.promise(5)
def test_nothing_secret_is_logged(provider, caplog):
    caplog.set_level(0)
    code = provider.code()
    tokens = provider.redeem(code).json
    provider.refresh(tokens["refresh_token"])
    provider.refresh(tokens["refresh_token"])
    said = caplog.text + json.dumps([repr(event) for event in provider.events])
    for secret in (code, tokens["access_token"], tokens["refresh_token"], provider.secret, VERIFIER):
        assert secret not in said


def test_who_refuses_says_under_which_number(provider):
    answer = provider.token(grant_type="nonsense")
    number = answer.headers["X-Request-ID"]
    (event,) = [event for event in provider.events if event.request_id == number]
    assert (event.name, event.reason) == ("refused", "invalid_grant_type")
