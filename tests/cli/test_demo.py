"""`oauth-filter demo`: it works, says so itself, and does what its output promises."""

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.cookiejar import CookieJar
from urllib.parse import urljoin
from wsgiref.simple_server import WSGIRequestHandler
from wsgiref.simple_server import make_server

import pytest
from click.testing import CliRunner

from oauth_filter.cli import main
from oauth_filter.cli.demo.fetch import Fetcher
from oauth_filter.cli.demo.forms import StepFailed
from oauth_filter.cli.demo.forms import find_form
from oauth_filter.cli.demo.installation import install
from oauth_filter.cli.demo.walk import walk
from oauth_filter.messages import encode_form

GREETING_ENDS = "check\n"


@contextmanager
def running(cli, *arguments):
    """Where a demo in a process of its own is, and what it has printed."""
    with (
        (cli.folder / "log").open("w") as err,
        cli.start("demo", *arguments, stdout=-1, stderr=err, stdin=-3, text=True) as process,
    ):
        try:
            said = ""
            while not said.endswith(GREETING_ENDS):
                line = process.stdout.readline()
                assert line, (cli.folder / "log").read_text()
                said += line
            yield re.search(r"http://127\.0\.0\.1:\d+", said)[0], said
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)
    assert process.returncode == 0


def test_the_demo_checks_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["demo", "--check"])
    assert result.exit_code == 0, result.output
    steps = result.stdout.splitlines()
    assert steps[-1] == "Everything works."
    assert len(steps) > 25
    assert all(step.startswith("ok ") for step in steps[:-1])
    assert list(tmp_path.iterdir()) == []


def _answer(status, body):
    def application(environ, start_response):
        start_response(status, [("Content-Type", "text/html")])
        return [body]

    return application


class _Silent(WSGIRequestHandler):
    def log_message(self, *_):
        pass


@pytest.mark.parametrize(
    ("application", "steps"), [(_answer("404 Not Found", b""), []), (_answer("200 OK", b"hello"), ["GET / is public"])]
)
def test_the_walk_stops_at_the_first_step_that_fails(tmp_path, application, steps):
    with make_server("127.0.0.1", 0, application, handler_class=_Silent) as server:
        demo = install(tmp_path, port=server.server_port)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            done = []
            with pytest.raises(StepFailed, match="expected: "):
                done.extend(walk(demo))
            assert done == steps
        finally:
            server.shutdown()
            thread.join()


def test_a_walk_to_nowhere(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(StepFailed, match="nobody answers"):
        list(walk(install(tmp_path, port=port)))


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_what_it_prints_can_be_pasted_into_a_shell(cli):
    with running(cli, "--port", "0") as (_, said):
        script = "\n".join(line for line in said.splitlines() if re.match(r"SECRET=|TOKEN=|curl|    http.*sed", line))
        done = subprocess.run(["sh", "-e", "-c", script], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert '"access_token": "ofa_' in done.stdout
        assert "HTTP/1.1 200 OK" in done.stdout
        assert '"for": "demo-service"' in done.stdout
        assert "HTTP/1.1 401 " in done.stdout
        # The command it names finds the same store.
        cli.ini = cli.folder / "demo-data" / "oauth.ini"
        assert {token["client_id"] for token in cli.json("token", "list")} == {"demo-service"}
        assert "/ = public" in cli.ok("check")


def test_a_person_clicks_through_it(cli):
    browse = Fetcher(CookieJar())

    def follow(answer):
        while answer.status in (302, 303):
            answer = browse(urljoin(answer.url, answer.headers["Location"]))
        return answer

    def go(url):
        return follow(browse(url))

    def press(page, button, **typed):
        form = find_form(page, button)
        return follow(browse(urljoin(page.url, form.action), form=encode_form((form.fields | typed).items())))

    with running(cli, "--port", "0") as (base, _):
        home = go(f"{base}/")
        assert "alice" in home.text
        assert home.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert go(f"{base}/demo.css").status == 200
        assert go(f"{base}/nowhere").status == 404
        assert go(f"{base}/api/nowhere").status == 401
        page = press(go(f"{base}/client/"), "Sign in")
        page = press(page, "Sign in", username="alice", password="wonderland")
        page = press(page, "Cancel")
        assert "access_denied" in page.text
        page = press(press(page, "Sign in"), "Allow")
        assert "The client has a token" in page.text
        page = press(page, "GET /api/reports")
        assert "Rabbits" in page.text
        page = press(press(page, "Refresh"), "Refresh")
        page = press(page, "Replay an old refresh token")
        assert "400 Bad Request" in page.text
        page = press(page, "GET /api/me")
        assert "401 Unauthorized" in page.text
        page = press(page, "Start over")
        assert "Use your reports here" in page.text
        # Nobody can make the browser bring a code the client did not ask for.
        page = go(f"{base}/client/callback?code=x&state=y")
        assert "no answer to a question" in page.text
        assert go(f"{base}/client/nowhere").status == 200
        assert "There is no code" in go(f"{base}/client/code?error=%3Cscript%3E").text


def test_the_code_flow_by_hand(cli):
    browse = Fetcher(CookieJar())
    with running(cli, "--port", "0") as (base, said):
        page = browse(re.search(r"http\S+/oauth2/authorize\S+", said)[0])
        form = find_form(page, "Sign in")
        typed = form.fields | {"username": "alice", "password": "wonderland"}
        answer = browse(base + form.action, form=encode_form(typed.items()))
        page = browse(base + answer.headers["Location"])
        form = find_form(page, "Allow")
        answer = browse(base + form.action, form=encode_form(form.fields.items()))
        page = browse(answer.headers["Location"])
        secret = re.search(r"SECRET=(\S+)", said)[1]
        pasted = re.search(r"<pre>(.*?)</pre>", page.text, re.DOTALL)[1]
        done = subprocess.run(["sh", "-c", f"SECRET={secret}\n{pasted}"], capture_output=True, text=True, timeout=60)
        assert "refresh_token" in json.loads(done.stdout)


def test_localhost_is_led_to_the_address_with_the_cookies(cli):
    with running(cli, "--port", "0") as (base, _):
        answer = Fetcher()(base.replace("127.0.0.1", "localhost") + "/client/")
        assert (answer.status, answer.headers["Location"]) == (302, f"{base}/client/")


def test_a_port_that_is_taken_is_replaced_with_a_sentence(cli):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running(cli, "--port", str(port)) as (base, _):
            assert not base.endswith(f":{port}")
            assert Fetcher()(f"{base}/").status == 200
        assert f"port {port}" in (cli.folder / "log").read_text()


def test_a_second_start_knows_the_user_and_changes_the_secret(tmp_path):
    one, two = (install(tmp_path, port=port) for port in (8081, 8082))
    assert one.service_secret != two.service_secret
    assert one.service_secret not in one.ini.read_text()
    assert "8082" in two.ini.read_text()
    assert (tmp_path / "oauth.secret").stat().st_mode & 0o777 == 0o600


def test_it_leaves_alone_what_is_not_its_own(cli):
    before = cli.ini.read_text()
    assert "--data" in cli.fails(4, "demo", "--data", cli.folder, "--port", "0")
    assert cli.ini.read_text() == before


def test_a_folder_that_cannot_be_made(cli):
    (cli.folder / "file").write_text("")
    cli.fails(5, "demo", "--data", cli.folder / "file" / "folder", "--port", "0")


def test_its_log_has_no_tokens(cli):
    with running(cli, "--port", "0") as (base, _):
        Fetcher()(f"{base}/client/callback?code=verysecret&state=x")
    log = (cli.folder / "log").read_text()
    assert "/client/callback" in log
    assert "verysecret" not in log
    assert sys.executable not in log
