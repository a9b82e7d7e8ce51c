"""`oauth-filter keys`: what signs, what waits and what leaves, and what the JWK Set shows of it."""

import time
from dataclasses import replace

import pytest

from oauth_filter.records import SigningKey

HOUR = 3600


def stored(cli):
    store = cli.store()
    try:
        return {key.key: key for key in store.find(SigningKey)}
    finally:
        store.close()


def put(cli, key):
    store = cli.store()
    store.put(key)
    store.close()


def states(cli):
    return {key["kid"]: key["state"] for key in cli.json("keys", "list")}


def test_no_keys_yet_and_none_made_by_looking(cli):
    assert cli.json("keys", "list") == []
    assert "no keys yet" in cli.ok("keys", "list")
    assert stored(cli) == {}


def test_the_first_key_signs_at_once(cli):
    made = cli.json("keys", "rotate")
    assert (made["algorithm"], made["state"], made["leaving"]) == ("RS256", "signing", [])
    assert states(cli) == {made["kid"]: "signing"}
    assert "signs at once" in cli.ok("keys", "rotate", "--algorithm", "ES256")


def test_a_rotation_says_when_the_new_key_signs_and_the_old_one_leaves(cli):
    first = cli.json("keys", "rotate")["kid"]
    before = time.time()
    second = cli.json("keys", "rotate")
    assert second["state"] == "waiting"
    assert [key["kid"] for key in second["leaving"]] == [first]
    assert states(cli) == {first: "signing", second["kid"]: "waiting"}
    old, new = stored(cli)[first], stored(cli)[second["kid"]]
    assert new.signs_from >= before + HOUR
    # It leaves after everything it may have signed, a session's ID token included, and its caches.
    assert old.expires_at >= new.signs_from + 9 * HOUR
    assert new.expires_at is None
    listed = cli.ok("keys", "list")
    assert "waiting  in 59m  never" in listed
    assert "signing  -" in listed


def test_what_people_are_told(cli):
    first = cli.json("keys", "rotate")["kid"]
    said = cli.ok("keys", "rotate")
    assert "is published, and signs from " in said
    assert f"Key {first} (signing) leaves at " in said


def test_the_old_key_retires_once_the_new_one_signs(cli):
    first = cli.json("keys", "rotate")["kid"]
    second = cli.json("keys", "rotate")["kid"]
    put(cli, replace(stored(cli)[first], signs_from=time.time() - HOUR))
    put(cli, replace(stored(cli)[second], signs_from=time.time() - 1))
    assert states(cli) == {first: "retiring", second: "signing"}
    put(cli, replace(stored(cli)[first], expires_at=time.time() - 1))
    assert states(cli) == {second: "signing"}


def test_a_client_whose_tokens_live_long_keeps_the_old_key(cli):
    cli.write(rest="[client:other]\nsecret = env:CLI_TEST_SECRET\nid_token_lifetime = 3d\nredirect_uris = https://a.b/")
    cli.ok("client", "add", "app", "--redirect-uri", "https://a.b/", "--access-token-lifetime", "5d")
    first = cli.json("keys", "rotate")["kid"]
    second = cli.json("keys", "rotate")["kid"]
    assert stored(cli)[first].expires_at >= stored(cli)[second].signs_from + 5 * 24 * HOUR


def test_a_second_rotation_while_one_waits_is_asked_about(cli):
    cli.ok("keys", "rotate")
    cli.ok("keys", "rotate")
    before = stored(cli)
    said = cli.fails(2, "keys", "rotate")
    assert "waits already" in said
    assert "--yes" in said
    assert stored(cli) == before
    cli.ok("keys", "rotate", "--algorithm", "ES256")
    cli.ok("keys", "rotate", "--yes")
    assert len(stored(cli)) == len(before) + 2


def test_an_algorithm_of_its_own(cli):
    cli.write("id_token_signing_alg = EdDSA")
    assert cli.json("keys", "rotate")["algorithm"] == "EdDSA"
    assert cli.json("keys", "rotate", "--algorithm", "PS256")["leaving"] == []
    cli.fails(2, "keys", "rotate", "--algorithm", "HS256")
    cli.fails(2, "keys", "rotate", "--algorithm", "none")


@pytest.mark.promise(5)
def test_nothing_private_is_shown(cli):
    cli.ok("keys", "rotate")
    (key,) = stored(cli).values()
    for shown in (cli.ok("keys", "list"), cli.ok("keys", "list", "--json"), cli.ok("keys", "rotate", "--json")):
        assert key.sealed not in shown
        assert "PRIVATE" not in shown
        assert '"d"' not in shown


def test_a_key_of_another_master_secret_signs_no_more(cli, monkeypatch):
    first = cli.json("keys", "rotate")["kid"]
    monkeypatch.setenv("CLI_TEST_SECRET", "another-master-secret-of-40-characters-xx")
    assert states(cli) == {first: "retiring"}


def test_two_processes_that_made_the_first_key_at_once(cli):
    first = cli.json("keys", "rotate")["kid"]
    put(cli, replace(stored(cli)[first], key="another"))
    assert sorted(states(cli).values()) == ["retiring", "signing"]
    assert len(cli.json("keys", "rotate")["leaving"]) == 2


@pytest.mark.rfc("7517", "5")
def test_the_jwk_set_of_a_running_provider_shows_both(cli):
    def kids(answer):
        return {key["kid"] for key in answer.json()["keys"] if key["alg"] == "RS256"}

    with cli.provider() as ask:
        (first,) = kids(ask("GET", "oauth2/jwks"))
        second = cli.json("keys", "rotate")["kid"]
        assert kids(ask("GET", "oauth2/jwks")) == {first, second}
        assert states(cli).items() >= {first: "signing", second: "waiting"}.items()
