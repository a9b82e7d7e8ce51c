"""Which redirect URIs are legal, and how a response is put on one -- RFC 6749 section 3.1.2."""

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from oauth_filter.messages import AuthorizationRequest
from oauth_filter.messages import AuthorizationSuccessResponse
from oauth_filter.messages import redirect_uri_fault
from oauth_filter.messages.redirect_uri import with_query

LEGAL = [
    "https://client.example/cb",
    "https://client.example",
    "https://client.example/cb?",
    "https://client.example/cb?app=1&flag&u=%7Ex&error=1&iss=2",
    "http://127.0.0.1:8080/cb",
    "http://[::1]:8080/cb",
    "https://client.example/cb;a=(b)!$'*,@:",
    "app://oauth-callback",
    "com.example.app:/cb",
    "urn:ietf:wg:oauth:2.0:oob",
    "https://client.example/javascript:",
]
ILLEGAL = {
    "characters": [
        "/\t/evil.example",
        "https://client.example/\t",
        "https://client.example/a b",
        "https://client.example\\@evil.example/",
        'https://client.example/"',
        "https://client.example/<",
        "https://client.example/é",
        "https://client.example/%",
        "https://client.example/%2",
        "https://client.example/%zz",
        "https://client.example/\n",
        "https://client.example/\0",
        "\ud800",
        " https://client.example/",
        "java\nscript:alert(1)",
    ],
    "absolute": ["", "/cb", "//evil.example/cb", "cb", "?a", "1a:b", ":a", "%68ttps://client.example"],
    "forbidden scheme": ["javascript:alert(1)", "JavaScript:a", "data:text/html,a", "DATA://a", "vbscript:a"],
    "fragment": ["https://client.example/cb#", "https://client.example/cb#a", "app:#"],
    "malformed$": ["https://[::1/cb", "https://client.example:port/", "https://client.example:99999/"],
    "host": ["https:///cb", "http:cb", "https:/cb", "https://:443/", "https://user@/"],
    "response parameters": [
        "https://client.example/cb?code=1",
        "https://client.example/cb?a&%63ode",
        "https://client.example/cb?state",
        "https://client.example/cb?st%61te=1",
        "https://client.example/cb?response=1",
    ],
    "malformed query": ["https://client.example/cb?a=%ff", "https://client.example/cb?a=%00"],
}
CASES = [(kind, uri) for kind, uris in ILLEGAL.items() for uri in uris]


@pytest.mark.parametrize("uri", LEGAL)
def test_legal(uri):
    assert redirect_uri_fault(uri) is None


@pytest.mark.rfc("6749", "3.1.2")
@pytest.mark.parametrize(("kind", "uri"), CASES)
def test_illegal(kind, uri):
    fault = redirect_uri_fault(uri)
    assert fault is not None
    assert kind.rstrip("$") in fault
    with pytest.raises(ValueError, match=kind):
        AuthorizationRequest(client_id="1", redirect_uri=uri)


@settings(deadline=None)
@given(st.text() | st.text("htps:/?#[]@%a0.\t").map("https:".__add__))
def test_the_answer_is_a_constant_for_any_text(uri):
    fault = redirect_uri_fault(uri)
    assert fault is None or fault.startswith("redirect_uri ")


@pytest.mark.parametrize(
    ("redirect_uri", "mode", "expected"),
    [
        ("https://c.example", "query", "https://c.example?code=x"),
        ("https://c.example/?", "query", "https://c.example/?code=x"),
        ("https://c.example/?a=b%20c&flag&u=%7ex", "query", "https://c.example/?a=b%20c&flag&u=%7ex&code=x"),
        ("https://c.example/?a&", "query", "https://c.example/?a&code=x"),
        ("https://c.example/?a", "fragment", "https://c.example/?a#code=x"),
        ("app:/cb", "fragment", "app:/cb#code=x"),
    ],
)
def test_what_the_client_registered_stays_byte_for_byte(redirect_uri, mode, expected):
    response = AuthorizationSuccessResponse(redirect_uri=redirect_uri, code="x", response_mode=mode)
    assert response.to_uri() == expected


@pytest.mark.parametrize("mode", ["query", "fragment"])
def test_nothing_is_put_behind_a_fragment(mode):
    response = AuthorizationSuccessResponse(redirect_uri="https://c.example/#a", code="x", response_mode=mode)
    with pytest.raises(ValueError, match="fragment"):
        response.to_uri()


def test_nothing_to_add_changes_nothing():
    assert with_query("https://c.example/?", []) == "https://c.example/?"
