"""The authorization request, and the answers made from it -- RFC 6749 section 4.1, RFC 7636, RFC 9207."""

import copy
import dataclasses
import pickle

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from oauth_filter.errors import OAuthError
from oauth_filter.messages import AUTHORIZATION_PARAMETERS
from oauth_filter.messages import AuthorizationErrorResponse
from oauth_filter.messages import AuthorizationRequest
from oauth_filter.messages import AuthorizationSuccessResponse
from oauth_filter.messages import Parameters
from oauth_filter.messages import ProtocolError
from oauth_filter.messages import ResponseType
from oauth_filter.scope import Scope

CALLBACK = "https://client.example/cb"
DENIED = OAuthError("access_denied", "The user said no", reason="user_said_no")

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
SCOPES = st.lists(st.text("abc!#[]~:/", min_size=1, max_size=5), max_size=4).map(lambda tokens: Scope(*tokens))
REDIRECT_URIS = st.sampled_from([CALLBACK, CALLBACK + "?a=b%20&c", "app:/cb", "http://127.0.0.1:8000/"])
VALUES = TEXT.filter(lambda text: " " not in text)
RESPONSE_TYPES = st.sets(st.sampled_from(["code", "token", "id_token"]) | VALUES, min_size=1, max_size=3)
CUSTOM = st.dictionaries(
    TEXT.filter(lambda name: name not in AUTHORIZATION_PARAMETERS) | st.just(""),
    st.lists(TEXT | st.just(""), min_size=1, max_size=3),
    max_size=3,
)
REQUESTS = st.builds(
    AuthorizationRequest,
    client_id=TEXT.filter(str.strip),
    response_type=RESPONSE_TYPES.map(lambda values: ResponseType(*values)),
    redirect_uri=st.none() | REDIRECT_URIS,
    scope=st.none() | SCOPES,
    state=st.none() | TEXT,
    response_mode=st.none() | TEXT,
    code_challenge=st.none() | TEXT,
    code_challenge_method=st.none() | TEXT,
    custom_parameters=CUSTOM.map(Parameters),
)
NAMES = st.sampled_from([*AUTHORIZATION_PARAMETERS, "nonce", 'a"b'])
WIRE = st.one_of(
    st.binary(max_size=80),
    st.text(max_size=80),
    st.lists(st.tuples(NAMES, st.text(max_size=6) | st.sampled_from(["code", "a b", "%zz", 'x"', CALLBACK]))).map(
        lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)
    ),
)


@settings(deadline=None)
@given(REQUESTS)
def test_a_request_comes_back_unchanged(request):
    assert AuthorizationRequest.parse(request.to_query()) == request
    assert AuthorizationRequest.parse(request.to_query().encode()) == request
    again = AuthorizationRequest.from_uri(request.to_uri("https://as.example/authorize"))
    assert again == request
    assert again.endpoint == "https://as.example/authorize"
    assert hash(again) == hash(request)


@settings(deadline=None, max_examples=300)
@given(WIRE)
def test_parse_raises_protocol_errors_only(query):
    try:
        request = AuthorizationRequest.parse(query)
    except ProtocolError as error:
        response = error.redirectable and AuthorizationErrorResponse.from_error(error, redirect_uri=CALLBACK)
        if response:  # Whatever was sent, the answer can be written.
            response.to_uri()
        return
    assert request.error(DENIED, redirect_uri=CALLBACK).state == request.state


@settings(deadline=None)
@given(st.text())
def test_from_uri_raises_protocol_errors_only(uri):
    try:
        AuthorizationRequest.from_uri(uri)
    except ProtocolError:
        return
    assert "client_id" in uri


def test_requests_are_values():
    request = AuthorizationRequest(client_id="1", scope=Scope("a"), custom_parameters=Parameters({"nonce": "n"}))
    assert pickle.loads(pickle.dumps(request)) == copy.deepcopy(request) == request
    changed = dataclasses.replace(request, state="x")
    assert (changed.state, request.state) == ("x", None)
    with pytest.raises(dataclasses.FrozenInstanceError):
        request.state = "x"


@pytest.mark.parametrize(
    "fields",
    [
        {"client_id": ""},
        {"client_id": " "},
        {"state": ""},
        {"response_mode": ""},
        {"code_challenge": ""},
        {"code_challenge_method": ""},
        {"redirect_uri": "/relative"},
        *({"custom_parameters": Parameters({name: "forged"})} for name in AUTHORIZATION_PARAMETERS),
    ],
)
def test_what_cannot_be_built(fields):
    with pytest.raises(ValueError, match=r"blank|empty|absolute|name of a field"):
        AuthorizationRequest(**{"client_id": "1"} | fields)


@pytest.mark.parametrize("fields", [{"scope": "a b"}, {"response_type": "code"}, {"custom_parameters": {"a": "b"}}])
def test_wrong_types_are_told_at_once(fields):
    with pytest.raises(TypeError, match=r"must be a (Scope|ResponseType|Parameters)"):
        AuthorizationRequest(client_id="1", **fields)


def test_custom_parameters_keep_every_value():
    request = AuthorizationRequest.parse("client_id=1&response_type=code&resource=https://a&nonce=n&resource=https://b")
    assert request.custom_parameters.get("nonce") == "n"
    assert request.custom_parameters.getlist("resource") == ["https://a", "https://b"]
    assert request.resources == ("https://a", "https://b")


@pytest.mark.rfc("6749", "4.1.2.1", "no redirect for a missing client or an invalid redirect URI")
@pytest.mark.parametrize(
    "query",
    [
        "",
        "response_type=code&state=s&redirect_uri=https://client.example/cb",
        "client_id=1&response_type=code&state=s&redirect_uri=javascript:a",
        "client_id=1&client_id=2&response_type=code&redirect_uri=https://client.example/cb",
        "client_id=1&response_type=code&response_type=token&redirect_uri=https://client.example/cb",
        "client_id=1&response_type=code&state=%zz&state=s",
    ],
)
def test_errors_that_must_not_be_redirected(query):
    with pytest.raises(ProtocolError) as caught:
        AuthorizationRequest.parse(query)
    error = caught.value
    assert (error.code, error.redirectable) == ("invalid_request", False)
    assert (error.client_id, error.unverified_redirect_uri, error.state, error.response_mode) == (None,) * 4
    with pytest.raises(ValueError, match="redirected"):
        AuthorizationErrorResponse.from_error(error, redirect_uri=CALLBACK)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("response_type=", "?error=invalid_request&error_description=Missing+response_type+parameter"),
        ("response_type=+&response_mode=fragment", "#error=invalid_request&error_description=Missing+response_type"),
        ("response_type=code&scope=%22", "?error=invalid_scope&"),
        ("response_type=token&scope=%22", "#error=invalid_scope&"),
        ("response_type=code&scope=%22&response_mode=foo", "?error=invalid_scope&"),
    ],
)
def test_errors_that_may_be_redirected_keep_state_and_mode(query, expected):
    with pytest.raises(ProtocolError) as caught:
        AuthorizationRequest.parse("client_id=1&state=a%26b&" + query)
    response = AuthorizationErrorResponse.from_error(caught.value, redirect_uri=CALLBACK, iss="https://as.example")
    assert response.to_uri().startswith(CALLBACK + expected)
    assert response.to_uri().endswith("&state=a%26b&iss=https%3A%2F%2Fas.example&error_reason=" + caught.value.reason)


@pytest.mark.promise(7)
def test_errors_carry_nothing_of_the_request():
    marker = "zq7"
    queries = [
        f"client_id={marker}&client_id=1",
        f"{marker}=%zz",
        f"redirect_uri={marker}&client_id=1",
        f"client_id={marker}&state={marker}",
        f"client_id=1&response_type=code&scope={marker}%22",
    ]
    for query in queries:
        with pytest.raises(ProtocolError) as caught:
            AuthorizationRequest.parse(query)
        assert marker not in str(caught.value)
        assert marker not in repr(caught.value)
        assert marker not in (caught.value.reason or "")


@pytest.mark.rfc("6749", "4.1.2", "state MUST be echoed exactly")
@pytest.mark.parametrize("state", [None, " ", "a b", "€&=#%", "\r\n", "x" * 4000])
@pytest.mark.parametrize("mode", [None, "query", "fragment", "form_post"])
def test_answers_copy_state_and_mode(state, mode):
    request = AuthorizationRequest(client_id="1", state=state, response_mode=mode)
    success = request.success(redirect_uri=CALLBACK, code="c", iss="https://as.example")
    error = request.error(DENIED, redirect_uri=CALLBACK, iss="https://as.example")
    for response in (success, error):
        assert response.state == response.parameters().get("state") == state
        assert response.response_mode == (mode or "query")
        assert response.parameters()["iss"] == "https://as.example"
    assert success.parameters()["code"] == "c"
    assert dict(error.parameters()) == {
        "error": "access_denied",
        "error_description": "The user said no",
        "iss": "https://as.example",
        "error_reason": "user_said_no",
    } | ({} if state is None else {"state": state})


@pytest.mark.parametrize(
    ("response_type", "default"),
    [
        ("code", "query"),
        ("none", "query"),
        ("code foo", "query"),
        ("token", "fragment"),
        ("id_token", "fragment"),
        ("code token", "fragment"),
        ("id_token code token", "fragment"),
    ],
)
def test_where_an_error_goes(response_type, default):
    request = AuthorizationRequest(client_id="1", response_type=ResponseType.parse(response_type))
    assert request.error(DENIED, redirect_uri=CALLBACK).response_mode == default
    unknown = dataclasses.replace(request, response_mode="unknown")
    assert unknown.implied_response_mode == "unknown"
    assert unknown.error(DENIED, redirect_uri=CALLBACK).response_mode == default


def test_a_success_that_would_leak_or_cannot_be_sent_is_not_made():
    request = AuthorizationRequest(client_id="1", response_type=ResponseType.TOKEN, response_mode="query")
    with pytest.raises(ValueError, match="token must not"):
        request.success(redirect_uri=CALLBACK, access_token="t")
    with pytest.raises(ValueError, match="not supported"):
        dataclasses.replace(request, response_mode="jwt").success(redirect_uri=CALLBACK, access_token="t")
    with pytest.raises(ValueError, match="carries"):
        request.success(redirect_uri=CALLBACK)


def test_an_implicit_answer():
    request = AuthorizationRequest(client_id="1", response_type=ResponseType.TOKEN, state="s")
    response = request.success(redirect_uri=CALLBACK, access_token="t", expires_in=60, scope=Scope("a", "b"))
    assert response.to_uri() == CALLBACK + "#access_token=t&token_type=Bearer&expires_in=60&scope=a+b&state=s"


def test_more_can_travel_with_a_success():
    request = AuthorizationRequest(client_id="1", response_type=ResponseType("code", "id_token"))
    more = Parameters({"session_state": "x"})
    response = request.success(redirect_uri=CALLBACK, code="c", id_token="j", custom_parameters=more)
    assert response.to_uri() == CALLBACK + "#code=c&id_token=j&session_state=x"


def test_form_post_has_no_uri():
    request = AuthorizationRequest(client_id="1", response_mode="form_post")
    with pytest.raises(ValueError, match="form_post"):
        request.success(redirect_uri=CALLBACK, code="c").to_uri()


@pytest.mark.parametrize(
    ("endpoint", "match"),
    [
        (None, "which"),
        ("https://as.example/?client_id=evil", "parameter of the request"),
        ("https://as.example/?%63lient_id=evil", "parameter of the request"),
        ("https://as.example/?a=%zz", "malformed"),
        ("https://as.example/#", "fragment"),
    ],
)
def test_endpoints_that_cannot_be_used(endpoint, match):
    with pytest.raises(ValueError, match=match):
        AuthorizationRequest(client_id="1").to_uri(endpoint)


def test_response_types():
    assert ResponseType("id_token", "code") == ResponseType.parse("code  id_token code")
    assert str(ResponseType("token", "id_token", "code")) == "code id_token token"
    assert repr(ResponseType.CODE) == "ResponseType('code')"
    assert pickle.loads(pickle.dumps(ResponseType.CODE)) == ResponseType.CODE
    for text in ("", " "):
        with pytest.raises(ValueError, match="response_type"):
            ResponseType.parse(text)
    with pytest.raises(ValueError, match="response_type"):
        ResponseType("code token")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"code": ""},
        {"code": "c", "state": ""},
        {"code": "c", "expires_in": 1},
        {"access_token": "t", "expires_in": -1},
        {"code": "c", "response_mode": "jwt"},
        {"code": "c", "custom_parameters": Parameters({"error": "x"})},
        {"code": "c", "custom_parameters": Parameters({"state": "x"})},
    ],
)
def test_success_responses_that_cannot_be_built(fields):
    with pytest.raises(ValueError, match=r"."):
        AuthorizationSuccessResponse(redirect_uri=CALLBACK, **fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"error": ""},
        {"error": 'a"b'},
        {"error": "a", "error_description": "é"},
        {"error": "a", "error_description": ""},
        {"error": "a", "error_uri": "javascript:alert(1)"},
        {"error": "a", "error_uri": ""},
        {"error": "a", "response_mode": "web_message"},
        {"error": "a", "custom_parameters": Parameters({"code": "x"})},
    ],
)
def test_error_responses_that_cannot_be_built(fields):
    with pytest.raises(ValueError, match=r"."):
        AuthorizationErrorResponse(redirect_uri=CALLBACK, **fields)


def test_a_description_is_made_legal():
    response = AuthorizationErrorResponse.from_error(
        OAuthError("server_error", 'a "b" \\ \u2014 c'), redirect_uri=CALLBACK
    )
    assert response.error_description == "a 'b'   c"


@pytest.mark.promise(5)
def test_secrets_are_not_shown():
    request = AuthorizationRequest(client_id="1", response_type=ResponseType.TOKEN, state="hunter2")
    response = request.success(redirect_uri=CALLBACK, code="hunter2", access_token="hunter2", id_token="hunter2")
    for message in (request, response, request.error(DENIED, redirect_uri=CALLBACK), response.parameters()):
        assert "hunter2" not in repr(message)
