"""The examples, started and used as their README says."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from oauth_filter import OAuthFilter
from oauth_filter import ini
from tests.live import follow
from tests.live import press

EXAMPLES = Path(__file__).parents[2] / "examples"
README = (EXAMPLES / "README.md").read_text()
COMMANDS = dict(re.findall(r"^\| \[(\w+)\]\(\w+\) \|[^|]+\| `([^`]+)` \|", README, re.MULTILINE))
TIMEOUT = 30

FOLDERS = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir() and path.name != "__pycache__")


def arguments(command):
    """A command line as a shell in an activated environment would start it: variables, then what to execute."""
    words = shlex.split(command)
    variables = {}
    while "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        variables[name] = value
    program = sys.executable if words[0] == "python" else str(Path(sys.executable).with_name(words[0]))
    return [program, *words[1:]], os.environ | variables


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])


@pytest.fixture
def checkout(tmp_path):
    """A copy of the examples in which every server has a port that is free here."""
    shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    ports = {port: free_port() for port in ("8001", "8002", "8003", "8004")}
    for file in (tmp_path / "examples").rglob("*.*"):
        file.write_text(re.sub("|".join(ports), lambda found: ports[found[0]], file.read_text()))
    return tmp_path


@contextmanager
def running(checkout, name):
    """The server of an example; where it is."""
    command, environ = arguments(COMMANDS[name])
    issuer = ini.load(checkout / "examples" / name / "oauth.ini").issuer
    with (checkout / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=checkout, env=environ, stdout=log, stderr=subprocess.STDOUT)
    try:
        _await(issuer, process, checkout / "log")
        yield issuer
    finally:
        process.terminate()
        try:
            process.wait(TIMEOUT)
        finally:
            process.kill()
    assert "Traceback" not in (checkout / "log").read_text()


def _await(issuer, process, log):
    until = time.monotonic() + TIMEOUT
    while process.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", urlsplit(issuer).port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"the example did not start: {log.read_text()}")


@contextmanager
def client(checkout, name):
    """The client, called as the example's README says; where it wants the browser to go, and then what it says."""
    readme = (checkout / "examples" / name / "README.md").read_text()
    [command] = re.findall(r"^    (python examples/client\.py .+)$", readme, re.MULTILINE)
    command, environ = arguments(command + " --no-browser")
    process = subprocess.Popen(command, cwd=checkout, env=environ, stdout=subprocess.PIPE, text=True)
    try:
        url = process.stdout.readline().removeprefix("Sign in at ").strip()
        yield url, lambda: process.communicate(timeout=TIMEOUT)[0]
    finally:
        process.kill()
        process.wait(TIMEOUT)
        process.stdout.close()


def on_the_form_of_the_application(browser, url):
    form = browser.get(url, timeout=TIMEOUT)
    assert "Sign in to Notes" in form.text
    failed = browser.post(form.url, data={"username": "alice", "password": "guess"}, timeout=TIMEOUT)
    assert "Wrong name or password" in failed.text
    return browser.post(form.url, data={"username": "alice", "password": "wonderland"}, timeout=TIMEOUT)


def on_our_page(browser, url):
    return press(browser, browser.get(url, timeout=TIMEOUT), "Sign in", username="alice", password="wonderland")


def by_http_basic(browser, url):
    assert browser.get(url, timeout=TIMEOUT).status_code == 401
    browser.auth = ("alice", "wonderland")
    return browser.get(url, timeout=TIMEOUT)


@pytest.mark.parametrize(
    ("name", "sign_in", "path", "answer"),
    [
        ("flask_app", on_the_form_of_the_application, "/api/notes", '["Follow the rabbit","Drink me"]'),
        ("pyramid_app", on_the_form_of_the_application, "/api/notes", '["Follow the rabbit", "Drink me"]'),
        ("legacy_wsgi", on_our_page, "/reports/q1", "First quarter: 12 rabbits, for alice"),
        ("remote_user", by_http_basic, "/hello", "Hello alice"),
    ],
)
def test_an_example(checkout, name, sign_in, path, answer):
    with running(checkout, name) as issuer, requests.Session() as browser, client(checkout, name) as (url, finish):
        assert url.startswith(f"{issuer}/oauth2/authorize?")
        assert requests.get(issuer + path, timeout=TIMEOUT).status_code == 401
        page = sign_in(browser, url)
        assert page.status_code == 200, page.text
        assert "for the command line" in page.text
        answered = press(browser, page, "Allow")
        assert follow(browser, answered) is answered
        assert "go back to the terminal" in requests.get(answered.headers["Location"], timeout=TIMEOUT).text
        said = finish()
        assert "The token is good for 3600 seconds" in said
        assert said.rstrip().endswith(answer)


def test_a_user_who_refuses(checkout):
    with running(checkout, "flask_app"), requests.Session() as browser, client(checkout, "flask_app") as (url, finish):
        page = on_the_form_of_the_application(browser, url)
        requests.get(press(browser, page, "Cancel").headers["Location"], timeout=TIMEOUT)
        assert "token" not in finish()


@pytest.mark.parametrize("name", ["flask_app", "pyramid_app"])
def test_the_application_is_what_it_was(checkout, name):
    with running(checkout, name) as issuer, requests.Session() as browser:
        assert "Sign in" in browser.get(issuer + "/", timeout=TIMEOUT).text
        assert browser.get(issuer + "/whoami", timeout=TIMEOUT).json() == {"username": None}
        parameter = "next" if name == "flask_app" else "came_from"
        elsewhere = f"{issuer}/login?{parameter}=//evil.example/"
        credentials = {"username": "alice", "password": "wonderland"}
        page = browser.post(elsewhere, data=credentials, timeout=TIMEOUT)
        assert urlsplit(page.url)[:3] == urlsplit(issuer + "/")[:3]
        assert "Follow the rabbit" in page.text
        assert browser.get(issuer + "/whoami", timeout=TIMEOUT).json() == {"username": "alice"}
        # The session of the pages is no key to the API.
        assert browser.get(issuer + "/api/notes", timeout=TIMEOUT).status_code == 401


def test_the_settings_for_nuxeo(tmp_path):
    shutil.copy(EXAMPLES / "nuxeo.ini", tmp_path)
    secrets = {"OAUTH_SECRET": "s" * 44, "OAUTH_JWT_SECRET": "j" * 88}
    settings = ini.load(tmp_path / "nuxeo.ini", environ=secrets)
    assert settings.profile == "nuxeo"
    assert settings.code_lifetime == 600
    assert settings.jwt_bearer_enabled
    assert settings.nuxeo_directory_api
    assert OAuthFilter(lambda environ, start_response: [], settings).store.find
    assert [client.key for client in settings.clients] == ["myApp"]
    # Every default the comments speak of is one the profile sets.
    text = (EXAMPLES / "nuxeo.ini").read_text()
    for name in ("code_lifetime", "allow_plain_pkce", "token_parameters_in_query", "refresh_revokes_access_token"):
        assert f"#   {name} = " in text


def test_every_folder_has_its_command_and_its_readme():
    assert sorted(COMMANDS) == FOLDERS
    assert all((EXAMPLES / name / "README.md").is_file() for name in FOLDERS)
