"""The metadata document of a live server, word by word: what it says works, what it does not say is refused.

Each table below has what is known of a member. A word that is new in the document fails until it stands there too.
"""

import json

import pytest
import requests

from oauth_filter.messages import code_challenge
from oauth_filter.messages import new_code_verifier
from tests.interop.advertised import ALL_CLAIMS
from tests.live import CALLBACK
from tests.live import Forms
from tests.live import parameters

pytestmark = [pytest.mark.promise(15), pytest.mark.rfc("8414", "2"), pytest.mark.rfc("OpenID Discovery", "3")]

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
NOT_EXERCISED = {
    "issuer",
    "claims_parameter_supported",
    "request_parameter_supported",
    "request_uri_parameter_supported",
    "authorization_response_iss_parameter_supported",
    "frontchannel_logout_supported",
    "frontchannel_logout_session_supported",
    "backchannel_logout_supported",
    "backchannel_logout_session_supported",
}
"""Flags, each of which has tests of its own."""


ENDPOINTS = {
    "authorization_endpoint": lambda client: client.authorize().is_redirect,
    "token_endpoint": lambda client: client.tokens()["access_token"],
    "userinfo_endpoint": lambda client: client.userinfo(client.tokens())["sub"],
    "jwks_uri": lambda client: requests.get(client.metadata["jwks_uri"], timeout=30).json()["keys"],
    "revocation_endpoint": lambda client: client.post("revocation_endpoint", token="unknown").ok,
    "introspection_endpoint": lambda client: client.post(
        "introspection_endpoint", token=client.tokens()["access_token"]
    ).json()["active"],
    "device_authorization_endpoint": lambda client: client.post("device_authorization_endpoint").json()["user_code"],
    "end_session_endpoint": lambda client: (
        client.browser.get(
            client.metadata["end_session_endpoint"],
            params={"id_token_hint": client.tokens()["id_token"], "post_logout_redirect_uri": CALLBACK},
            allow_redirects=False,
        ).headers["Location"]
        == CALLBACK
    ),
}


def test_endpoints(client):
    advertised = {name for name in client.metadata if name.endswith(("_endpoint", "_uri"))}
    assert advertised == ENDPOINTS.keys()
    for name, works in ENDPOINTS.items():
        assert client.metadata[name].startswith(client.metadata["issuer"] + "/")
        assert works(client), name


def test_nothing_else_is_said(client):
    known = {name for name in client.metadata if name.endswith(("_endpoint", "_uri"))} | NOT_EXERCISED
    assert client.metadata.keys() - known == {
        "token_endpoint_auth_methods_supported",
        "revocation_endpoint_auth_methods_supported",
        "introspection_endpoint_auth_methods_supported",
        "token_endpoint_auth_signing_alg_values_supported",
        "revocation_endpoint_auth_signing_alg_values_supported",
        "introspection_endpoint_auth_signing_alg_values_supported",
        "response_types_supported",
        "response_modes_supported",
        "grant_types_supported",
        "code_challenge_methods_supported",
        "scopes_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
        "claims_supported",
        "acr_values_supported",
    }


GRANT_TYPES = {
    "authorization_code": lambda client, _: {"code": parameters(client.authorize().headers["Location"])["code"]},
    "refresh_token": lambda client, _: {"refresh_token": client.tokens()["refresh_token"]},
    "client_credentials": lambda client, _: {},
    "password": lambda client, _: {"username": "carol", "password": "wonder land"},
    JWT_BEARER: lambda client, assertion: {"assertion": assertion},
    DEVICE_CODE: lambda client, _: {
        "device_code": client.post("device_authorization_endpoint").json()["device_code"],
    },
}


def test_grant_types(client, assertion_about):
    advertised = set(client.metadata["grant_types_supported"])
    assert advertised - {"implicit"} == GRANT_TYPES.keys()
    for grant_type, grant in GRANT_TYPES.items():
        form = {"redirect_uri": CALLBACK} if grant_type == "authorization_code" else {}
        form |= grant(client, assertion_about("carol"))
        said = client.post("token_endpoint", grant_type=grant_type, **form).json()
        # Nobody has entered the code; tests/interop/test_openid_client.py goes all the way.
        assert said.get("error") == ("authorization_pending" if grant_type == DEVICE_CODE else None), grant_type
    got = parameters(client.authorize(response_type="token").headers["Location"])
    assert ("access_token" in got) == ("implicit" in advertised)


@pytest.mark.parametrize("grant_type", ["implicit", "urn:ietf:params:oauth:grant-type:token-exchange", "magic"])
def test_other_grant_types_are_refused(client, grant_type):
    said = client.post("token_endpoint", grant_type=grant_type).json()
    assert said["error"] == "unsupported_grant_type"


def test_response_types_in_every_mode(client):
    modes = client.metadata["response_modes_supported"]
    assert set(modes) == {"query", "fragment", "form_post"}
    for response_type in client.metadata["response_types_supported"]:
        wanted = {{"token": "access_token"}.get(value, value) for value in response_type.split()}
        for mode in modes:
            answer = client.authorize(response_type=response_type, response_mode=mode)
            if mode == "form_post":
                got = Forms(answer.text).with_button("Continue")["fields"]
            else:
                target = answer.headers["Location"]
                got = parameters(target)
                assert ("?" in target) == (mode == "query"), (response_type, mode)
            if mode == "query" and response_type != "code":
                # "MUST NOT" (OAuth 2.0 Multiple Response Type Encoding Practices, section 3)
                assert got["error"] == "invalid_request"
            else:
                assert wanted == {"code", "access_token", "id_token"} & got.keys(), (response_type, mode)


@pytest.mark.parametrize("response_type", ["none", "code none", "device", "token code nonsense"])
def test_other_response_types_are_refused(client, response_type):
    got = parameters(client.authorize(response_type=response_type).headers["Location"])
    assert got["error"] == "unsupported_response_type"


@pytest.mark.parametrize("mode", ["query.jwt", "fragment.jwt", "form_post.jwt", "jwt", "web_message"])
def test_other_response_modes_are_refused(client, mode):
    got = parameters(client.authorize(response_mode=mode).headers["Location"])
    assert got["error"] == "invalid_request"


def test_code_challenge_methods(client):
    assert client.metadata["code_challenge_methods_supported"] == ["S256"]
    verifier = new_code_verifier()
    asked = {"code_challenge": code_challenge(verifier), "code_challenge_method": "S256"}
    code = parameters(client.authorize(**asked).headers["Location"])["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    assert client.post("token_endpoint", **form, code_verifier=verifier).ok
    for method in ("plain", "S512", "s256"):
        got = parameters(client.authorize(code_challenge=verifier, code_challenge_method=method).headers["Location"])
        assert got["error"] == "invalid_request"


def test_algorithms_of_id_tokens(make_client):
    for algorithm in make_client().metadata["id_token_signing_alg_values_supported"]:
        client = make_client(id_token_signed_response_alg=algorithm)
        assert client.believed(client.tokens()["id_token"])[0] == algorithm


def test_scopes_and_claims(client):
    scopes = client.metadata["scopes_supported"]
    tokens = client.tokens(scope=" ".join(scopes))
    assert set(tokens["scope"].split()) == set(scopes)
    _, said = client.believed(tokens["id_token"])
    told = client.userinfo(tokens)
    for name in client.metadata["claims_supported"]:
        assert name in said or name in told, name
    assert {name: told[name] for name in ALL_CLAIMS} == ALL_CLAIMS
    refused = parameters(client.authorize(scope=f"openid {scopes[-1]}x").headers["Location"])
    assert refused["error"] == "invalid_scope"


def test_claims_one_by_one(client):
    wanted = dict.fromkeys(ALL_CLAIMS)
    tokens = client.tokens(claims=json.dumps({"id_token": wanted, "userinfo": wanted}))
    _, said = client.believed(tokens["id_token"])
    told = client.userinfo(tokens)
    for name, value in ALL_CLAIMS.items():
        assert said[name] == told[name] == value, name


def test_subject_types(make_client):
    subjects = {}
    for subject_type in make_client().metadata["subject_types_supported"]:
        clients = [make_client(subject_type=subject_type, sector_identifier=sector) for sector in ("a", "a", "b")]
        subjects[subject_type] = [one.believed(one.tokens()["id_token"])[1]["sub"] for one in clients]
    assert len(set(subjects["public"])) == 1
    same, too, other = subjects["pairwise"]
    assert same == too != other
    assert not set(subjects["public"]) & set(subjects["pairwise"])


def test_acr_values(client):
    for value in client.metadata["acr_values_supported"]:
        tokens = client.tokens(acr_values=value)
        assert client.believed(tokens["id_token"])[1]["acr"] == value


@pytest.mark.parametrize("name", ["request", "request_uri", "registration"])
def test_what_is_said_not_to_be_supported_is_refused(client, name):
    got = parameters(client.authorize(**{name: "https://client.example/request"}).headers["Location"])
    assert got["error"] == f"{name}_not_supported"


@pytest.mark.parametrize(
    "path", ["par", "register", "connect/register", "bc-authorize", "check_session", "clientinfo", "tokens", "x/y"]
)
def test_there_is_nothing_at_other_addresses(openid, path):
    for method in ("GET", "POST"):
        assert requests.request(method, openid.url(f"/oauth2/{path}"), timeout=30).status_code == 404


def test_every_form_of_address_says_the_same(openid):
    """Of an issuer with a path: RFC 8414 section 3.1 puts the well-known part first, Discovery section 4 last."""
    host, path = openid.issuer.removesuffix("/tenant/one"), "/tenant/one"
    documents = [
        requests.get(url, timeout=30).json()
        for name in ("oauth-authorization-server", "openid-configuration")
        for url in (f"{host}/.well-known/{name}{path}", f"{host}{path}/.well-known/{name}")
    ]
    assert documents[0]["issuer"] == openid.issuer
    assert all(document == documents[0] for document in documents)
