"""The headers of a page, and the source expression of a redirect URI."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth_filter.authorization_server.pages import csp_source
from oauth_filter.authorization_server.pages import page_headers
from oauth_filter.authorization_server.pages import redirect_host


def policy(**options):
    value = dict(page_headers(**options))["Content-Security-Policy"]
    return dict(directive.split(" ", 1) for directive in value.split("; "))


@pytest.mark.promise(10)
@pytest.mark.rfc("9700", "4.16", "no page can be framed")
def test_a_page_allows_only_what_it_needs():
    assert policy() == {
        "default-src": "'none'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    headers = dict(page_headers())
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Type"] == "text/html; charset=utf-8"


def test_script_is_allowed_where_it_is_asked_for():
    assert policy(script=True)["script-src"] == "'self'"
    assert "script-src" not in policy()


def test_the_form_may_end_at_the_redirect_uri():
    targets = ["https://client.example/cb?x=1", "https://client.example/other", "nuxeo://token", "no uri"]
    assert policy(form_targets=targets)["form-action"] == "'self' https://client.example nuxeo:"


def test_no_limit_for_forms_when_none_is_set():
    assert "form-action" not in policy(form_targets=None)


def test_named_origins_may_frame_a_page():
    headers = page_headers(frame_ancestors=["https://intranet.example.com"])
    assert "frame-ancestors https://intranet.example.com" in dict(headers)["Content-Security-Policy"]
    assert "X-Frame-Options" not in dict(headers)


def test_an_unreadable_framer_does_not_open_the_frame():
    headers = dict(page_headers(frame_ancestors=["'self'; script-src *"]))
    assert headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")
    assert headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    ("uri", "source"),
    [
        ("https://client.example.com/cb", "https://client.example.com"),
        ("https://client.example.com", "https://client.example.com"),
        ("HTTPS://Client.Example.COM:8443/cb?a=b;c", "https://client.example.com:8443"),
        ("https://client.example:443/", "https://client.example:443"),
        ("https://user:pass@client.example/", "https://client.example"),
        ("http://localhost:3000/cb", "http://localhost:3000"),
        ("http://127.0.0.1:49152/cb", "http://127.0.0.1:49152"),
        ("http://127.0.0.1:0/cb", "http://127.0.0.1:0"),
        ("http://[::1]:8000/cb", "http:"),
        ("https://snake_case.example/cb", "https:"),
        ("https://bücher.example/cb", "https:"),
        ("https://*.example/cb", "https:"),
        ("https://client.example./cb", "https:"),
        ("https://client.example;script-src *//cb", "https:"),
        ("https://client.example, x/cb", "https:"),
        ("https://good.example\\@evil.example/", "https://good.example"),
        ("nuxeo://token", "nuxeo:"),
        ("com.example.app:/oauth2redirect", "com.example.app:"),
        ("com.example.app:/cb; script-src *", "com.example.app:"),
        ("Nuxeo+Drive-2.0:x", "nuxeo+drive-2.0:"),
        ("urn:ietf:wg:oauth:2.0:oob", "urn:"),
        ("javascript:alert(1)", None),
        ("JavaScript:alert(1)", None),
        ("data:text/html,x", None),
        ("nux eo://token", None),
        ("nuxeo;script-src *://token", None),
        ("'self':x", None),
        ("1app:/cb", None),
        ("nuxéo:/cb", None),
        ("https:///cb", None),
        ("https:cb", None),
        ("https://client.example:port/", None),
        ("https://client.example:99999/", None),
        ("https://[::1/cb", None),
        ("//client.example/cb", None),
        ("/cb", None),
        ("", None),
    ],
)
def test_source_of_a_redirect_uri(uri, source):
    assert csp_source(uri) == source


uris = st.one_of(
    st.text(),
    st.builds("{}{}".format, st.sampled_from(["http://", "https://", "https://a.b", "x:", "nuxeo://"]), st.text()),
)


@given(uri=uris)
def test_no_uri_can_say_more_than_a_source(uri):
    source = csp_source(uri)
    assert source is None or re.fullmatch(r"[a-z][a-z0-9+.-]*:(//[a-z0-9.-]+(:[0-9]+)?)?", source)
    for _, value in page_headers(form_targets=[uri], frame_ancestors=[uri]):
        assert value.isascii()
        assert value.isprintable()


@pytest.mark.parametrize(
    ("uri", "host"),
    [
        ("https://client.example.com/cb?x=1", "client.example.com"),
        ("https://client.example.com:8443/cb", "client.example.com:8443"),
        ("http://127.0.0.1:49152/cb", "127.0.0.1:49152"),
        ("http://[::1]:8000/cb", "[::1]:8000"),
        ("https://bank.example@evil.example/", "evil.example"),
        ("https://evil.example\\@bank.example/", "evil.example"),
        ("https://\N{CYRILLIC SMALL LETTER A}pple.com/", "xn--pple-43d.com"),
        ("https://faß.de/", "xn--fa-hia.de"),
        ("nuxeo://token", "nuxeo:"),
        ("com.example.app:/cb", "com.example.app:"),
        ("https:///cb", ""),
        ("https://[::1/cb", ""),
        ("/cb", ""),
        ("", ""),
    ],
)
def test_host_shown_for_a_redirect_uri(uri, host):
    assert redirect_host(uri) == host


@given(uri=uris)
def test_a_host_can_be_shown_for_any_uri(uri):
    assert redirect_host(uri).isascii()
