"""Authorization server metadata -- RFC 8414. What it says is tried; what it does not say is refused."""

import pytest

from tests.provider import returned

PATH = "/.well-known/oauth-authorization-server"


@pytest.mark.rfc("8414", "3.2")
def test_the_document(make_provider):
    provider = make_provider(scopes={"read": "Read"})
    answer = provider.browser().get(PATH)
    assert answer.mimetype == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    document = answer.json
    assert document["issuer"] == "http://localhost:8080"
    assert document["token_endpoint"] == "http://localhost:8080/oauth2/token"
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["authorization_response_iss_parameter_supported"] is True
    assert "read" in document["scopes_supported"]
    assert "urn:ietf:params:oauth:grant-type:jwt-bearer" not in document["grant_types_supported"]


@pytest.mark.rfc("OpenID Discovery", "4")
def test_openid_clients_find_the_same(provider):
    assert provider.browser().get("/.well-known/openid-configuration").json == provider.browser().get(PATH).json


@pytest.mark.promise(9)
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
        {"Forwarded": "host=evil.example;proto=https"},
        {"X-Forwarded-Prefix": "/evil", "X-Original-URL": "/evil"},
    ],
)
def test_it_comes_from_the_settings_never_from_the_request(provider, headers):
    assert provider.browser().get(PATH, headers=headers).json == provider.browser().get(PATH).json
    answer = provider.browser().get("/oauth2/authorize", query_string=provider.request(), headers=headers)
    assert "evil" not in answer.text + str(answer.headers)


@pytest.mark.rfc("8414", "3.1")
@pytest.mark.parametrize(
    "path",
    [
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/tenant/one",
        "/tenant/one/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
        "/.well-known/openid-configuration/tenant/one",
        "/tenant/one/.well-known/openid-configuration",
    ],
)
def test_an_issuer_with_a_path_is_found_wherever_clients_look(make_provider, path):
    provider = make_provider(issuer="https://api.example.com/tenant/one")
    document = provider.browser().get(path).json
    assert document["issuer"] == "https://api.example.com/tenant/one"
    assert document["token_endpoint"] == "https://api.example.com/tenant/one/oauth2/token"


@pytest.mark.promise(15)
def test_everything_it_says_works(make_provider):
    provider = make_provider(scopes={"read": "Read"}, allow_plain_pkce=True, jwt_secret="j" * 64)
    document = provider.browser().get(PATH).json
    paths = {
        name: url.removeprefix(document["issuer"])
        for name, url in document.items()
        if name.endswith("_endpoint") and url
    }
    for name, path in paths.items():
        # Who is not signed in has nothing to sign out of.
        expected = (303,) if name == "end_session_endpoint" else (400, 401, 405)
        assert provider.browser().get(path).status_code in expected, name
    for mode in document["response_modes_supported"]:
        browser = provider.browser()
        provider.code(browser=browser, scope="read")
        answer = provider.authorize(browser, response_mode=mode, scope="read")
        assert answer.status_code == (200 if mode == "form_post" else 303)
        assert "ofc_" in answer.text + answer.headers.get("Location", "")
    for grant_type in set(document["grant_types_supported"]) - {"implicit"}:
        assert provider.token(grant_type=grant_type).json.get("error") != "unsupported_grant_type"
    assert "urn:ietf:params:oauth:grant-type:jwt-bearer" in document["grant_types_supported"]
    for method in document["code_challenge_methods_supported"]:
        answer = returned(provider.authorize(code_challenge_method=method, scope="nonsense"))
        assert answer["error"] == "invalid_scope", "the method was taken, the scope was not"


@pytest.mark.promise(15)
def test_what_it_does_not_say_is_refused(provider):
    for response_type in ("none", "code none", "device"):
        assert returned(provider.authorize(response_type=response_type))["error"] == "unsupported_response_type"
    for mode in ("query.jwt", "jwt", "web_message"):
        assert returned(provider.authorize(response_mode=mode))["error"] == "invalid_request"
    for grant_type in ("implicit", "urn:ietf:params:oauth:grant-type:token-exchange"):
        assert provider.token(grant_type=grant_type).json["error"] == "unsupported_grant_type"
    for path in ("/oauth2/par", "/oauth2/register", "/oauth2", "/oauth2/", "/oauth2/x"):
        assert provider.browser().get(path).status_code == 404
