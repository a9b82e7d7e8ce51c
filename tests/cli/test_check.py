"""`oauth-filter check`: all faults at once, then everything unsafe with the reason and the fix."""

import json
from dataclasses import replace

import pytest

from oauth_filter.cli.unsafe import unsafe_files
from oauth_filter.cli.unsafe import unsafe_settings
from oauth_filter.records import Client
from oauth_filter.scope import Scope
from oauth_filter.settings import JWTIssuer
from oauth_filter.settings import Rule
from oauth_filter.settings import Settings

SAFE = Settings(
    issuer="https://api.example.com",
    secret="uT6oIhXkDwJ8xqkP0wM5sTn4eR7yBv2c",
    accept_query_token=False,
    protect=(Rule(path="/public/", access="public"), Rule(path="/")),
)
CONFIDENTIAL = Client(key="app", client_id="app", secret_hash="x", redirect_uris=("https://app.example.com/cb",))
PUBLIC = replace(CONFIDENTIAL, secret_hash=None)


def found(settings, clients=()):
    return {unsafe.option for unsafe in unsafe_settings(settings, clients)}


def test_safe_settings_have_nothing_to_say():
    assert found(SAFE, [CONFIDENTIAL, replace(PUBLIC, key="other")]) == set()


@pytest.mark.promise(16)
@pytest.mark.parametrize(
    ("option", "changes"),
    [
        ("issuer", {"issuer": "http://localhost:8080"}),
        ("issuer", {"issuer": "http://api.example.com", "insecure_allow_http_issuer": True}),
        ("insecure_allow_http_issuer", {"insecure_allow_http_issuer": True}),
        ("store", {"store": "memory:"}),
        ("secret", {"secret": "abcabcabcabcabcabcabcabcabcabcabcabc"}),
        ("synchronous", {"synchronous": "NORMAL"}),
        ("allow_plain_pkce", {"allow_plain_pkce": True}),
        ("token_parameters_in_query", {"token_parameters_in_query": True}),
        ("accept_query_token", {"accept_query_token": True}),
        ("refresh_token_usage", {"refresh_token_usage": "reusable"}),
        ("refuse_ambiguous_paths", {"refuse_ambiguous_paths": False}),
        ("insecure_allow_private_fetch", {"insecure_allow_private_fetch": True}),
        ("unknown_scope", {"unknown_scope": "allow", "scopes": {"read": "Read"}}),
        ("refresh_token_grace", {"refresh_token_grace": 61}),
        ("jwt_secret", {"jwt_secret": "s" * 63, "jwt_issuer": "nuxeo"}),
        ("secret", {"jwt_issuers": (JWTIssuer(issuer="i", algorithm="HS384", secret="s" * 47),)}),
        ("jwks_uri", {"jwt_issuers": (JWTIssuer(issuer="i", jwks_uri="http://localhost/jwks"),)}),
        ("application_login", {"login": "application", "who_am_i": "/who", "application_login": "/login?next={next}"}),
        ("nuxeo_directory_api", {"nuxeo_directory_api": True}),
        ("session_lifetime", {"session_lifetime": 31 * 86400}),
        ("code_lifetime", {"code_lifetime": 601}),
        ("access_token_lifetime", {"access_token_lifetime": 86401}),
        ("refresh_token_lifetime", {"refresh_token_lifetime": 366 * 86400}),
        ("trusted_proxies", {"trusted_proxies": ("0.0.0.0/0",)}),
        ("trusted_proxies", {"trusted_proxies": ("::/0",)}),
        (
            "remote_user_key",
            {"login": "remote_user", "remote_user_key": "HTTP_X_USER", "trusted_proxies": ("10.0.0.1",)},
        ),
        ("/", {"protect": (Rule(path="/", access="public"),)}),
        ("POST /", {"protect": (Rule(path="/", method="POST", access="public"),)}),
        ("unknown_scope", {"protect": (Rule(path="/", scope=Scope("read")),)}),
    ],
)
def test_every_unsafe_setting_is_named_with_reason_and_fix(option, changes):
    assert found(replace(SAFE, **changes)) >= {option}
    assert all(unsafe.reason and unsafe.fix for unsafe in unsafe_settings(replace(SAFE, **changes)))


@pytest.mark.promise(16)
@pytest.mark.parametrize(
    ("option", "changes"),
    [
        ("jwt_require_exp", {"jwt_require_exp": False}),
        ("jwt_require_aud", {"jwt_require_aud": False}),
        ("jwt_require_jti", {"jwt_require_jti": False}),
        ("jwt_max_lifetime", {"jwt_max_lifetime": 86401}),
        ("jwt_issuer", {"jwt_issuer": ""}),
    ],
)
def test_relaxed_assertions_matter_only_when_the_grant_is_on(option, changes):
    on = replace(SAFE, jwt_secret="s" * 64, jwt_issuer="nuxeo")
    assert found(on) == set()
    assert found(replace(on, **changes)) == {option}
    assert found(replace(SAFE, **changes)) == set()


def test_strict_issuers_of_assertions_are_safe():
    by_keys = JWTIssuer(issuer="i", jwks_uri="https://i.example.com/jwks")
    by_secret = JWTIssuer(issuer="j", algorithm="HS384", secret="s" * 48)
    assert found(replace(SAFE, jwt_issuers=(by_keys, by_secret))) == set()


@pytest.mark.parametrize(
    "rules",
    [
        (Rule(path="/login", access="public"), Rule(path="/")),
        (Rule(path="/", access="optional"),),
        (Rule(path="/login", method="GET", access="public"), Rule(path="/login", method="POST", access="public")),
    ],
)
def test_a_login_page_of_the_application_that_is_open(rules):
    settings = replace(
        SAFE, login="application", who_am_i="/who", application_login="/login?next={next}", protect=rules
    )
    assert found(settings) == set()


@pytest.mark.promise(16)
@pytest.mark.parametrize(
    "rules",
    [
        (),
        (Rule(path="/"), Rule(path="/login", access="public")),
        (Rule(path="/login", method="GET", access="public"),),
        (Rule(path="/Login", access="public"),),
    ],
)
def test_a_login_page_of_the_application_behind_a_token(rules):
    settings = replace(
        SAFE, login="application", who_am_i="/who", application_login="/login?next={next}", protect=rules
    )
    assert found(settings) == {"application_login"}


@pytest.mark.promise(16)
@pytest.mark.parametrize(
    ("option", "client"),
    [
        ("auto_grant", replace(PUBLIC, auto_grant=True)),
        ("client_authentication", replace(CONFIDENTIAL, client_authentication="not_required")),
        ("client_authentication", replace(CONFIDENTIAL, client_authentication="not_required_with_pkce")),
        ("pkce", replace(PUBLIC, pkce="optional")),
        ("grant_types", replace(CONFIDENTIAL, grant_types=("password",))),
        ("grant_types", replace(PUBLIC, grant_types=("authorization_code", "implicit"))),
        ("auto_grant", replace(PUBLIC, auto_grant=True, grant_types=("urn:ietf:params:oauth:grant-type:device_code",))),
        ("redirect_uri_matching", replace(PUBLIC, redirect_uri_matching="wildcard")),
        ("unknown_scope", replace(PUBLIC, unknown_scope="allow")),
        ("jwks_uri", replace(PUBLIC, jwks_uri="http://localhost/jwks")),
        ("access_token_lifetime", replace(PUBLIC, access_token_lifetime=86401)),
        ("refresh_token_lifetime", replace(PUBLIC, refresh_token_lifetime=366 * 86400)),
        ("redirect_uris", replace(PUBLIC, redirect_uris=("http://app.example.com/cb",), consent="always")),
        ("consent", replace(PUBLIC, redirect_uris=("com.example.app:/cb",))),
        ("consent", replace(PUBLIC, redirect_uris=("http://127.0.0.1/cb",))),
    ],
)
def test_unsafe_clients_of_the_ini_and_of_the_store(option, client):
    assert found(SAFE, [client]) == {option}
    assert found(replace(SAFE, clients=(client,))) == {option}


def test_a_client_of_the_store_hidden_by_the_ini():
    assert found(replace(SAFE, clients=(CONFIDENTIAL,)), [PUBLIC]) == {"client_id"}


@pytest.mark.promise(16)
def test_what_is_unsafe_is_listed_with_its_place(cli):
    cli.write(
        "profile = nuxeo\nsynchronous = NORMAL", "[protect]\n/ = public\n[client:web]\nredirect_uris = https://w/"
    )
    cli.ok("client", "add", "stored", "--redirect-uri", "https://s.example.com/", "--public", "--pkce", "optional")
    said = cli.ok("check")
    assert f"{cli.ini}:6: synchronous = NORMAL\n  why  " in said
    assert f"{cli.ini}:8: [protect] / = public\n" in said
    assert f"{cli.ini} (profile nuxeo): allow_plain_pkce = true\n" in said
    assert f"{cli.ini} (by default): accept_query_token = true\n" in said
    assert "client in the store: [client:stored] pkce = optional\n" in said
    assert said.count("\n  fix  ") == said.count("\n  why  ") >= 7


def test_strict_turns_unsafe_into_an_exit_code(cli):
    assert cli("check").exit_code == 0
    assert cli("check", "--strict").exit_code == 1
    cli.ini.write_text(cli.ini.read_text().replace("http://localhost:8080", "https://a.example.com"))
    assert cli("check", "--strict").exit_code == 1
    cli.ini.write_text(cli.ini.read_text() + "accept_query_token = false\n")
    assert cli("check", "--strict").exit_code == 0


def test_every_fault_at_once_with_file_and_line(cli):
    cli.write("acess_token_lifetime = 1h\nlogin = nobody", "[protect]\nreports = read\n[clients]\nx = y")
    said = cli.fails(2, "check").splitlines()
    assert [line.split(": ")[0] for line in said] == [f"{cli.ini}:{line}" for line in (5, 6, 8, 9)]
    assert "did you mean 'access_token_lifetime'?" in said[0]


def test_faults_as_json(cli):
    cli.write("acess_token_lifetime = 1h")
    result = cli("check", "--json")
    assert result.exit_code == 2
    (problem,) = json.loads(result.stdout)["problems"]
    assert (problem["file"], problem["line"]) == (str(cli.ini), 5)


def test_a_missing_ini(cli):
    cli.ini.unlink()
    assert "oauth-filter init" in cli.fails(2, "check")


def test_a_check_makes_no_store(cli):
    assert cli.json("check")["store"]["exists"] is False
    assert "not there yet" in cli.ok("check")
    assert not (cli.folder / "oauth.db").exists()


def test_it_counts_what_is_in_the_store(cli):
    cli.ok("user", "add", "alice", "--generate-password")
    store = cli.json("check")["store"]
    assert store["counts"] == {"client": 0, "user": 1, "access_token": 0, "refresh_token": 0}
    assert store["file"] == str(cli.folder / "oauth.db")


def test_a_store_that_is_none(cli):
    (cli.folder / "oauth.db").write_text("this is no database, but it is long enough to be looked at" * 100)
    result = cli("check")
    assert result.exit_code == 2
    assert "oauth.db" in result.stderr


def test_a_store_in_memory(cli):
    cli.ini.write_text(cli.ini.read_text().replace("sqlite:///%(here)s/oauth.db", "memory:"))
    assert cli.json("check")["store"] == {"kind": "memory", "counts": {}}
    assert "gone when the server stops" in cli.ok("check")


@pytest.mark.promise(16)
def test_secrets_in_the_ini_and_files_that_others_can_write(cli):
    secret = cli.folder / "oauth.secret"
    secret.write_text("uT6oIhXkDwJ8xqkP0wM5sTn4eR7yBv2c\n")
    secret.chmod(0o600)
    cli.write(rest="[client:one]\nsecret = in-the-clear-1234567890 ; really\nredirect_uris = https://one.example.com/")
    cli.ini.write_text(cli.ini.read_text().replace("env:CLI_TEST_SECRET", "file:oauth.secret"))
    result = cli("check")
    assert "[client:one] secret = ***" in result.stdout
    assert "in-the-clear" not in result.output
    assert "oauth.secret" not in result.stdout
    secret.chmod(0o620)
    assert f"chmod 600 {secret}" in cli.ok("check")


@pytest.mark.promise(16)
def test_the_password_of_a_database_in_the_ini(cli):
    settings = replace(SAFE, store="postgresql+psycopg://oauth:very-secret@db/oauth")
    cli.ini.write_text(f"[oauth_filter]\nstore = {settings.store}\n")
    (unsafe,) = unsafe_files(cli.ini, settings)
    assert (unsafe.option, unsafe.value) == ("store", "***")
    cli.ini.write_text("[oauth_filter]\nstore = postgresql+psycopg://db/oauth\n")
    assert list(unsafe_files(cli.ini, settings)) == []


@pytest.mark.promise(16)
def test_a_database_that_others_can_read(cli):
    cli.ok("user", "list")
    assert "chmod" not in cli.ok("check")
    (cli.folder / "oauth.db").chmod(0o644)
    assert f"chmod 600 {cli.folder / 'oauth.db'}" in cli.ok("check")


def test_control_characters_do_not_reach_the_terminal(cli):
    store = cli.store()
    store.put(replace(PUBLIC, key="app", redirect_uris=("http://x.example.com/\x1b[2J",)))
    store.close()
    assert "\x1b" not in cli.ok("check")


def test_what_only_a_start_would_find_is_found_with_its_line_and_all_at_once(cli):
    (cli.folder / "pages").mkdir()
    (cli.folder / "pages" / "login.html").write_text("{{ never closed")
    main = "login = there_is_no_such_module:check\nclaims = os:sep\ntemplates = %(here)s/pages"
    cli.write(main)
    cli.ini.write_text(cli.ini.read_text().replace("sqlite:///%(here)s/oauth.db", "mongodb://db"))
    said = cli.fails(2, "check").splitlines()
    store = next(number for number, line in enumerate(cli.ini.read_text().splitlines(), 1) if "mongodb" in line)
    assert [line.split(": ")[:2] for line in said] == [
        [f"{cli.ini}:{store}", "store"],
        [f"{cli.ini}:5", "login"],
        [f"{cli.ini}:6", "claims"],
        [f"{cli.folder / 'pages' / 'login.html'}:1", "templates"],
    ]
    assert len(json.loads(cli("check", "--json").stdout)["problems"]) == 4


def test_a_folder_that_is_not_there_is_a_fault(cli):
    cli.write("templates = %(here)s/nowhere")
    cli.ini.write_text(cli.ini.read_text().replace("%(here)s/oauth.db", "%(here)s/nowhere/oauth.db"))
    templates, store = sorted(cli.fails(2, "check").splitlines(), key=lambda line: "store" in line)
    assert templates.startswith(f"{cli.ini}:5: templates: there is no such folder")
    assert f": store: there is no folder {cli.folder / 'nowhere'}" in store


def test_a_store_nobody_knows_is_told_with_its_line_by_every_command(cli):
    cli.ini.write_text(cli.ini.read_text().replace("sqlite:///%(here)s/oauth.db", "mongodb://db"))
    said = [cli.fails(2, *command) for command in (("user", "list"), ("purge",), ("check",), ("serve", "json:dumps"))]
    assert len(set(said)) == 1
    assert said[0].startswith(f"{cli.ini}:")
    assert "mongodb" not in said[0]


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "postgresql+psycopg://127.0.0.1:1/x"])
def test_a_server_that_is_down_is_no_fault_of_the_ini(cli, url):
    cli.ini.write_text(cli.ini.read_text().replace("sqlite:///%(here)s/oauth.db", url))
    for command in (("check",), ("user", "list"), ("serve", "json:dumps")):
        assert "cannot be reached; see that" in cli.fails(5, *command)
    assert cli("check", "--json").exit_code == 5
