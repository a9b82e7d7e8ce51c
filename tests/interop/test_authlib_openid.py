"""Authlib's OpenID Connect client, in a Flask application that signs its users in here, against a live server."""

import flask
import pytest
import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.flask_client import OAuth
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import ClientSecretJWT
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oidc.core.claims import get_claim_cls_by_response_type
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.errors import InvalidClaimError
from joserfc.jwk import KeySet
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry

from tests.live import CALLBACK
from tests.live import arrive
from tests.live import parameters
from tests.live import walk

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("insecure_transport")]

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")


@pytest.fixture
def site(openid):
    """Make a Flask application that has the relying party; it says what it was told of the user."""

    def make(config, **parameters):
        app = flask.Flask("shop")
        app.secret_key = "the shop's own"
        shop = OAuth(app).register(
            "shop",
            client_id=config["client_id"],
            client_secret=config["client_secret"],
            server_metadata_url=openid.url("/.well-known/openid-configuration"),
            client_kwargs={
                "scope": config["scope"],
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": config["method"],
            },
            authorize_params=parameters,
        )

        @app.get("/login")
        def login():
            return shop.authorize_redirect(CALLBACK)

        @app.get("/cb")
        def callback():
            token = shop.authorize_access_token()
            return {"claims": token["userinfo"], "userinfo": shop.userinfo(token=token), "id_token": token["id_token"]}

        @app.get("/logout")
        def logout():
            return shop.create_logout_url(CALLBACK, flask.request.args["id_token_hint"], state="bye")

        app.testing = True
        return app.test_client()

    return make


@pytest.mark.rfc("OpenID Core", "3.1.3.7")
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
@pytest.mark.parametrize("algorithm", ALGORITHMS[:3])
def test_signs_alice_in(openid, relying_party, site, method, algorithm):
    shop = site(relying_party(method, id_token_signed_response_alg=algorithm))
    back = walk(shop.get("/login").location, "alice", "wonder land")
    said = shop.get("/cb", query_string=parameters(back)).json
    assert (said["claims"]["iss"], said["claims"]["sub"]) == (openid.issuer, said["userinfo"]["sub"])
    assert (said["userinfo"]["name"], said["userinfo"]["email"]) == ("Alice Liddell", "alice@example.com")


@pytest.mark.rfc("7523", "2.2")
@pytest.mark.parametrize("method", ["client_secret_jwt", "private_key_jwt"])
def test_authenticates_by_a_jwt(openid, relying_party, method):
    config = relying_party(method, key_algorithm="RS256")
    token = openid.token
    if method == "client_secret_jwt":
        proves, key = ClientSecretJWT(token), config["client_secret"]
    else:
        proves, key = PrivateKeyJWT(token, headers={"kid": "first"}), RSAKey.import_key(config["private_key"])
    with OAuth2Session(config["client_id"], key, token_endpoint_auth_method=proves) as session:
        session.fetch_token(token, grant_type="client_credentials", scope="reports:read")
        assert session.get(config["api"]).json()["client_id"] == config["client_id"]
        session.client_secret = RSAKey.generate_key(2048) if method == "private_key_jwt" else "another secret" * 4
        with pytest.raises(OAuthError, match="invalid_client"):
            session.fetch_token(token, grant_type="client_credentials", scope="reports:read")


def test_error_is_understood(relying_party, site):
    shop = site(relying_party("none"), prompt="none")
    back = walk(shop.get("/login").location, "alice", "wonder land")
    with pytest.raises(OAuthError, match="login_required"):
        shop.get("/cb", query_string=parameters(back))


@pytest.mark.rfc("OpenID RP-Initiated Logout", "2")
def test_log_out(openid, relying_party, site):
    shop = site(relying_party("client_secret_basic", post_logout_redirect_uris=(CALLBACK,)))
    with requests.Session() as browser:
        back = arrive(browser, shop.get("/login").location, "alice", "wonder land").headers["Location"]
        id_token = shop.get("/cb", query_string=parameters(back)).json["id_token"]
        assert len(browser.cookies) == 1
        url = shop.get("/logout", query_string={"id_token_hint": id_token}).json["url"]
        out = browser.get(url, allow_redirects=False).headers["Location"]
        assert out == f"{CALLBACK}?state=bye"
        # The link of the page before leads to the login page again.
        assert "Sign in" in browser.get(shop.get("/login").location).text


@pytest.mark.rfc("OpenID Core", "3.2.2.11")
@pytest.mark.rfc("OpenID Core", "3.3.2.12")
# RFC 9864 would have it called Ed25519, which few libraries know yet.
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("response_type", ["id_token", "id_token token", "code id_token", "code id_token token"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_id_token_of_the_authorization_endpoint(openid, relying_party, response_type, algorithm):
    config = relying_party("client_secret_basic", id_token_signed_response_alg=algorithm)
    asked = {name: config[name] for name in ("client_id", "redirect_uri", "scope")}
    asked |= {"response_type": response_type, "nonce": "n-0S6_WzA2Mj", "state": "s"}
    url = requests.Request("GET", openid.authorize, params=asked).prepare().url
    got = parameters(walk(url, "alice", "wonder land"))
    told = {name: got[name] for name in ("access_token", "code") if name in got}
    believe(openid, config, response_type, algorithm, got["id_token"], **told)

    with pytest.raises(InvalidClaimError, match="nonce"):
        believe(openid, config, response_type, algorithm, got["id_token"], **told, nonce="another")
    head, body, signature = got["id_token"].split(".")
    with pytest.raises(BadSignatureError):
        believe(openid, config, response_type, algorithm, f"{head}.{body}.{'A' * len(signature)}", **told)
    if algorithm != "EdDSA":
        # Authlib does not know by which hash Ed25519 vouches for the rest.
        for name in told:
            with pytest.raises(InvalidClaimError, match="at_hash" if name == "access_token" else "c_hash"):
                believe(openid, config, response_type, algorithm, got["id_token"], **told | {name: "another"})


def believe(openid, config, response_type, algorithm, id_token, *, nonce="n-0S6_WzA2Mj", **told):
    """Validate an ID token as Authlib does, by what the server has published."""
    metadata = requests.get(openid.url("/.well-known/openid-configuration"), timeout=30).json()
    assert algorithm in metadata["id_token_signing_alg_values_supported"]
    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=30).json())
    registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    token = jwt.decode(id_token, key=keys, registry=registry)
    claims_class = get_claim_cls_by_response_type(response_type)
    said = {"nonce": nonce, "client_id": config["client_id"]} | told
    claims_class(token.claims, token.header, {"iss": {"values": [openid.issuer]}}, said).validate(leeway=5)
