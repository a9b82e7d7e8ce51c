"""`oauth-filter client rotate-secret`: old secrets that go on for a while, and secrets that are kept for JWTs."""

import time
from dataclasses import replace

import pytest

from oauth_filter.passwords import hash_secret
from oauth_filter.passwords import verify_secret
from oauth_filter.records import Client

DAY = 86400


def stored(cli):
    store = cli.store()
    try:
        return store.get(Client, "app")
    finally:
        store.close()


def put(cli, client):
    store = cli.store()
    store.put(client)
    store.close()


def rotate(cli, *arguments):
    return cli.json("client", "rotate-secret", "app", "--yes", *arguments)


@pytest.fixture
def app(cli):
    """The secret of a client for itself."""
    return cli.json("client", "add", "app", "--grant-type", "client_credentials")["client_secret"]


def test_the_present_secret_goes_on_for_the_overlap(cli, app):
    before = time.time()
    rotated = rotate(cli, "--overlap", "1d")
    assert verify_secret(rotated["client_secret"], stored(cli).secret_hash)
    ((old, until),) = stored(cli).old_secret_hashes
    assert verify_secret(app, old)
    assert before + DAY <= until <= time.time() + DAY
    assert len(rotated["old_secrets_accepted_until"]) == 1
    shown = cli.ok("client", "show", "app")
    assert f"accepted until {rotated['old_secrets_accepted_until'][0]}" in shown
    assert old not in shown
    assert old not in cli.ok("client", "show", "app", "--json")


def test_without_an_overlap_every_old_secret_ends(cli, app):
    rotate(cli, "--overlap", "1d")
    rotated = rotate(cli)
    assert stored(cli).old_secret_hashes == ()
    assert rotated["old_secrets_accepted_until"] == []


def test_an_overlap_gives_no_old_secret_more_time(cli, app):
    rotate(cli, "--overlap", "60s")
    ((first, ends),) = stored(cli).old_secret_hashes
    rotate(cli, "--overlap", "30d")
    assert stored(cli).old_secret_hashes[0] == (first, ends)
    assert len(stored(cli).old_secret_hashes) == 2
    put(cli, replace(stored(cli), old_secret_hashes=((first, time.time() - 1),)))
    rotate(cli, "--overlap", "30d")
    assert [old for old, _ in stored(cli).old_secret_hashes if old == first] == []


def test_five_old_secrets_are_enough(cli, app):
    for _ in range(5):
        rotate(cli, "--overlap", "1d")
    before = stored(cli)
    assert len(before.old_secret_hashes) == 5
    said = cli.fails(2, "client", "rotate-secret", "app", "--yes", "--overlap", "1d")
    assert "without --overlap" in said
    assert stored(cli) == before
    rotate(cli)
    assert stored(cli).old_secret_hashes == ()


def test_expired_old_secrets_do_not_count(cli, app):
    put(cli, replace(stored(cli), old_secret_hashes=tuple((f"sha256:{i}", time.time() - 1) for i in range(5))))
    rotate(cli, "--overlap", "1d")
    assert len(stored(cli).old_secret_hashes) == 1


@pytest.mark.parametrize("overlap", ["", "-1d", "soon", "99999d"])
def test_an_overlap_that_is_none(cli, app, overlap):
    before = stored(cli)
    cli.fails(2, "client", "rotate-secret", "app", "--yes", "--overlap", overlap)
    assert stored(cli) == before


def test_the_question_says_what_becomes_of_the_present_secret(cli, app):
    assert "stops working at once" in cli.fails(2, "client", "rotate-secret", "app")
    assert "goes on for 1d" in cli.fails(2, "client", "rotate-secret", "app", "--overlap", "24h")


def test_a_client_that_authenticates_by_keys_has_none(cli):
    put(cli, Client(key="app", client_id="app", jwks='{"keys": []}'))
    assert "by its keys" in cli.fails(2, "client", "rotate-secret", "app", "--yes")


def test_a_secret_for_jwts_is_kept_sealed(cli, app):
    said = cli.fails(2, "client", "update", "app", "--token-endpoint-auth-method", "client_secret_jwt")
    assert "rotate-secret --for-jwt" in said
    secret = rotate(cli, "--for-jwt")["client_secret"]
    client = stored(cli)
    assert client.token_endpoint_auth_method == "client_secret_jwt"
    assert client.sealed_secret is not None
    assert secret not in client.sealed_secret
    assert client.sealed_secret not in cli.ok("client", "show", "app") + cli.ok("client", "show", "app", "--json")
    rotate(cli)
    assert stored(cli).sealed_secret not in (None, client.sealed_secret)
    cli.fails(2, "client", "rotate-secret", "app", "--yes", "--overlap", "1d")
    cli.ok("client", "update", "app", "--token-endpoint-auth-method", "client_secret_basic")
    assert stored(cli).sealed_secret is None


@pytest.mark.rfc("7518", "3.2", "a key of the same size as the hash output or larger MUST be used")
def test_a_chosen_secret_for_jwts_has_to_be_long(cli, app):
    before = stored(cli)
    said = cli.fails(2, "client", "rotate-secret", "app", "--yes", "--for-jwt", "--secret-stdin", stdin="x" * 31)
    assert "32 bytes" in said
    assert stored(cli) == before


def test_a_client_can_be_added_for_jwts(cli):
    method = ["--token-endpoint-auth-method", "client_secret_jwt"]
    cli.ok("client", "add", "app", "--grant-type", "client_credentials", *method)
    assert stored(cli).sealed_secret is not None


def test_a_changed_client_keeps_its_secrets(cli, app):
    rotate(cli, "--overlap", "1d")
    before = stored(cli)
    cli.ok("client", "update", "app", "--name", "App")
    assert stored(cli) == replace(before, name="App")


@pytest.mark.promise(4)
def test_the_token_endpoint_takes_the_old_secret_until_it_ends(cli, app):
    with cli.provider() as ask:

        def status(secret):
            form = {"grant_type": "client_credentials"}
            return ask("POST", "oauth2/token", data=form, auth=("app", secret)).status_code

        second = rotate(cli, "--overlap", "1d")["client_secret"]
        assert [status(app), status(second), status("wrong")] == [200, 200, 401]
        third = rotate(cli, "--overlap", "1d")["client_secret"]
        assert [status(app), status(second), status(third)] == [200, 200, 200]
        # Its time has come.
        present = stored(cli)
        put(
            cli,
            replace(present, old_secret_hashes=((hash_secret(app), time.time() - 1), *present.old_secret_hashes[1:])),
        )
        assert [status(app), status(second), status(third)] == [401, 200, 200]
        fourth = rotate(cli)["client_secret"]
        assert [status(app), status(second), status(third), status(fourth)] == [401, 401, 401, 200]
