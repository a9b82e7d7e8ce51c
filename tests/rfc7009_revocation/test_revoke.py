"""Token revocation -- RFC 7009."""

import pytest


@pytest.mark.promise(4)
@pytest.mark.rfc("7009", "2")
def test_an_access_token_ends_alone(provider):
    tokens = provider.tokens()
    assert provider.call(tokens["access_token"]).status_code == 200
    answer = provider.revoke(tokens["access_token"])
    assert answer.status_code == 200
    assert provider.call(tokens["access_token"]).status_code == 401
    assert provider.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.promise(2)
@pytest.mark.rfc("7009", "2.1", "SHOULD also invalidate all access tokens based on the same authorization grant")
def test_a_refresh_token_ends_its_family(provider):
    first = provider.tokens()
    second = provider.refresh(first["refresh_token"]).json
    assert provider.revoke(second["refresh_token"]).status_code == 200
    for tokens in (first, second):
        assert provider.call(tokens["access_token"]).status_code == 401
        assert provider.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"


def test_a_spent_refresh_token_ends_its_family_as_well(provider):
    first = provider.tokens()
    second = provider.refresh(first["refresh_token"]).json
    assert provider.revoke(first["refresh_token"]).status_code == 200
    assert provider.refresh(second["refresh_token"]).json["error"] == "invalid_grant"


@pytest.mark.rfc("7009", "2.2")
@pytest.mark.parametrize("token", ["nonsense", "ofa_" + "0" * 49, "é"])
def test_a_token_that_is_none_has_ended_already(provider, token):
    answer = provider.revoke(token)
    assert (answer.status_code, answer.json) == (200, {})


def test_the_hint_is_not_needed_and_may_be_wrong(provider):
    tokens = provider.tokens()
    assert provider.revoke(tokens["access_token"], token_type_hint="refresh_token").status_code == 200
    assert provider.call(tokens["access_token"]).status_code == 401


@pytest.mark.rfc("7009", "2.1", "the token was issued to the client making the request")
def test_another_client_cannot_end_it(provider):
    tokens = provider.tokens()
    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert provider.revoke(token, "native").status_code == 200
    assert provider.call(tokens["access_token"]).status_code == 200
    assert provider.refresh(tokens["refresh_token"]).status_code == 200


def test_a_public_client_ends_its_own(provider):
    tokens = provider.tokens("native")
    assert provider.revoke(tokens["access_token"], "native").status_code == 200
    assert provider.call(tokens["access_token"]).status_code == 401


def test_what_is_refused(provider):
    post = provider.browser().post
    assert post("/oauth2/revoke", data={"token": "x"}).status_code == 401
    assert post("/oauth2/revoke", data={"token": "x", "client_id": "app"}).status_code == 401
    answer = post("/oauth2/revoke", data={}, headers=provider.basic())
    assert (answer.status_code, answer.json["error_reason"]) == (400, "missing_token")
    answer = provider.browser().get("/oauth2/revoke?token=x")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
