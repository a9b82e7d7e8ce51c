"""From nothing to a user and a client, as the output of `init` suggests; and what holds for every command."""

import json
import logging
import re

import click
import pytest
from click.testing import CliRunner

from oauth_filter.cli import main
from oauth_filter.passwords import verify_secret
from oauth_filter.records import Client
from oauth_filter.records import User


def commands(group=main, name=()):
    for word, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*name, word))
        else:
            yield (*name, word), command


ALL = [pytest.param(name, command, id=" ".join(name)) for name, command in commands()]


def test_init_check_client_user_list(cli, caplog):
    caplog.set_level(logging.DEBUG)
    cli.ini.unlink()
    assert CliRunner().invoke(main, ["init", str(cli.folder), "--issuer", "https://api.example.com"]).exit_code == 0
    assert "No unsafe settings" in cli.ok("check", "--strict")
    client = cli.json("client", "add", "shop", "--redirect-uri", "https://shop.example.com/callback")
    user = cli.json("user", "add", "alice", "--generate-password")
    assert [client["client_id"] for client in cli.json("client", "list")] == ["shop"]
    assert [user["username"] for user in cli.json("user", "list")] == ["alice"]
    assert "1 clients, 1 users" in cli.ok("check")
    store = cli.store()
    assert verify_secret(client["client_secret"], store.get(Client, "shop").secret_hash)
    assert verify_secret(user["password"], store.get(User, "alice").password_hash)
    store.close()
    everything = b"".join(file.read_bytes() for file in cli.folder.iterdir()).decode("latin-1") + caplog.text
    assert client["client_secret"] not in everything
    assert user["password"] not in everything


@pytest.mark.parametrize(("name", "command"), ALL)
def test_no_option_takes_a_secret_as_its_value(name, command):
    for parameter in command.params:
        if {"secret", "password", "token"} & set((parameter.name or "").split("_")) and name[0] != "init":
            is_harmless = parameter.name.endswith("_lifetime") or isinstance(parameter.type, click.Choice)
            assert is_harmless or getattr(parameter, "is_flag", False), f"{name}: {parameter.name} can be given in argv"


@pytest.mark.parametrize(("name", "command"), ALL)
def test_help_says_what_every_option_is_for(name, command):
    result = CliRunner().invoke(main, [*name, "--help"])
    assert result.exit_code == 0
    assert all(p.help for p in command.params if isinstance(p, click.Option))


@pytest.mark.parametrize(
    ("name", "command"), [one for one in ALL if one.values[0][0] not in ("init", "check", "serve", "demo")]
)
def test_without_an_ini_it_says_how_to_make_one(cli, name, command):
    cli.ini.unlink()
    arguments = ["someone" for parameter in command.params if isinstance(parameter, click.Argument)]
    needed = {"update": ("--name", "x"), "revoke": ("--client", "x") if name[0] == "token" else ()}.get(name[-1], ())
    assert "oauth-filter init" in cli.fails(2, *name, *arguments, *needed)


def test_faults_of_the_ini_go_to_standard_error_all_at_once(cli):
    cli.write("acess_token_lifetime = 1h\ncode_lifetime = soon")
    said = cli.fails(2, "client", "list")
    assert f"{cli.ini}:5: unknown option 'acess_token_lifetime'" in said
    assert f"{cli.ini}:6: " in said


def test_a_store_in_memory_cannot_be_managed(cli):
    cli.ini.write_text("[oauth_filter]\nstore = memory:\nsecret = env:CLI_TEST_SECRET\n")
    assert "memory:" in cli.fails(2, "user", "list")


def test_a_store_that_cannot_be_opened_is_a_sentence(cli):
    cli.ini.write_text("[oauth_filter]\nstore = sqlite:////no/such/folder/oauth.db\nsecret = env:CLI_TEST_SECRET\n")
    assert "/no/such/folder" in cli.fails(2, "user", "list")


def test_the_environment_can_name_the_ini(cli, monkeypatch):
    monkeypatch.setenv("OAUTH_FILTER_CONFIG", str(cli.ini))
    result = CliRunner().invoke(main, ["client", "list", "--json"])
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])


def test_version():
    result = CliRunner().invoke(main, ["--version"])
    assert result.exit_code == 0
    assert result.stdout.startswith("oauth-filter ")


def test_an_unknown_command_is_wrong_usage(cli):
    assert cli("clients").exit_code == 2


def test_as_a_process(cli):
    with cli.start("client", "list", "--json", stdout=-1, stderr=-1, stdin=-3) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, json.loads(out), err) == (0, [], b"")


def test_a_damaged_store_is_a_sentence_and_a_code_of_its_own(cli):
    cli.ok("user", "add", "alice", "--name", "Alice in Page Land", "--generate-password")
    database = cli.folder / "oauth.db"
    pages = re.findall(rb".{4096}", database.read_bytes(), re.DOTALL)
    # The page with the user on it: the file still opens, and reading fails.
    database.write_bytes(b"".join(b"\xff" * 4096 if b"Alice in Page Land" in page else page for page in pages))
    assert "Error: " in cli.fails(5, "user", "list")
