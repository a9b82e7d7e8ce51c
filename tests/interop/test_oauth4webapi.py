"""oauth4webapi, a certified and strict library for Node, against a live server: as relying party and as an API."""

import pytest

pytestmark = [pytest.mark.interop, pytest.mark.node]

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")


@pytest.fixture
def run(node):
    """Run a scenario."""
    return lambda scenario, config: node("oauth4webapi.mjs", scenario, config)


@pytest.mark.rfc("OpenID Core", "3.1.3.7")
@pytest.mark.parametrize(
    ("method", "algorithm"),
    [
        ("client_secret_basic", "RS256"),
        ("client_secret_post", "PS256"),
        ("none", "ES256"),
        ("client_secret_basic", "EdDSA"),
        ("client_secret_jwt", "RS256"),
        ("private_key_jwt", "RS256"),
    ],
)
def test_everything_from_discovery_to_revocation(openid, relying_party, run, method, algorithm):
    config = relying_party(method, id_token_signed_response_alg=algorithm)
    saw = run("everything", config | {"signed_by": algorithm})
    assert (saw["claims"]["iss"], saw["claims"]["aud"]) == (openid.issuer, config["client_id"])
    assert saw["userinfo"]["email"] == "alice@example.com"
    assert saw["refreshed"]["sub"] == saw["claims"]["sub"]
    if method != "none":
        assert saw["active"]["active"] is True
        assert saw["active"]["sub"] == saw["claims"]["sub"]
        assert saw["inactive"] == {"active": False}
    assert saw["after"]["error"] == "invalid_grant"


def test_code_in_the_fragment(relying_party, run):
    config = relying_party("none")
    saw = run("sign_in", config | {"parameters": {"response_mode": "fragment"}})
    assert saw["claims"]["aud"] == config["client_id"]


@pytest.mark.rfc("OpenID Core", "3.1.2.1")
def test_max_age(relying_party, run):
    saw = run("sign_in", relying_party("none") | {"max_age": 60, "parameters": {"max_age": "60"}})
    assert type(saw["claims"]["auth_time"]) is int


@pytest.mark.rfc("OpenID Core", "5.5")
def test_claims_that_were_asked_for_one_by_one(relying_party, run):
    claims = '{"userinfo": {"phone_number": null}, "id_token": {"email": {"essential": true}, "nothing": null}}'
    saw = run("sign_in", relying_party("none") | {"scope": "openid", "parameters": {"claims": claims}})
    assert saw["claims"]["email"] == "alice@example.com"
    assert saw["userinfo"].keys() == {"sub", "phone_number"}


@pytest.mark.rfc("OpenID Core", "3.3.2.10")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("mode", ["fragment", "form_post"])
def test_hybrid_flow(relying_party, run, mode, algorithm):
    config = relying_party("client_secret_basic", id_token_signed_response_alg=algorithm)
    asked = {"response_type": "code id_token", "response_mode": mode}
    saw = run("hybrid", config | {"signed_by": algorithm, "parameters": asked})
    assert saw["claims"]["aud"] == config["client_id"]


@pytest.mark.rfc("9068", "4")
def test_api_believes_a_jwt_access_token(openid, relying_party, run):
    config = relying_party("client_secret_basic", access_token_format="jwt")
    saw = run("jwt_access_token", config)
    judged = saw["judged"]
    assert (judged["sub"], judged["client_id"]) == (saw["claims"]["sub"], config["client_id"])
    assert set(judged["scope"].split()) == set(config["scope"].split())
    assert judged["jti"]
    for why in ("elsewhere", "forged", "id_token"):
        assert saw[why]["code"] in ("OAUTH_JWT_CLAIM_COMPARISON_FAILED", "OAUTH_INVALID_RESPONSE"), why


@pytest.mark.rfc("6750", "3")
@pytest.mark.parametrize("token_format", ["opaque", "jwt"])
def test_machine_understands_why_it_is_refused(openid, relying_party, run, token_format):
    config = relying_party("client_secret_basic", access_token_format=token_format)
    saw = run("machine", config | {"scope": "reports:read"})
    assert saw["api"]["client_id"] == config["client_id"]
    (challenge,) = saw["short_of_scope"]["challenges"]
    assert (saw["short_of_scope"]["status"], challenge["scheme"]) == (403, "bearer")
    assert challenge["parameters"]["error"] == "insufficient_scope"
    assert challenge["parameters"]["scope"] == "reports:write"
    (challenge,) = saw["unknown_token"]["challenges"]
    assert (saw["unknown_token"]["status"], challenge["parameters"]["error"]) == (401, "invalid_token")


@pytest.mark.rfc("7523", "2.2")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_authenticates_with_a_key(openid, relying_party, run, algorithm):
    config = relying_party("private_key_jwt", key_algorithm=algorithm)
    assert run("machine", config | {"scope": "reports:read"})["api"]["client_id"] == config["client_id"]


@pytest.mark.rfc("8628", "3.5")
def test_device_is_told_to_wait(relying_party, run):
    saw = run("device", relying_party("client_secret_basic"))
    assert saw["pending"]["error"] == "authorization_pending"
    assert saw["too_soon"]["error"] == "slow_down"
    assert saw["heading"] == "Device connected"
    assert saw["userinfo"]["email"] == "alice@example.com"
    assert saw["again"]["error"] == "invalid_grant"
