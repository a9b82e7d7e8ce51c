"""Token introspection -- RFC 7662."""

import json

import jwt
import pytest

from oauth_filter import credentials
from oauth_filter.records import AccessToken
from oauth_filter.records import Client
from oauth_filter.records import User
from tests.provider import ISSUER

# A generated one is checked without scrypt.
API_SECRET = credentials.generate(credentials.CLIENT_SECRET)
INACTIVE = {"active": False}


def added(user, client, scope):
    """What `claims = tests...:added` puts into tokens."""
    return {"department": "tea", "sub": "forged", "permissions": ["forged"]}


@pytest.fixture
def api(provider):
    """A registered resource server."""
    return provider.add_client("api", secret=API_SECRET, resource_server=True)


def ask(provider, token, client_id="app", secret=None, **form):
    """What `client_id` is told of a token; `app` has its secret, and `api` the one of this module."""
    headers = provider.basic(client_id, secret or (API_SECRET if client_id == "api" else None))
    form = {name: value for name, value in ({"token": token} | form).items() if value is not None}
    return provider.browser().post("/oauth2/introspect", data=form, headers=headers)


# Who may ask


@pytest.mark.rfc("7662", "2.1", "MUST also require some form of authorization to access this endpoint")
@pytest.mark.parametrize(
    "form",
    [{}, {"client_id": "app"}, {"client_id": "native"}, {"client_id": "nobody"}, {"client_id": "app", "scope": "x"}],
    ids=str,
)
def test_nobody_asks_without_authenticating(provider, form):
    token = provider.tokens("native")["access_token"]
    answer = provider.browser().post("/oauth2/introspect", data={"token": token} | form)
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert "active" not in answer.json


def test_a_client_that_may_be_silent_elsewhere_may_not_be_here(provider):
    provider.add_client("easy", secret=API_SECRET, client_authentication="not_required")
    answer = provider.browser().post("/oauth2/introspect", data={"token": "x", "client_id": "easy"})
    assert (answer.status_code, answer.json["error_reason"]) == (401, "client_authentication_missing")
    assert ask(provider, "x", "easy", API_SECRET).json == INACTIVE


@pytest.mark.rfc("7662", "2.3", "credentials are invalid: 401 as described in RFC 6749 section 5.2")
@pytest.mark.parametrize(
    "secret", ["wrong", credentials.generate(credentials.CLIENT_SECRET)], ids=["chosen", "generated"]
)
def test_a_wrong_secret(provider, api, secret):
    answer = ask(provider, provider.tokens()["access_token"], "api", secret)
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")


def test_the_secret_may_come_in_the_body(provider):
    token = provider.tokens()["access_token"]
    form = {"token": token, "client_id": "app", "client_secret": provider.secret}
    assert provider.browser().post("/oauth2/introspect", data=form).json["active"] is True


@pytest.mark.rfc("7662", "2.2", "not allowed to introspect this token: MUST return active false")
def test_only_the_tokens_client_and_resource_servers_learn_anything(provider, api):
    provider.add_client("other", secret=API_SECRET)
    tokens = provider.tokens()
    assert ask(provider, tokens["access_token"]).json["active"] is True
    assert ask(provider, tokens["access_token"], "api").json["active"] is True
    for token in (tokens["access_token"], tokens["refresh_token"]):
        for hint in (None, "access_token", "refresh_token"):
            answer = ask(provider, token, "other", API_SECRET, token_type_hint=hint)
            assert (answer.status_code, answer.json) == (200, INACTIVE)


def test_a_refresh_token_is_none_to_a_resource_server_that_does_not_ask_for_one(provider, api):
    """A server that looks for nothing but `active` would let it in as an access token."""
    token = provider.tokens()["refresh_token"]
    assert ask(provider, token, "api").json == INACTIVE
    assert ask(provider, token, "api", token_type_hint="access_token").json == INACTIVE
    told = ask(provider, token, "api", token_type_hint="refresh_token").json
    assert told["active"] is True
    assert "token_type" not in told


def targeted(provider, *audience):
    """A token with that audience, as an entity scope makes one."""
    token = provider.token(grant_type="client_credentials").json["access_token"]
    (record,) = provider.store.find(AccessToken, client_id="app")
    fields = {name: getattr(record, name) for name in ("key", "grant_id", "client_id", "issued_at", "expires_at")}
    provider.store.put(AccessToken(**fields, audience=audience, claims={"permissions": ["read", "write"]}))
    return token


@pytest.mark.rfc("7662", "4", "MUST determine whether the token can be used at the resource server making the call")
def test_a_token_for_one_resource_server_is_none_at_another(provider, api):
    provider.add_client("billing", secret=API_SECRET, resource_server=True)
    token = targeted(provider, "api")
    assert ask(provider, token, "api").json["aud"] == "api"
    assert ask(provider, token, "billing", API_SECRET).json == INACTIVE
    assert ask(provider, token).json["active"] is True


def test_a_token_for_what_is_no_client_of_ours_is_judged_by_its_audience(provider, api):
    told = ask(provider, targeted(provider, "orders", "stock"), "api").json
    assert told["aud"] == ["orders", "stock"]
    assert told["permissions"] == ["read", "write"]


# What is told


@pytest.mark.rfc("7662", "2.2")
def test_what_is_told_of_an_opaque_access_token(provider, api):
    subject = provider.store.get(User, "alice").subject
    tokens = provider.tokens(scope="openid email")
    answer = ask(provider, tokens["access_token"], "api")
    assert answer.mimetype == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    told = answer.json
    assert told.pop("sid") == jwt.decode(tokens["id_token"], options={"verify_signature": False})["sid"]
    now = int(provider.clock())
    assert told == {
        "active": True,
        "token_type": "Bearer",
        "scope": "openid email",
        "client_id": "app",
        "username": "alice",
        "sub": subject,
        "iss": ISSUER,
        "aud": ISSUER,
        "iat": now,
        "exp": now + 3600,
        "auth_time": now,
        "acr": "1",
        "amr": ["pwd"],
    }


@pytest.mark.rfc("9068", "2.2")
def test_a_jwt_and_its_description_say_the_same(make_provider):
    provider = make_provider(access_token_format="jwt", claims=f"{__name__}:added")
    token = provider.tokens(scope="openid email")["access_token"]
    told = ask(provider, token).json
    assert (told.pop("active"), told.pop("token_type"), told.pop("username")) == (True, "Bearer", "alice")
    assert told == jwt.decode(token, options={"verify_signature": False})
    assert told["jti"]
    assert told["department"] == "tea"
    assert told["sub"] != "forged"


def test_added_claims_of_an_opaque_token_forge_nothing(make_provider):
    provider = make_provider(claims=f"{__name__}:added")
    told = ask(provider, provider.tokens()["access_token"]).json
    assert told["department"] == "tea"
    assert told["sub"] != "forged"
    assert "permissions" not in told


def test_a_client_acting_for_itself(provider):
    told = ask(provider, provider.token(grant_type="client_credentials").json["access_token"]).json
    assert (told["active"], told["client_id"], told["sub"]) == (True, "app", "app")
    assert not {"username", "auth_time", "sid", "acr", "amr", "scope"} & told.keys()


@pytest.mark.rfc("OpenID Core", "8.1")
@pytest.mark.parametrize("caller", ["app", "api"])
def test_a_pairwise_subject_stays_one(provider, api, caller):
    """Whoever asks is told what the token's client knows the user by, and no name that says more."""
    provider.add_client("app", secret=provider.secret, subject_type="pairwise")
    tokens = provider.tokens(scope="openid")
    known = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert known["sub"] != provider.store.get(User, "alice").subject
    for token in (tokens["access_token"], tokens["refresh_token"]):
        told = ask(provider, token, caller, token_type_hint="refresh_token").json
        assert (told["sub"], told["sid"]) == (known["sub"], known["sid"])
        assert "username" not in told


def test_what_is_told_of_a_refresh_token(provider):
    subject = provider.store.get(User, "alice").subject
    told = ask(provider, provider.tokens(scope="read")["refresh_token"]).json
    assert told.pop("sid")
    now = int(provider.clock())
    assert told == {
        "active": True,
        "scope": "read",
        "client_id": "app",
        "username": "alice",
        "sub": subject,
        "iss": ISSUER,
        "iat": now,
        "exp": now + provider.settings.refresh_token_lifetime,
        "auth_time": now,
        "acr": "1",
        "amr": ["pwd"],
    }


@pytest.mark.rfc("7662", "2.1", "MUST extend its search across all of its supported token types")
@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "id_token", "nonsense", ""])
def test_the_hint_may_be_wrong(provider, hint):
    tokens = provider.tokens()
    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert ask(provider, token, token_type_hint=hint).json["active"] is True


# What is no longer good


def revoke(provider, tokens):
    provider.revoke(tokens["refresh_token"])


def expire(provider, tokens):
    provider.clock.advance(provider.settings.refresh_token_lifetime)


def disable_user(provider, tokens):
    provider.add_user("alice", enabled=False)


def replace_user(provider, tokens):
    provider.add_user("alice")


def disable_client(provider, tokens):
    app = provider.store.get(Client, "app")
    provider.store.put(Client(key="app", client_id="app", secret_hash=app.secret_hash, enabled=False))


def end_subject(provider, tokens):
    provider.store.revoke("subject", provider.store.get(User, "alice").subject)


@pytest.mark.promise(4)
@pytest.mark.rfc("7662", "4", "MUST determine whether or not the token has expired or been revoked")
@pytest.mark.parametrize("end", [revoke, expire, disable_user, replace_user, disable_client, end_subject])
@pytest.mark.parametrize("token_format", ["opaque", "jwt"])
def test_what_has_ended_is_inactive(make_provider, end, token_format):
    provider = make_provider(access_token_format=token_format)
    provider.add_client("api", secret=API_SECRET, resource_server=True)
    tokens = provider.tokens()
    end(provider, tokens)
    for token in (tokens["access_token"], tokens["refresh_token"]):
        answer = ask(provider, token, "api", token_type_hint="refresh_token")
        # "the authorization server SHOULD NOT include any additional information about an inactive token"
        assert (answer.status_code, answer.json) == (200, INACTIVE)


def test_an_access_token_expires_before_its_refresh_token(provider):
    tokens = provider.tokens()
    provider.clock.advance(provider.settings.access_token_lifetime - 1)
    assert ask(provider, tokens["access_token"]).json["active"] is True
    provider.clock.advance(1)
    assert ask(provider, tokens["access_token"]).json == INACTIVE
    assert ask(provider, tokens["refresh_token"]).json["active"] is True


@pytest.mark.promise(2)
def test_a_spent_refresh_token_is_inactive_and_asking_is_no_reuse(provider):
    first = provider.tokens()
    second = provider.refresh(first["refresh_token"]).json
    assert ask(provider, first["refresh_token"]).json == INACTIVE
    assert ask(provider, second["refresh_token"]).json["active"] is True
    assert provider.refresh(second["refresh_token"]).status_code == 200


def test_a_jwt_that_is_not_an_access_token_is_inactive(provider):
    id_token = provider.tokens(scope="openid")["id_token"]
    assert ask(provider, id_token, token_type_hint="id_token").json == INACTIVE


@pytest.mark.parametrize("token", ["nonsense", "ofa_" + "0" * 49, "a.b.c", "\N{SNOWMAN}", "x" * 5000], ids=len)
def test_what_never_was_a_token_is_inactive(provider, token):
    answer = ask(provider, token)
    assert (answer.status_code, answer.json) == (200, INACTIVE)


# Bad input


@pytest.mark.promise(7)
def test_what_is_refused(provider):
    def post(**request):
        return provider.browser().post("/oauth2/introspect", headers=provider.basic(), **request)

    for form in ({}, {"token": ""}, {"token_type_hint": "access_token"}):
        answer = post(data=form)
        assert (answer.status_code, answer.json["error_reason"]) == (400, "missing_token")
    assert post(data="token=a&token=b", content_type="application/x-www-form-urlencoded").status_code == 400
    assert post(json={"token": "x"}).json["error_reason"] == "invalid_content_type"
    assert post(query_string={"token": "x"}).json["error_reason"] == "missing_token"
    answer = provider.browser().get("/oauth2/introspect?token=x", headers=provider.basic())
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.promise(15)
def test_it_is_advertised_with_the_methods_that_work(provider):
    said = provider.browser().get("/.well-known/openid-configuration").json
    assert said["introspection_endpoint"] == f"{ISSUER}/oauth2/introspect"
    methods = said["introspection_endpoint_auth_methods_supported"]
    assert {"client_secret_basic", "client_secret_post"} <= set(methods)
    assert "none" not in methods


@pytest.mark.promise(5)
def test_nothing_secret_is_logged(provider, caplog):
    caplog.set_level(0)
    tokens = provider.tokens()
    ask(provider, tokens["access_token"])
    ask(provider, "x" + tokens["refresh_token"])
    said = caplog.text + json.dumps([repr(event) for event in provider.events])
    assert tokens["access_token"] not in said
    assert tokens["refresh_token"] not in said
