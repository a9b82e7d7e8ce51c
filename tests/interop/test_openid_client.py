"""openid-client, a certified relying party for Node, against a live server."""

import pytest

from tests.live import CALLBACK
from tests.live import parameters

pytestmark = [pytest.mark.interop, pytest.mark.node]


@pytest.fixture
def run(node):
    """Run a scenario of the relying party."""
    return lambda scenario, config: node("openid_client.mjs", scenario, config)


@pytest.mark.rfc("OpenID Core", "3.1")
@pytest.mark.parametrize(
    ("method", "algorithm"),
    [
        ("none", "RS256"),
        ("client_secret_basic", "PS256"),
        ("client_secret_post", "ES256"),
        ("client_secret_basic", "EdDSA"),
        ("client_secret_jwt", "RS256"),
        ("private_key_jwt", "RS256"),
    ],
)
def test_everything_from_discovery_to_revocation(openid, relying_party, run, method, algorithm):
    config = relying_party(method, id_token_signed_response_alg=algorithm)
    saw = run("everything", config | {"algorithm": algorithm})
    assert saw["pkce"] is True
    claims = saw["claims"]
    assert (claims["iss"], claims["aud"]) == (openid.issuer, config["client_id"])
    assert {"auth_time", "amr", "sid", "nonce", "at_hash"} <= claims.keys()
    assert set(saw["scope"].split()) == set(config["scope"].split())
    assert saw["userinfo"]["sub"] == claims["sub"]
    assert (saw["userinfo"]["name"], saw["userinfo"]["email"]) == ("Alice Liddell", "alice@example.com")
    assert "phone_number" not in saw["userinfo"]
    assert (saw["api"]["username"], saw["api"]["client_id"]) == ("alice", config["client_id"])
    assert saw["replaced"]
    assert {name: saw["refreshed"][name] for name in ("iss", "sub", "aud", "auth_time", "sid")} == {
        name: claims[name] for name in ("iss", "sub", "aud", "auth_time", "sid")
    }
    assert saw["narrowed"] == "openid"
    if method != "none":
        assert saw["active"]["active"] is True
        assert (saw["active"]["client_id"], saw["active"]["scope"]) == (config["client_id"], "openid")
        assert saw["inactive"] == {"active": False}
    assert saw["after"]["error"] == "invalid_grant"
    assert saw["userinfo_after"]["code"] == "OAUTH_WWW_AUTHENTICATE_CHALLENGE"


@pytest.mark.rfc("OAuth form_post", "2")
@pytest.mark.parametrize("mode", ["query", "form_post"])
def test_response_modes(relying_party, run, mode):
    config = relying_party("client_secret_basic")
    saw = run("sign_in", config | {"parameters": {"response_mode": mode}})
    assert saw["claims"]["aud"] == config["client_id"]


@pytest.mark.rfc("OpenID Core", "3.3")
@pytest.mark.parametrize("mode", ["fragment", "form_post"])
@pytest.mark.parametrize("algorithm", ["RS256", "EdDSA"])
def test_hybrid_flow(relying_party, run, mode, algorithm):
    config = relying_party("client_secret_basic", id_token_signed_response_alg=algorithm)
    saw = run("hybrid", config | {"algorithm": algorithm, "parameters": {"response_mode": mode}})
    assert saw["userinfo"]["sub"] == saw["claims"]["sub"]


@pytest.mark.rfc("OpenID Core", "3.2")
@pytest.mark.parametrize("mode", ["fragment", "form_post"])
def test_implicit_flow(relying_party, run, mode):
    config = relying_party("none")
    saw = run("implicit", config | {"parameters": {"response_mode": mode}})
    # There is no access token to ask for them with.
    assert saw["claims"]["email"] == "alice@example.com"


@pytest.mark.rfc("OpenID Core", "3.1.2.6")
@pytest.mark.parametrize("parameters", [{"prompt": "none"}, {"prompt": "none", "response_mode": "form_post"}])
def test_error_is_understood(relying_party, run, parameters):
    saw = run("refused", relying_party("none") | {"parameters": parameters})
    assert (saw["name"], saw["error"]) == ("AuthorizationResponseError", "login_required")


def test_code_is_redeemed_once_and_for_what_was_asked(relying_party, run):
    saw = run("another_answer", relying_party("client_secret_basic"))
    assert saw["state"]["code"] == "OAUTH_INVALID_RESPONSE"
    # It had the ID token before it saw that the nonce was another one: the code has been redeemed by then.
    assert saw["nonce"]["code"] == "OAUTH_JWT_CLAIM_COMPARISON_FAILED"
    assert saw["replay"]["error"] == "invalid_grant"


def test_machine_acts_for_itself(relying_party, run):
    config = relying_party("client_secret_post")
    saw = run("machine", config | {"scope": "reports:read"})
    assert (saw["api"]["username"], saw["api"]["client_id"]) == (None, config["client_id"])
    assert "id_token" not in saw["tokens"]
    assert "refresh_token" not in saw["tokens"]
    assert saw["refused"]["error"] == "invalid_scope"


@pytest.mark.rfc("8628", "3")
def test_device(openid, relying_party, run):
    saw = run("device", relying_party("none") | {"button": "Allow"})
    assert saw["started"]["verification_uri"].startswith(openid.issuer)
    assert saw["userinfo"]["email"] == "alice@example.com"


@pytest.mark.rfc("8628", "3.5")
def test_device_that_is_denied(relying_party, run):
    saw = run("device", relying_party("client_secret_basic") | {"button": "Deny"})
    assert saw["refused"]["error"] == "access_denied"


@pytest.mark.rfc("OpenID RP-Initiated Logout", "2")
def test_log_out(relying_party, run):
    target = CALLBACK + "?out=1"
    config = relying_party("client_secret_basic", post_logout_redirect_uris=(target,))
    saw = run("log_out", config | {"post_logout_redirect_uri": target})
    assert saw["same"], "a session is one for all that happens in it"
    assert parameters(saw["back"]) == {"out": "1", "state": saw["state"]}
    assert saw["after"]["error"] == "login_required"
