"""`oauth-filter user`."""

import time
import unicodedata

import pytest

from oauth_filter.passwords import verify_secret
from oauth_filter.records import AccessToken
from oauth_filter.records import Consent
from oauth_filter.records import RefreshToken
from oauth_filter.records import User

PASSWORD = "correct horse battery"


def stored(cli, name="alice"):
    store = cli.store()
    try:
        return store.get(User, name)
    finally:
        store.close()


def issue(cli):
    """A function that says whether a token of alice still lives."""
    store = cli.store()
    subject = store.get(User, "alice").subject
    store.put(AccessToken(key="digest", grant_id="grant", client_id="app", subject=subject, username="alice"))
    store.close()

    def is_alive():
        store = cli.store()
        try:
            return store.get(AccessToken, "digest") is not None
        finally:
            store.close()

    return is_alive


@pytest.fixture
def alice(cli):
    cli.ok("user", "add", "alice", "--password-stdin", stdin=f"{PASSWORD}\n")
    return stored(cli)


def test_add(cli):
    before = time.time()
    said = cli.ok("user", "add", "alice", "--name", "Alice A.", "--administrator", "--password-stdin", stdin=PASSWORD)
    assert PASSWORD not in said
    user = stored(cli)
    assert verify_secret(PASSWORD, user.password_hash)
    assert (user.name, user.administrator, user.enabled) == ("Alice A.", True, True)
    assert before <= user.issued_at <= time.time()
    assert user.subject not in (None, "", "alice")


def test_a_generated_password_is_shown_once(cli):
    said = cli.ok("user", "add", "alice", "--generate-password")
    password = said.split("password")[-1].strip()
    assert len(password) == 22
    assert verify_secret(password, stored(cli).password_hash)
    for form in ([], ["--json"]):
        shown = cli.ok("user", "list", *form)
        assert password not in shown
        assert stored(cli).password_hash not in shown


def test_json(cli):
    added = cli.json("user", "add", "alice", "--generate-password")
    assert verify_secret(added.pop("password"), stored(cli).password_hash)
    assert cli.json("user", "list") == [added]
    known = ["username", "name", "subject", "enabled", "administrator", "claims", "registrations", "created_at"]
    assert list(added) == known
    assert cli.json("user", "show", "alice") == added


def test_a_name_can_be_taken_once(cli, alice):
    cli.fails(4, "user", "add", "alice", "--generate-password")
    assert stored(cli) == alice


def test_a_name_has_one_spelling(cli):
    composed, decomposed = unicodedata.normalize("NFC", "zoé"), unicodedata.normalize("NFD", "zoé")
    cli.ok("user", "add", decomposed, "--generate-password")
    assert stored(cli, composed) is not None
    cli.fails(4, "user", "add", composed, "--generate-password")
    cli.ok("user", "disable", decomposed, "--yes")
    assert not stored(cli, composed).enabled


@pytest.mark.parametrize("name", ["", " ", "alice ", "\talice", "al\nice", "a\0", "a\u202eb", "x" * 256])
def test_illegal_names(cli, name):
    assert "USERNAME" in cli.fails(2, "user", "add", "--generate-password", "--", name)


@pytest.mark.parametrize("name", ["a", "x" * 255, "alice@example.com", "Ölaf Ü", "-x", "日本"])
def test_legal_names(cli, name):
    cli.ok("user", "add", "--generate-password", "--", name)
    assert stored(cli, name).username == name
    assert max(map(len, cli.ok("user", "list").splitlines())) <= 80


@pytest.mark.parametrize("stdin", ["", "\n", "short12", "ALICEALICE", "one line\nand another", "tab\tin password"])
def test_bad_passwords(cli, stdin):
    cli.fails(2, "user", "add", "alicealice", "--password-stdin", stdin=stdin)
    assert stored(cli, "alicealice") is None


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--password-stdin", "--generate-password"],
        ["--password", "in-argv-and-long"],
        ["--generate-password", "--name", "a\nb"],
    ],
)
def test_wrong_usage(cli, arguments):
    cli.fails(2, "user", "add", "alice", *arguments, stdin=PASSWORD)
    assert stored(cli) is None


def test_an_empty_list_says_what_to_do(cli):
    assert "user add" in cli.ok("user", "list")
    assert cli.json("user", "list") == []


def test_a_note_where_the_directory_is_not_asked(cli):
    cli.write("login = remote_user")
    result = cli("user", "add", "alice", "--generate-password")
    assert result.exit_code == 0
    assert "login = remote_user" in result.stderr


@pytest.mark.parametrize(
    "command",
    [["password", "--generate-password"], ["disable"], ["enable"], ["remove"], ["show"], ["update", "--email", "a@b"]],
)
def test_an_unknown_user(cli, command):
    cli.fails(3, "user", *command, "nobody")


def test_a_new_password_ends_tokens_unless_told_otherwise(cli, alice):
    is_alive = issue(cli)
    cli.ok("user", "password", "alice", "--password-stdin", "--keep-tokens", stdin="another password")
    assert verify_secret("another password", stored(cli).password_hash)
    assert is_alive()
    said = cli.ok("user", "password", "alice", "--password-stdin", stdin="yet another password")
    assert "Tokens and consents have ended" in said
    assert verify_secret("yet another password", stored(cli).password_hash)
    assert not is_alive()


def test_a_new_generated_password(cli, alice):
    changed = cli.json("user", "password", "alice", "--generate-password")
    assert verify_secret(changed["password"], stored(cli).password_hash)
    assert stored(cli).subject == alice.subject


def test_a_bad_new_password_changes_nothing(cli, alice):
    cli.fails(2, "user", "password", "alice", "--password-stdin", stdin="short")
    assert stored(cli) == alice


@pytest.mark.promise(4)
def test_disabling_ends_tokens_for_good(cli, alice):
    is_alive = issue(cli)
    cli.ok("user", "disable", "alice", "--yes")
    assert not stored(cli).enabled
    assert not is_alive()
    cli.ok("user", "enable", "alice")
    assert stored(cli).enabled
    assert not is_alive()


@pytest.mark.promise(4)
def test_a_new_user_of_an_old_name_inherits_nothing(cli, alice):
    is_alive = issue(cli)
    cli.ok("user", "remove", "alice", "--yes")
    assert stored(cli) is None
    assert not is_alive()
    cli.ok("user", "add", "alice", "--generate-password")
    assert stored(cli).subject != alice.subject
    assert not is_alive()


@pytest.mark.parametrize("command", ["disable", "remove"])
def test_what_is_lost_is_asked_about(cli, alice, command):
    assert "--yes" in cli.fails(2, "user", command, "alice", stdin="y\n")
    assert stored(cli) == alice


def test_claims_of_every_kind(cli):
    told = [
        *["--email", "alice@example.com", "--claim", "email_verified=true", "--claim", "phone_number_verified=false"],
        *["--claim", "given_name=Alice", "--claim", "updated_at=1700000000", "--claim", "nickname=a=b"],
        *["--claim", 'address={"locality": "Oxford", "country": "UK"}'],
    ]
    added = cli.json("user", "add", "alice", "--generate-password", *told)
    assert added["claims"] == {
        "email": "alice@example.com",
        "email_verified": True,
        "phone_number_verified": False,
        "given_name": "Alice",
        "updated_at": 1700000000,
        "nickname": "a=b",
        "address": {"locality": "Oxford", "country": "UK"},
    }
    shown = cli.ok("user", "show", "alice")
    assert "email_verified" in shown
    assert '{"locality": "Oxford", "country": "UK"}' in shown


def test_update_changes_the_claims_that_are_named(cli, alice):
    cli.ok("user", "update", "alice", "--email", "a@example.com", "--claim", "family_name=Liddell")
    changed = cli.json("user", "update", "alice", "--claim", "family_name=", "--claim", "zoneinfo=Europe/London")
    assert changed["claims"] == {"email": "a@example.com", "zoneinfo": "Europe/London"}
    assert cli.json("user", "update", "alice", "--email", "", "--claim", "zoneinfo=")["claims"] == {}
    assert stored(cli) == alice


@pytest.mark.parametrize(
    "arguments",
    [
        ["--claim", "given_name"],
        ["--claim", "sub=somebody"],
        ["--claim", "given_nam=Alice"],
        ["--claim", "=Alice"],
        ["--claim", "email_verified=yes"],
        ["--claim", "updated_at=now"],
        ["--claim", "address=Oxford"],
        ["--claim", 'address=["Oxford"]'],
        ["--claim", 'address={"city": "Oxford"}'],
        ["--claim", 'address={"locality": 1}'],
        ["--claim", "address=" + "[" * 100_000],
        ["--claim", "given_name=a\nb"],
        ["--claim", "given_name=" + "x" * 1001],
        ["--claim", "given_name=a", "--claim", "given_name=b"],
        ["--email", "a@example.com", "--claim", "email=b@example.com"],
        ["--email", "alice"],
        ["--email", "a b@example.com"],
        ["--name", "a\nb"],
        [],
    ],
)
def test_bad_updates_change_nothing(cli, alice, arguments):
    cli.fails(2, "user", "update", "alice", *arguments)
    assert stored(cli) == alice


def test_update_leaves_the_rest(cli, alice):
    is_alive = issue(cli)
    changed = cli.json("user", "update", "alice", "--name", "Alice L.", "--administrator")
    assert (changed["name"], changed["administrator"], changed["subject"]) == ("Alice L.", True, alice.subject)
    cli.ok("user", "update", "alice", "--no-administrator", "--name", "")
    assert stored(cli) == alice
    assert is_alive()


def test_registrations(cli):
    cli.write(rest="[client:fixed]\nredirect_uris = https://fixed.example.com/")
    cli.ok("client", "add", "app", "--public", "--redirect-uri", "https://app.example.com/")
    added = cli.json("user", "add", "alice", "--generate-password", "--register", "fixed")
    assert added["registrations"] == ["fixed"]
    changed = cli.json("user", "update", "alice", "--register", "app", "--register", "fixed")
    assert changed["registrations"] == ["fixed", "app"]
    before = stored(cli)
    cli.fails(3, "user", "update", "alice", "--register", "nobody")
    cli.fails(3, "user", "update", "alice", "--unregister", "nobody", "--yes")
    assert "--yes" in cli.fails(2, "user", "update", "alice", "--unregister", "app")
    assert stored(cli) == before
    cli.fails(3, "user", "add", "bob", "--generate-password", "--register", "nobody")
    assert stored(cli, "bob") is None


@pytest.mark.promise(4)
def test_a_registration_taken_back_ends_what_that_client_has(cli):
    cli.write(rest="[client:app]\nredirect_uris = https://a.b/\n[client:other]\nredirect_uris = https://a.b/")
    cli.ok("user", "add", "alice", "--generate-password", "--register", "app", "--register", "other")
    subject = stored(cli).subject
    store = cli.store()
    for client_id in ("app", "other"):
        envelope = {"client_id": client_id, "subject": subject, "grant_id": f"g-{client_id}"}
        store.put(AccessToken(key=f"a-{client_id}", **envelope), RefreshToken(key=f"r-{client_id}", **envelope))
        store.put(Consent(key=Consent.key_of(subject, client_id), client_id=client_id, subject=subject))
    store.put(AccessToken(key="bob", client_id="app", subject="bob", grant_id="g-bob"))
    store.close()
    changed = cli.json("user", "update", "alice", "--unregister", "app", "--yes")
    assert changed["registrations"] == ["other"]
    store = cli.store()
    assert {token.key for token in store.find(AccessToken)} == {"a-other", "bob"}
    assert {token.key for token in store.find(RefreshToken)} == {"r-other"}
    assert [consent.client_id for consent in store.find(Consent)] == ["other"]
    store.close()
