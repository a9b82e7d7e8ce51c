"""The README keeps its word: its files run, its commands do what it says, its numbers are the measured ones."""

import importlib
import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from pathlib import Path

import click
import paste.deploy
import pytest
from click.testing import CliRunner
from werkzeug.test import Client as Browser

from oauth_filter import Client
from oauth_filter import ConfigError
from oauth_filter import OAuthFilter
from oauth_filter import ini
from oauth_filter import passwords
from oauth_filter.cli import main
from tests.test_architecture import LAYERS

TOP = Path(__file__).resolve().parents[1]
README = (TOP / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (TOP / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^```(?:python|ini)\n[#;] (\S+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL))
CONSOLE = re.findall(r"^\$ (.+?)(?: +#.*)?$", README, re.MULTILINE)

# What the reader has: an application for each framework.
FLASK_SHOP = """\
from flask import Flask, request

app = Flask(__name__)


@app.get("/")
def hello():
    return f"Hello {request.environ['oauth_filter.client_id']}\\n"
"""
PYRAMID_SHOP = """\
from pyramid.config import Configurator
from pyramid.response import Response


def main(global_config, **settings):
    config = Configurator(settings=settings)
    config.add_route("hello", "/")
    config.add_view(
        lambda request: Response(f"Hello {request.environ['oauth_filter.client_id']}\\n"), route_name="hello"
    )
    return config.make_wsgi_app()
"""
INI = """\
[oauth_filter]
issuer = http://localhost:8080
store = sqlite:///%(here)s/oauth.db
secret = file:%(here)s/oauth.secret
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the files of the README and the reader's own, in which Python is."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "flask_shop.py").write_text(FLASK_SHOP)
    (tmp_path / "pyramid_shop.py").write_text(PYRAMID_SHOP)
    (tmp_path / "oauth.ini").write_text(INI)
    (tmp_path / "oauth.secret").write_text("s" * 43 + "\n")
    (tmp_path / "oauth.secret").chmod(0o600)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if Path(getattr(sys.modules[name], "__file__", None) or "/").parent == tmp_path:
            del sys.modules[name]


def test_every_block_has_a_name_or_is_the_two_lines_at_the_top():
    assert set(FILES) == {"wsgi.py", "flask_wsgi.py", "pyramid_wsgi.py", "development.ini", "shop.py", "oauth.ini"}
    assert len(re.findall(r"^```(?:python|ini)$", README, re.MULTILINE)) == len(FILES) + 1
    [at_the_top] = re.findall(r"^```python\n(from .*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert compile(at_the_top, "README.md", "exec")


def test_it_can_be_read_in_one_go():
    assert len(README.splitlines()) <= 210


@pytest.mark.parametrize("module", ["wsgi:application", "flask_wsgi:app", "pyramid_wsgi:app", "development.ini"])
def test_in_front_of_an_application(folder, module):
    name, _, attribute = module.partition(":")
    if attribute:
        application = getattr(importlib.import_module(name), attribute)
    else:
        application = paste.deploy.loadapp(f"config:{name}", relative_to=str(folder))
    guarded = application if isinstance(application, OAuthFilter) else application.wsgi_app
    guarded.store.put(Client(key="nightly", client_id="nightly", secret_hash=passwords.hash_secret("s3cr3t")))
    browser = Browser(application)
    assert browser.get("/").status_code == 401
    form = {"grant_type": "client_credentials", "client_id": "nightly", "client_secret": "s3cr3t"}
    token = browser.post("/oauth2/token", data=form).json["access_token"]
    answer = browser.get("/", headers={"Authorization": f"Bearer {token}"})
    assert answer.text == "Hello nightly\n"


def test_the_ini_loads_and_says_what_its_comments_say(folder, monkeypatch):
    (folder / "oauth.ini").write_text(FILES["oauth.ini"])
    monkeypatch.setenv("MY_APP_SECRET", "a secret of my own")
    settings = ini.load("oauth.ini")
    assert settings.is_https
    assert [(rule.method, rule.path, rule.access, str(rule.scope)) for rule in settings.protect] == [
        (None, "/static/", "public", ""),
        (None, "/news/", "optional", ""),
        ("GET", "/reports/", "authenticated", "reports:read"),
        (None, "/", "authenticated", ""),
    ]
    assert [client.key for client in settings.clients] == ["my-app"]


def test_a_typing_error_is_told_as_it_says(folder, monkeypatch):
    monkeypatch.setenv("MY_APP_SECRET", "a secret of my own")
    (folder / "oauth.ini").write_text(FILES["oauth.ini"].replace("access_token_lifetime", "acess_token_lifetime"))
    with pytest.raises(ConfigError) as caught:
        ini.load("oauth.ini")
    [said] = re.findall(r"`(oauth\.ini:\d+: [^`]*)`", " ".join(README.split()))
    assert [str(problem) for problem in caught.value.problems] == [said]


def command_of(words):
    """The command that the words after `oauth-filter` name, and what is left of them."""
    command = main
    while words and isinstance(command, click.Group):
        command, words = command.commands[words[0]], words[1:]
    return command, words


@pytest.mark.parametrize("line", [line for line in CONSOLE if line.startswith("oauth-filter ")])
def test_a_command_exists_with_its_options(line):
    command, words = command_of(shlex.split(line)[1:])
    known = {name for parameter in command.params for name in [*parameter.opts, *parameter.secondary_opts]}
    assert {word for word in words if word.startswith("--")} <= known


def test_make_has_the_targets():
    makefile = (TOP / "Makefile").read_text()
    assert [line for line in CONSOLE if line.startswith("make")] == ["make run", "make test"]
    assert re.search(r"^run: ", makefile, re.MULTILINE)
    assert re.search(r"^test: ", makefile, re.MULTILINE)


def test_from_nothing_to_a_token(folder):
    """The commands in their order, on one machine: only waiting and copying a secret are done for the reader."""
    for name in ("oauth.ini", "oauth.secret"):
        (folder / name).unlink()
    lines = [shlex.split(line)[1:] for line in CONSOLE if line.startswith("oauth-filter ")]
    said = {}
    for words in lines:
        if words[0] not in ("serve", "demo"):
            typed = "correct horse battery\n" if words[0] == "user" else ""
            said[words[-1]] = CliRunner().invoke(
                main, [*words, "--password-stdin"] if typed else words, input=typed, catch_exceptions=False
            )
            assert said[words[-1]].exit_code == 0, said[words[-1]].output
    secret = re.search(r"ofs_\w+", said["client_credentials"].output)[0]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    [serve] = [words for words in lines if words[0] == "serve"]
    server = subprocess.Popen(
        [sys.executable, "-m", "oauth_filter.cli", *serve, "--port", str(port)],
        env=os.environ | {"PYTHONPATH": str(TOP)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port, server)
        here = f"http://localhost:{port}"
        curls = [
            line.replace("http://localhost:8080", here).replace("SECRET", secret)
            for line in CONSOLE
            if line.startswith("curl")
        ]
        assert len(curls) == 2
        token = json.loads(output_of(curls[0]))["access_token"]
        assert output_of(curls[1].replace("TOKEN", token)) == "Hello nightly\n"
    finally:
        server.terminate()
        server.wait(10)


def wait_for(port, server):
    for _ in range(200):
        assert server.poll() is None, "it stopped"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("it does not listen")


def output_of(command):
    words = [shlex.split(command)[0], "--silent", "--show-error", "--noproxy", "*", *shlex.split(command)[1:]]
    try:
        return subprocess.run(words, capture_output=True, text=True, check=True, timeout=30).stdout
    except FileNotFoundError:
        pytest.skip("THE CURL LINES OF THE README WERE NOT TRIED: there is no curl")


def test_the_costs_are_those_that_were_measured():
    table = (TOP / "benchmarks" / "README.md").read_text(encoding="utf-8")
    measured = dict(re.findall(r"^\| (.+?) \| ([\d.]+) \| [\d.]+ \| [\d.]+ \|$", table, re.MULTILINE))
    named = {
        "µs for a token seen before": "oauth_filter: a token seen before",
        "µs from SQLite": "oauth_filter: unseen token, from SQLite",
        "µs (oauthlib)": "oauthlib: verify_request, from a dict",
        "µs (Authlib with Flask)": "Authlib: Flask ResourceProtector, from a dict",
    }
    for ours, theirs in named.items():
        [shown] = re.findall(rf"([\d.]+) {re.escape(ours)}", README)
        places = len(shown.partition(".")[2])
        assert float(shown) == round(float(measured[theirs]), places), ours


@pytest.mark.parametrize("block", re.findall(r"^```python\n(.*?)^```$", CONTRIBUTING, re.MULTILINE | re.DOTALL))
def test_a_recipe_runs(block):
    exec(compile(block, "CONTRIBUTING.md", "exec"), {"__name__": "recipe"})


def test_the_layers_are_those_that_are_checked():
    rows = re.findall(r"^\| (\d) \| (.+) \|$", CONTRIBUTING, re.MULTILINE)
    assert [set(re.findall(r"`(\w+)`", row)) for _, row in rows] == LAYERS
