"""Bearer tokens on the wire -- RFC 6750."""

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from oauth_filter.errors import OAuthError
from oauth_filter.messages import BearerChallenge
from oauth_filter.messages import ProtocolError
from oauth_filter.messages import bearer_token_from_header
from oauth_filter.scope import Scope


@pytest.mark.rfc("6750", "2.1")
@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bEARER  abc== ", "abc=="),
        (" Bearer A-._~+/9", "A-._~+/9"),
        (None, None),
        ("", None),
        (" ", None),
        ("Basic abc", None),
        ("Digest a=b, c=d", None),
        ("Bearer, a", None),
    ],
)
def test_token(header, token):
    assert bearer_token_from_header(header) == token


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "abc",
        "Bearer a b",
        "Bearer a,b",
        "Bearer =a",
        "Bearer a=b",
        "Bearer é",
        "Bearer a\n",
        "Bearer\ta",
        "Bearer a\0",
    ],
)
def test_malformed_headers(header):
    with pytest.raises(ProtocolError) as caught:
        bearer_token_from_header(header)
    assert (caught.value.code, caught.value.status) == ("invalid_request", 400)


@settings(deadline=None)
@given(st.text() | st.text().map("Bearer ".__add__))
def test_any_header_is_read_or_refused(header):
    try:
        token = bearer_token_from_header(header)
    except ProtocolError:
        return
    assert token is None or (token in header and token.isascii() and " " not in token)


@pytest.mark.rfc("6750", "3")
def test_challenges():
    assert BearerChallenge().to_header() == "Bearer"
    assert BearerChallenge(realm='a "b" \\').to_header() == 'Bearer realm="a \\"b\\" \\\\"'
    challenge = BearerChallenge(
        realm="api",
        scope=Scope("read", "write"),
        error="insufficient_scope",
        error_description="More scope is needed",
        error_uri="https://docs.example/scope",
        resource_metadata="https://api.example/.well-known/oauth-protected-resource",
    )
    assert challenge.to_header() == (
        'Bearer realm="api", error="insufficient_scope", error_description="More scope is needed", '
        'error_uri="https://docs.example/scope", scope="read write", '
        'resource_metadata="https://api.example/.well-known/oauth-protected-resource"'
    )


def test_an_error_as_challenge():
    error = OAuthError("invalid_token", 'The "token" \\ has expired')
    made = BearerChallenge.from_error(error, realm="api").to_header()
    assert made == 'Bearer realm="api", error="invalid_token", error_description="The \'token\'  has expired"'


@pytest.mark.parametrize(
    "parts",
    [
        {"realm": "a\r\nSet-Cookie: b"},
        {"realm": "é"},
        {"error": ""},
        {"error": 'a"'},
        {"error": "a\n"},
        {"error": "a", "error_description": "\n"},
        {"error": "a", "error_uri": 'a"b'},
        {"resource_metadata": "a b"},
        {"error_description": "without an error"},
    ],
)
def test_what_a_header_cannot_carry(parts):
    with pytest.raises(ValueError, match=r"."):
        BearerChallenge(**parts)
