"""The token in the Authorization header -- RFC 6750 section 2.1."""

from io import BytesIO

import pytest

from oauth_filter import credentials


@pytest.mark.rfc("6750", "2.1")
@pytest.mark.parametrize("header", ["Bearer {}", "bearer {}", "BEARER {}", "Bearer  {}", " Bearer {} ", "Bearer\t{}"])
def test_the_scheme_is_case_insensitive_and_spaces_do_not_matter(site, header):
    token = site.issue()
    assert site.request(HTTP_AUTHORIZATION=header.format(token)).status == 200
    assert site.environ["REMOTE_USER"] == "alice"
    # The second time it is remembered.
    assert site.request(HTTP_AUTHORIZATION=header.format(token)).status == 200
    assert site.environ["REMOTE_USER"] == "alice"


@pytest.mark.rfc("6750", "3.1")
@pytest.mark.parametrize("path", ["/api", "/optional/x"])
@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer {0} {0}",
        "Bearer {0},{0}",
        "Bearer {0}, Basic YTpi",
        "Basic YTpi, Bearer {0}",
        "Basic YTpi,bearer {0}",
        "Bearer {0},",
        "Bearer {0}\r\n x",
        "Bearer {0}\0",
        "Bearer {0}\xe9",
        "Bearer \ud800{0}",
        "Bearer =",
        'Bearer "{0}"',
        "Bearer " + "a" * 16385,
        "Bearer " + "a" * 65536,
    ],
)
def test_a_header_that_is_not_one_token_is_a_bad_request(site, header, path):
    token = site.issue()
    answer = site.request(path, HTTP_AUTHORIZATION=header.format(token))
    assert answer.status == 400
    assert answer.json["error"] == "invalid_request"
    assert 'error="invalid_request"' in answer.challenge
    assert site.seen == []


@pytest.mark.parametrize("header", ["", "Basic YWxpY2U6cGFzc3dvcmQ=", 'Digest username="a, b", nonce="x"'])
def test_another_scheme_is_no_token(site, header):
    answer = site.request(HTTP_AUTHORIZATION=header)
    assert answer.status == 401
    assert answer.challenge == 'Bearer realm="api"'
    assert site.request("/optional/", HTTP_AUTHORIZATION=header).status == 200
    assert "oauth_filter.principal" not in site.environ


def test_another_scheme_goes_together_with_a_token_in_the_query(site):
    answer = site.request(query=f"access_token={site.issue()}", HTTP_AUTHORIZATION="Basic YWxpY2U6cGFzc3dvcmQ=")
    assert answer.status == 200
    assert site.environ["HTTP_AUTHORIZATION"] == "Basic YWxpY2U6cGFzc3dvcmQ="


@pytest.mark.rfc("6750", "3.1")
@pytest.mark.parametrize("path", ["/api", "/optional/x"])
@pytest.mark.parametrize(
    "token",
    [
        "zzz",
        "a" * 16384,
        credentials.generate("ofa"),
        credentials.generate("ofr"),
        credentials.generate("ofa")[:-1] + "_",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.",
    ],
)
def test_a_token_that_was_never_issued_is_invalid_also_where_none_is_needed(site, token, path):
    answer = site.request(path, token=token)
    assert answer.status == 401
    assert answer.json["error"] == "invalid_token"
    assert 'error="invalid_token"' in answer.challenge
    assert token not in str(answer.header_list) + answer.body.decode()
    assert site.seen == []


def test_a_token_in_the_body_is_not_looked_for(site):
    body = f"access_token={site.issue()}".encode()
    answer = site.request(
        method="POST",
        CONTENT_TYPE="application/x-www-form-urlencoded",
        CONTENT_LENGTH=str(len(body)),
        **{"wsgi.input": BytesIO(body)},
    )
    assert answer.status == 401


def test_the_header_stays_for_applications_that_call_others_with_it(site):
    token = site.issue()
    site.request(token=token)
    assert site.environ["HTTP_AUTHORIZATION"] == f"Bearer {token}"
