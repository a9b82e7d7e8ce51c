"""What a refused request is answered -- RFC 6750 section 3."""

import pytest


@pytest.mark.rfc("6750", "3.1", "no error code when the request lacks any authentication information")
def test_without_a_token_the_challenge_is_bare(site):
    answer = site.request()
    assert answer.status == 401
    assert answer.challenge == 'Bearer realm="api"'
    assert answer.json["error"] == "unauthorized"


@pytest.mark.rfc("6750", "3")
def test_the_challenge_names_every_scope_needed(site):
    needed = 'scope="reports:list reports:read"'
    assert site.request("/reports/1").challenge == f'Bearer realm="api", {needed}'
    for scope in ("reports:read", "reports:list other", ""):
        answer = site.request("/reports/1", token=site.issue(scope))
        assert answer.status == 403
        assert answer.json["error"] == "insufficient_scope"
        assert 'error="insufficient_scope"' in answer.challenge
        assert needed in answer.challenge
        assert site.seen == []
    assert site.request("/reports/1", token=site.issue("reports:read x reports:list")).status == 200


def test_a_token_seen_before_is_still_held_to_the_scopes(site):
    token = site.issue("read")
    assert site.request(token=token).status == 200
    assert site.request("/reports/", token=token).status == 403
    assert site.request(token=token).status == 200


@pytest.mark.parametrize("path", ["/api", "/reports/"])
@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x"])
def test_refusals_are_small_json_that_no_cache_keeps(site, path, header):
    answer = site.request(path, HTTP_AUTHORIZATION=header)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["cache-control"] == "no-store"
    assert set(answer.json) == {"error", "error_description"}
    assert len(answer.body) < 200


@pytest.mark.parametrize("method", ["HEAD", "head"])
def test_head_gets_the_headers_alone(site, method):
    head, get = site.request(method=method), site.request()
    assert head.body == b""
    assert head.header_list == get.header_list
    assert site.request("/a//b", method=method).body == b""


def test_headers_of_one_refusal_cannot_change_those_of_the_next(site):
    site.request().header_list.clear()
    assert site.request().challenge == 'Bearer realm="api"'


def test_a_realm_of_several_words(site_of):
    """What a header cannot hold is refused with the settings."""
    assert site_of(realm="my API, v2").request().challenge == 'Bearer realm="my API, v2"'
