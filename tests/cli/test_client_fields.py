"""Every option of `[client:ID]` is an option of `client add` and `client update`, and means the same there."""

import json
from dataclasses import replace

import pytest

from oauth_filter.cli.client_options import OPTIONS
from oauth_filter.ini import load
from oauth_filter.records import Client

URI = "https://app.example.com/callback"
KEYS = json.dumps(
    {
        "keys": [
            {
                "kty": "EC",
                "crv": "P-256",
                "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
            }
        ]
    }
)

SAMPLES = {
    "name": ["--name", "My App"],
    "jwks": ["--jwks", KEYS],
    "jwks_uri": ["--jwks-uri", "https://app.example.com/jwks.json"],
    "enabled": ["--disable"],
    "redirect_uris": ["--redirect-uri", "https://a.example.com/,b", "--redirect-uri", "app:/cb"],
    "redirect_uri_matching": ["--redirect-uri-matching", "wildcard"],
    "grant_types": ["--grant-type", "refresh_token", "--grant-type", "device_code", "--grant-type", "password"],
    "scope": ["--scope", "read", "--scope", "write admin"],
    "unknown_scope": ["--unknown-scope", "remove"],
    "origins": ["--origin", "https://app.example.com", "--origin", "http://localhost:3000"],
    "client_authentication": ["--client-authentication", "not_required_with_pkce"],
    "token_endpoint_auth_method": ["--token-endpoint-auth-method", "client_secret_post"],
    "pkce": ["--pkce", "required"],
    "resource_server": ["--resource-server"],
    "auto_grant": ["--auto-grant"],
    "consent": ["--consent", "always"],
    "registration_required": ["--registration-required"],
    "access_token_format": ["--access-token-format", "jwt"],
    "access_token_lifetime": ["--access-token-lifetime", "15m"],
    "id_token_lifetime": ["--id-token-lifetime", "2h"],
    "id_token_signed_response_alg": ["--id-token-signed-response-alg", "ES256"],
    "generate_refresh_tokens": ["--no-generate-refresh-tokens"],
    "refresh_token_lifetime": ["--refresh-token-lifetime", "90d"],
    "scope_handling": ["--scope-handling", "compatibility"],
    "subject_type": ["--subject-type", "pairwise"],
    "sector_identifier": ["--sector-identifier", "example.com"],
    "post_logout_redirect_uris": ["--post-logout-redirect-uri", "https://app.example.com/bye"],
    "logout_uri": ["--logout-uri", "https://app.example.com/logout"],
    "logout_behavior": ["--logout-behavior", "redirect_only"],
    "backchannel_logout_uri": ["--backchannel-logout-uri", "https://app.example.com/backchannel"],
    "device_verification_uri": ["--device-verification-uri", "https://app.example.com/device"],
    "debug": ["--debug"],
}
EACH = [pytest.param(name, arguments, id=name) for name, arguments in SAMPLES.items()]


def stored(cli, client_id="app"):
    store = cli.store()
    try:
        return store.get(Client, client_id)
    finally:
        store.close()


def in_ini(cli, name, arguments):
    """The client of an ini that says the same."""
    values = [word for word in arguments if not word.startswith("--")]
    text = " ".join(values) or ("false" if arguments[0].startswith(("--no-", "--disable")) else "true")
    lines = {"redirect_uris": URI, "grant_types": "authorization_code refresh_token", "secret": "x" * 32, name: text}
    cli.write(rest="\n".join(["[client:app]", *(f"{name} = {text}" for name, text in lines.items())]))
    (client,) = load(cli.ini).clients
    return client


def test_there_is_an_example_of_every_option():
    assert SAMPLES.keys() == OPTIONS.keys()


@pytest.mark.parametrize(("name", "arguments"), EACH)
def test_add_says_what_the_ini_says(cli, name, arguments):
    uri = [] if name == "redirect_uris" else ["--redirect-uri", URI]
    cli.ok("client", "add", "app", *uri, *arguments)
    added = stored(cli)
    meant = in_ini(cli, name, arguments)
    secrets = {"secret_hash": None, "issued_at": 0.0}
    assert replace(added, **secrets) == replace(meant, **secrets)
    assert getattr(added, name) != Client.__dataclass_fields__[name].default


@pytest.mark.parametrize(("name", "arguments"), EACH)
def test_update_sets_and_unsets_and_touches_nothing_else(cli, name, arguments):
    cli.ok("client", "add", "app", "--redirect-uri", URI)
    before = stored(cli)
    yes = ["--yes"] if name == "enabled" else []
    cli.ok("client", "update", "app", *arguments, *yes)
    changed = stored(cli)
    assert getattr(changed, name) != getattr(before, name)
    assert replace(changed, **{name: getattr(before, name)}) == before
    if name == "redirect_uris":
        cli.ok("client", "update", "app", "--redirect-uri", URI)
    else:
        cli.ok("client", "update", "app", "--unset", name)
    assert stored(cli) == before


@pytest.mark.parametrize(("name", "arguments"), EACH)
def test_show_lists_what_differs_from_the_default(cli, name, arguments):
    cli.ok("client", "add", "app", "--redirect-uri", URI)
    always = {"name", "enabled", "redirect_uris", "grant_types", "scope"}
    shown = {line.split()[0] for line in cli.ok("client", "show", "app").splitlines()}
    assert shown & OPTIONS.keys() == always
    before = cli.json("client", "show", "app")
    cli.ok("client", "update", "app", *arguments, *(["--yes"] if name == "enabled" else []))
    shown = {line.split()[0] for line in cli.ok("client", "show", "app").splitlines()}
    assert shown & OPTIONS.keys() == always | {name}
    after = cli.json("client", "show", "app")
    assert {key for key in after if after[key] != before[key]} == {"client_name" if name == "name" else name}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--logout-uri", "http://app.example.com/"], "logout_uri"),
        (["--origin", "https://app.example.com/"], "origins"),
        (["--jwks", "{}"], "jwks"),
        (["--jwks", "file:nowhere.json"], "nowhere.json"),
        (["--jwks", KEYS, "--jwks-uri", "https://app.example.com/jwks"], "jwks_uri"),
        (["--jwks-uri", "https://app.example.com/jwks", "--public"], "keys"),
        (["--token-endpoint-auth-method", "private_key_jwt"], "private_key_jwt needs"),
        (["--token-endpoint-auth-method", "none"], "none is for"),
        (["--subject-type", "pairwise", "--redirect-uri", "https://b.example.com/"], "sector_identifier"),
        (["--id-token-lifetime", "0s"], "duration"),
        (["--sector-identifier", "https://example.com"], "sector_identifier"),
        (["--debug", "yes"], ""),
        (["--grant-type", "made-up"], "authorization_code"),
    ],
)
def test_what_cannot_be_registered_by_either_door(cli, arguments, said):
    assert said in cli.fails(2, "client", "add", "app", "--redirect-uri", URI, *arguments)
    assert stored(cli) is None


def test_a_change_must_not_make_another_field_wrong(cli):
    cli.ok("client", "add", "app", "--redirect-uri", URI, "--subject-type", "pairwise")
    before = stored(cli)
    two = ["--redirect-uri", URI, "--redirect-uri", "https://b.example.com/"]
    assert "sector_identifier" in cli.fails(2, "client", "update", "app", *two)
    assert "redirect URI" in cli.fails(2, "client", "update", "app", "--unset", "redirect_uris")
    assert stored(cli) == before


def test_keys_from_a_file_and_no_secret_beside_them(cli, monkeypatch):
    monkeypatch.chdir(cli.folder)
    (cli.folder / "keys.json").write_text(KEYS)
    added = cli.json("client", "add", "app", "--redirect-uri", URI, "--jwks", "file:keys.json")
    assert "client_secret" not in added
    assert (added["public"], added["jwks"]) == (False, json.loads(KEYS))
    assert stored(cli).secret_hash is None
    chosen = ["--secret-stdin", "--token-endpoint-auth-method", "client_secret_basic"]
    cli.ok("client", "add", "both", "--redirect-uri", URI, "--jwks", KEYS, *chosen, stdin="a chosen long secret")
    assert stored(cli, "both").secret_hash is not None


def test_private_keys_are_refused_and_not_repeated(cli):
    keys = json.loads(KEYS)
    keys["keys"][0]["d"] = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"
    said = cli.fails(2, "client", "add", "app", "--redirect-uri", URI, "--jwks", json.dumps(keys))
    assert "jpsQnn" not in said


def test_a_machine_with_keys(cli):
    cli.ok("client", "add", "app", "--grant-type", "client_credentials", "--jwks", KEYS)
    cli.fails(2, "client", "add", "app2", "--grant-type", "client_credentials", "--public")
