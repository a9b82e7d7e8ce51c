"""`debug`: the full reason of each refusal goes to the event log, and into no answer."""

import logging
from urllib.parse import unquote_plus

import pytest

from oauth_filter.messages import code_challenge
from tests.provider import CALLBACK
from tests.provider import VERIFIER

MARK = "mark1234"
WRONG_VERIFIER = f"{MARK}-{'v' * 40}"


@pytest.fixture(params=[True, False], ids=["debug", "quiet"])
def debugged(request, make_provider):
    provider = make_provider(scopes={"read": "Read", "write": "Write"})
    provider.debug = request.param
    provider.add_client("dev", debug=request.param, scope="read", origins=("https://dev.example",))
    provider.add_client("other")
    return provider


def authorize(provider, **parameters):
    return provider.authorize(client_id="dev", **parameters)


def redeem(provider, **form):
    return provider.redeem(provider.code("dev"), "dev", **form)


def refresh(provider, **form):
    tokens = provider.tokens("dev")
    return provider.refresh(tokens["refresh_token"], "dev", **form)


REFUSALS = {
    "the path": (
        lambda p: authorize(p, redirect_uri=f"{CALLBACK}/{MARK}"),
        f"the redirect URI is '{CALLBACK}/{MARK}'; of {CALLBACK} it differs in path",
    ),
    "the host and the query": (
        lambda p: authorize(p, redirect_uri=f"https://{MARK}.example/cb?x=1"),
        f"of {CALLBACK} it differs in host and query",
    ),
    "the scheme and the port": (
        lambda p: authorize(p, redirect_uri="http://client.example:8080/cb"),
        "it differs in scheme and port",
    ),
    "something strange": (
        lambda p: authorize(p, redirect_uri=f"https://{MARK}@client.example/cb"),
        "it differs in its characters",
    ),
    "a scope that is unknown": (
        lambda p: authorize(p, scope=f"read {MARK}"),
        f"unknown: '{MARK}'; not allowed to this client: ''",
    ),
    "a scope it may not ask for": (
        lambda p: authorize(p, scope="read write"),
        "unknown: ''; not allowed to this client: 'write'",
    ),
    "no PKCE": (
        lambda p: authorize(p, code_challenge=None, code_challenge_method=None),
        "no code_challenge; it is a public client with pkce = required_unless_client_authentication",
    ),
    "another PKCE method": (
        lambda p: authorize(p, code_challenge_method=MARK),
        f"code_challenge_method is '{MARK}'",
    ),
    "a bad challenge": (
        lambda p: authorize(p, code_challenge=code_challenge(VERIFIER)[:-1]),
        "a code_challenge of S256 has 43 characters of base64url; this one has 42",
    ),
    "another origin": (
        lambda p: p.browser().get(
            "/oauth2/authorize", query_string=p.request("dev"), headers={"Origin": f"https://{MARK}.example"}
        ),
        f"'https://{MARK}.example' is not among its origins https://dev.example",
    ),
    "a hidden origin": (
        lambda p: p.browser().get(
            "/oauth2/authorize", query_string=p.request("dev"), headers={"Origin": "null"}
        ),
        "Origin: null",
    ),
    "another origin at the token endpoint": (
        lambda p: p.browser().post(
            "/oauth2/token",
            data={"client_id": "dev", "grant_type": "refresh_token"},
            headers={"Origin": f"https://{MARK}.example"},
        ),
        f"'https://{MARK}.example' is not among its origins",
    ),
    "a wrong verifier": (
        lambda p: redeem(p, code_verifier=WRONG_VERIFIER),
        "the code_verifier does not give the code_challenge by S256",
    ),
    "another redirect URI at the token endpoint": (
        lambda p: redeem(p, redirect_uri=f"https://{MARK}.example/"),
        f"it was '{CALLBACK}', and is 'https://{MARK}.example/' now",
    ),
    "a code that is none": (
        lambda p: p.redeem(MARK, "dev"),
        "there is no such code, or it has expired",
    ),
    "another client's code": (
        lambda p: p.redeem(p.code("other"), "dev"),
        "the code was issued to another client",
    ),
    "a refresh token that is none": (
        lambda p: p.refresh(MARK, "dev"),
        "there is no such refresh token, or it has expired",
    ),
    "another client's refresh token": (
        lambda p: p.refresh(p.tokens("other")["refresh_token"], "dev"),
        "the refresh token was issued to another client",
    ),
    "a secret it does not have": (
        lambda p: p.token("dev", grant_type="client_credentials", client_secret=MARK),
        "the secret is wrong",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSALS)
def test_the_reason_of_a_refusal(debugged, caplog, what):
    refuse, told = REFUSALS[what]
    with caplog.at_level(logging.INFO, "oauth_filter"):
        answer = refuse(debugged)
    event = debugged.events[-1]
    assert event.name == "refused"
    assert event.reason
    if debugged.debug:
        assert event.detail.startswith("client dev: ")
        assert told in event.detail
        assert told.split("'")[0] in caplog.text
    else:
        assert event.detail is None
    said = unquote_plus(f"{answer.text} {answer.headers}").replace(unquote_plus(str(answer.request.url)), "")
    assert told not in said
    assert MARK not in said
    # What works as a secret is in no log.
    assert WRONG_VERIFIER not in caplog.text
    assert VERIFIER not in caplog.text


def test_answers_are_the_same_with_and_without(make_provider):
    answers = []
    for debug in (True, False):
        provider = make_provider(scopes={"read": "Read", "write": "Write"})
        provider.add_client("dev", debug=debug, scope="read", origins=("https://dev.example",))
        provider.add_client("other")
        answers.append([_comparable(refuse(provider)) for refuse, _ in REFUSALS.values()])
    assert answers[0] == answers[1]


def _comparable(answer):
    request_id = answer.headers["X-Request-ID"]
    return answer.status_code, answer.text.replace(request_id, ""), answer.headers.get("Location")


def test_long_and_strange_texts_are_one_short_line(make_provider):
    provider = make_provider(scopes={"read": "Read"})
    provider.add_client("dev", debug=True)
    assert provider.authorize(client_id="dev", scope="x" * 20_000).status_code == 303
    assert len(provider.events[-1].detail) < 500
    provider.authorize(client_id="dev", code_challenge_method="a\r\nb\u2028c")
    assert provider.events[-1].detail.isprintable()
    assert provider.events[-1].detail.isascii()


def test_a_client_that_does_not_exist_has_no_detail(provider):
    provider.authorize(client_id="nobody")
    assert (provider.events[-1].reason, provider.events[-1].detail) == ("invalid_client_id", None)
