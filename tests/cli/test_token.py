"""`oauth-filter token` and `oauth-filter purge`."""

import time

import pytest

from oauth_filter import credentials
from oauth_filter.records import AccessToken
from oauth_filter.records import AuthorizationCode
from oauth_filter.records import RefreshToken
from oauth_filter.records import User


class Issued:
    """Alice's access and refresh token for `web`, and one that `batch` has for itself; and which of them live."""

    def __init__(self, cli):
        self.cli = cli
        self.access, self.own = credentials.generate("ofa"), credentials.generate("ofa")
        self.refresh, self.spent = credentials.generate("ofr"), credentials.generate("ofr")
        self.records = self._make()
        store = cli.store()
        store.put(User(key="alice", subject="subject-of-alice"), *self.records)
        store.close()

    def _make(self):
        now = time.time()
        alice = {"subject": "subject-of-alice", "username": "alice"}
        web = {"grant_id": "g1", "client_id": "web", "scope": "read", **alice}
        return [
            AccessToken(key=credentials.digest(self.access), issued_at=now - 9, expires_at=now + 3600, **web),
            RefreshToken(key=credentials.digest(self.refresh), issued_at=now - 8, **web),
            RefreshToken(key=credentials.digest(self.spent), issued_at=now - 7, spent_at=now, **web),
            AccessToken(
                key=credentials.digest(self.own),
                grant_id="g2",
                client_id="batch",
                issued_at=now - 6,
                expires_at=now + 90000,
            ),
        ]

    def living(self):
        store = self.cli.store()
        try:
            return {
                name
                for name, kind in (("access", AccessToken), ("refresh", RefreshToken), ("own", AccessToken))
                if store.get(kind, credentials.digest(getattr(self, name)))
            }
        finally:
            store.close()


@pytest.fixture
def issued(cli):
    cli.write(rest="[client:web]\nredirect_uris = https://web.example.com/")
    return Issued(cli)


def test_list_shows_live_tokens_newest_first_and_no_secret(cli, issued):
    listed = cli.json("token", "list")
    assert [(token["type"], token["grant_id"]) for token in listed] == [
        ("access", "g2"),
        ("refresh", "g1"),
        ("access", "g1"),
    ]
    assert {key: value for key, value in listed[2].items() if not key.endswith("_at")} == {
        "type": "access",
        "grant_id": "g1",
        "client_id": "web",
        "username": "alice",
        "subject": "subject-of-alice",
        "scope": "read",
    }
    assert listed[0]["username"] is None
    assert listed[1]["expires_at"] is None
    for shown in (cli.ok("token", "list"), cli.ok("token", "list", "--json")):
        for token in (issued.access, issued.refresh, issued.own):
            assert token not in shown
            assert credentials.digest(token) not in shown


def test_list_as_a_table(cli, issued):
    head, own, _, access = (line.split() for line in cli.ok("token", "list").splitlines())
    assert head == ["TYPE", "GRANT", "CLIENT", "USER", "ISSUED", "EXPIRES", "SCOPE"]
    assert own[:4] == ["access", "g2", "batch", "-"]
    assert access[:4] == ["access", "g1", "web", "alice"]
    assert access[5:] == ["ago", "in", "59m", "read"]


@pytest.mark.parametrize(
    ("arguments", "grants"),
    [
        (["--client", "web"], ["g1", "g1"]),
        (["--client", "batch"], ["g2"]),
        (["--user", "alice"], ["g1", "g1"]),
        (["--user", "alice", "--client", "batch"], []),
        (["--limit", "2"], ["g2", "g1"]),
    ],
)
def test_list_of_a_client_or_user(cli, issued, arguments, grants):
    assert [token["grant_id"] for token in cli.json("token", "list", *arguments)] == grants


def test_a_list_cut_short_says_so(cli, issued):
    result = cli("token", "list", "--limit", "2")
    assert "--limit 20" in result.stderr
    assert len(result.stdout.splitlines()) == 3


def test_long_names_stay_within_80_columns(cli, issued):
    store = cli.store()
    store.put(
        AccessToken(
            key="k",
            grant_id=credentials.new_id(),
            client_id="c" * 200,
            subject="s",
            username="u" * 200,
            scope="many scopes " * 50,
            issued_at=time.time(),
        )
    )
    store.close()
    assert max(map(len, cli.ok("token", "list").splitlines())) <= 80


def test_no_tokens(cli):
    assert "no live tokens" in cli.ok("token", "list")
    assert cli.json("token", "list") == []


@pytest.mark.parametrize("command", ["list", "revoke"])
@pytest.mark.parametrize("option", ["--client", "--user"])
def test_unknown_names(cli, issued, command, option):
    cli.fails(3, "token", command, option, "nobody")


@pytest.mark.promise(4)
@pytest.mark.parametrize(
    ("arguments", "living"),
    [
        (["--grant", "g1"], {"own"}),
        (["--grant", "g2"], {"access", "refresh"}),
        (["--client", "web", "--yes"], {"own"}),
        (["--client", "batch", "--yes"], {"access", "refresh"}),
        (["--user", "alice", "--yes"], {"own"}),
    ],
)
def test_revoke(cli, issued, arguments, living):
    assert "revoked" in cli.ok("token", "revoke", *arguments)
    assert issued.living() == living


@pytest.mark.promise(4)
@pytest.mark.parametrize(
    ("name", "living"), [("access", {"own"}), ("refresh", {"own"}), ("own", {"access", "refresh"}), ("spent", {"own"})]
)
def test_revoke_what_comes_on_standard_input(cli, issued, name, living):
    token = getattr(issued, name)
    said = cli.json("token", "revoke", "--token-stdin", stdin=f"{token}\n")
    assert said["revoked"] == "grant"
    assert token not in str(said)
    assert issued.living() == living


@pytest.mark.parametrize("stdin", [credentials.generate("ofa"), "garbage"])
def test_a_token_that_is_none(cli, issued, stdin):
    said = cli.fails(3, "token", "revoke", "--token-stdin", stdin=stdin)
    assert stdin not in said


def test_a_mistyped_grant_is_not_called_revoked(cli, issued):
    cli.fails(3, "token", "revoke", "--grant", "g3")


def test_a_grant_of_which_there_is_only_a_code(cli):
    store = cli.store()
    store.put(AuthorizationCode(key="code", grant_id="g", expires_at=time.time() + 60))
    store.close()
    cli.ok("token", "revoke", "--grant", "g")
    store = cli.store()
    assert store.get(AuthorizationCode, "code") is None
    store.close()


@pytest.mark.parametrize("arguments", [[], ["--grant", "g1", "--client", "web"], ["--user", "alice", "--token-stdin"]])
def test_one_option_is_needed(cli, issued, arguments):
    cli.fails(2, "token", "revoke", *arguments, stdin="x")
    assert issued.living() == {"access", "refresh", "own"}


@pytest.mark.parametrize("arguments", [["--client", "web"], ["--user", "alice"]])
def test_revoking_much_is_asked_about(cli, issued, arguments):
    assert "--yes" in cli.fails(2, "token", "revoke", *arguments, stdin="y\n")
    assert issued.living() == {"access", "refresh", "own"}


def test_where_the_application_knows_the_users_their_name_is_the_subject(cli):
    cli.write("login = remote_user")
    store = cli.store()
    store.put(AccessToken(key="k", grant_id="g", client_id="c", subject="bob", username="bob"))
    store.close()
    assert len(cli.json("token", "list", "--user", "bob")) == 1
    cli.ok("token", "revoke", "--user", "bob", "--yes")
    assert cli.json("token", "list") == []


def test_purge_deletes_what_is_dead_in_any_number_of_batches(cli, issued):
    store = cli.store()
    store.put(*(AccessToken(key=f"old{i}", grant_id="old", expires_at=time.time() - 1) for i in range(25)))
    store.close()
    assert cli.json("purge", "--batch", "10") == {"deleted": 25}
    assert "Deleted 0" in cli.ok("purge")
    assert issued.living() == {"access", "refresh", "own"}


@pytest.mark.parametrize("batch", ["0", "-1", "x", "100001"])
def test_purge_with_a_senseless_batch(cli, batch):
    cli.fails(2, "purge", "--batch", batch)
