"""ID tokens, response types, userinfo and keys -- OpenID Connect Core 1.0 and Discovery 1.0."""

import base64
import hashlib
import json

import jwt
import pytest

from oauth_filter.records import DEFAULT_GRANT_TYPES
from oauth_filter.records import User
from tests.provider import CALLBACK
from tests.provider import ISSUER
from tests.provider import PASSWORD
from tests.provider import PASSWORD_HASH
from tests.provider import Provider
from tests.provider import returned
from tests.provider import ticket

ALL = (*DEFAULT_GRANT_TYPES, "implicit")


def verified(provider, token, audience="app"):
    """What an ID token says, judged as a relying party does: by the published keys."""
    keys = provider.browser().get("/oauth2/jwks").json["keys"]
    header = jwt.get_unverified_header(token)
    (key,) = [key for key in keys if key["kid"] == header["kid"]]
    options = {"verify_exp": False, "verify_iat": False}
    return jwt.decode(
        token, jwt.PyJWK(key).key, algorithms=[key["alg"]], audience=audience, issuer=ISSUER, options=options
    )


def half_hash(value, algorithm="sha256"):
    hashed = hashlib.new(algorithm, value.encode()).digest()
    return base64.urlsafe_b64encode(hashed[: len(hashed) // 2]).rstrip(b"=").decode()


@pytest.fixture
def alice(provider):
    user = provider.store.get(User, "alice")
    provider.store.put(
        User(
            key="alice",
            subject=user.subject,
            name="Alice Liddell",
            password_hash=PASSWORD_HASH,
            claims={"email": "alice@example.com", "email_verified": True, "address": {"country": "GB"}},
        )
    )
    return user


@pytest.mark.rfc("OpenID Core", "2")
def test_what_an_id_token_says(provider, alice):
    tokens = provider.tokens(scope="openid email", nonce="n-0S6_WzA2Mj")
    claims = verified(provider, tokens["id_token"])
    now = int(provider.clock())
    assert claims.pop("sid")
    assert claims == {
        "iss": ISSUER,
        "sub": alice.subject,
        "aud": "app",
        "iat": now,
        "exp": now + 3600,
        "auth_time": now,
        "nonce": "n-0S6_WzA2Mj",
        "acr": "1",
        "amr": ["pwd"],
        "at_hash": half_hash(tokens["access_token"]),
    }


def test_without_openid_there_is_none(provider):
    assert "id_token" not in provider.tokens(scope="email")


@pytest.mark.parametrize(
    ("algorithm", "hash_name"), [("RS256", "sha256"), ("PS256", "sha256"), ("ES256", "sha256"), ("EdDSA", "sha512")]
)
def test_every_algorithm_advertised_signs(provider, algorithm, hash_name):
    assert (
        algorithm
        in provider.browser().get("/.well-known/openid-configuration").json["id_token_signing_alg_values_supported"]
    )
    provider.add_client("app", secret=provider.secret, id_token_signed_response_alg=algorithm)
    tokens = provider.tokens(scope="openid")
    assert jwt.get_unverified_header(tokens["id_token"])["alg"] == algorithm
    assert verified(provider, tokens["id_token"])["at_hash"] == half_hash(tokens["access_token"], hash_name)


@pytest.mark.rfc("OpenID Core", "12.2")
def test_a_refresh_brings_one_for_the_same_sign_in(provider):
    first = provider.tokens(scope="openid", nonce="abc")
    before = verified(provider, first["id_token"])
    provider.clock.advance(100)
    after = verified(provider, provider.refresh(first["refresh_token"]).json["id_token"])
    assert "nonce" not in after
    for name in ("iss", "sub", "aud", "auth_time", "sid", "acr"):
        assert after[name] == before[name]
    assert after["iat"] == before["iat"] + 100


class TestResponseTypes:
    @pytest.fixture(autouse=True)
    def _client(self, provider):
        provider.add_client("app", secret=provider.secret, grant_types=ALL, auto_grant=True)

    def answer(self, provider, response_type, **parameters):
        browser = provider.browser()
        page = provider.authorize(
            browser, response_type=response_type, **({"scope": "openid", "nonce": "n"} | parameters)
        )
        return provider.sign_in(browser, page)

    @pytest.mark.rfc("OpenID Core", "3.3.2.5")
    @pytest.mark.parametrize(
        "response_type", ["id_token", "id_token token", "code id_token", "code token", "code id_token token"]
    )
    def test_bring_what_they_name_in_the_fragment(self, provider, response_type):
        answer = self.answer(provider, response_type)
        assert answer.location.startswith(CALLBACK + "#")
        brought = returned(answer)
        wanted = set(response_type.split())
        expected = {"state", "iss"}
        expected |= {"code"} & wanted | {"id_token"} & wanted
        if "token" in wanted:
            expected |= {"access_token", "token_type", "expires_in", "scope"}
        assert brought.keys() == expected
        if "id_token" in wanted:
            claims = verified(provider, brought["id_token"])
            assert claims["nonce"] == "n"
            assert claims.get("at_hash") == (half_hash(brought["access_token"]) if "token" in wanted else None)
            assert claims.get("c_hash") == (half_hash(brought["code"]) if "code" in wanted else None)
        if "token" in wanted:
            assert provider.call(brought["access_token"]).json["REMOTE_USER"] == "alice"
        if "code" in wanted:
            tokens = provider.redeem(brought["code"]).json
            assert verified(provider, tokens["id_token"])["nonce"] == "n"

    def test_plain_token_is_oauth_and_has_no_refresh_token(self, provider):
        brought = returned(self.answer(provider, "token", scope=None, nonce=None))
        assert brought.keys() == {"access_token", "token_type", "expires_in", "state", "iss"}

    def test_by_form_post(self, provider):
        answer = self.answer(provider, "code id_token", response_mode="form_post")
        assert 'name="id_token"' in answer.text

    @pytest.mark.rfc("OpenID Core", "3.2.2.1", "nonce is REQUIRED")
    def test_need_a_nonce(self, provider):
        for response_type in ("id_token", "code id_token"):
            answer = returned(provider.authorize(response_type=response_type, scope="openid"))
            assert (answer["error"], answer["error_reason"]) == ("invalid_request", "missing_nonce")

    def test_tokens_never_go_into_the_query(self, provider):
        answer = provider.authorize(response_type="token", response_mode="query")
        assert returned(answer)["error_reason"] == "invalid_response_mode"
        assert "access_token" not in answer.location

    @pytest.mark.promise(1)
    def test_a_replayed_code_ends_what_came_beside_it(self, provider):
        brought = returned(self.answer(provider, "code token"))
        provider.redeem(brought["code"])
        provider.redeem(brought["code"])
        assert provider.call(brought["access_token"]).status_code == 401

    def test_without_an_access_token_the_id_token_tells_all(self, provider, alice):
        claims = verified(provider, returned(self.answer(provider, "id_token", scope="openid email"))["id_token"])
        assert claims["email"] == "alice@example.com"

    def test_are_off_until_a_client_lists_implicit(self, provider):
        provider.add_client("app", secret=provider.secret)
        for response_type in ("token", "id_token", "code token"):
            answer = returned(provider.authorize(response_type=response_type, scope="openid", nonce="n"))
            assert (answer["error"], answer["error_reason"]) == ("unauthorized_client", "grant_type_disabled")


class TestUserinfo:
    def get(self, provider, token, method="get"):
        return getattr(provider.browser(), method)(
            "/oauth2/userinfo", headers={"Authorization": f"Bearer {token}"} if token else {}
        )

    @pytest.mark.rfc("OpenID Core", "5.3", "GET and POST")
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_tells_what_the_scope_allows(self, provider, alice, method):
        token = provider.tokens(scope="openid email profile")["access_token"]
        answer = self.get(provider, token, method)
        assert answer.json == {
            "sub": alice.subject,
            "email": "alice@example.com",
            "email_verified": True,
            "name": "Alice Liddell",
            "preferred_username": "alice",
        }
        assert answer.headers["Cache-Control"] == "no-store"

    def test_tells_no_more(self, provider, alice):
        token = provider.tokens(scope="openid")["access_token"]
        assert self.get(provider, token).json == {"sub": alice.subject}

    @pytest.mark.rfc("OpenID Core", "5.5")
    def test_tells_what_the_claims_parameter_asks_for(self, provider, alice):
        claims = {"userinfo": {"email": {"essential": True}}, "id_token": {"address": None}}
        tokens = provider.tokens(scope="openid", claims=json.dumps(claims))
        assert self.get(provider, tokens["access_token"]).json == {"sub": alice.subject, "email": "alice@example.com"}
        told = verified(provider, tokens["id_token"])
        assert told["address"] == {"country": "GB"}
        assert "email" not in told
        refreshed = provider.refresh(tokens["refresh_token"]).json["access_token"]
        assert self.get(provider, refreshed).json["email"] == "alice@example.com"

    @pytest.mark.rfc("OpenID Core", "5.5")
    def test_a_claim_takes_the_consent_that_its_scope_takes(self, provider, alice):
        browser = provider.browser()
        provider.code(browser=browser, scope="openid")
        claims = json.dumps({"userinfo": {"email": None}, "id_token": {"address": None}})
        page = provider.authorize(browser, scope="openid", claims=claims)
        assert "See your e-mail address" in page.text
        assert "See your postal address" in page.text
        assert "See your phone number" not in page.text
        assert "code" in returned(provider.decide(browser, page))
        assert "code" in returned(provider.authorize(browser, scope="openid", claims=claims, prompt="none"))

    @pytest.mark.rfc("OpenID Core", "5.5")
    def test_no_claim_is_told_to_a_client_that_may_not_have_its_scope(self, provider, alice):
        provider.add_client("app", provider.secret, scope="openid email")
        wanted = {"email": None, "address": {"essential": True}}
        claims = json.dumps({"userinfo": wanted, "id_token": wanted})
        tokens = provider.tokens(scope="openid", claims=claims)
        assert self.get(provider, tokens["access_token"]).json == {"sub": alice.subject, "email": "alice@example.com"}
        assert "address" not in verified(provider, tokens["id_token"])

    @pytest.mark.rfc("6750", "3.1")
    def test_refuses_like_any_protected_resource(self, provider):
        answer = self.get(provider, None)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        answer = self.get(provider, "nonsense")
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
        answer = self.get(provider, provider.tokens()["access_token"])
        assert answer.status_code == 403
        assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
        client_only = provider.token(grant_type="client_credentials", scope="openid").json["access_token"]
        assert self.get(provider, client_only).status_code == 403

    @pytest.mark.promise(4)
    def test_a_revoked_token_tells_nothing(self, provider):
        token = provider.tokens(scope="openid")["access_token"]
        assert self.get(provider, token).status_code == 200
        provider.revoke(token)
        assert self.get(provider, token).status_code == 401

    def test_can_be_read_by_a_page_of_another_site(self, provider):
        answer = provider.browser().options(
            "/oauth2/userinfo",
            headers={"Origin": "https://spa.example", "Access-Control-Request-Method": "GET"},
        )
        assert answer.status_code == 204
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
        assert "Access-Control-Allow-Origin" not in provider.authorize().headers, "never at authorize"


class TestPrompt:
    """Core section 3.1.2.1."""

    def test_none_without_a_session(self, provider):
        answer = returned(provider.authorize(prompt="none", scope="openid"))
        assert (answer["error"], answer["error_reason"]) == ("login_required", "authentication_required")

    def test_none_without_consent(self, provider):
        browser = provider.browser()
        provider.sign_in(browser, provider.authorize(browser, scope="openid"))
        answer = returned(provider.authorize(browser, prompt="none", scope="openid"))
        assert answer["error"] == "consent_required"

    def test_none_when_there_is_nothing_to_ask(self, provider):
        browser = provider.browser()
        provider.code(browser=browser, scope="openid")
        assert "code" in returned(provider.authorize(browser, prompt="none", scope="openid"))

    @pytest.mark.parametrize(
        "again", [{"prompt": "login"}, {"prompt": "select_account"}, {"max_age": "0"}, {"max_age": "00"}]
    )
    def test_login_asks_once_more_and_once_only(self, provider, again):
        browser = provider.browser()
        provider.code(browser=browser, scope="openid")
        provider.clock.advance(100)
        page = provider.authorize(browser, scope="openid", **again)
        assert 'name="password"' in page.text
        code = returned(provider.sign_in(browser, page))["code"]
        claims = verified(provider, provider.redeem(code).json["id_token"])
        assert claims["auth_time"] == int(provider.clock())

    def test_consent_asks_once_more_and_once_only(self, provider):
        browser = provider.browser()
        provider.code(browser=browser, scope="openid")
        page = provider.authorize(browser, scope="openid", prompt="consent")
        assert "wants to use your account" in page.text
        assert "code" in returned(provider.decide(browser, page))

    def test_login_and_consent_ask_both(self, provider):
        browser = provider.browser()
        provider.code(browser=browser, scope="openid")
        page = provider.sign_in(browser, provider.authorize(browser, scope="openid", prompt="login consent"))
        assert "wants to use your account" in page.text
        assert "code" in returned(provider.decide(browser, page))

    @pytest.mark.parametrize("prompt", ["none login", "nonsense", "LOGIN"])
    def test_nonsense_is_refused(self, provider, prompt):
        answer = returned(provider.authorize(prompt=prompt))
        assert (answer["error"], answer["error_reason"]) == ("invalid_request", "invalid_prompt")

    def test_max_age(self, provider):
        browser = provider.browser()
        provider.code(browser=browser, scope="openid")
        provider.clock.advance(60)
        assert "code" in returned(provider.authorize(browser, scope="openid", max_age="60"))
        provider.clock.advance(1)
        assert 'name="password"' in provider.authorize(browser, scope="openid", max_age="60").text
        answer = returned(provider.authorize(browser, scope="openid", max_age="60", prompt="none"))
        assert answer["error"] == "login_required"

    @pytest.mark.parametrize("value", ["-1", "x", "1.5", "٣", "9" * 20])
    def test_a_max_age_that_is_none(self, provider, value):
        assert returned(provider.authorize(max_age=value))["error_reason"] == "invalid_max_age"

    def test_login_hint_fills_in_the_name(self, provider):
        assert 'value="alice@example.com"' in provider.authorize(login_hint="alice@example.com").text

    def test_id_token_hint_of_somebody_else(self, provider):
        provider.add_user("bob")
        browser = provider.browser()
        hint = provider.redeem(provider.code(browser=browser, scope="openid")).json["id_token"]
        assert "code" in returned(provider.authorize(browser, scope="openid", prompt="none", id_token_hint=hint))
        other = provider.browser()
        provider.code(browser=other, username="bob", scope="openid")
        answer = returned(provider.authorize(other, scope="openid", prompt="none", id_token_hint=hint))
        assert answer["error"] == "login_required"

    def test_an_expired_hint_is_still_a_hint_and_a_forged_one_is_none(self, provider):
        browser = provider.browser()
        hint = provider.redeem(provider.code(browser=browser, scope="openid")).json["id_token"]
        provider.clock.advance(7200)
        assert "code" in returned(provider.authorize(browser, scope="openid", prompt="none", id_token_hint=hint))
        forged = jwt.encode({"sub": "x"}, "k" * 64, algorithm="HS256", headers={"kid": "x"})
        for bad in (forged, "x", "a.b.c"):
            answer = returned(provider.authorize(browser, scope="openid", id_token_hint=bad))
            assert answer["error_reason"] == "invalid_id_token_hint"

    def test_an_essential_acr_that_cannot_be_reached(self, provider):
        browser = provider.browser()
        provider.code(browser=browser, scope="openid")
        for values, error in ((["1"], None), (["2", "1"], None), (["2"], "unmet_authentication_requirements")):
            claims = json.dumps({"id_token": {"acr": {"essential": True, "values": values}}})
            assert returned(provider.authorize(browser, scope="openid", claims=claims)).get("error") == error

    @pytest.mark.parametrize(
        "claims", ["x", "[]", "1", '{"id_token": []}', "{" * 50, '{"id_token":{"acr":NaN}}', "x" * 9000]
    )
    def test_malformed_claims(self, provider, claims):
        assert returned(provider.authorize(claims=claims))["error_reason"] == "invalid_claims"

    @pytest.mark.rfc("OpenID Core", "3.1.2.6")
    @pytest.mark.parametrize(
        ("name", "error"),
        [
            ("request", "request_not_supported"),
            ("request_uri", "request_uri_not_supported"),
            ("registration", "registration_not_supported"),
        ],
    )
    def test_what_is_not_supported_is_said_to_be(self, provider, name, error):
        assert returned(provider.authorize(**{name: "x"}))["error"] == error

    @pytest.mark.rfc("OpenID Core", "3.1.2.1", "redirect_uri is REQUIRED")
    def test_openid_needs_the_redirect_uri(self, provider):
        answer = returned(provider.authorize(scope="openid", redirect_uri=None))
        assert answer["error_reason"] == "missing_redirect_uri"


class TestKeys:
    def test_the_set_holds_public_keys_only(self, provider):
        provider.tokens(scope="openid")
        keys = provider.browser().get("/.well-known/jwks.json").json["keys"]
        assert keys
        for key in keys:
            assert {"kid", "alg", "use", "kty"} <= key.keys()
            assert not {"d", "p", "q", "k"} & key.keys()

    def test_the_set_has_a_key_for_every_algorithm_before_it_signs(self, provider):
        """A client that came later would otherwise get signatures by a key that nobody's copy of the set has."""
        keys = provider.browser().get("/oauth2/jwks").json["keys"]
        assert sorted(key["alg"] for key in keys) == ["ES256", "EdDSA", "PS256", "RS256"]
        provider.add_client("app", secret=provider.secret, id_token_signed_response_alg="ES256")
        token = provider.tokens(scope="openid")["id_token"]
        assert jwt.get_unverified_header(token)["kid"] in {key["kid"] for key in keys}

    @pytest.mark.promise(5)
    def test_private_keys_are_stored_sealed(self, provider):
        from oauth_filter.records import SigningKey

        provider.tokens(scope="openid")
        for key in provider.store.find(SigningKey):
            assert "PRIVATE KEY" not in key.sealed
            assert key.sealed not in repr(key)

    def test_a_rotation_publishes_before_it_signs_and_fails_nobody(self, provider):
        keys = provider.filter._server.server.keys
        old = provider.tokens(scope="openid")["id_token"]
        old_kid = jwt.get_unverified_header(old)["kid"]
        new_kid = keys.rotate("RS256").key

        def published():
            keys = provider.browser().get("/oauth2/jwks").json["keys"]
            return {key["kid"] for key in keys if key["alg"] == "RS256"}

        assert published() == {old_kid, new_kid}
        signed_by = jwt.get_unverified_header(provider.tokens(scope="openid")["id_token"])["kid"]
        assert signed_by == old_kid, "whoever keeps the set has not seen the new key yet"
        provider.clock.advance(provider.settings.jwks_lifetime)
        last_of_old = old
        signed_by = jwt.get_unverified_header(provider.tokens(scope="openid")["id_token"])["kid"]
        assert signed_by == new_kid
        assert verified(provider, last_of_old)
        # For so long an ID token can be a hint at logout.
        provider.clock.advance(provider.settings.session_lifetime + provider.settings.jwks_lifetime)
        assert published() == {new_kid}

    def test_another_master_secret_makes_another_key(self, provider, clock):
        provider.tokens(scope="openid")
        moved = Provider(clock, store=provider.store, secret="t" * 64)
        moved.secret = provider.secret
        moved.add_client("app", secret=provider.secret)
        assert verified(moved, moved.tokens(scope="openid")["id_token"])


class TestPairwise:
    @pytest.mark.rfc("OpenID Core", "8.1")
    def test_each_sector_sees_another_subject(self, provider, alice):
        for client_id, uri in (
            ("one", CALLBACK),
            ("two", "https://client.example/two"),
            ("three", "https://other.example/"),
        ):
            provider.add_client(client_id, redirect_uris=(uri,), subject_type="pairwise")
        subs = {}
        for client_id, uri in (
            ("one", CALLBACK),
            ("two", "https://client.example/two"),
            ("three", "https://other.example/"),
        ):
            browser = provider.browser()
            page = provider.sign_in(browser, provider.authorize(browser, client_id, scope="openid", redirect_uri=uri))
            location = provider.decide(browser, page).location
            code = location.partition("code=")[2].partition("&")[0]
            tokens = provider.redeem(code, client_id, redirect_uri=uri).json
            subs[client_id] = verified(provider, tokens["id_token"], client_id)["sub"]
            userinfo = provider.browser().get(
                "/oauth2/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"}
            )
            assert userinfo.json["sub"] == subs[client_id]
            assert provider.call(tokens["access_token"]).json["oauth_filter.subject"] == alice.subject
        assert subs["one"] == subs["two"] != subs["three"]
        assert alice.subject not in subs.values()

    def test_two_sectors_cannot_tell_by_the_session_that_it_is_the_same_person(self, provider):
        browser = provider.browser()
        sids = []
        for client_id, sector in (("one", "one.example"), ("too", "one.example"), ("two", "two.example")):
            provider.add_client(client_id, subject_type="pairwise", sector_identifier=sector)
            tokens = provider.redeem(provider.code(client_id, browser, scope="openid"), client_id).json
            sids.append(verified(provider, tokens["id_token"], client_id)["sid"])
        assert sids[0] == sids[1] != sids[2]


class TestJWTAccessTokens:
    """RFC 9068."""

    @pytest.fixture
    def token(self, provider, alice):
        provider.add_client("app", secret=provider.secret, access_token_format="jwt")
        return provider.tokens(scope="openid email")["access_token"]

    @pytest.mark.rfc("9068", "2.2")
    def test_what_they_say(self, provider, token, alice):
        assert jwt.get_unverified_header(token)["typ"] == "at+jwt"
        claims = verified(provider, token, ISSUER)
        assert claims["sub"] == alice.subject
        assert claims["client_id"] == "app"
        assert claims["scope"] == "openid email"
        assert claims["exp"] - claims["iat"] == 3600
        assert claims["jti"]
        assert "email" not in claims, "no personal data (scope_handling = strict)"

    def test_open_the_application_like_any_other(self, provider, token):
        assert provider.call(token).json["REMOTE_USER"] == "alice"
        assert provider.call(token[:-4] + "AAAA").status_code == 401

    @pytest.mark.promise(4)
    def test_end_at_once_when_revoked(self, provider, token):
        assert provider.call(token).status_code == 200
        assert provider.revoke(token).status_code == 200
        assert provider.call(token).status_code == 401

    def test_a_client_for_itself(self, provider):
        provider.add_client("app", secret=provider.secret, access_token_format="jwt")
        token = provider.token(grant_type="client_credentials").json["access_token"]
        assert verified(provider, token, ISSUER)["sub"] == "app"

    @pytest.mark.promise(11)
    def test_an_id_token_opens_nothing(self, provider):
        assert provider.call(provider.tokens(scope="openid")["id_token"]).status_code == 401

    def test_compatibility_tells_more(self, provider, alice):
        provider.add_client("app", secret=provider.secret, access_token_format="jwt", scope_handling="compatibility")
        claims = verified(provider, provider.tokens(scope="openid")["access_token"], ISSUER)
        assert claims["email"] == "alice@example.com"
        assert claims["preferred_username"] == "alice"


def shoe_size(user, client, scope):
    return {
        "shoe_size": 38,
        "sub": "forged",
        "iss": "forged",
        "client": client.key,
        "user": user.username if user else None,
    }


def test_custom_claims_add_and_cannot_forge(make_provider):
    provider = make_provider(claims=f"{__name__}:shoe_size", access_token_format="jwt")
    tokens = provider.tokens(scope="openid")
    for claims in (verified(provider, tokens["id_token"]), verified(provider, tokens["access_token"], ISSUER)):
        assert claims["shoe_size"] == 38
        assert claims["iss"] == ISSUER
        assert claims["sub"] != "forged"
        assert claims["user"] == "alice"


@pytest.mark.rfc("6750", "3.1")
@pytest.mark.parametrize(
    ("authorization", "status", "reason"),
    [
        ("Basic YTpi", 401, "access_token_required"),
        ("Bearer a b", 400, "access_token_malformed"),
        ("Bearer a", 401, "access_token_invalid"),
    ],
)
def test_userinfo_says_what_is_wrong_with_a_token(provider, authorization, status, reason):
    answer = provider.browser().get("/oauth2/userinfo", headers={"Authorization": authorization})
    assert (answer.status_code, answer.json["error_reason"]) == (status, reason)


def introspected(user, client, scope):
    return {"active": "forged", "username": "forged", "token_type": "forged", "client_id": "forged"}


@pytest.mark.rfc("7662", "2.2")
def test_custom_claims_do_not_forge_what_introspection_says(make_provider):
    """Of a client's own token it says no user name, and so nothing would stand in the way of a forged one."""
    provider = make_provider(claims=f"{__name__}:introspected")
    token = provider.token(grant_type="client_credentials").json["access_token"]
    said = provider.browser().post("/oauth2/introspect", data={"token": token}, headers=provider.basic()).json
    assert said["active"] is True
    assert "forged" not in said.values()
    assert "username" not in said


def test_registration_can_be_required(provider):
    provider.add_client("app", secret=provider.secret, registration_required=True)
    browser = provider.browser()
    answer = returned(provider.sign_in(browser, provider.authorize(browser)))
    assert (answer["error"], answer["error_reason"]) == ("access_denied", "registration_required")
    user = provider.store.get(User, "alice")
    provider.store.put(User(key="alice", subject=user.subject, password_hash=PASSWORD_HASH, registrations=("app",)))
    assert "wants to use your account" in provider.authorize(browser).text


def test_consent_can_be_asked_every_time(provider):
    provider.add_client("app", secret=provider.secret, consent="always")
    browser = provider.browser()
    provider.code(browser=browser)
    page = provider.authorize(browser)
    assert "wants to use your account" in page.text
    assert (
        browser.post(
            "/oauth2/login", data={"ticket": ticket(page), "username": "alice", "password": PASSWORD}
        ).status_code
        == 403
    )
