"""Token requests and responses -- RFC 6749 sections 4 and 5."""

import json
import pickle

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from oauth_filter.errors import OAuthError
from oauth_filter.messages import AuthorizationCodeGrant
from oauth_filter.messages import ClientCredentialsGrant
from oauth_filter.messages import ClientSecretBasic
from oauth_filter.messages import ClientSecretPost
from oauth_filter.messages import DeviceCodeGrant
from oauth_filter.messages import JWTBearerGrant
from oauth_filter.messages import Parameters
from oauth_filter.messages import PasswordGrant
from oauth_filter.messages import ProtocolError
from oauth_filter.messages import PublicClient
from oauth_filter.messages import RefreshTokenGrant
from oauth_filter.messages import ResponseError
from oauth_filter.messages import TokenErrorResponse
from oauth_filter.messages import TokenRequest
from oauth_filter.messages import TokenResponse
from oauth_filter.messages import parse_token_response
from oauth_filter.scope import Scope

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
SCOPES = st.lists(st.text("abc!~", min_size=1), max_size=3).map(lambda tokens: Scope(*tokens))
NAMES = [
    "grant_type",
    "scope",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "resource",
    "code",
    "redirect_uri",
    "code_verifier",
    "refresh_token",
    "username",
    "password",
    "assertion",
    "device_code",
]
CUSTOM = st.dictionaries(
    TEXT.filter(lambda name: name not in NAMES) | st.just(""), st.lists(TEXT | st.just(""), min_size=1), max_size=3
).map(Parameters)
SECRETS = st.one_of(
    st.builds(kind, client_id=TEXT.filter(str.strip), client_secret=TEXT)
    for kind in (ClientSecretBasic, ClientSecretPost)
)
CLIENTS = SECRETS | st.builds(PublicClient, client_id=TEXT.filter(str.strip))
MORE = {"resources": st.lists(st.just("https://api.example/?a"), max_size=2).map(tuple), "custom_parameters": CUSTOM}
NAMED = st.one_of(
    st.builds(
        AuthorizationCodeGrant,
        code=TEXT,
        redirect_uri=st.none() | st.just("https://client.example/?a=b%20"),
        code_verifier=st.none() | st.just(VERIFIER),
    ),
    st.builds(DeviceCodeGrant, device_code=TEXT),
)
FREE = st.one_of(
    st.builds(RefreshTokenGrant, refresh_token=TEXT),
    st.builds(PasswordGrant, username=TEXT, password=TEXT),
    st.builds(JWTBearerGrant, assertion=st.sampled_from(["a.b.c", "a..b.c.d"])),
)
REQUESTS = st.one_of(
    st.builds(TokenRequest, grant=NAMED, client=CLIENTS, **MORE),
    st.builds(TokenRequest, grant=FREE, client=st.none() | CLIENTS, scope=st.none() | SCOPES, **MORE),
    st.builds(TokenRequest, grant=st.just(ClientCredentialsGrant()), client=SECRETS, scope=SCOPES, **MORE),
)


def parse(body, authorization=None):
    return TokenRequest.parse(body, authorization=authorization)


def refused(body, authorization=None):
    with pytest.raises(ProtocolError) as caught:
        parse(body, authorization)
    assert not caught.value.redirectable
    return caught.value.code


@settings(deadline=None)
@given(REQUESTS)
def test_a_request_comes_back_unchanged(request):
    again = parse(request.to_form(), request.authorization())
    assert again == request
    assert hash(again) == hash(request)


HEADS = st.sampled_from(["", "grant_type=password&", "grant_type=authorization_code&"])
PAIRS = st.tuples(st.sampled_from([*NAMES, "x"]), st.text(max_size=4) | st.sampled_from(["code", "%zz", "a.b.c"]))
BODIES = st.tuples(HEADS, st.lists(PAIRS)).map(
    lambda parts: parts[0] + "&".join(f"{name}={value}" for name, value in parts[1])
)


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=80) | st.text(max_size=80) | BODIES, st.none() | st.text() | st.just("Basic czpz"))
def test_parse_raises_protocol_errors_only(body, authorization):
    try:
        request = parse(body, authorization)
    except ProtocolError:
        return
    assert parse(request.to_form(), request.authorization()) == request


@pytest.mark.rfc("6749", "5.2")
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "invalid_request"),
        ("grant_type=", "unsupported_grant_type"),
        ("grant_type=implicit", "unsupported_grant_type"),
        ("grant_type=Password", "unsupported_grant_type"),
        ("grant_type=password&grant_type=refresh_token", "invalid_request"),
        ("grant_type=authorization_code&client_id=1", "invalid_request"),
        ("grant_type=authorization_code&code=c", "invalid_request"),
        ("grant_type=authorization_code&code=c&client_id=1&code_verifier=short", "invalid_request"),
        ("grant_type=authorization_code&code=c&client_id=1&redirect_uri=%22", "invalid_request"),
        ("grant_type=authorization_code&code=c&client_id=1&scope=a&scope=b", "invalid_request"),
        ("grant_type=refresh_token&refresh_token=a&refresh_token=b", "invalid_request"),
        ("grant_type=password&username=a&password=", "invalid_request"),
        ("grant_type=password&password=a", "invalid_request"),
        ("grant_type=password&username=a&password=b&scope=%22", "invalid_scope"),
        ("grant_type=client_credentials", "invalid_client"),
        ("grant_type=client_credentials&client_id=1&client_secret=", "invalid_client"),
        ("grant_type=refresh_token&refresh_token=a&resource=", "invalid_target"),
        ("grant_type=refresh_token&refresh_token=a&resource=https://a%23", "invalid_target"),
        ("grant_type=refresh_token&refresh_token=a&resource=https://a&resource=%22", "invalid_target"),
        ("grant_type=urn:ietf:params:oauth:grant-type:device_code&client_id=1", "invalid_request"),
        ("grant_type=urn:ietf:params:oauth:grant-type:device_code&device_code=1", "invalid_request"),
        ("grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer", "invalid_request"),
        ("grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=abc", "invalid_request"),
        (
            "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=eyJhbGciOiJub25lIn0.e30.",
            "invalid_request",
        ),
    ],
)
def test_what_is_refused(body, code):
    assert refused(body) == code


def test_a_scope_where_none_is_taken_is_ignored():
    assert parse("grant_type=authorization_code&code=c&client_id=1&scope=%22").scope is None


def test_a_password_may_be_spaces():
    assert parse("grant_type=password&username=a&password=++").grant.password == "  "


def test_resources_and_custom_parameters_may_come_again():
    request = parse("grant_type=refresh_token&refresh_token=a&resource=https://a&resource=urn:b&audience=x&audience=y")
    assert request.resources == ("https://a", "urn:b")
    assert request.custom_parameters.getlist("audience") == ["x", "y"]


@pytest.mark.promise(5)
def test_secrets_are_not_shown():
    grants = [
        AuthorizationCodeGrant(code="hunter2", code_verifier="hunter2" + "a" * 40),
        RefreshTokenGrant(refresh_token="hunter2"),
        PasswordGrant(username="alice", password="hunter2"),
        JWTBearerGrant(assertion="hunter2.hunter2.hunter2"),
        DeviceCodeGrant(device_code="hunter2"),
    ]
    for grant in grants:
        request = TokenRequest(grant=grant, client=ClientSecretPost(client_id="1", client_secret="hunter2"))
        assert "hunter2" not in repr(request)
        assert "hunter2" not in repr(request.parameters())
    response = TokenResponse(access_token="hunter2", refresh_token="hunter2", id_token="hunter2")
    assert "hunter2" not in repr(response)


@pytest.mark.parametrize(
    "fields",
    [
        {"grant": AuthorizationCodeGrant(code="c")},
        {"grant": DeviceCodeGrant(device_code="c")},
        {"grant": ClientCredentialsGrant()},
        {"grant": ClientCredentialsGrant(), "client": PublicClient(client_id="1")},
        {"grant": AuthorizationCodeGrant(code="c"), "client": PublicClient(client_id="1"), "scope": Scope("a")},
        {"grant": RefreshTokenGrant(refresh_token="r"), "resources": ("/relative",)},
        {"grant": RefreshTokenGrant(refresh_token="r"), "custom_parameters": Parameters({"refresh_token": "forged"})},
        {"grant": RefreshTokenGrant(refresh_token="r"), "custom_parameters": Parameters({"client_id": "forged"})},
        {"grant": RefreshTokenGrant(refresh_token="r"), "custom_parameters": Parameters({"resource": "forged"})},
    ],
)
def test_requests_that_cannot_be_built(fields):
    with pytest.raises(ValueError, match=r"."):
        TokenRequest(**fields)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
TOKEN_TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1)
ERROR_TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters='"\\'), min_size=1)
MEMBERS = [
    "access_token",
    "token_type",
    "expires_in",
    "refresh_token",
    "scope",
    "id_token",
    "error",
    "error_description",
    "error_uri",
]
EXTRA = st.dictionaries(st.text().filter(lambda name: name not in MEMBERS), JSON, max_size=3)


@settings(deadline=None)
@given(
    st.builds(
        TokenResponse,
        access_token=TOKEN_TEXT,
        token_type=st.sampled_from(["Bearer", "bearer"]),
        expires_in=st.none() | st.integers(0, 10**15 - 1),
        refresh_token=st.none() | TOKEN_TEXT,
        scope=st.none() | SCOPES,
        id_token=st.none() | TOKEN_TEXT,
        custom_parameters=EXTRA,
    )
)
def test_a_token_response_comes_back_unchanged(response):
    again = parse_token_response(200, response.to_json())
    assert again == response == TokenResponse.parse(response.to_json().encode())
    assert hash(again) == hash(response)


@settings(deadline=None)
@given(
    st.builds(
        TokenErrorResponse,
        error=st.none() | ERROR_TEXT.filter(lambda text: text == text.strip()),
        error_description=st.none() | ERROR_TEXT,
        error_uri=st.none() | st.just("https://as.example/errors/1"),
        status=st.integers(400, 599),
        custom_parameters=EXTRA,
    )
)
def test_a_token_error_response_comes_back_unchanged(response):
    assert parse_token_response(response.status, response.to_json()) == response


@settings(deadline=None, max_examples=300)
@given(
    st.binary()
    | st.text()
    | st.dictionaries(st.sampled_from([*MEMBERS, "x"]), JSON | st.sampled_from(["Bearer", 1, "1"])).map(json.dumps),
    st.sampled_from([200, 400, 502]),
)
def test_an_answer_is_read_or_refused(body, status):
    try:
        response = parse_token_response(status, body)
    except ResponseError:
        assert status == 200
        return
    assert isinstance(response, TokenResponse if status == 200 else TokenErrorResponse)


GOOD = {"access_token": "t", "token_type": "bearer"}


@pytest.mark.parametrize(
    ("sent", "read"),
    [(3600, 3600), (3599.0, 3599), (3599.9, 3599), ("3600", 3600), ("3599.5", 3599), (0, 0), (None, None)],
)
def test_lifetimes(sent, read):
    assert TokenResponse.parse(json.dumps(GOOD | {"expires_in": sent})).expires_in == read


@pytest.mark.parametrize(
    "body",
    [
        b"\xff",
        "",
        "[]",
        "[" * 100_000,
        '{"access_token": "t", "token_type": "Bearer", "access_token": "u"}',
        '{"access_token": "t", "token_type": "Bearer", "x": NaN}',
        '{"access_token": "t", "token_type": "Bearer", "x": ' + "9" * 5000 + "}",
        *(
            json.dumps(GOOD | other)
            for other in (
                {"access_token": None},
                {"access_token": ""},
                {"access_token": 1},
                {"access_token": "é"},
                {"access_token": "a\n"},
                {"refresh_token": 1},
                {"token_type": None},
                {"token_type": "mac"},
                {"expires_in": -1},
                {"expires_in": True},
                {"expires_in": "soon"},
                {"expires_in": 1e300},
                {"scope": 'a"b'},
            )
        ),
    ],
)
def test_what_is_not_a_token_response(body):
    with pytest.raises(ResponseError):
        TokenResponse.parse(body)


def test_what_servers_add_is_kept():
    response = TokenResponse.parse(json.dumps(GOOD | {"user": {"id": 1}}))
    assert response.custom_parameters == {"user": {"id": 1}}
    assert response.token_type == "Bearer"
    assert pickle.loads(pickle.dumps(response)) == response


def test_an_error_that_is_no_json():
    assert parse_token_response(502, "<h1>Bad gateway</h1>") == TokenErrorResponse(error=None, status=502)


def test_errors_of_servers_are_made_harmless():
    body = json.dumps({"error": 'a"b', "error_description": "\u2014<b>", "error_uri": "javascript:a"})
    assert parse_token_response(400, body) == TokenErrorResponse(error=None, error_description="<b>")


def test_an_error_of_ours():
    error = OAuthError("invalid_client", "Wrong secret", reason="secret_wrong")
    response = TokenErrorResponse.from_error(error)
    assert response.status == 401
    assert response.to_dict() == {
        "error": "invalid_client",
        "error_description": "Wrong secret",
        "error_reason": "secret_wrong",
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"access_token": ""},
        {"access_token": "é"},
        {"access_token": "t", "token_type": "mac"},
        {"access_token": "t", "expires_in": -1},
        {"access_token": "t", "expires_in": 10**15},
        {"access_token": "t", "custom_parameters": {"scope": "a"}},
        {"access_token": "t", "custom_parameters": {"error": "a"}},
    ],
)
def test_token_responses_that_cannot_be_built(fields):
    with pytest.raises(ValueError, match=r"."):
        TokenResponse(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"error": ""},
        {"error": "é"},
        {"error": "a", "error_description": '"'},
        {"error": "a", "error_description": ""},
        {"error": "a", "error_uri": "data:a"},
        {"error": "a", "custom_parameters": {"error": "b"}},
    ],
)
def test_token_error_responses_that_cannot_be_built(fields):
    with pytest.raises(ValueError, match=r"."):
        TokenErrorResponse(**fields)


@pytest.mark.promise(7)
@pytest.mark.parametrize(
    "body",
    [
        "grant_type=zq7",
        "grant_type=refresh_token&refresh_token=zq7&scope=zq7%22",
        "grant_type=refresh_token&refresh_token=zq7&resource=zq7",
        "grant_type=authorization_code&client_id=zq7&code=zq7&code_verifier=zq7",
        "grant_type=authorization_code&client_id=zq7&code=zq7&redirect_uri=zq7%22",
        "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=zq7",
        "client_id=zq7&client_secret=zq7&client_assertion=zq7",
        "client_id=zq7&client_id=zq8",
    ],
)
def test_errors_carry_nothing_of_the_request(body):
    with pytest.raises(ProtocolError) as caught:
        parse(body)
    error = caught.value
    assert "zq7" not in f"{error!r} {error.description} {error.reason} {error.client_id} {error.state}"
