"""Proof key for code exchange -- RFC 7636."""

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from oauth_filter.messages import code_challenge
from oauth_filter.messages import code_verifier_matches
from oauth_filter.messages import is_code_challenge
from oauth_filter.messages import is_code_verifier
from oauth_filter.messages import new_code_verifier
from oauth_filter.messages import new_state

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.rfc("7636", "B", "the example")
def test_the_example_of_the_rfc():
    assert code_challenge(VERIFIER) == CHALLENGE
    assert code_verifier_matches(VERIFIER, challenge=CHALLENGE, method="S256")


def test_plain_is_the_verifier_itself():
    assert code_challenge(VERIFIER, "plain") == VERIFIER
    assert code_verifier_matches(VERIFIER, challenge=VERIFIER, method="plain")
    assert not code_verifier_matches(VERIFIER, challenge=CHALLENGE, method="plain")


@pytest.mark.rfc("7636", "4.6")
@pytest.mark.parametrize(
    ("verifier", "challenge", "method"),
    [
        (VERIFIER[:-1] + "l", CHALLENGE, "S256"),
        (VERIFIER, CHALLENGE[:-1] + "N", "S256"),
        (VERIFIER, CHALLENGE + "=", "S256"),
        (VERIFIER, "", "S256"),
        (VERIFIER, CHALLENGE, "s256"),
        (VERIFIER, VERIFIER, "PLAIN"),
        (VERIFIER, VERIFIER, ""),
        (VERIFIER, "é" * 43, "S256"),
        (VERIFIER, "\ud800", "S256"),
        ("", "", "plain"),
        ("short", "short", "plain"),
        ("é" * 43, "é" * 43, "plain"),
        (VERIFIER + "\n", VERIFIER + "\n", "plain"),
    ],
)
def test_nothing_else_matches(verifier, challenge, method):
    assert not code_verifier_matches(verifier, challenge=challenge, method=method)


@pytest.mark.rfc("7636", "4.1")
@pytest.mark.parametrize("check", [is_code_verifier, is_code_challenge])
def test_what_is_well_formed(check):
    assert check("a" * 43)
    assert check("-._~Z9" + "a" * 122)
    assert not check("a" * 42)
    assert not check("a" * 129)
    assert not check("a" * 43 + "\n")
    assert not check("a" * 42 + "+")
    assert not check("a" * 42 + "é")


@pytest.mark.parametrize(("verifier", "method"), [("short", "S256"), (VERIFIER, "S512"), (VERIFIER, "s256")])
def test_no_challenge_is_made_of_a_mistake(verifier, method):
    with pytest.raises(ValueError, match="RFC 7636"):
        code_challenge(verifier, method)


@pytest.mark.parametrize("new", [new_code_verifier, new_state])
def test_fresh_values_are_random_and_long_enough(new):
    made = {new() for _ in range(100)}
    assert len(made) == 100
    assert all(is_code_verifier(value) for value in made)


@settings(deadline=None)
@given(st.text(), st.text(), st.sampled_from(["S256", "plain", ""]))
def test_matching_never_raises(verifier, challenge, method):
    expected = method == "plain" and verifier == challenge and is_code_verifier(verifier)
    assert code_verifier_matches(verifier, challenge=challenge, method=method) is expected
