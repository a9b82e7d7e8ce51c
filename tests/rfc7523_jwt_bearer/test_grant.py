"""The JWT bearer grant over HTTP -- RFC 7523 sections 2.1 and 3. How a JWT is judged in detail is in test_signing."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import PublicFormat
from werkzeug.test import Client as Browser

from oauth_filter import OAuthFilter
from oauth_filter.records import User
from oauth_filter.settings import JWTIssuer
from oauth_filter.stores import open_store
from tests.provider import ISSUER
from tests.provider import Provider
from tests.provider import echo

pytestmark = pytest.mark.promise(11)

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SECRET = "the secret that both of us know, and that has the sixty-four bytes of HS512"
IDP = "https://idp.example"
ALGORITHMS = ("RS256", "ES256", "EdDSA")


@cache
def key_of(algorithm):
    match algorithm:
        case "RS256":
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)
        case "ES256":
            return ec.generate_private_key(ec.SECP256R1())
    return ed25519.Ed25519PrivateKey.generate()


def public_pem(algorithm):
    return key_of(algorithm).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def assertion(clock, key=SECRET, algorithm="HS512", headers=None, **claims):
    """A JWT that is good in every respect but those given; a claim given as None is left out."""
    now = int(clock())
    good = {"iss": IDP, "sub": "alice", "aud": ISSUER, "iat": now, "exp": now + 300, "jti": uuid4().hex}
    said = {name: value for name, value in (good | claims).items() if value is not None}
    return jwt.encode(said, key, algorithm=algorithm, headers=headers)


@pytest.fixture
def jwt_provider(make_provider):
    return make_provider(jwt_secret=SECRET)


def filter_of(folder, clock, options):
    """A filter of an ini file with these options."""
    file = folder / "oauth.ini"
    file.write_text(f"[oauth_filter]\nissuer = {ISSUER}\nstore = memory:\nsecret = {'s' * 64}\n{options}")
    return OAuthFilter(echo, file, now=clock)


def redeem(provider, value, client_id="app", **form):
    return provider.token(client_id, grant_type=GRANT_TYPE, assertion=value, **form)


def is_refused(answer, reason):
    """Whether it is invalid_grant for that reason, and nothing but the JSON of RFC 6749 section 5.2."""
    assert answer.status_code == 400, answer.text
    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json.keys() == {"error", "error_description", "error_reason"}
    return (answer.json["error"], answer.json["error_reason"]) == ("invalid_grant", reason)


# What comes of it


@pytest.mark.rfc("7523", "2.1")
def test_an_assertion_becomes_tokens_of_its_subject(jwt_provider, clock):
    answer = redeem(jwt_provider, assertion(clock))
    assert answer.status_code == 200, answer.text
    assert answer.json.keys() == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("Bearer", 3600)
    assert answer.headers["Cache-Control"] == "no-store"
    told = jwt_provider.call(answer.json["access_token"]).json
    assert (told["REMOTE_USER"], told["oauth_filter.client_id"]) == ("alice", "app")
    refreshed = jwt_provider.refresh(answer.json["refresh_token"])
    assert jwt_provider.call(refreshed.json["access_token"]).json["REMOTE_USER"] == "alice"


def test_the_token_endpoint_may_be_the_audience_too(jwt_provider, clock):
    """RFC 7523 section 3 names its URL as what identifies an authorization server."""
    assert redeem(jwt_provider, assertion(clock, aud=f"{ISSUER}/oauth2/token")).status_code == 200
    assert redeem(jwt_provider, assertion(clock, aud=["https://other.example", ISSUER])).status_code == 200


@pytest.mark.parametrize(("asked", "granted"), [("read", "read"), ("read write", "read write"), (None, None)])
@pytest.mark.rfc("7521", "4.1", "scope")
def test_the_scope_is_what_is_asked_for(make_provider, clock, asked, granted):
    provider = make_provider(jwt_secret=SECRET, scopes={"read": "Read", "write": "Write"})
    answer = redeem(provider, assertion(clock), scope=asked)
    assert answer.json.get("scope") == granted
    assert provider.call(answer.json["access_token"]).json["oauth_filter.scope"] == (granted or "")


def test_the_scope_is_limited_to_that_of_the_client(make_provider, clock):
    provider = make_provider(jwt_secret=SECRET, scopes={"read": "Read", "write": "Write"})
    provider.add_client("app", secret=provider.secret, scope="read")
    refused = redeem(provider, assertion(clock), scope="read write")
    assert (refused.status_code, refused.json["error"]) == (400, "invalid_scope")
    assert redeem(provider, assertion(clock)).json["scope"] == "read"


def test_a_client_that_may_not_refresh_gets_no_refresh_token(jwt_provider, clock):
    jwt_provider.add_client("app", secret=jwt_provider.secret, grant_types=(GRANT_TYPE,))
    assert "refresh_token" not in redeem(jwt_provider, assertion(clock)).json


def test_a_client_for_registered_users_takes_nobody_else(jwt_provider, clock):
    jwt_provider.add_client("app", secret=jwt_provider.secret, registration_required=True)
    assert is_refused(redeem(jwt_provider, assertion(clock)), "registration_required")
    jwt_provider.add_user("alice", registrations=("app",))
    assert redeem(jwt_provider, assertion(clock)).status_code == 200


def test_a_disabled_user_loses_the_tokens(jwt_provider, clock):
    tokens = redeem(jwt_provider, assertion(clock)).json
    jwt_provider.add_user("alice", enabled=False)
    assert jwt_provider.call(tokens["access_token"]).status_code == 401
    assert jwt_provider.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"


# Whether it is on


@pytest.mark.promise(15)
def test_without_a_key_the_grant_is_neither_served_nor_advertised(provider, clock):
    answer = redeem(provider, assertion(clock))
    assert (answer.status_code, answer.json["error"]) == (400, "unsupported_grant_type")
    metadata = provider.browser().get("/.well-known/oauth-authorization-server").json
    assert GRANT_TYPE not in metadata["grant_types_supported"]


@pytest.mark.promise(15)
def test_with_a_key_it_is_advertised(jwt_provider):
    metadata = jwt_provider.browser().get("/.well-known/oauth-authorization-server").json
    assert GRANT_TYPE in metadata["grant_types_supported"]


# Whom it comes from


def test_a_confidential_client_must_authenticate(jwt_provider, clock):
    form = {"grant_type": GRANT_TYPE, "assertion": assertion(clock)}
    for wrong in ({}, {"client_id": "app"}, {"client_id": "app", "client_secret": "wrong"}, {"client_id": "nobody"}):
        answer = jwt_provider.browser().post("/oauth2/token", data=form | wrong)
        assert (answer.status_code, answer.json["error"]) == (401, "invalid_client"), wrong
    # None of them has used the assertion up.
    assert redeem(jwt_provider, form["assertion"]).status_code == 200


def test_a_public_client_may_bring_one(jwt_provider, clock):
    answer = redeem(jwt_provider, assertion(clock), client_id="native")
    assert jwt_provider.call(answer.json["access_token"]).json["oauth_filter.client_id"] == "native"


def test_a_client_that_is_not_registered_for_the_grant_may_not(jwt_provider, clock):
    jwt_provider.add_client("web", grant_types=("authorization_code",))
    answer = redeem(jwt_provider, assertion(clock), client_id="web")
    assert answer.status_code == 400
    assert answer.json == {
        "error": "unauthorized_client",
        "error_description": "The client may not use this grant type.",
        "error_reason": "grant_type_disabled",
    }


@pytest.mark.parametrize("value", [None, ""])
def test_an_assertion_is_needed(jwt_provider, value):
    answer = redeem(jwt_provider, value)
    assert answer.status_code == 400
    assert answer.json == {
        "error": "invalid_request",
        "error_description": "The parameter assertion is missing.",
        "error_reason": "missing_assertion",
    }


# Whom it is about


@pytest.mark.rfc("7523", "3", "sub")
def test_a_subject_who_is_not_a_user_is_refused(jwt_provider, clock):
    jwt_provider.add_user("gone", enabled=False)
    for subject in ("nobody", "gone", "Alice", "alice "):
        answer = redeem(jwt_provider, assertion(clock, sub=subject))
        assert is_refused(answer, "user_not_found")
        assert answer.json["error_description"] == "The subject of the assertion is not a user here."


@pytest.mark.rfc("7523", "3", "iss and sub")
@pytest.mark.parametrize("claim", ["iss", "sub"])
def test_issuer_and_subject_must_be_there(jwt_provider, clock, claim):
    for value in (None, ""):
        assert is_refused(redeem(jwt_provider, assertion(clock, **{claim: value})), "assertion_claims")


# Whose word it is


def test_the_secret_vouches_for_every_issuer_unless_one_is_named(make_provider, clock):
    assert redeem(make_provider(jwt_secret=SECRET), assertion(clock, iss="whoever")).status_code == 200
    provider = make_provider(jwt_secret=SECRET, jwt_issuer=IDP)
    assert redeem(provider, assertion(clock)).status_code == 200
    assert is_refused(redeem(provider, assertion(clock, iss="whoever")), "assertion_unknown_issuer")


@pytest.mark.rfc("7523", "3", "signature")
def test_another_secret_is_refused(jwt_provider, clock):
    assert is_refused(redeem(jwt_provider, assertion(clock, SECRET[::-1])), "assertion_signature")


@pytest.mark.rfc("8725", "3.1")
@pytest.mark.parametrize("algorithm", ["HS256", "HS384"])
def test_the_secret_is_for_hs512_only(jwt_provider, clock, algorithm):
    assert is_refused(redeem(jwt_provider, assertion(clock, algorithm=algorithm)), "assertion_algorithm")


@pytest.mark.rfc("8725", "3.2", "none")
def test_no_signature_is_refused(jwt_provider, clock):
    unsigned = assertion(clock, key=None, algorithm="none")
    assert is_refused(redeem(jwt_provider, unsigned), "assertion_malformed")
    _, _, signature = assertion(clock).split(".")
    assert is_refused(redeem(jwt_provider, unsigned + signature), "assertion_algorithm")


@pytest.mark.rfc("7515", "4.1.11", "crit")
@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"]},
        {"jku": "https://evil.example/keys"},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"x5u": "https://evil.example/certificate"},
        {"typ": "at+jwt"},
    ],
    ids=str,
)
def test_a_header_with_keys_or_extensions_is_refused(jwt_provider, clock, header):
    assert is_refused(redeem(jwt_provider, assertion(clock, headers=header)), "assertion_header")


@pytest.mark.rfc("7523", "3", "signature")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_issuer_with_a_key_of_its_own(make_provider, clock, algorithm):
    issuer = JWTIssuer(issuer=IDP, algorithm=algorithm, public_key=public_pem(algorithm))
    provider = make_provider(jwt_issuers=(issuer,), jwt_secret=SECRET)
    answer = redeem(provider, assertion(clock, key_of(algorithm), algorithm))
    assert provider.call(answer.json["access_token"]).json["REMOTE_USER"] == "alice"
    # The secret does not speak for an issuer that has a key, and the key for nobody else.
    assert is_refused(redeem(provider, assertion(clock)), "assertion_algorithm")
    stranger = assertion(clock, key_of(algorithm), algorithm, iss="https://other.example")
    assert is_refused(redeem(provider, stranger), "assertion_algorithm")
    (other,) = [other for other in ALGORITHMS if other != algorithm][:1]
    assert is_refused(redeem(provider, assertion(clock, key_of(other), other)), "assertion_algorithm")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_issuer_of_the_ini_file(tmp_path, clock, algorithm):
    (tmp_path / "idp.pem").write_text(public_pem(algorithm))
    guarded = filter_of(
        tmp_path,
        clock,
        f"[jwt_issuer:{IDP}]\nalgorithm = {algorithm}\npublic_key = file:idp.pem\n"
        "[client:native]\nredirect_uris = https://client.example/cb\n",
    )
    guarded.store.put(User(key="alice", subject="1"))
    value = assertion(clock, key_of(algorithm), algorithm)
    form = {"grant_type": GRANT_TYPE, "client_id": "native", "assertion": value}
    assert Browser(guarded).post("/oauth2/token", data=form).status_code == 200


# For whom and until when


@pytest.mark.rfc("7523", "3", "aud")
@pytest.mark.parametrize(
    "audience",
    [
        "https://other.example",
        f"{ISSUER}/",
        f"{ISSUER}/oauth2/authorize",
        ["https://other.example"],
        [],
        [ISSUER, 1],
        "",
    ],
    ids=str,
)
def test_an_assertion_for_somebody_else_is_refused_however_lax_we_are(make_provider, clock, audience):
    for required in (True, False):
        provider = make_provider(jwt_secret=SECRET, jwt_require_aud=required)
        assert is_refused(redeem(provider, assertion(clock, aud=audience)), "assertion_audience")


STRICTNESS = [
    ("jwt_require_exp", "exp", "assertion_without_expiry"),
    ("jwt_require_aud", "aud", "assertion_without_audience"),
    ("jwt_require_jti", "jti", "assertion_without_jti"),
]


@pytest.mark.rfc("7523", "3", "exp, aud and jti")
@pytest.mark.parametrize(("setting", "claim", "reason"), STRICTNESS)
def test_each_claim_is_needed_unless_its_setting_says_otherwise(make_provider, clock, setting, claim, reason):
    without = assertion(clock, **{claim: None})
    assert is_refused(redeem(make_provider(jwt_secret=SECRET), without), reason)
    assert redeem(make_provider(jwt_secret=SECRET, **{setting: False}), without).status_code == 200
    others = {other: False for other, _, _ in STRICTNESS if other != setting}
    assert is_refused(redeem(make_provider(jwt_secret=SECRET, **others), without), reason)


@pytest.mark.rfc("7523", "3", "exp")
def test_an_expired_assertion_is_refused(jwt_provider, clock):
    value = assertion(clock)
    clock.advance(300 + 9)
    assert redeem(jwt_provider, value).status_code == 200
    clock.advance(2)
    assert is_refused(redeem(jwt_provider, assertion(clock, exp=int(clock()) - 11)), "assertion_expired")


@pytest.mark.rfc("7523", "3", "nbf and iat")
@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_an_assertion_of_the_future_is_refused(jwt_provider, clock, claim):
    assert redeem(jwt_provider, assertion(clock, **{claim: int(clock()) + 5})).status_code == 200
    early = assertion(clock, **{claim: int(clock()) + 60})
    assert is_refused(redeem(jwt_provider, early), "assertion_not_yet_valid")


@pytest.mark.rfc("7523", "3", "unreasonably far in the future")
def test_an_assertion_that_lives_too_long_is_refused(make_provider, clock):
    value = assertion(clock, exp=int(clock()) + 7200)
    assert is_refused(redeem(make_provider(jwt_secret=SECRET), value), "assertion_lifetime")
    assert redeem(make_provider(jwt_secret=SECRET, jwt_max_lifetime=7200), value).status_code == 200


def test_one_without_an_expiry_is_good_for_the_longest_lifetime(make_provider, clock):
    provider = make_provider(jwt_secret=SECRET, jwt_require_exp=False, jwt_max_lifetime=600)
    old, older = (assertion(clock, exp=None, iat=int(clock()) - age) for age in (600, 620))
    assert redeem(provider, old).status_code == 200
    assert is_refused(redeem(provider, older), "assertion_expired")
    assert is_refused(redeem(provider, assertion(clock, exp=None, iat=None)), "assertion_without_expiry")


# Once only


@pytest.mark.rfc("7523", "3", "jti")
def test_an_assertion_works_once(jwt_provider, clock):
    value = assertion(clock)
    tokens = redeem(jwt_provider, value).json
    answer = redeem(jwt_provider, value)
    assert answer.json == {
        "error": "invalid_grant",
        "error_description": "The assertion has been used before.",
        "error_reason": "assertion_reused",
    }
    assert is_refused(redeem(jwt_provider, value, client_id="native"), "assertion_reused")
    # Unlike a code it is no secret between two: whoever repeats it ends nothing.
    assert jwt_provider.call(tokens["access_token"]).status_code == 200


def test_a_jti_belongs_to_its_issuer(jwt_provider, clock):
    assert redeem(jwt_provider, assertion(clock, jti="1")).status_code == 200
    assert redeem(jwt_provider, assertion(clock, jti="1", iss="https://other.example")).status_code == 200
    assert is_refused(redeem(jwt_provider, assertion(clock, jti="1", exp=int(clock()) + 301)), "assertion_reused")


@pytest.mark.rfc("7523", "3", "jti")
def test_a_jti_that_is_there_counts_also_where_none_is_needed(make_provider, clock):
    provider = make_provider(jwt_secret=SECRET, jwt_require_jti=False)
    value = assertion(clock)
    assert redeem(provider, value).status_code == 200
    assert is_refused(redeem(provider, value), "assertion_reused")


def test_a_refused_assertion_is_not_used_up(jwt_provider, clock):
    value = assertion(clock, sub="bob")
    assert is_refused(redeem(jwt_provider, value), "user_not_found")
    jwt_provider.add_user("bob")
    assert redeem(jwt_provider, value).status_code == 200


def test_it_is_remembered_for_as_long_as_it_is_good(make_provider, clock):
    provider = make_provider(jwt_secret=SECRET, jwt_require_exp=False, jwt_max_lifetime=600)
    values = [assertion(clock, jti="with"), assertion(clock, jti="without", exp=None)]
    for value in values:
        assert redeem(provider, value).status_code == 200
    for _ in range(70):
        clock.advance(10)
        provider.store.purge()
        for value in values:
            assert redeem(provider, value).json["error_reason"] in ("assertion_reused", "assertion_expired")


@pytest.mark.rfc("7523", "3", "jti")
def test_two_filters_of_one_store_remember_together(tmp_path, clock):
    stores = [open_store(f"sqlite:///{tmp_path}/oauth.db", now=clock) for _ in range(2)]
    one = Provider(clock, store=stores[0], jwt_secret=SECRET)
    other = OAuthFilter(echo, one.settings, store=stores[1], now=clock)
    value = assertion(clock)
    form = {"grant_type": GRANT_TYPE, "assertion": value}
    assert redeem(one, value).status_code == 200
    assert is_refused(Browser(other).post("/oauth2/token", data=form, headers=one.basic()), "assertion_reused")
    for store in stores:
        store.close()


@pytest.mark.rfc("7523", "3", "jti")
@pytest.mark.parametrize("url", ["memory:", "sqlite:///{}/oauth.db"])
def test_of_sixteen_at_once_one_wins(tmp_path, url):
    store = open_store(url.format(tmp_path), now=time.time)
    provider = Provider(time.time, store=store, jwt_secret=SECRET)
    start = threading.Barrier(16)

    def attempt(value):
        start.wait()
        return redeem(provider, value)

    with ThreadPoolExecutor(16) as pool:
        for _ in range(10):
            answers = list(pool.map(attempt, [assertion(time.time)] * 16))
            assert [answer.status_code for answer in answers].count(200) == 1
            assert all(is_refused(answer, "assertion_reused") for answer in answers if answer.status_code != 200)
    store.close()


# Nuxeo


def test_the_relaxed_token_of_nuxeos_guide(tmp_path, clock):
    """`{"iss":"nuxeo","sub":"Administrator"}` with a time and nothing else, in the request of the guide."""
    guarded = filter_of(
        tmp_path,
        clock,
        f"profile = nuxeo\njwt_secret = {SECRET}\n"
        "[client:myApp]\nsecret = the secret of myApp\n"
        "redirect_uris = https://myapp.mydomain.com/nuxeo-auth-done\n",
    )
    guarded.store.put(User(key="Administrator", subject="1"))
    browser = Browser(guarded)
    value = jwt.encode({"iss": "nuxeo", "sub": "Administrator", "iat": int(clock())}, SECRET, algorithm="HS512")
    form = {"grant_type": GRANT_TYPE, "client_id": "myApp", "client_secret": "the secret of myApp", "assertion": value}
    answer = browser.post("/oauth2/token", data=form)
    assert answer.status_code == 200, answer.text
    assert answer.json.keys() >= {"access_token", "expires_in", "refresh_token", "token_type"}
    called = browser.get("/api", headers={"Authorization": f"Bearer {answer.json['access_token']}"})
    assert called.json["REMOTE_USER"] == "Administrator"
    # All such tokens of one second are the same text, so the guide's client may well send it again.
    assert browser.post("/oauth2/token", data=form).status_code == 200
    clock.advance(3600 + 11)
    assert is_refused(browser.post("/oauth2/token", data=form), "assertion_expired")
