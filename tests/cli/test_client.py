"""`oauth-filter client`."""

import time

import pytest

from oauth_filter.passwords import verify_secret
from oauth_filter.records import AccessToken
from oauth_filter.records import Client
from oauth_filter.records import Consent

URI = "https://app.example.com/callback"
INI = f"[client:fixed]\nname = Fixed\nsecret = env:CLI_TEST_SECRET\nredirect_uris = {URI}"


def stored(cli, client_id="app"):
    store = cli.store()
    try:
        return store.get(Client, client_id)
    finally:
        store.close()


def issue(cli, client_id="app"):
    """A function that says whether the client's token and consent still live."""
    store = cli.store()
    store.put(
        AccessToken(key="digest", grant_id="grant", client_id=client_id, subject="s", expires_at=time.time() + 60),
        Consent(key=Consent.key_of("s", client_id), client_id=client_id, subject="s"),
    )
    store.close()

    def is_alive():
        store = cli.store()
        try:
            alive = {bool(store.get(AccessToken, "digest")), bool(store.get(Consent, Consent.key_of("s", client_id)))}
        finally:
            store.close()
        (answer,) = alive
        return answer

    return is_alive


@pytest.fixture
def app(cli):
    """The secret of a registered client `app`."""
    return cli.json("client", "add", "app", "--redirect-uri", URI)["client_secret"]


def test_add_generates_a_secret_and_keeps_its_digest(cli):
    before = time.time()
    added = cli.json("client", "add", "app", "--name", "My App", "--redirect-uri", URI, "--redirect-uri", "app:/cb")
    client = stored(cli)
    assert (client.name, client.redirect_uris, client.client_id) == ("My App", (URI, "app:/cb"), "app")
    assert client.grant_types == ("authorization_code", "refresh_token")
    assert before <= client.issued_at <= time.time()
    assert verify_secret(added["client_secret"], client.secret_hash)
    assert added["client_secret"] not in client.secret_hash


def test_the_secret_is_shown_once(cli, app):
    said = cli.ok("client", "add", "other", "--redirect-uri", URI)
    secret = said.split("client_secret")[1].strip()
    assert verify_secret(secret, stored(cli, "other").secret_hash)
    for command in (["list"], ["show", "other"]):
        for form in ([], ["--json"]):
            shown = cli.ok("client", *command, *form)
            assert secret not in shown
            assert stored(cli, "other").secret_hash not in shown


def test_add_with_everything(cli):
    added = cli.json(
        *["client", "add", "app", "--redirect-uri", "https://a.example.com/", "--grant-type", "authorization_code"],
        *["--grant-type", "client_credentials", "--grant-type", "jwt-bearer", "--scope", "read", "--scope"],
        "write admin",
        *["--auto-grant", "--client-authentication", "not_required_with_pkce", "--pkce", "required"],
        *["--access-token-lifetime", "15m", "--refresh-token-lifetime", "30d"],
    )
    del added["client_secret"]
    assert cli.json("client", "show", "app") == added
    assert added["grant_types"] == [
        "authorization_code",
        "client_credentials",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
    ]
    assert added["scope"] == "read write admin"
    assert (added["auto_grant"], added["pkce"]) == (True, "required")
    assert added["client_authentication"] == "not_required_with_pkce"
    assert (added["access_token_lifetime"], added["refresh_token_lifetime"]) == (900, 2592000)


def test_a_public_client_has_no_secret(cli):
    added = cli.json("client", "add", "app", "--public", "--redirect-uri", "http://127.0.0.1/cb")
    assert "client_secret" not in added
    assert stored(cli).secret_hash is None
    assert "secret" not in cli.ok("client", "add", "app2", "--public", "--redirect-uri", URI)


def test_a_machine_needs_no_redirect_uri(cli):
    cli.ok("client", "add", "app", "--grant-type", "client_credentials")
    assert stored(cli).redirect_uris == ()


def test_a_chosen_secret_comes_from_standard_input_and_is_not_shown(cli):
    result = cli("client", "add", "app", "--redirect-uri", URI, "--secret-stdin", stdin="a chosen secret of mine\r\n")
    assert result.exit_code == 0
    assert "a chosen" not in result.output
    assert verify_secret("a chosen secret of mine", stored(cli).secret_hash)


def test_a_short_chosen_secret_gets_a_warning(cli):
    result = cli("client", "add", "app", "--redirect-uri", URI, "--secret-stdin", stdin="secret")
    assert result.exit_code == 0
    assert "Warning" in result.stderr
    assert verify_secret("secret", stored(cli).secret_hash)


@pytest.mark.parametrize("stdin", ["", "\n", "two\nlines", "nul\0", b"\xff\xfe", "x" * 1025, "x" * 100_000])
def test_a_bad_secret_on_standard_input(cli, stdin):
    cli.fails(2, "client", "add", "app", "--redirect-uri", URI, "--secret-stdin", stdin=stdin)
    assert stored(cli) is None


@pytest.mark.parametrize(
    "uri",
    [
        "http://app.example.com/cb",
        "/callback",
        "//app.example.com/cb",
        "https://app.example.com/#fragment",
        "javascript:alert(1)",
        "https://app.example.com/a b",
        "https://app.example.com/ä",
        "https://app.example.com/cb\n",
        "https:///cb",
        "https://app.example.com:port/",
        "https://user@app.example.com/",
        "",
    ],
)
def test_illegal_redirect_uris(cli, uri):
    assert "redirect_uri" in cli.fails(2, "client", "add", "app", "--redirect-uri", uri)
    assert stored(cli) is None


@pytest.mark.parametrize("client_id", ["", " app", "app ", "ä", "a\nb", "x" * 256])
def test_illegal_ids(cli, client_id):
    assert "client_id" in cli.fails(2, "client", "add", "--redirect-uri", URI, "--", client_id)


@pytest.mark.parametrize("client_id", ["a", "x" * 255, "a:b c/d?e=f", "--app", "~!@#$%^&*()"])
def test_legal_ids(cli, client_id):
    cli.ok("client", "add", "--public", "--redirect-uri", URI, "--", client_id)
    assert stored(cli, client_id).key == client_id
    assert cli.json("client", "show", "--", client_id)["client_id"] == client_id
    assert max(map(len, cli.ok("client", "list").splitlines())) <= 80


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--redirect-uri", URI, "--grant-type", "made-up"],
        ["--redirect-uri", URI, "--public", "--grant-type", "client_credentials"],
        ["--redirect-uri", URI, "--public", "--secret-stdin"],
        ["--redirect-uri", URI, "--secret-stdin", "--prompt-secret"],
        ["--redirect-uri", URI, "--scope", 'a"b'],
        ["--redirect-uri", URI, "--scope", "ä"],
        ["--redirect-uri", URI, "--access-token-lifetime", "0"],
        ["--redirect-uri", URI, "--access-token-lifetime", "soon"],
        ["--redirect-uri", URI, "--access-token-lifetime", "99999d"],
        ["--redirect-uri", URI, "--pkce", "perhaps"],
        ["--redirect-uri", URI, "--name", "two\nlines"],
        ["--redirect-uri", URI, "--secret", "in-argv"],
    ],
)
def test_what_cannot_be_registered(cli, arguments):
    cli.fails(2, "client", "add", "app", *arguments, stdin="a secret of a sufficient length\n")
    assert stored(cli) is None


def test_a_prompt_needs_a_terminal(cli):
    assert "--secret-stdin" in cli.fails(2, "client", "add", "app", "--redirect-uri", URI, "--prompt-secret")


def test_our_own_scopes_need_not_stand_in_scopes(cli):
    cli.write(rest="[scopes]\nread = Read")
    scope = "openid offline_access profile email address phone oauth2:admin"
    cli.ok("client", "add", "console", "--grant-type", "client_credentials", "--scope", scope)
    assert cli.json("client", "show", "console")["scope"] == scope


def test_scopes_have_to_be_configured_where_there_are_any(cli):
    cli.write(rest="[scopes]\nread = Read")
    cli.ok("client", "add", "app", "--redirect-uri", URI, "--scope", "read")
    assert "write" in cli.fails(2, "client", "add", "app2", "--redirect-uri", URI, "--scope", "read write")


def test_an_id_can_be_taken_once(cli, app):
    cli.fails(4, "client", "add", "app", "--public", "--redirect-uri", "https://other.example.com/")
    assert stored(cli).redirect_uris == (URI,)
    assert verify_secret(app, stored(cli).secret_hash)


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (4, ["add", "fixed", "--redirect-uri", URI]),
        (2, ["update", "fixed", "--name", "Other"]),
        (2, ["remove", "fixed", "--yes"]),
        (2, ["rotate-secret", "fixed", "--yes"]),
    ],
)
def test_clients_of_the_ini_are_neither_shadowed_nor_changed(cli, code, arguments):
    cli.write(rest=INI)
    assert f"defined in {cli.ini}:6" in cli.fails(code, "client", *arguments)
    assert stored(cli, "fixed") is None


def test_list_and_show_name_where_a_client_is_defined(cli, app):
    cli.write(rest=INI)
    listed = {client["client_id"]: client for client in cli.json("client", "list")}
    assert {key: client["defined_in"] for key, client in listed.items()} == {"app": "store", "fixed": f"{cli.ini}:6"}
    assert cli.json("client", "show", "fixed") == listed["fixed"]
    assert "read-only" in cli.ok("client", "show", "fixed")
    table = cli.ok("client", "list").splitlines()
    assert table[0].split() == ["CLIENT", "ID", "KIND", "ENABLED", "DEFINED", "IN", "NAME"]
    assert [line.split()[0] for line in table[1:]] == ["app", "fixed"]


def test_an_empty_list_says_what_to_do(cli):
    assert "client add" in cli.ok("client", "list")
    assert cli.json("client", "list") == []


def test_a_list_longer_than_a_page(cli):
    store = cli.store()
    store.put(*(Client(key=f"app{i:04}", client_id=f"app{i:04}") for i in range(1203)))
    store.close()
    listed = [client["client_id"] for client in cli.json("client", "list")]
    assert listed == [f"app{i:04}" for i in range(1203)]


def test_names_cannot_repaint_the_terminal_or_break_the_table(cli):
    store = cli.store()
    store.put(Client(key="app", client_id="app", name="\x1b[2J" + "long " * 100))
    store.close()
    for shown in (cli.ok("client", "list"), cli.ok("client", "show", "app")):
        assert "\x1b" not in shown
    assert max(map(len, cli.ok("client", "list").splitlines())) <= 80


@pytest.mark.parametrize("command", ["show", "remove", "rotate-secret"])
def test_an_unknown_client(cli, command):
    cli.fails(3, "client", command, "nobody")


def test_update_changes_what_is_given_and_nothing_else(cli, app):
    before = cli.json("client", "show", "app")
    after = cli.json("client", "update", "app", "--name", "New", "--access-token-lifetime", "5m", "--scope", "read")
    assert after == before | {"client_name": "New", "access_token_lifetime": 300, "scope": "read"}
    again = cli.json("client", "update", "app", "--unset", "access_token_lifetime", "--unset", "scope")
    assert again == before | {"client_name": "New"}
    assert verify_secret(app, stored(cli).secret_hash)


def test_update_replaces_lists(cli, app):
    changed = cli.json("client", "update", "app", "--redirect-uri", "https://b.example.com/", "--no-auto-grant")
    assert changed["redirect_uris"] == ["https://b.example.com/"]


@pytest.mark.parametrize(
    "arguments",
    [[], ["--redirect-uri", "http://x.example.com/"], ["--scope", "a", "--unset", "scope"], ["--name", "a\x07"]],
)
def test_bad_updates_change_nothing(cli, app, arguments):
    before = stored(cli)
    cli.fails(2, "client", "update", "app", *arguments)
    assert stored(cli) == before


def test_an_unknown_client_cannot_be_updated(cli):
    cli.fails(3, "client", "update", "nobody", "--name", "x")


@pytest.mark.promise(4)
def test_disabling_ends_tokens_for_good(cli, app):
    is_alive = issue(cli)
    assert "tokens and consents have ended" in cli.ok("client", "update", "app", "--disable", "--yes")
    assert not stored(cli).enabled
    assert not is_alive()
    cli.ok("client", "update", "app", "--enable")
    assert stored(cli).enabled
    assert not is_alive()


def test_a_client_with_faults_of_its_own_can_be_disabled(cli):
    store = cli.store()
    store.put(Client(key="app", client_id="app", redirect_uris=("http://x.example.com/",)))
    store.close()
    cli.ok("client", "update", "app", "--disable", "--yes")
    assert not stored(cli).enabled


@pytest.mark.promise(4)
def test_removing_ends_tokens_also_for_a_successor(cli, app):
    is_alive = issue(cli)
    cli.ok("client", "remove", "app", "--yes")
    assert stored(cli) is None
    assert not is_alive()
    cli.ok("client", "add", "app", "--redirect-uri", URI)
    assert not is_alive()


@pytest.mark.parametrize("arguments", [["remove", "app"], ["update", "app", "--disable"], ["rotate-secret", "app"]])
def test_what_is_lost_is_asked_about(cli, app, arguments):
    is_alive = issue(cli)
    before = stored(cli)
    assert "--yes" in cli.fails(2, "client", *arguments, stdin="y\n")
    assert stored(cli) == before
    assert is_alive()


def test_rotating_replaces_the_secret_and_keeps_tokens(cli, app):
    is_alive = issue(cli)
    secret = cli.json("client", "rotate-secret", "app", "--yes")["client_secret"]
    assert not verify_secret(app, stored(cli).secret_hash)
    assert verify_secret(secret, stored(cli).secret_hash)
    assert is_alive()
    cli.ok("client", "rotate-secret", "app", "--yes", "--secret-stdin", "--revoke-tokens", stdin="a chosen long secret")
    assert verify_secret("a chosen long secret", stored(cli).secret_hash)
    assert not is_alive()


def test_a_public_client_has_no_secret_to_rotate(cli):
    cli.ok("client", "add", "app", "--public", "--redirect-uri", URI)
    cli.fails(2, "client", "rotate-secret", "app", "--yes")
