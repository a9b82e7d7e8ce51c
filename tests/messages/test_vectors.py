"""Every line of messages.jsonl: what goes in, and what has to come out.

Inputs are compact: `aresp` is a callback URI; `out` is "redirect_uri mode|- what state|-"; `requri` is an endpoint;
`bearer` is an Authorization header; `tok` is "user:password|- form body".
"""

import base64
import json
from pathlib import Path
from urllib.parse import unquote_plus

import pytest

from oauth_filter.errors import OAuthError
from oauth_filter.messages import AuthorizationErrorResponse
from oauth_filter.messages import AuthorizationRequest
from oauth_filter.messages import AuthorizationSuccessResponse
from oauth_filter.messages import CallbackError
from oauth_filter.messages import ClientSecretBasic
from oauth_filter.messages import ClientSecretPost
from oauth_filter.messages import ProtocolError
from oauth_filter.messages import TokenRequest
from oauth_filter.messages import bearer_token_from_header
from oauth_filter.messages import decode_form
from oauth_filter.messages import parse_callback
from oauth_filter.scope import Scope

LINES = Path(__file__).with_name("messages.jsonl").read_text().splitlines()
VECTORS = [json.loads(line) for line in LINES]

DEVIATIONS = {
    108: "RFC 6749 section 3.1: an endpoint URI MUST NOT include a fragment. The vector has the parameters inside "
    "the fragment, where no server sees them; we refuse such an endpoint.",
}


def of_kind(kind):
    chosen = [vector for vector in VECTORS if vector["kind"] == kind and vector["id"] not in DEVIATIONS]
    return pytest.mark.parametrize("vector", chosen, ids=lambda vector: str(vector["id"]))


def test_no_vector_is_left_out():
    assert {vector["kind"] for vector in VECTORS} == {"areq", "aresp", "out", "requri", "bearer", "tok"}
    assert len(VECTORS) == 72


def protocol_error(error):
    return {
        "result": "error",
        "error": error.code,
        "status": error.status,
        "client_id": error.client_id,
        "redirect_uri": error.unverified_redirect_uri,
        "state": error.state,
        "mode": error.response_mode,
        "redirectable": error.redirectable,
    }


def outcome(read, *arguments, **options):
    try:
        return read(*arguments, **options)
    except ProtocolError as error:
        return error


def multiple(parameters):
    return {name: parameters.getlist(name) for name in parameters}


@of_kind("areq")
def test_authorization_request(vector):
    request = outcome(AuthorizationRequest.parse, vector["input"])
    if isinstance(request, ProtocolError):
        assert protocol_error(request) == vector["expect"]
        return
    assert vector["expect"] == {
        "result": "ok",
        "response_type": sorted(request.response_type),
        "client_id": request.client_id,
        "redirect_uri": request.redirect_uri,
        "scope": list(request.scope) if request.scope else None,
        "state": request.state,
        "response_mode": request.response_mode,
        "implied_mode": request.implied_response_mode,
        "code_challenge": request.code_challenge,
        "code_challenge_method": request.code_challenge_method,
        "custom": multiple(request.custom_parameters),
    }


@of_kind("aresp")
def test_callback(vector):
    expected = vector["expect"]
    if expected["result"] == "error":
        with pytest.raises(CallbackError):
            parse_callback(vector["input"])
        return
    response = parse_callback(vector["input"])
    seen = {"base": response.redirect_uri, "state": response.state, "iss": response.iss}
    if isinstance(response, AuthorizationErrorResponse):
        seen |= {"result": "error_response", "error": response.error}
        seen |= {"description": response.error_description, "uri": response.error_uri}
    else:
        # The vectors write an unsaid lifetime as 0; a lifetime of 0 would be a dead token, so ours is None.
        unsaid = None if response.access_token is None else 0
        seen |= {"result": "success", "code": response.code, "access_token": response.access_token}
        seen |= {"expires_in": response.expires_in or unsaid}
        seen |= {"scope": list(response.scope) if response.scope else None}
    assert seen == expected


def taken_apart(uri):
    base, hash_sign, fragment = uri.partition("#")
    base, _, query = base.partition("?")
    return base, decode_form(query), hash_sign, decode_form(fragment)


@of_kind("out")
def test_response_uri(vector):
    redirect_uri, mode, what, state = vector["input"].split(" ")
    common = {
        "redirect_uri": redirect_uri,
        "response_mode": None if mode == "-" else mode,
        "state": None if state == "-" else unquote_plus(state),
    }
    kind, _, value = what.partition("=")
    if kind == "error":
        denied = OAuthError("access_denied", "Access denied by resource owner or authorization server")
        response = AuthorizationErrorResponse.from_error(denied, **common)
    elif kind == "token":
        response = AuthorizationSuccessResponse(access_token=value, expires_in=3600, **common)
    else:
        response = AuthorizationSuccessResponse(code=value, **common)
    assert taken_apart(response.to_uri()) == taken_apart(vector["expect"]["uri"])
    assert response.to_uri().startswith(redirect_uri)


def guide_request(endpoint):
    return AuthorizationRequest(
        client_id="123",
        scope=Scope("read", "write"),
        state="xyz",
        redirect_uri="https://client.com/callback",
        endpoint=endpoint,
    )


@of_kind("requri")
def test_request_uri(vector):
    uri = guide_request(vector["input"]).to_uri()
    assert taken_apart(uri) == taken_apart(vector["expect"]["uri"])
    assert uri.startswith(vector["input"])


@pytest.mark.rfc("6749", "3.1", "the endpoint URI has no fragment")
def test_an_endpoint_with_a_fragment_is_refused_unlike_in_the_vector():
    (vector,) = [vector for vector in VECTORS if vector["id"] in DEVIATIONS]
    assert vector["input"] == "https://c2id.com/login#frag"
    with pytest.raises(ValueError, match="fragment"):
        guide_request(vector["input"]).to_uri()


@of_kind("bearer")
def test_bearer(vector):
    token = outcome(bearer_token_from_header, vector["input"])
    seen = protocol_error(token) if isinstance(token, ProtocolError) else {"result": "ok", "token": token}
    assert seen == vector["expect"]


@of_kind("tok")
def test_token_request(vector):
    credentials, _, body = vector["input"].partition(" ")
    basic = None if credentials == "-" else "Basic " + base64.b64encode(credentials.encode()).decode()
    request = outcome(TokenRequest.parse, body, authorization=basic)
    if isinstance(request, ProtocolError):
        assert protocol_error(request) == vector["expect"]
        return
    authenticated = isinstance(request.client, ClientSecretBasic | ClientSecretPost)
    sent = {name: getattr(request.grant, name) for name in request.grant.names}
    assert vector["expect"] == {
        "result": "ok",
        "grant": {"grant_type": [request.grant.grant_type]}
        | {name: [value] for name, value in sent.items() if value is not None},
        "client_auth": request.client.method if authenticated else None,
        "client_id": None if authenticated or request.client is None else request.client.client_id,
        "scope": list(request.scope) if request.scope else None,
        "custom": multiple(request.custom_parameters),
    }
