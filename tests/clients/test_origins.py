"""Client.origins: whose pages may use a client and frame ours, and what scripts of other sites may call."""

import pytest

from tests.provider import CALLBACK
from tests.provider import ISSUER
from tests.provider import VERIFIER
from tests.provider import returned

SPA = "https://spa.example"


@pytest.fixture
def spa(provider):
    provider.add_client("spa", redirect_uris=(CALLBACK,), origins=(SPA, "https://spa.example:8443"))
    return provider


def authorize(provider, **headers):
    headers = {name.title(): value for name, value in headers.items()}
    return provider.browser().get("/oauth2/authorize", query_string=provider.request("spa"), headers=headers)


def token(provider, **headers):
    form = {"client_id": "spa", "grant_type": "refresh_token", "refresh_token": "x"}
    headers = {name.title(): value for name, value in headers.items()}
    return provider.browser().post("/oauth2/token", data=form, headers=headers)


ALLOWED = [
    {},
    {"origin": SPA},
    {"origin": "https://spa.example:8443"},
    {"referer": f"{SPA}/"},
    {"referer": f"{SPA}/app?x#y"},
    {"referer": SPA},
    {"origin": SPA, "referer": "https://evil.example/"},
    # The pages of the provider and of the application around it.
    {"origin": ISSUER},
    {"referer": f"{ISSUER}/login?next=/oauth2/authorize"},
]

REFUSED = [
    ({"origin": "https://evil.example"}, "invalid_origin"),
    ({"origin": "https://evil.example", "referer": f"{SPA}/"}, "invalid_origin"),
    ({"origin": "https://spa.example:444"}, "invalid_origin"),
    ({"origin": "http://spa.example"}, "invalid_origin"),
    ({"origin": "https://spa.example.evil.example"}, "invalid_origin"),
    ({"origin": "https://spa.example/"}, "invalid_origin"),
    ({"origin": ""}, "invalid_origin"),
    ({"origin": "null"}, "invalid_origin_opaque"),
    ({"origin": "null", "referer": f"{SPA}/"}, "invalid_origin_opaque"),
    ({"referer": "https://evil.example/"}, "invalid_origin"),
    ({"referer": "https://spa.example@evil.example/"}, "invalid_origin"),
    ({"referer": "https://spa.example\\@evil.example/"}, "invalid_origin"),
    ({"referer": "https://spa.example.evil.example/"}, "invalid_origin"),
    ({"referer": "android-app://com.example/"}, "invalid_origin"),
    ({"referer": "nonsense"}, "invalid_origin"),
    ({"referer": ""}, "invalid_origin"),
]


@pytest.mark.parametrize("headers", ALLOWED)
def test_who_may(spa, headers):
    assert authorize(spa, **headers).status_code == 200
    assert token(spa, **headers).json["error_reason"] == "refresh_token_not_found"


@pytest.mark.parametrize(("headers", "reason"), REFUSED)
def test_who_may_not(spa, headers, reason):
    answer = token(spa, **headers)
    assert answer.status_code == 400
    assert (answer.json["error"], answer.json["error_reason"]) == ("invalid_request", reason)
    # The redirect URI is good by then, so it is the client that is told.
    told = returned(authorize(spa, **headers))
    assert (told["error"], told["error_reason"], told["state"]) == ("invalid_request", reason, "xyz")
    assert spa.events[-1].reason == reason


@pytest.mark.parametrize("headers", [headers for headers, _ in REFUSED])
def test_without_origins_every_page_may(provider, headers):
    provider.add_client("spa")
    assert authorize(provider, **headers).status_code == 200
    assert token(provider, **headers).json["error_reason"] == "refresh_token_not_found"


def test_a_bad_redirect_uri_is_still_a_page(spa):
    query = spa.request("spa", redirect_uri="https://evil.example/cb")
    answer = spa.browser().get("/oauth2/authorize", query_string=query, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 400
    assert "Location" not in answer.headers


def test_a_whole_flow_from_an_allowed_page(spa):
    """Signing in and consenting are POSTs of our own pages, which hide where they come from (Origin: null)."""
    browser = spa.browser()
    page = browser.get("/oauth2/authorize", query_string=spa.request("spa"), headers={"Referer": f"{SPA}/"})
    page = spa.sign_in(browser, page)
    code = returned(spa.decide(browser, page))["code"]
    form = {
        "client_id": "spa",
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    answer = spa.browser().post("/oauth2/token", data=form, headers={"Origin": SPA})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


class TestFrames:
    def policy(self, answer):
        return answer.headers["Content-Security-Policy"].rpartition("frame-ancestors ")[2]

    def test_nobody_by_default(self, provider):
        answer = provider.authorize()
        assert self.policy(answer) == "'none'"
        assert answer.headers["X-Frame-Options"] == "DENY"

    def test_those_of_the_client_may(self, spa):
        browser = spa.browser()
        login = spa.authorize(browser, "spa")
        consent = spa.sign_in(browser, login)
        for page in (login, consent):
            assert self.policy(page) == "https://spa.example https://spa.example:8443"
            assert "X-Frame-Options" not in page.headers

    @pytest.mark.parametrize(
        ("origin", "policy"),
        [
            ("https://*.example.com", "https://*.example.com"),
            ("https://spa.example:*", "https://spa.example:*"),
            # No source expression says it, and a wider one would let others in.
            ("https://app*.example.com", "'none'"),
            ("http://[::1]:3000", "'none'"),
        ],
    )
    def test_wildcards(self, provider, origin, policy):
        provider.add_client("spa", origins=(origin,), redirect_uri_matching="wildcard")
        answer = provider.authorize(client_id="spa")
        assert self.policy(answer) == policy
        assert ("X-Frame-Options" in answer.headers) == (policy == "'none'")

    def test_not_the_error_page(self, spa):
        answer = spa.authorize(client_id="spa", redirect_uri="https://evil.example/")
        assert self.policy(answer) == "'none'"


class TestOtherSites:
    """The Fetch standard's CORS protocol."""

    @pytest.mark.parametrize(
        ("path", "methods"),
        [
            ("/oauth2/token", "POST"),
            ("/oauth2/revoke", "POST"),
            ("/oauth2/userinfo", "GET, POST"),
            ("/oauth2/jwks", "GET"),
            ("/.well-known/openid-configuration", "GET"),
            ("/.well-known/oauth-authorization-server", "GET"),
        ],
    )
    def test_a_preflight(self, provider, path, methods):
        headers = {
            "Origin": SPA,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        }
        answer = provider.browser().options(path, headers=headers)
        assert answer.status_code == 204
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Access-Control-Allow-Methods"] == methods
        assert answer.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type"
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert answer.data == b""

    @pytest.mark.parametrize("path", ["/oauth2/authorize", "/oauth2/login", "/oauth2/consent", "/oauth2/logout"])
    def test_pages_are_for_people(self, provider, path):
        headers = {"Origin": SPA, "Access-Control-Request-Method": "GET"}
        for answer in (
            provider.browser().options(path, headers=headers),
            provider.browser().get(path, headers={"Origin": SPA}),
        ):
            assert "Access-Control-Allow-Origin" not in answer.headers
            assert "Access-Control-Allow-Methods" not in answer.headers

    def test_errors_can_be_read_too(self, provider):
        answer = provider.browser().post("/oauth2/token", data={"grant_type": "x"}, headers={"Origin": SPA})
        assert answer.status_code == 401
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "WWW-Authenticate" in answer.headers["Access-Control-Expose-Headers"]
