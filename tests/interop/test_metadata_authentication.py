"""How clients authenticate, as the metadata of a live server has it: every method and algorithm, and no other."""

import json
import time

import jwt
import pytest
import requests
from jwt.algorithms import OKPAlgorithm

from oauth_filter.credentials import new_id

pytestmark = [pytest.mark.promise(15), pytest.mark.rfc("8414", "2"), pytest.mark.rfc("7523", "2.2")]

GOOD = {
    "token_endpoint": {"grant_type": "password", "username": "carol", "password": "wonder land"},
    "revocation_endpoint": {"token": "unknown"},
    "introspection_endpoint": {"token": "unknown"},
}
"""A request to each endpoint at which clients authenticate."""


SIGNER = jwt.PyJWS()
# RFC 9864's name for what PyJWT has as EdDSA.
SIGNER.register_algorithm("Ed25519", OKPAlgorithm())


def proofs(openid, client_id, secret, method, algorithms, key_pair):
    """How a client authenticates by a method: what to register, and for each algorithm the arguments of a request."""
    asserted = {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}
    match method:
        case "none":
            yield {}, {"data": {"client_id": client_id}}
        case "client_secret_basic":
            yield {"secret": secret}, {"auth": (client_id, secret)}
        case "client_secret_post":
            yield {"secret": secret}, {"data": {"client_id": client_id, "client_secret": secret}}
        case "client_secret_jwt":
            for algorithm in (name for name in algorithms if name.startswith("HS")):
                assertion = signed(openid, client_id, secret, algorithm)
                yield {"secret": secret}, {"data": asserted | {"client_assertion": assertion}}
        case "private_key_jwt":
            for algorithm in (name for name in algorithms if not name.startswith("HS")):
                private, public = key_pair(algorithm)
                known = private | {"alg": "EdDSA"} if algorithm == "Ed25519" else private
                assertion = signed(openid, client_id, jwt.PyJWK(known).key, algorithm)
                keys = {"jwks": json.dumps({"keys": [public]})}
                yield keys, {"data": asserted | {"client_assertion": assertion}}


def signed(openid, client_id, key, algorithm):
    now = int(time.time())
    claims = {"iss": client_id, "sub": client_id, "aud": openid.issuer, "exp": now + 60, "iat": now, "jti": new_id()}
    return SIGNER.encode(json.dumps(claims).encode(), key, algorithm, headers={"kid": "first", "typ": "JWT"})


@pytest.mark.parametrize("endpoint", GOOD)
def test_client_authentication(openid, client, key_pair, every_grant_type, endpoint):
    methods = client.metadata[f"{endpoint}_auth_methods_supported"]
    algorithms = client.metadata[f"{endpoint}_auth_signing_alg_values_supported"]
    tried = set()
    for method in ["none", *methods]:
        client_id, secret = f"{client.client_id}-{method}", new_id() * 2
        for fields, proof in proofs(openid, client_id, secret, method, algorithms, key_pair):
            openid.add_client(client_id, token_endpoint_auth_method=method, grant_types=every_grant_type, **fields)
            proof = proof | {"data": GOOD[endpoint] | proof.get("data", {})}
            answer = requests.post(client.metadata[endpoint], **proof, timeout=30)
            assert answer.ok == (method in methods), (method, proof, answer.text)
            tried.add(method)
    assert tried >= set(methods)


@pytest.mark.parametrize("endpoint", GOOD)
@pytest.mark.parametrize("method", ["client_secret_jwt", "private_key_jwt"])
def test_other_algorithms_of_client_authentication_are_refused(openid, client, key_pair, endpoint, method):
    client_id, secret = f"{client.client_id}-jwt", new_id() * 4
    _, public = key_pair("RS256")
    openid.add_client(client_id, secret=secret, token_endpoint_auth_method=method, jwks=json.dumps({"keys": [public]}))
    advertised = client.metadata[f"{endpoint}_auth_signing_alg_values_supported"]
    for algorithm in {"none", "HS384", "HS512"} - set(advertised):
        form = {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": signed(openid, client_id, None if algorithm == "none" else secret, algorithm),
        }
        answer = requests.post(client.metadata[endpoint], data=GOOD[endpoint] | form, timeout=30)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), algorithm
