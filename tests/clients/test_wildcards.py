"""Redirect URIs, origins and post-logout URIs with a `*`: what may be registered, and what it matches."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies

from oauth_filter import ConfigError
from oauth_filter import ini
from oauth_filter.authorization_server.redirect_uris import is_origin
from oauth_filter.authorization_server.redirect_uris import is_post_logout_redirect_uri
from oauth_filter.authorization_server.redirect_uris import is_redirect_uri
from oauth_filter.records import Client
from oauth_filter.registration import client_faults
from oauth_filter.uri_pattern import pattern_fault
from oauth_filter.uri_pattern import pattern_matches
from oauth_filter.uri_pattern import sample
from tests.provider import CALLBACK

pytestmark = pytest.mark.promise(3)

VALID = [
    # Host
    "https://*.example.com",
    "https://blah*.example.com",
    "https://*blah.example.com/cb",
    "https://auth*-eu.example.com/cb",
    "https://*.login.example.com/",
    # Port
    "https://example.com:*",
    "https://example.com:*/cb",
    "https://*.example.com:*/cb",
    "http://localhost:*/cb",
    "http://127.0.0.1:*/cb",
    "http://[::1]:*/cb",
    # Path
    "https://example.com/path/*/resource",
    "https://example.com/p*/to/resource",
    "https://example.com/*/par*tial/*",
    "https://example.com/*",
    "com.example.app:/cb/*",
    "com.example.app://cb/*",
    # Query
    "https://example.com/?foo=*",
    "https://example.com/cb?foo=*&bar=*&baz=blah",
    "https://*.example.com:*/a/*?foo=*",
]

INVALID = [
    # Host
    "https://*.com",
    "https://*",
    "https://*example.com",
    "https://auth.*.com",
    "https://auth.*.example.com",
    "https://*.*.example.com",
    "https://*mid*.example.com",
    "https://**.example.com",
    "https://*.168.1.1",
    "https://*.0.0.0x1",
    "https://[*::1]",
    "https://*.example.com.",
    "https://*..example.com",
    "https://.*.example.com",
    # Port
    "https://example.com:4*",
    "https://example.com:*4",
    "https://example.com:**",
    "https://example.com:*:*",
    # Path
    "https://example.com/path/*mid*/resource",
    "https://example.com/**",
    "https://example.com/**/x",
    "https://example.com/a/../*",
    "https://example.com/a/%2E%2e/*",
    "https://example.com/a%2fb/*",
    # Query
    "https://example.com/?*=blah",
    "https://example.com/?foo=par*tial",
    "https://example.com/?foo=**",
    "https://example.com/?*",
    "https://example.com/?f*o=x",
    "https://example.com/?code=*",
    # Everywhere else
    "*://example.com/",
    "http*://example.com/",
    "*",
    "/*",
    "https://example.com/#*",
    "https://example.com/*#x",
    "https://user:*@example.com/",
    "https://*@example.com/",
    "https://user@*.example.com/",
    "http://*.example.com/",
    "javascript:*",
    "https://example.com/*\n",
    "https://example.com/\\*",
]


def registered(*patterns, **fields):
    return Client(key="c", redirect_uris=patterns, redirect_uri_matching="wildcard", **fields)


def faults(client):
    return [(problem.option, problem.message) for problem in client_faults(client)]


@pytest.mark.parametrize("pattern", VALID)
def test_patterns_that_may_be_registered(pattern):
    assert faults(registered(pattern, post_logout_redirect_uris=(pattern,))) == []
    assert is_redirect_uri(registered(pattern), sample(pattern))


@pytest.mark.parametrize("pattern", INVALID)
def test_patterns_that_may_not(pattern):
    said = faults(registered(pattern, post_logout_redirect_uris=(pattern,)))
    assert [option for option, _ in said] == ["redirect_uris", "post_logout_redirect_uris"]
    for _, sentence in said:
        assert " " in sentence
        assert len(pattern) < 3 or pattern not in sentence


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("https://*.com", "a host name with a * has three labels or more, such as *.example.com"),
        ("https://auth.*.com", "a * stands only in the left-most label of a host name"),
        ("https://*mid*.example.com", "there is at most one * in a host name"),
        ("https://*.168.1.1", "there is no * in an IP address"),
        ("https://example.com:4*", "a * stands for the whole port"),
        ("https://example.com/path/*mid*/resource", "there is at most one * in a segment of the path"),
        ("https://example.com/?*=blah", "a * stands for the whole value of a query parameter"),
        ("https://example.com/?foo=par*tial", "a * stands for the whole value of a query parameter"),
        (
            "http*://example.com/",
            "a * stands in a host name, as a port, in the path or as a query value, and nowhere else",
        ),
    ],
)
def test_the_sentence_says_what_is_wrong(pattern, sentence):
    assert pattern_fault(pattern) == sentence


@pytest.mark.parametrize("pattern", [*VALID, *INVALID])
def test_without_having_asked_for_wildcards_there_are_none(pattern):
    client = Client(key="c", redirect_uris=(pattern,), post_logout_redirect_uris=(pattern,), origins=(pattern,))
    assert {option for option, _ in faults(client)} == {"redirect_uris", "post_logout_redirect_uris", "origins"}
    for uri in (pattern, sample(pattern)):
        assert not is_redirect_uri(client, uri)
        assert not is_post_logout_redirect_uri(client, uri)
        assert not is_origin(client, uri)


MATCHES = [
    ("https://*.example.com", "https://a.example.com"),
    ("https://*.example.com", "https://A-1_b.example.com"),
    ("https://auth*.example.com", "https://auth1.example.com"),
    ("https://*-eu.example.com/cb", "https://a-b-eu.example.com/cb"),
    ("https://example.com:*", "https://example.com:1"),
    ("https://example.com:*/cb", "https://example.com:65535/cb"),
    ("https://example.com/path/*/resource", "https://example.com/path/to/resource"),
    ("https://example.com/p*/to/resource", "https://example.com/path/to/resource"),
    ("https://example.com/par*tial", "https://example.com/par-x-tial"),
    ("https://example.com/par*tial", "https://example.com/partialtial"),
    ("https://example.com/*/par*tial/*", "https://example.com/a/parXtial/b"),
    ("https://example.com/*", "https://example.com/a.b:c;d=e*%20f&g"),
    ("https://example.com/*", "https://example.com/..."),
    ("https://example.com/?foo=*", "https://example.com/?foo=bar"),
    ("https://example.com/?foo=*", "https://example.com/?foo=a=b/c?d:e.f%26g"),
    ("https://example.com/?foo=*&bar=*&baz=blah", "https://example.com/?foo=1&bar=2&baz=blah"),
    ("com.example.app:/cb/*", "com.example.app:/cb/1"),
]

DIFFERS = [
    # What FusionAuth's page says does not match
    ("https://example.com/path/*/resource", "https://example.com/path/to/the/resource"),
    ("https://example.com/path/*", "https://example.com/path/resource?foo=bar"),
    ("https://example.com/path/*", "https://example.com/path/"),
    ("https://example.com/*", "https://example.com/"),
    ("https://example.com/par*tial", "https://example.com/partial"),
    ("https://auth*.example.com", "https://auth.example.com"),
    ("https://*.example.com", "https://auth.customer.example.com"),
    ("https://example.com/?foo=*", "https://example.com/?foo=bar&baz=blah"),
    ("https://example.com/?foo=*", "https://example.com/?baz=blah&foo=bar"),
    # At least one character
    ("https://*.example.com", "https://.example.com"),
    ("https://*.example.com", "https://example.com"),
    ("https://example.com:*", "https://example.com"),
    ("https://example.com:*", "https://example.com:"),
    ("https://example.com/?foo=*", "https://example.com/?foo="),
    ("https://example.com/?foo=*", "https://example.com/?foo"),
    ("https://example.com/?foo=*", "https://example.com/"),
    ("https://example.com/*/b", "https://example.com//b"),
    # Not these characters
    ("https://*.example.com", "https://a:b.example.com"),
    ("https://*.example.com", "https://a/.example.com"),
    ("https://*.example.com", "https://a?.example.com"),
    ("https://*.example.com", "https://a#.example.com"),
    ("https://*.example.com", "https://evil.test@.example.com"),
    ("https://*.example.com", "https://user@a.example.com"),
    ("https://*.example.com", "https://evil.test\\.example.com"),
    ("https://*.example.com", "https://evil%2etest.example.com"),
    ("https://*.example.com", "https://evil.test%23.example.com"),
    ("https://*.example.com", "https://*.example.com"),
    ("https://*.example.com", "https://\u00e9.example.com"),
    ("https://*.example.com", "https://a\t.example.com"),
    ("https://*.example.com", "https://a.example.com\n"),
    ("https://*.example.com", "https://a.example.com#"),
    ("https://*.example.com", "https://a.example.com."),
    ("https://*.example.com", "https://a.example.com:443"),
    ("https://*.example.com", "https://a.example.com/"),
    ("https://*.example.com", "https://a.example.comx"),
    ("https://*.example.com", "https://a.evil-example.com"),
    ("https://*.example.com", "http://a.example.com"),
    ("https://*.example.com", "//a.example.com"),
    ("https://*.example.com", " https://a.example.com"),
    ("https://example.com:*", "https://example.com:1x"),
    ("https://example.com:*", "https://example.com:*"),
    ("https://example.com:*", "https://example.com:123456"),
    ("https://example.com:*", "https://example.com:1@evil.test"),
    ("https://example.com:*", "https://example.com:\u0661"),
    ("https://example.com/path/*", "https://example.com/path/a/b"),
    ("https://example.com/path/*", "https://example.com/path/a#b"),
    ("https://example.com/path/*", "https://example.com/path/a\\b"),
    ("https://example.com/path/*", "https://example.com/path/a%2fb"),
    ("https://example.com/path/*", "https://example.com/path/a%5Cb"),
    ("https://example.com/path/*", "https://example.com/path/.."),
    ("https://example.com/path/*", "https://example.com/path/."),
    ("https://example.com/path/*", "https://example.com/path/%2e%2E"),
    ("https://example.com/path/*", "https://example.com/path/.%2e"),
    ("https://example.com/path/*/cb", "https://example.com/path/../cb"),
    ("https://example.com/path/*/cb", "https://example.com/path/..;x/cb"),
    ("https://example.com/.*/cb", "https://example.com/../cb"),
    ("https://example.com/?foo=*", "https://example.com/?foo=bar;code=evil"),
    ("https://example.com/?foo=*", "https://example.com/?foo=bar#x"),
    # Everything else as it stands
    ("https://example.com/a/*", "https://example.com/A/x"),
    ("https://example.com/a/*", "https://Example.com/a/x"),
    ("https://example.com/a/*", "HTTPS://example.com/a/x"),
    ("https://example.com/a/*", "https://example.com:443/a/x"),
    ("https://example.com/a/*", "https://example.com/%61/x"),
    ("https://example.com/a/*", "https:example.com/a/x"),
    ("https://example.com/a/*", "https:///example.com/a/x"),
    ("https://example.com/a/*", "https://example.com/a/x?"),
    ("https://example.com/?foo=*&bar=*&baz=blah", "https://example.com/?foo=1&bar=2&baz=blub"),
    ("https://example.com/?foo=*&bar=*&baz=blah", "https://example.com/?bar=1&foo=2&baz=blah"),
]


@pytest.mark.parametrize(("pattern", "uri"), MATCHES)
def test_what_a_pattern_matches(pattern, uri):
    assert is_redirect_uri(registered(pattern), uri)


@pytest.mark.parametrize(("pattern", "uri"), DIFFERS)
def test_what_a_pattern_does_not_match(pattern, uri):
    assert not is_redirect_uri(registered(pattern), uri)


@pytest.mark.parametrize("pattern", INVALID)
def test_a_pattern_at_fault_matches_nothing(pattern):
    """It may have come by another door than registration."""
    client = registered(pattern)
    for uri in (pattern, pattern.replace("*", "x"), pattern.replace("*", "1")):
        assert not is_redirect_uri(client, uri) or pattern_fault(pattern) is None


@pytest.mark.rfc("8252", "7.3")
def test_a_loopback_address_may_still_have_any_port():
    client = registered("http://127.0.0.1/cb", "https://*.example.com/cb")
    assert is_redirect_uri(client, "http://127.0.0.1:51004/cb")
    assert not is_redirect_uri(client, "http://127.0.0.2:51004/cb")


def test_what_has_no_wildcard_is_compared_as_it_stands():
    client = registered("https://example.com/a?b=c")
    assert is_redirect_uri(client, "https://example.com/a?b=c")
    assert not is_redirect_uri(client, "https://example.com/a?b=x")


URIS = strategies.text(alphabet="ab*./:?&=#@%2fF\\-1[] \t", max_size=40)


@given(strategies.sampled_from([p for p in VALID if p.startswith("https://*.example.com")]), URIS)
def test_a_host_is_never_left(pattern, text):
    """Whatever follows the scheme, and whoever reads it: the host ends as it was registered, or it does not match."""
    for uri in (f"https://{text}", f"https://{text}.example.com", f"https://{text}.example.com/{text}"):
        if pattern_matches(pattern, uri):
            host = uri.removeprefix("https://").partition("/")[0].partition(":")[0]
            assert host.count(".") == 2
            assert host.endswith(".example.com")
            assert set(host.split(".")[0]) <= set("abfF12-")


@given(URIS, URIS)
def test_any_two_texts_can_be_compared(pattern, uri):
    assert pattern_matches(pattern, uri) in (True, False)
    assert pattern_matches(f"https://a.example.com/{pattern}", f"https://a.example.com/{uri}") in (True, False)


def test_long_texts_take_no_long_time():
    """A quadratic comparison of these would take minutes; the limit is a hundred times what it takes."""
    pattern = "https://example.com/" + "/".join(["a*a"] * 2000) + "?" + "&".join(["x=*"] * 2000)
    uri = "https://example.com/" + "/".join(["a" * 100] * 2000) + "?" + "&".join(["x=" + "a" * 100] * 1999) + "&y=a"
    began = time.process_time()
    assert not pattern_matches(pattern, uri)
    assert time.process_time() - began < 20


class TestOrigins:
    @pytest.mark.parametrize(
        "origin",
        [
            "https://a.example",
            "https://a.example:8443",
            "http://localhost:3000",
            "http://[::1]:3000",
            "https://*.example.com",
            "https://app*.example.com",
            "https://app.example.com:*",
        ],
    )
    def test_origins_that_may_be_registered(self, origin):
        assert faults(registered("https://a.example/", origins=(origin,))) == []

    @pytest.mark.parametrize(
        "origin",
        [
            "https://a.example/",
            "https://a.example/path",
            "https://a.example?x",
            "https://A.example",
            "https://a.example:443",
            "http://a.example",
            "https://user@a.example",
            "com.example.app:",
            "null",
            "*",
            "https://*",
            "https://*.com",
            "https://*.example.com/*",
            "https://*.example.com?x=*",
            "https://a.example:1*",
            "https://a.example, https://b.example",
            "",
        ],
    )
    def test_origins_that_may_not(self, origin):
        assert [option for option, _ in faults(registered("https://a.example/", origins=(origin,)))] == ["origins"]

    def test_what_they_match(self):
        client = registered(origins=("https://a.example", "https://*.example.com", "https://b.example:*"))
        for origin in ("https://a.example", "https://x.example.com", "https://b.example:1"):
            assert is_origin(client, origin)
        for origin in ("https://a.example:8443", "https://x.y.example.com", "https://b.example", "null", ""):
            assert not is_origin(client, origin)


class TestOverHTTP:
    def test_an_authorization_request(self, provider):
        provider.add_client("w", redirect_uris=("https://*.example.com/cb",), redirect_uri_matching="wildcard")
        page = provider.authorize(client_id="w", redirect_uri="https://tenant1.example.com/cb")
        assert page.status_code == 200
        assert "tenant1.example.com" not in page.text
        browser = provider.browser()
        page = provider.sign_in(browser, provider.authorize(browser, "w", redirect_uri="https://t1.example.com/cb"))
        answer = provider.decide(browser, page)
        assert answer.location.startswith("https://t1.example.com/cb?code=")

    @pytest.mark.parametrize("uri", ["https://t1.t2.example.com/cb", "https://*.example.com/cb", None])
    def test_one_that_does_not_match(self, provider, uri):
        provider.add_client("w", redirect_uris=("https://*.example.com/cb",), redirect_uri_matching="wildcard")
        answer = provider.authorize(client_id="w", redirect_uri=uri)
        assert answer.status_code == 400
        assert "Location" not in answer.headers

    def test_a_client_that_has_not_asked_for_it(self, provider):
        provider.add_client("x", redirect_uris=("https://*.example.com/cb",))
        for uri in ("https://t1.example.com/cb", "https://*.example.com/cb"):
            assert provider.authorize(client_id="x", redirect_uri=uri).status_code == 400

    def test_the_code_goes_with_the_very_uri_it_was_sent_to(self, provider):
        provider.add_client("w", redirect_uris=(CALLBACK + "/*",), redirect_uri_matching="wildcard")
        code = provider.code("w", redirect_uri=CALLBACK + "/1")
        answer = provider.redeem(code, "w", redirect_uri=CALLBACK + "/2")
        assert answer.json["error_reason"] == "invalid_redirect_uri"


class TestSigningOut:
    @pytest.mark.parametrize(
        ("uri", "reason"),
        [
            ("https://t1.example.com/bye", None),
            ("https://t1.t2.example.com/bye", "invalid_post_logout_redirect_uri"),
            ("https://*.example.com/bye", "invalid_post_logout_redirect_uri"),
            ("https://evil.test@a.example.com/bye", "invalid_post_logout_redirect_uri"),
        ],
    )
    def test_where_to_go_afterwards(self, provider, uri, reason):
        provider.add_client(
            "w", post_logout_redirect_uris=("https://*.example.com/bye",), redirect_uri_matching="wildcard"
        )
        query = {"client_id": "w", "post_logout_redirect_uri": uri, "state": "s"}
        answer = provider.browser().get("/oauth2/logout", query_string=query)
        if reason is None:
            assert answer.location == f"{uri}?state=s"
        else:
            assert answer.status_code == 400
            assert provider.events[-1].reason == reason


def test_an_ini_that_says_it():
    text = "[oauth_filter]\nsecret = {}\n[client:w]\nredirect_uris = https://*.example.com/cb\n".format("s" * 32)
    with pytest.raises(ConfigError, match=r"oauth.ini:4: redirect_uris: a \* needs redirect_uri_matching = wildcard"):
        ini.parse(text, file="oauth.ini", here=".")
    (client,) = ini.parse(text + "redirect_uri_matching = wildcard", file="oauth.ini", here=".").clients
    assert is_redirect_uri(client, "https://a.example.com/cb")
