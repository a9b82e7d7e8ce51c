"""What a person at a terminal is asked, and that what is typed in secret is not shown."""

from oauth_filter.passwords import verify_secret
from oauth_filter.records import Client
from oauth_filter.records import User

PASSWORD = "correct horse battery"


def stored(cli, kind, key):
    store = cli.store()
    try:
        return store.get(kind, key)
    finally:
        store.close()


def test_a_password_is_asked_for_twice_and_hidden(cli):
    code, screen = cli.at_terminal(
        "user", "add", "alice", answers=[("Password:", PASSWORD), ("Repeat for confirmation:", PASSWORD)]
    )
    assert code == 0
    assert PASSWORD not in screen
    assert verify_secret(PASSWORD, stored(cli, User, "alice").password_hash)


def test_a_client_secret_is_asked_for_twice_and_hidden(cli):
    code, screen = cli.at_terminal(
        *["client", "add", "app", "--redirect-uri", "https://app.example.com/", "--prompt-secret"],
        answers=[("Client secret:", PASSWORD), ("Repeat for confirmation:", PASSWORD)],
    )
    assert code == 0
    assert PASSWORD not in screen
    assert verify_secret(PASSWORD, stored(cli, Client, "app").secret_hash)


def test_no_means_no(cli):
    cli.ok("user", "add", "alice", "--generate-password")
    code, screen = cli.at_terminal("user", "remove", "alice", answers=[("[y/N]:", "n")])
    assert code == 1
    assert "nothing was changed" in screen
    assert stored(cli, User, "alice") is not None


def test_yes_means_yes(cli):
    cli.ok("user", "add", "alice", "--generate-password")
    code, screen = cli.at_terminal("user", "remove", "alice", answers=[("[y/N]:", "y")])
    assert code == 0
    assert "is removed" in screen
    assert stored(cli, User, "alice") is None
