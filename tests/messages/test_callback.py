"""Reading the authorization response in the client -- RFC 6749 sections 4.1.2 and 10.12, RFC 9207."""

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from oauth_filter.messages import AuthorizationDenied
from oauth_filter.messages import AuthorizationErrorResponse
from oauth_filter.messages import AuthorizationSuccessResponse
from oauth_filter.messages import CallbackError
from oauth_filter.messages import IssuerMismatch
from oauth_filter.messages import Parameters
from oauth_filter.messages import ResponseError
from oauth_filter.messages import ResponseType
from oauth_filter.messages import StateMismatch
from oauth_filter.messages import encode_form
from oauth_filter.messages import parse_callback
from oauth_filter.messages import verify_callback
from oauth_filter.scope import Scope

CALLBACK = "https://client.example/cb"
ISSUER = "https://as.example"

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
MAYBE = st.none() | TEXT
ERROR_TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters='"\\'), min_size=1)
TAKEN = [
    "code",
    "access_token",
    "token_type",
    "expires_in",
    "scope",
    "id_token",
    "state",
    "iss",
    "error",
    "error_description",
    "error_uri",
]
CUSTOM = st.dictionaries(TEXT.filter(lambda name: name not in TAKEN), TEXT | st.just(""), max_size=3).map(Parameters)
COMMON = {
    "redirect_uri": st.sampled_from([CALLBACK, "app:/cb", "https:///"]),
    "state": MAYBE,
    "iss": MAYBE,
    "response_mode": st.sampled_from([None, "query", "fragment", "form_post"]),
    "custom_parameters": CUSTOM,
}
SCOPES = st.lists(st.text("abc!~", min_size=1), max_size=3).map(lambda tokens: Scope(*tokens))
RESPONSES = st.one_of(
    st.builds(AuthorizationSuccessResponse, code=TEXT, id_token=MAYBE, scope=st.none() | SCOPES, **COMMON),
    st.builds(
        AuthorizationSuccessResponse,
        access_token=TEXT,
        code=MAYBE,
        expires_in=st.none() | st.integers(0, 10**15 - 1),
        scope=st.none() | SCOPES,
        **COMMON,
    ),
    st.builds(
        AuthorizationErrorResponse,
        error=ERROR_TEXT.filter(lambda text: text == text.strip()),
        error_description=st.none() | ERROR_TEXT,
        error_uri=st.none() | st.just("https://as.example/errors/1"),
        **COMMON,
    ),
)


@settings(deadline=None)
@given(RESPONSES)
def test_a_response_comes_back_unchanged(response):
    if response.response_mode == "form_post":
        body = encode_form(response.parameters().pairs())
        assert parse_callback(response.redirect_uri, form=body) == response
        assert parse_callback(response.redirect_uri, form=body.encode()) == response
    else:
        assert parse_callback(response.to_uri()) == response


WIRE = st.one_of(
    st.text(),
    st.lists(
        st.tuples(st.sampled_from([*TAKEN, "x"]), st.text(max_size=4) | st.sampled_from(["bearer", "1", "%zz"]))
    ).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)),
)


@settings(deadline=None, max_examples=300)
@given(WIRE, st.sampled_from("?#"), st.none() | WIRE | st.binary())
def test_a_callback_is_read_or_refused(text, separator, form):
    try:
        response = parse_callback(CALLBACK + separator + text, form=form)
    except CallbackError:
        return
    if isinstance(response, AuthorizationSuccessResponse):
        assert response.code or response.access_token or response.id_token
    else:
        assert response.error


@pytest.mark.parametrize(
    "callback",
    [
        "",
        "?",
        "?state=s",
        "?code=",
        "?error=",
        "?error=+",
        "?error=a%22b",
        "?error=a%0Ab",
        "?code=c&error=access_denied",
        "?code=a&code=b",
        "?code=a&iss=1&iss=2",
        "?error=a&error=b",
        "?code=%zz",
        "?code=%ff",
        "?code=c&scope=%22",
        "?response=a.b.c",
        "#access_token=t",
        "#access_token=t&token_type=mac",
        "#access_token=t&token_type=bearer&expires_in=soon",
        "#access_token=t&token_type=bearer&expires_in=-1",
        "#access_token=t&token_type=bearer&expires_in=" + "9" * 5000,
        "?code=c#%zz",
    ],
)
def test_what_is_not_an_authorization_response(callback):
    with pytest.raises(CallbackError) as caught:
        parse_callback(CALLBACK + callback)
    assert isinstance(caught.value, ResponseError)


def test_a_fragment_without_a_response_does_not_hide_the_query():
    assert parse_callback(CALLBACK + "?code=c&state=s#_=_").code == "c"


def test_a_fragment_with_a_response_wins():
    response = parse_callback(CALLBACK + "?app=1#code=c")
    assert (response.code, response.redirect_uri, response.response_mode) == ("c", CALLBACK + "?app=1", "fragment")


def test_what_servers_add_is_kept():
    response = parse_callback(CALLBACK + "?code=c&scope=email+openid&authuser=0")
    assert response.scope == Scope("openid", "email")
    assert response.custom_parameters == Parameters({"authuser": "0"})


def test_errors_of_servers_are_made_harmless():
    response = parse_callback(
        CALLBACK + "?error=access_denied&error_description=%22%3Cb%3E%E2%80%94&error_uri=javascript:a"
    )
    assert (response.error_description, response.error_uri) == ("<b>", None)


def test_only_the_body_of_a_form_post_is_read():
    response = parse_callback(CALLBACK + "?app=1&code=query#code=fragment", form=b"code=body&state=s")
    assert (response.code, response.state, response.response_mode) == ("body", "s", "form_post")
    with pytest.raises(CallbackError):
        parse_callback(CALLBACK + "?code=query", form="")


@pytest.mark.rfc("6749", "10.12", "the state binds the callback to the session")
@pytest.mark.parametrize(
    ("sent", "came", "same"),
    [
        ("abc", "abc", True),
        ("€ ", "€ ", True),
        ("abc", "abd", False),
        ("abc", "abcd", False),
        ("abc", None, False),
        ("", None, False),
        (None, None, False),
        (None, "abc", False),
        ("\ud800", "abc", False),
    ],
)
def test_state(sent, came, same):
    for response in (
        AuthorizationSuccessResponse(redirect_uri=CALLBACK, code="c", state=came),
        AuthorizationErrorResponse(redirect_uri=CALLBACK, error="access_denied", state=came),
    ):
        assert response.check_state(sent) is same
        if not same:
            with pytest.raises(StateMismatch):
                verify_callback(response.to_uri(), state=sent)


def test_a_verified_callback():
    assert verify_callback(CALLBACK + "?code=c&state=s", state="s").code == "c"
    assert verify_callback(CALLBACK, form="code=c&state=s", state="s").code == "c"


@pytest.mark.rfc("9207", "2.4")
def test_the_issuer():
    callback = CALLBACK + "?code=c&state=s"
    assert verify_callback(callback + "&iss=https://as.example", state="s", issuer=ISSUER).iss == ISSUER
    for other in ("", "&iss=", "&iss=https://evil.example", "&iss=https://as.example/", "&iss=%E2%82%AC"):
        with pytest.raises(IssuerMismatch):
            verify_callback(callback + other, state="s", issuer=ISSUER)


def test_a_refusal_is_told_after_the_state_is_checked():
    callback = CALLBACK + "?error=access_denied&state=s"
    with pytest.raises(AuthorizationDenied) as caught:
        verify_callback(callback, state="s")
    assert caught.value.response.error == "access_denied"
    with pytest.raises(StateMismatch):
        verify_callback(callback, state="other")


@pytest.mark.parametrize(
    ("callback", "response_type"),
    [
        ("#access_token=t&token_type=bearer&state=s", "code"),
        ("?code=c&state=s", "token"),
        ("#code=c&access_token=t&token_type=bearer&state=s", "code"),
        ("#code=c&state=s", "code id_token"),
    ],
)
def test_what_was_not_asked_for_is_refused(callback, response_type):
    with pytest.raises(CallbackError, match="asked for"):
        verify_callback(CALLBACK + callback, state="s", response_type=ResponseType.parse(response_type))


def test_the_implicit_flow():
    callback = CALLBACK + "#access_token=t&token_type=BEARER&expires_in=3599.0&state=s"
    response = verify_callback(callback, state="s", response_type=ResponseType.TOKEN)
    assert (response.access_token, response.expires_in) == ("t", 3599)
