"""docs/openid.md: its files run, and what it says of ID tokens, userinfo and parameters is so."""

import re
import sys
from pathlib import Path

import jwt
import pytest

from oauth_filter import OAuthFilter
from oauth_filter.authorization_server.openid_request import OpenIDRequest
from tests.provider import Provider

PAGE = (Path(__file__).parents[2] / "docs" / "openid.md").read_text(encoding="utf-8")
CALLBACK = "https://shop.example.com/callback"


@pytest.fixture
def shop(tmp_path, monkeypatch, clock):
    """The provider of the page, with its client; and what the test needs to walk through it."""
    for name, text in re.findall(r"^```(?:python|ini)\n[#;] (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        (tmp_path / name).write_text(text)
    (tmp_path / "oauth.secret").write_text("s" * 43 + "\n")
    (tmp_path / "oauth.secret").chmod(0o600)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    guarded = OAuthFilter(lambda environ, start_response: [], "oauth.ini", now=clock)
    provider = Provider(clock)
    provider.filter, provider.store, provider.settings = guarded, guarded.store, guarded.settings
    yield provider
    del sys.modules["people"]


def tokens(provider, **parameters):
    browser = provider.browser()
    page = provider.authorize(browser, "shop", redirect_uri=CALLBACK, **parameters)
    answer = provider.decide(browser, provider.sign_in(browser, page, password="wonderland"))
    code = re.search("code=([^&]+)", answer.location)[1]
    return provider.redeem(code, "shop", redirect_uri=CALLBACK).json


def test_its_provider_does_what_it_says(shop):
    answer = tokens(shop, scope="openid profile email", nonce="n1")
    [key] = [key for key in shop.browser().get("/oauth2/jwks").json["keys"] if key["alg"] == "ES256"]
    options = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(
        answer["id_token"], jwt.PyJWK(key), issuer="http://localhost:8080", audience="shop", options=options
    )
    assert claims["sub"] == "4711"
    assert claims["nonce"] == "n1"
    assert claims["department"] == "Down the hole"
    assert "email" not in claims
    # All that the table says an ID token may say, but what belongs to a code beside it.
    [*named] = re.findall(r"`(\w+)`", PAGE.partition("| claim of the ID token |")[2].partition("\n\n")[0])
    assert set(named) - {"c_hash"} <= set(claims)
    told = shop.browser().get("/oauth2/userinfo", headers={"Authorization": f"Bearer {answer['access_token']}"}).json
    assert told == {
        "sub": "4711",
        "name": "Alice Liddell",
        "preferred_username": "alice",
        "email": "alice@example.com",
        "email_verified": True,
        "locale": "en-GB",
        "department": "Down the hole",
    }


def test_without_an_access_token_the_id_token_tells_all(shop):
    client = shop.filter.settings.clients[0]
    shop.add_client("page", redirect_uris=client.redirect_uris, grant_types=("implicit",))
    browser = shop.browser()
    asked = {"response_type": "id_token", "code_challenge": None, "code_challenge_method": None}
    page = shop.authorize(browser, "page", redirect_uri=CALLBACK, scope="openid email", nonce="n2", **asked)
    answer = shop.decide(browser, shop.sign_in(browser, page, password="wonderland"))
    id_token = re.search("id_token=([^&]+)", answer.location)[1]
    assert jwt.decode(id_token, options={"verify_signature": False})["email"] == "alice@example.com"


def test_every_parameter_is_on_the_page():
    rows = set(re.findall(r"`(\w+)`", PAGE.partition("| parameter | what it does |")[2].partition("\n\n")[0]))
    assert set(OpenIDRequest.__dataclass_fields__) - {"nonce"} <= rows


def test_what_is_not_offered_is_not_in_the_metadata(shop):
    said = shop.browser().get("/.well-known/openid-configuration").json
    assert not said["request_parameter_supported"]
    assert not said["request_uri_parameter_supported"]
    assert "registration_endpoint" not in said
    assert not {name for name in said if name.startswith(("id_token_encryption", "userinfo_signing"))}
