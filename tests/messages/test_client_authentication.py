"""How a client says who it is -- RFC 6749 section 2.3."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from oauth_filter.messages import ClientAssertion
from oauth_filter.messages import ClientCredentialsGrant
from oauth_filter.messages import ClientSecretBasic
from oauth_filter.messages import ClientSecretPost
from oauth_filter.messages import ProtocolError
from oauth_filter.messages import PublicClient
from oauth_filter.messages import TokenRequest
from oauth_filter.messages import decode_form
from oauth_filter.messages import parse_client_authentication
from oauth_filter.messages.client_authentication import JWT_BEARER_ASSERTION

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)


def basic(credentials):
    return "Basic " + base64.b64encode(credentials).decode()


def jwt(claims, alg="RS256"):
    """What looks like a signed JWT."""
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in ({"alg": alg}, claims))
    return ".".join([*(part.rstrip("=") for part in parts), "c2ln"])


def parse(authorization=None, form=""):
    return parse_client_authentication(authorization, decode_form(form))


def refused(authorization=None, form=""):
    with pytest.raises(ProtocolError) as caught:
        parse(authorization, form)
    return caught.value


@pytest.mark.rfc("6749", "2.3.1", "Basic credentials are form-encoded")
@pytest.mark.parametrize(
    ("sent", "client_id", "client_secret"),
    [
        (b"id:secret", "id", "secret"),
        (b"a%3Ab:c+d%2B", "a:b", "c d+"),
        (b"id:a:b", "id", "a:b"),
        (b"%C3%A9:%E2%82%AC", "é", "€"),
        ("é:€".encode(), "é", "€"),
    ],
)
def test_basic(sent, client_id, client_secret):
    expected = ClientSecretBasic(client_id=client_id, client_secret=client_secret)
    assert parse(basic(sent)) == expected
    assert parse(basic(sent).replace("Basic ", "bASIC   ") + " ") == expected
    assert parse(expected.authorization()) == expected


def test_post():
    sent = parse(None, "client_id=id&client_secret=a+b")
    assert sent == ClientSecretPost(client_id="id", client_secret="a b")
    assert sent.method == "client_secret_post"


@pytest.mark.parametrize(
    ("authorization", "form"),
    [
        (None, "client_id=id"),
        (None, "client_id=id&client_secret="),
        (basic(b"id:"), ""),
        ("", "client_id=id"),
        (" ", "client_id=id"),
    ],
)
def test_an_empty_secret_is_none(authorization, form):
    assert parse(authorization, form) == PublicClient(client_id="id")


def test_a_request_that_does_not_say():
    assert parse() is None
    assert parse(None, "client_id=&client_secret=&client_assertion=") is None


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic",
        "Basic ",
        "Basic !",
        "Basic aWQ6c2VjcmV0 x",
        "Basic aWQ6c2VjcmV0é",
        "Basic aWQ6c2VjcmV",
        "=",
        basic(b"no colon"),
        basic(b":secret"),
        basic(b"+:secret"),
        basic(b"id:100%"),
        basic(b"%zz:a"),
        basic(b"id:%00"),
        basic(b"id:\0"),
        basic(b"id:%ff"),
        basic(b"\xff:a"),
    ],
)
def test_malformed_basic(authorization):
    error = refused(authorization)
    assert (error.code, error.status, error.reason) == ("invalid_request", 400, "invalid_client_authentication")


@pytest.mark.parametrize(
    ("sent", "client_id", "readings"),
    [
        (b"a+b:s", "", [("a b", "s"), ("a+b", "s")]),
        (b"a+b:s", "client_id=a+b", [("a b", "s")]),
        (b"a+b:s", "client_id=a%2Bb", [("a+b", "s")]),
        (b"ab:s+t", "client_id=ab", [("ab", "s t"), ("ab", "s+t")]),
    ],
)
def test_no_reading_of_the_header_is_of_another_client_than_the_form(sent, client_id, readings):
    found = parse_client_authentication(basic(sent), decode_form(client_id))
    assert readings == [
        (reading.client_id, reading.client_secret) for reading in (found, found.unencoded) if reading is not None
    ]


@pytest.mark.rfc("6749", "2.3", "not more than one method in each request")
@pytest.mark.parametrize(
    ("authorization", "form", "reason"),
    [
        (basic(b"id:secret"), "client_secret=secret", "several_client_authentications"),
        (basic(b"id:secret"), "client_id=id&client_secret=secret", "several_client_authentications"),
        (basic(b"id:secret"), "client_assertion=a.b.c", "several_client_authentications"),
        (None, "client_id=id&client_secret=s&client_assertion=a", "several_client_authentications"),
        (basic(b"id:secret"), "client_id=other", "client_id_mismatch"),
        (basic(b"id:"), "client_id=other", "client_id_mismatch"),
        (None, "client_id=a&client_id=b", "repeated_parameter"),
        (None, "client_id=a&client_secret=b&client_secret=c", "repeated_parameter"),
        (None, "client_secret=b", "missing_client_id"),
        (None, "client_id=+&client_secret=b", "missing_client_id"),
    ],
)
def test_contradictions(authorization, form, reason):
    error = refused(authorization, form)
    assert (error.code, error.status, error.reason) == ("invalid_request", 400, reason)


@pytest.mark.parametrize(
    ("authorization", "form"),
    [
        ("Bearer abc", "client_id=id"),
        ("Negotiate abc", ""),
        (None, "client_assertion=a"),
        (None, "client_assertion=a.b.c"),
        (None, "client_assertion_type=a"),
        (None, f"client_assertion_type={JWT_BEARER_ASSERTION}"),
        (None, "client_assertion=a.b.c&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:saml2-bearer"),
    ],
)
def test_a_method_we_do_not_know_is_not_taken_for_none(authorization, form):
    error = refused(authorization, form)
    assert (error.code, error.status) == ("invalid_client", 401)


def test_the_same_client_id_may_be_in_both_places():
    assert parse(basic(b"id:secret"), "client_id=id").client_id == "id"


@pytest.mark.rfc("7523", "2.2", "a client authenticates by a JWT")
class TestAssertion:
    def form(self, assertion, **more):
        parameters = {"client_assertion": assertion, "client_assertion_type": JWT_BEARER_ASSERTION} | more
        return "&".join(f"{name}={value}" for name, value in parameters.items())

    def test_the_client_is_whom_the_form_names(self):
        sent = parse(None, self.form("a.b.c", client_id="id"))
        assert sent == ClientAssertion(client_id="id", client_assertion="a.b.c")

    @pytest.mark.rfc("7521", "4.2", "client_id is optional")
    def test_or_else_the_subject(self):
        assert parse(None, self.form(jwt({"sub": "é"}))).client_id == "é"

    @pytest.mark.parametrize(("alg", "method"), [("HS256", "client_secret_jwt"), ("ES256", "private_key_jwt")])
    def test_its_algorithm_tells_the_method(self, alg, method):
        assert parse(None, self.form(jwt({"sub": "id"}, alg=alg))).method == method

    @pytest.mark.parametrize(
        "assertion",
        [
            "a.b.c",
            "a.b",
            "a.b.c.d.e",
            "a..c",
            "a.b.c ",
            jwt({}),
            jwt({"sub": ""}),
            jwt({"sub": " "}),
            jwt({"sub": 1}),
            jwt({"sub": None}),
            jwt({"sub": ["id"]}),
            jwt([]),
            "a." + base64.urlsafe_b64encode(b"[" * 100_000).decode().rstrip("=") + ".c",
        ],
    )
    def test_an_assertion_that_names_nobody(self, assertion):
        error = refused(None, self.form(assertion))
        assert (error.code, error.status, error.reason) == ("invalid_client", 401, "invalid_client_authentication")

    @pytest.mark.parametrize("alg", [None, 1, [], "none", ""])
    def test_a_strange_algorithm_is_none_of_a_secret(self, alg):
        assert ClientAssertion(client_id="id", client_assertion=jwt({}, alg=alg)).method == "private_key_jwt"

    @pytest.mark.parametrize(("client_id", "assertion"), [("", "a.b.c"), ("id", ""), ("id", "a.b"), ("id", "a.b.c\n")])
    def test_nothing_is_built_that_could_not_be_read(self, client_id, assertion):
        with pytest.raises(ValueError, match="client_"):
            ClientAssertion(client_id=client_id, client_assertion=assertion)

    def test_a_token_request_with_one_comes_back_unchanged(self):
        sent = TokenRequest(
            grant=ClientCredentialsGrant(), client=ClientAssertion(client_id="id", client_assertion=jwt({"sub": "id"}))
        )
        assert sent.authorization() is None
        assert TokenRequest.parse(sent.to_form()) == sent


@pytest.mark.promise(5)
@pytest.mark.parametrize("kind", [ClientSecretBasic, ClientSecretPost])
def test_secrets_are_not_shown(kind):
    assert "hunter2" not in repr(kind(client_id="id", client_secret="hunter2"))
    assert "hunter2" not in repr(ClientAssertion(client_id="id", client_assertion="hunter2.b.c"))


@pytest.mark.parametrize("kind", [ClientSecretBasic, ClientSecretPost])
@pytest.mark.parametrize(("client_id", "client_secret"), [("", "a"), (" ", "a"), ("a", ""), ("\0", "a"), ("a", "\0")])
def test_nothing_is_built_that_could_not_be_read(kind, client_id, client_secret):
    with pytest.raises(ValueError, match="client_"):
        kind(client_id=client_id, client_secret=client_secret)


@settings(deadline=None)
@given(TEXT.filter(str.strip), TEXT)
def test_basic_comes_back_unchanged(client_id, client_secret):
    sent = ClientSecretBasic(client_id=client_id, client_secret=client_secret)
    assert sent.authorization().isascii()
    assert parse(sent.authorization()) == sent


@settings(deadline=None)
@given(
    st.one_of(st.none(), st.text(), st.text().map("Basic ".__add__), st.binary().map(basic)),
    st.lists(
        st.sampled_from(
            [
                *("client_id=a", "client_id=b", "client_secret=", "client_secret=c", "client_assertion=d"),
                *(f"client_assertion={jwt({'sub': 'e'})}", f"client_assertion_type={JWT_BEARER_ASSERTION}"),
            ]
        )
    ),
)
def test_any_input_is_read_or_refused(authorization, pieces):
    try:
        client = parse(authorization, "&".join(pieces))
    except ProtocolError:
        return
    assert client is None or client.client_id.strip()
