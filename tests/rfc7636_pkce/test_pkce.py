"""Proof key for code exchange at both endpoints -- RFC 7636, RFC 9700 section 2.1.1."""

import pytest

from tests.provider import VERIFIER
from tests.provider import returned

WITHOUT = {"code_challenge": None, "code_challenge_method": None}


@pytest.mark.rfc("7636", "4.4.1")
def test_a_public_client_must(provider):
    answer = returned(provider.authorize(client_id="native", **WITHOUT))
    assert (answer["error"], answer["error_reason"]) == ("invalid_request", "missing_code_challenge")


def test_a_public_client_can_be_let_off(provider):
    provider.add_client("old", pkce="optional")
    assert provider.redeem(provider.code("old", **WITHOUT), "old", code_verifier=None).status_code == 200


def test_a_confidential_client_need_not_when_it_authenticates(provider):
    assert provider.redeem(provider.code(**WITHOUT), code_verifier=None).status_code == 200


def test_a_confidential_client_that_does_not_authenticate_must(provider):
    provider.add_client("spa", secret=provider.secret, client_authentication="not_required")
    answer = provider.redeem(provider.code("spa", **WITHOUT), "spa", code_verifier=None)
    assert (answer.json["error"], answer.json["error_reason"]) == ("invalid_grant", "missing_code_challenge")


def test_required_means_everybody(provider):
    provider.add_client("app", secret=provider.secret, pkce="required")
    assert returned(provider.authorize(**WITHOUT))["error_reason"] == "missing_code_challenge"


@pytest.mark.rfc("9700", "2.1.1", "a verifier without a challenge is a downgrade")
def test_a_verifier_without_a_challenge_is_refused(provider):
    answer = provider.redeem(provider.code(**WITHOUT))
    assert (answer.json["error"], answer.json["error_reason"]) == ("invalid_grant", "missing_code_challenge")


@pytest.mark.rfc("7636", "4.3", "defaults to plain")
@pytest.mark.parametrize("method", ["plain", None])
def test_plain_works_where_it_is_allowed(make_provider, method):
    provider = make_provider(allow_plain_pkce=True)
    code = provider.code(code_challenge=VERIFIER, code_challenge_method=method)
    assert provider.redeem(code).status_code == 200
    code = provider.code(code_challenge=VERIFIER, code_challenge_method=method)
    assert provider.redeem(code, code_verifier="y" * 43).json["error"] == "invalid_grant"


def test_a_method_without_a_challenge_is_refused(provider):
    assert returned(provider.authorize(code_challenge=None))["error_reason"] == "missing_code_challenge"
