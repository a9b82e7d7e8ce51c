"""Clients that authenticate by a JWT: private_key_jwt and client_secret_jwt."""

import base64
import json
import multiprocessing
import time
from functools import cache

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies
from jwt.algorithms import get_default_algorithms

from oauth_filter import OAuthFilter
from oauth_filter import Settings
from oauth_filter import ini
from oauth_filter.records import Client
from oauth_filter.records import UsedAssertion
from oauth_filter.registration import AUTHENTICATION_METHODS
from oauth_filter.registration import client_faults
from oauth_filter.registration import with_secret
from oauth_filter.signing import CLIENT_ASSERTION_ALGORITHMS
from tests.clients.conftest import serving
from tests.provider import CALLBACK
from tests.provider import ISSUER
from tests.provider import Provider
from tests.provider import echo
from tests.provider import make_provider
from tests.provider import provider
from tests.provider import ticket

__all__ = ["make_provider", "provider"]

pytestmark = [pytest.mark.promise(11), pytest.mark.rfc("7523", "2.2", "a client authenticates by a JWT")]

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SECRET = "s" * 64
EC = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
KEYS = {
    "RSA": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": EC,
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "ES512": ec.generate_private_key(ec.SECP521R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}


def key_for(algorithm):
    return KEYS["RSA"] if algorithm[:2] in ("RS", "PS") else KEYS[algorithm]


def jwk(private, algorithm="ES256", **more):
    members = json.loads(get_default_algorithms()[algorithm].to_jwk(private.public_key()))
    return {name: value for name, value in members.items() if name != "key_ops"} | more


def jwks(*keys):
    return json.dumps({"keys": keys})


def claims(provider, client_id="bank", **changes):
    said = {
        "iss": client_id,
        "sub": client_id,
        "aud": ISSUER,
        "exp": provider.clock() + 60,
        "iat": provider.clock(),
        "jti": base64.urlsafe_b64encode(str(time.perf_counter_ns()).encode()).decode(),
    } | changes
    return {name: value for name, value in said.items() if value is not None}


def assertion(provider, client_id="bank", key=EC, algorithm="ES256", headers=None, **changes):
    return pyjwt.encode(claims(provider, client_id, **changes), key, algorithm, headers=headers)


def ask(provider, value, path="/oauth2/token", **form):
    form = {"grant_type": "client_credentials", "client_assertion_type": TYPE, "client_assertion": value} | form
    return provider.browser().post(path, data={name: text for name, text in form.items() if text is not None})


def assert_refused(answer):
    assert answer.status_code == 401, answer.text
    assert answer.json == {
        "error": "invalid_client",
        "error_description": "The client is unknown or its assertion is not good.",
        "error_reason": "invalid_client_authentication",
    }
    # RFC 6749 section 5.2 wants a challenge where the header was used; a JWT was.
    assert "WWW-Authenticate" not in answer.headers


@pytest.fixture
def bank(provider):
    """A provider with the client `bank`, which has a key, and `shop`, which signs with its secret."""
    provider.add_client("bank", jwks=jwks(jwk(EC)), debug=True)
    shop = Client(
        key="shop", client_id="shop", redirect_uris=(CALLBACK,), token_endpoint_auth_method="client_secret_jwt"
    )
    provider.store.put(with_secret(shop, SECRET, master_secret=provider.settings.secret))
    return provider


def detail(provider):
    return provider.events[-1].detail


class TestPrivateKey:
    # Ed25519 has a test of its own: the library that signs here knows it as EdDSA.
    @pytest.mark.parametrize("algorithm", sorted({*CLIENT_ASSERTION_ALGORITHMS} - {"HS256", "Ed25519"}))
    def test_every_advertised_algorithm(self, provider, algorithm):
        provider.add_client("bank", jwks=jwks(jwk(key_for(algorithm), algorithm)))
        answer = ask(provider, assertion(provider, key=key_for(algorithm), algorithm=algorithm))
        assert answer.status_code == 200, answer.text
        assert provider.call(answer.json["access_token"]).json["oauth_filter.client_id"] == "bank"

    @pytest.mark.parametrize(
        "audience",
        [
            ISSUER,
            f"{ISSUER}/oauth2/token",
            f"{ISSUER}/oauth2/introspect",
            [ISSUER],
            [ISSUER, f"{ISSUER}/oauth2/token"],
        ],
    )
    def test_meant_for_us(self, bank, audience):
        assert ask(bank, assertion(bank, aud=audience)).status_code == 200

    @pytest.mark.rfc("7521", "4.2", "client_id is optional, and identifies the same client")
    def test_the_client_id_beside_it(self, bank):
        assert ask(bank, assertion(bank), client_id="bank").status_code == 200
        assert_refused(ask(bank, assertion(bank), client_id="shop"))
        assert_refused(ask(bank, assertion(bank), client_id="nobody"))

    def test_at_every_endpoint_where_clients_authenticate(self, bank):
        token = ask(bank, assertion(bank)).json["access_token"]
        answer = ask(bank, assertion(bank, aud=f"{ISSUER}/oauth2/introspect"), "/oauth2/introspect", token=token)
        assert answer.json["active"] is True
        assert ask(bank, assertion(bank), "/oauth2/revoke", token=token).status_code == 200
        assert bank.call(token).status_code == 401

    def test_a_whole_code_flow_without_pkce(self, bank):
        browser = bank.browser()
        page = bank.authorize(browser, "bank", code_challenge=None, code_challenge_method=None)
        page = bank.sign_in(browser, page)
        location = browser.post("/oauth2/consent", data={"ticket": ticket(page), "decision": "allow"}).location
        code = location.partition("code=")[2].partition("&")[0]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        assert ask(bank, assertion(bank), **form).status_code == 200

    def test_a_client_with_keys_is_not_public(self, bank):
        answer = bank.token("bank", grant_type="refresh_token", refresh_token="x")
        assert (answer.status_code, answer.json["error_reason"]) == (401, "missing_client_secret")

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"aud": None}, "somebody else"),
            ({"aud": "https://other.example"}, "somebody else"),
            ({"aud": f"{ISSUER}x"}, "somebody else"),
            ({"aud": f"{ISSUER}/"}, "somebody else"),
            ({"aud": [ISSUER, "https://other.example"]}, "somebody else"),
            ({"aud": []}, "somebody else"),
            ({"aud": [1]}, "somebody else"),
            ({"aud": {"a": ISSUER}}, "somebody else"),
            ({"iss": "shop"}, "not the client_id"),
            ({"iss": None}, "missing"),
            ({"sub": "shop", "client_id": "bank"}, "not the client_id"),
            ({"exp": None}, "does not say when it expires"),
            ({"exp": "soon"}, "not a number"),
            ({"exp": -1}, "not a number"),
            ({"exp": -10}, "not a number"),
            ({"exp": 1e300}, "not a number"),
            ({"jti": None}, "missing"),
            ({"jti": ""}, "missing"),
            ({"jti": 1}, "missing"),
        ],
    )
    def test_claims_that_will_not_do(self, bank, changes, why):
        form = {"client_id": "bank"}
        assert_refused(ask(bank, assertion(bank, **changes), **form))
        assert why in detail(bank)

    @pytest.mark.parametrize(
        ("exp", "iat", "why"),
        [
            (-11, -60, "expired"),
            (3700, 0, "too long"),
            (3700, None, "too long"),
            (60, 60, "not valid yet"),
        ],
    )
    def test_times_that_will_not_do(self, bank, exp, iat, why):
        now = bank.clock()
        assert_refused(ask(bank, assertion(bank, exp=now + exp, iat=None if iat is None else now + iat)))
        assert why in detail(bank)

    def test_not_before(self, bank):
        assert_refused(ask(bank, assertion(bank, nbf=bank.clock() + 60)))
        assert "not valid yet" in detail(bank)

    def test_an_hour_is_the_most(self, bank):
        assert ask(bank, assertion(bank, exp=bank.clock() + 3600)).status_code == 200

    @pytest.mark.parametrize(
        ("headers", "why"),
        [
            ({"jwk": jwk(OTHER)}, "header"),
            ({"jku": "https://evil.example/jwks"}, "header"),
            ({"x5u": "https://evil.example/"}, "header"),
            ({"crit": ["x"], "x": 1}, "header"),
            ({"typ": "at+jwt"}, "header"),
            ({"typ": "authorization-grant+jwt"}, "header"),
            ({"kid": "unknown"}, "key"),
        ],
    )
    def test_headers_that_will_not_do(self, provider, headers, why):
        provider.add_client("bank", jwks=jwks(jwk(EC, kid="known")), debug=True)
        assert_refused(ask(provider, assertion(provider, headers={"kid": "known"} | headers)))
        assert why in detail(provider)

    @pytest.mark.parametrize("typ", ["JWT", "jwt", "client-authentication+jwt", "application/jwt"])
    def test_types_that_will(self, bank, typ):
        assert ask(bank, assertion(bank, headers={"typ": typ})).status_code == 200

    def test_the_key_is_found_by_its_id(self, provider):
        provider.add_client("bank", jwks=jwks(jwk(OTHER, kid="a"), jwk(EC, kid="b")), debug=True)
        assert ask(provider, assertion(provider, headers={"kid": "b"})).status_code == 200
        assert_refused(ask(provider, assertion(provider, headers={"kid": "a"})))
        # OpenID Connect Core section 10.1: with several keys the id is needed.
        assert_refused(ask(provider, assertion(provider)))

    def test_somebody_elses_key(self, bank):
        assert_refused(ask(bank, assertion(bank, key=OTHER)))
        assert "signature" in detail(bank)

    @pytest.mark.parametrize("algorithm", ["ES384", "RS256", "EdDSA", "PS512"])
    def test_an_algorithm_the_key_is_not_for(self, bank, algorithm):
        assert_refused(ask(bank, assertion(bank, key=key_for(algorithm), algorithm=algorithm)))

    def test_a_key_that_names_another_algorithm(self, provider):
        provider.add_client("bank", jwks=jwks(jwk(KEYS["RSA"], "RS256", alg="PS256")))
        assert_refused(ask(provider, assertion(provider, key=KEYS["RSA"], algorithm="RS256")))
        assert ask(provider, assertion(provider, key=KEYS["RSA"], algorithm="PS256")).status_code == 200

    @pytest.mark.rfc("9864", "2.2", "Ed25519 is EdDSA with that curve")
    def test_ed25519_by_its_newer_name(self, provider):
        private = KEYS["EdDSA"]
        for named in ({}, {"alg": "EdDSA"}, {"alg": "Ed25519"}):
            provider.add_client("bank", jwks=jwks(jwk(private, "EdDSA", **named)), debug=True)
            parts = [{"alg": "Ed25519", "typ": "JWT"}, claims(provider)]
            signed = ".".join(
                base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts
            )
            signature = base64.urlsafe_b64encode(private.sign(signed.encode())).decode().rstrip("=")
            assert ask(provider, f"{signed}.{signature}").status_code == 200

    def test_a_public_key_is_no_secret(self, provider):
        """The classic confusion: what everybody knows, used as the key of an HMAC."""
        provider.add_client("bank", jwks=jwks(jwk(EC)), debug=True)
        header, body = ({"alg": "HS256", "typ": "JWT"}, claims(provider))
        signed = ".".join(
            base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, body)
        )
        for known in (jwks(jwk(EC)), json.dumps(jwk(EC)), ""):
            signature = get_default_algorithms()["HS256"].sign(signed.encode(), known.encode())
            assert_refused(ask(provider, f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"))
            assert "algorithm" in detail(provider)

    def test_none_is_no_algorithm(self, bank):
        unsigned = pyjwt.encode(claims(bank), None, "none")
        for value in (unsigned, unsigned + "x"):
            answer = ask(bank, value)
            assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")

    def test_a_client_that_has_no_keys(self, provider):
        assert_refused(ask(provider, assertion(provider, "app")))
        assert_refused(ask(provider, assertion(provider, "native")))

    def test_a_client_that_does_not_exist_is_refused_in_the_same_words(self, bank):
        assert_refused(ask(bank, assertion(bank, "nobody")))

    def test_a_disabled_client(self, provider):
        provider.add_client("bank", jwks=jwks(jwk(EC)), enabled=False)
        assert_refused(ask(provider, assertion(provider)))

    @pytest.mark.parametrize("value", ["x", "a.b.c", "..", "a" * 20_000, f"{'e' * 20_000}.e30.e30"])
    def test_no_jwt_at_all(self, bank, value):
        assert_refused(ask(bank, value, client_id="bank"))

    def test_a_secret_beside_it(self, bank):
        answer = ask(bank, assertion(bank), client_secret="x")
        assert (answer.status_code, answer.json["error_reason"]) == (400, "several_client_authentications")

    def test_another_type(self, bank):
        answer = ask(bank, assertion(bank), client_assertion_type=TYPE.replace("jwt", "saml2"))
        assert answer.json["error_reason"] == "invalid_client_authentication_scheme"

    @hypothesis_settings(deadline=None, max_examples=60)
    @given(strategies.text(max_size=60), strategies.dictionaries(strategies.text(max_size=5), strategies.integers()))
    def test_anything(self, text, said):
        provider = _provider()
        for value in (text, pyjwt.encode(said, OTHER, "ES256")):
            for client_id in (None, "bank"):
                assert ask(provider, value, client_id=client_id).status_code in (400, 401)


@cache
def _provider():
    provider = Provider(lambda: 1_700_000_000.0)
    provider.add_client("bank", jwks=jwks(jwk(EC)))
    return provider


class TestReplay:
    def test_each_assertion_is_good_once(self, bank):
        value = assertion(bank)
        assert ask(bank, value).status_code == 200
        assert_refused(ask(bank, value))
        assert "used before" in detail(bank)

    def test_the_same_jti_in_another_assertion_is_a_replay(self, bank):
        assert ask(bank, assertion(bank, jti="1")).status_code == 200
        assert_refused(ask(bank, assertion(bank, jti="1", exp=bank.clock() + 90)))

    def test_two_clients_may_choose_the_same_jti(self, bank):
        assert ask(bank, assertion(bank, jti="1")).status_code == 200
        assert ask(bank, assertion(bank, "shop", SECRET, "HS256", jti="1")).status_code == 200

    def test_it_is_remembered_for_as_long_as_it_is_good(self, bank, clock):
        value = assertion(bank, exp=clock() + 60)
        assert ask(bank, value).status_code == 200
        clock.advance(69)
        assert_refused(ask(bank, value))
        assert "used before" in detail(bank)
        clock.advance(1)
        assert_refused(ask(bank, value))
        assert "expired" in detail(bank)

    def test_what_is_not_good_is_not_remembered(self, bank):
        assert_refused(ask(bank, assertion(bank, jti="1", key=OTHER)))
        assert bank.store.find(UsedAssertion) == []
        assert ask(bank, assertion(bank, jti="1")).status_code == 200

    def test_over_processes(self, tmp_path):
        """Of four processes that get the same assertion at the same moment, one accepts it."""
        text = f"[oauth_filter]\nissuer = {ISSUER}\nsecret = {'m' * 40}\nstore = sqlite:///{tmp_path}/oauth.db\n"
        text += "[client:bank]\ngrant_types = client_credentials\njwks = " + jwks(jwk(EC))
        now = time.time()
        said = {"iss": "bank", "sub": "bank", "aud": ISSUER, "exp": now + 60, "jti": "1"}
        value = pyjwt.encode(said, EC, "ES256")
        context = multiprocessing.get_context("spawn")
        at_once, answers = context.Barrier(4), context.Queue()
        processes = [context.Process(target=_present, args=(text, value, at_once, answers)) for _ in range(4)]
        for process in processes:
            process.start()
        statuses = sorted(answers.get(timeout=60) for _ in processes)
        for process in processes:
            process.join()
        assert statuses == [200] + [401] * 3


def _present(text, value, at_once, answers):
    from werkzeug.test import Client as Browser

    settings = ini.parse(text, file="oauth.ini", here=".")
    browser = Browser(OAuthFilter(echo, settings))
    at_once.wait(timeout=60)
    form = {"grant_type": "client_credentials", "client_assertion_type": TYPE, "client_assertion": value}
    answers.put(browser.post("/oauth2/token", data=form).status_code)


class TestPublishedKeys:
    @pytest.fixture
    def published(self, make_provider):
        with serving() as site:
            site.content = jwks(jwk(EC, kid="1")).encode()
            provider = make_provider(insecure_allow_private_fetch=True)
            provider.add_client("bank", jwks_uri=f"{site.url}/jwks", debug=True)
            yield provider, site

    def signed(self, provider, kid="1", key=EC):
        return assertion(provider, key=key, headers={"kid": kid})

    def test_they_are_fetched_once(self, published):
        provider, site = published
        for _ in range(3):
            assert ask(provider, self.signed(provider)).status_code == 200
        assert len(site.asked) == 1

    def test_a_new_key_is_looked_for_and_strangers_cannot_make_us_look_often(self, published, clock):
        provider, site = published
        assert ask(provider, self.signed(provider)).status_code == 200
        site.content = jwks(jwk(OTHER, kid="2")).encode()
        for invented in range(5):
            assert_refused(ask(provider, self.signed(provider, kid=f"x{invented}")))
        assert len(site.asked) == 1
        clock.advance(30)
        assert ask(provider, self.signed(provider, kid="2", key=OTHER)).status_code == 200
        assert_refused(ask(provider, self.signed(provider)))
        assert len(site.asked) == 2

    @pytest.mark.parametrize("content", [b"", b"{}", b'{"keys": []}', b"x" * 70_000])
    def test_what_is_no_key_set(self, published, content):
        provider, site = published
        site.content = content
        answer = ask(provider, self.signed(provider))
        assert (answer.status_code, answer.json["error"]) == (503, "temporarily_unavailable")
        assert "Retry-After" in answer.headers

    def test_a_redirect_leads_nowhere(self, published):
        provider, site = published
        site.status, site.headers = 302, {"Location": f"{site.url}/jwks2"}
        assert ask(provider, self.signed(provider)).status_code == 503
        assert [path for _, path, _, _ in site.asked] == ["/jwks"]

    def test_private_addresses_are_not_asked(self, provider):
        with serving() as site:
            provider.add_client("bank", jwks_uri=f"{site.url.replace('http:', 'https:')}/jwks")
            answer = ask(provider, self.signed(provider))
        assert (answer.status_code, answer.json["error"]) == (503, "temporarily_unavailable")
        assert site.asked == []
        assert detail(provider) == "the host has no public address"
        assert "public" not in answer.text


class TestSecret:
    def test_a_jwt_signed_with_the_secret(self, bank):
        answer = ask(bank, assertion(bank, "shop", SECRET, "HS256"))
        assert answer.status_code == 200, answer.text
        assert ask(bank, assertion(bank, "shop", SECRET, "HS256"), client_id="shop").status_code == 200

    @pytest.mark.parametrize(
        ("key", "algorithm"), [("x" * 64, "HS256"), (SECRET, "HS384"), (SECRET, "HS512"), (EC, "ES256")]
    )
    def test_other_keys_and_algorithms(self, bank, key, algorithm):
        assert_refused(ask(bank, assertion(bank, "shop", key, algorithm)))

    def test_the_secret_itself_is_not_accepted(self, bank):
        form = {"grant_type": "client_credentials", "client_id": "shop", "client_secret": SECRET}
        answer = bank.browser().post("/oauth2/token", data=form)
        assert (answer.status_code, answer.json["error_reason"]) == (401, "invalid_client_authentication")

    def test_other_clients_secrets_are_not_kept(self, provider):
        """Without the method having been chosen there is nothing to check an HMAC with."""
        assert provider.store.get(Client, "app").sealed_secret is None
        assert_refused(ask(provider, assertion(provider, "app", provider.secret, "HS256")))

    @pytest.mark.promise(5)
    def test_the_store_does_not_have_the_secret(self, bank):
        client = bank.store.get(Client, "shop")
        assert SECRET not in repr(client)
        assert SECRET not in f"{client.sealed_secret} {client.secret_hash}"

    def test_under_another_master_secret_it_cannot_be_opened(self, bank, make_provider):
        other = make_provider(secret="t" * 64)
        other.store.put(bank.store.get(Client, "shop"))
        assert_refused(ask(other, assertion(other, "shop", SECRET, "HS256")))

    def test_a_client_of_the_ini(self, make_provider):
        text = (
            f"[oauth_filter]\nsecret = {'m' * 40}\n[client:shop]\nsecret = {SECRET}\ngrant_types = client_credentials\n"
            "token_endpoint_auth_method = client_secret_jwt\n"
        )
        configured = ini.parse(text, file="oauth.ini", here=".")
        provider = make_provider(secret=configured.secret, clients=configured.clients)
        assert ask(provider, assertion(provider, "shop", SECRET, "HS256")).status_code == 200

    def test_a_short_secret_cannot_sign(self):
        client = Client(key="shop", token_endpoint_auth_method="client_secret_jwt")
        with pytest.raises(ValueError, match="32 bytes"):
            with_secret(client, "x" * 31, master_secret="m" * 40)


SENT = {
    "client_secret_basic": lambda p: {"headers": p.basic(), "data": {}},
    "client_secret_post": lambda p: {"data": {"client_id": "app", "client_secret": p.secret}},
    "private_key_jwt": lambda p: {"data": {"client_assertion_type": TYPE, "client_assertion": assertion(p, "app")}},
}


class TestOneMethod:
    """Client.token_endpoint_auth_method -- RFC 7591 section 2."""

    @pytest.mark.parametrize("allowed", [None, *SENT])
    @pytest.mark.parametrize("used", list(SENT))
    def test_the_one_and_no_other(self, provider, allowed, used):
        provider.add_client(
            "app", secret=provider.secret, jwks=jwks(jwk(EC)), token_endpoint_auth_method=allowed, debug=True
        )
        request = SENT[used](provider)
        request["data"]["grant_type"] = "client_credentials"
        answer = provider.browser().post("/oauth2/token", **request)
        assert answer.status_code == (200 if allowed in (None, used) else 401), answer.text
        if answer.status_code == 401:
            assert answer.json["error_reason"] == "invalid_client_authentication"
            assert detail(provider) == f"client app: it used {used} and may use {allowed} only"

    @pytest.mark.parametrize(
        ("fields", "option"),
        [
            ({"token_endpoint_auth_method": "client_secret_basic"}, "token_endpoint_auth_method"),
            ({"token_endpoint_auth_method": "client_secret_jwt"}, "token_endpoint_auth_method"),
            ({"token_endpoint_auth_method": "private_key_jwt"}, "token_endpoint_auth_method"),
            (
                {"token_endpoint_auth_method": "client_secret_jwt", "secret_hash": "sha256:x"},
                "token_endpoint_auth_method",
            ),
            ({"token_endpoint_auth_method": "none", "secret_hash": "sha256:x"}, "token_endpoint_auth_method"),
            ({"token_endpoint_auth_method": "tls_client_auth"}, "token_endpoint_auth_method"),
            ({"jwks": "{", "jwks_uri": None}, "jwks"),
            ({"jwks": '{"keys": []}'}, "jwks"),
            ({"jwks": jwks({"kty": "oct", "k": "c2VjcmV0"})}, "jwks"),
            ({"jwks": jwks(jwk(EC, d="AAAA"))}, "jwks"),
            ({"jwks": jwks(jwk(EC, use="enc"))}, "jwks"),
            ({"jwks": jwks(jwk(EC)), "jwks_uri": "https://a.example/jwks"}, "jwks_uri"),
            ({"jwks_uri": "http://a.example/jwks"}, "jwks_uri"),
            ({"jwks_uri": "file:///etc/passwd"}, "jwks_uri"),
        ],
    )
    def test_what_cannot_be_registered(self, fields, option):
        client = Client(key="c", redirect_uris=(CALLBACK,), **fields)
        assert [problem.option for problem in client_faults(client)] == [option]


@pytest.mark.promise(15)
class TestMetadata:
    def test_what_is_advertised(self, provider):
        said = provider.browser().get("/.well-known/openid-configuration").json
        assert said["token_endpoint_auth_methods_supported"] == list(AUTHENTICATION_METHODS)
        assert said["token_endpoint_auth_signing_alg_values_supported"] == list(CLIENT_ASSERTION_ALGORITHMS)
        assert "none" not in CLIENT_ASSERTION_ALGORITHMS
        for name in ("revocation", "introspection"):
            # RFC 8414 section 2: needed beside methods that sign.
            assert said[f"{name}_endpoint_auth_signing_alg_values_supported"] == list(CLIENT_ASSERTION_ALGORITHMS)


def test_settings_of_python_can_have_clients_with_keys(make_provider):
    provider = make_provider(
        clients=(Client(key="bank", client_id="bank", jwks=jwks(jwk(EC)), grant_types=("client_credentials",)),)
    )
    assert isinstance(provider.settings, Settings)
    assert ask(provider, assertion(provider)).status_code == 200
