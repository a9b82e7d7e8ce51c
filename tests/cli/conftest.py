"""An ini of its own for each test, and the ways a person or a script runs the command."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

import oauth_filter
from oauth_filter.cli import main
from oauth_filter.stores import open_store

PACKAGE_FOLDER = str(Path(oauth_filter.__file__).parent.parent)

ECHO = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["oauth_filter.client_id"].encode()]
"""


class CommandLine:
    """`oauth-filter -c <folder>/oauth.ini ...`, run in this process unless `.real` or `.at_terminal` is asked for."""

    def __init__(self, folder):
        self.folder = folder
        self.ini = folder / "oauth.ini"

    def __call__(self, *arguments, stdin=""):
        result = CliRunner().invoke(main, ["-c", str(self.ini), *map(str, arguments)], input=stdin)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        assert "Traceback" not in result.output
        return result

    def ok(self, *arguments, stdin=""):
        result = self(*arguments, stdin=stdin)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *arguments, stdin=""):
        at = arguments.index("--") if "--" in arguments else len(arguments)
        return json.loads(self.ok(*arguments[:at], "--json", *arguments[at:], stdin=stdin))

    def fails(self, exit_code, *arguments, stdin=""):
        """What it says on standard error; nothing else is said."""
        result = self(*arguments, stdin=stdin)
        assert result.exit_code == exit_code, result.output
        assert result.stdout == ""
        return result.stderr

    def write(self, main="", rest=""):
        """Write an ini with the essentials, lines for `[oauth_filter]`, and other sections."""
        self.ini.write_text(
            f"[oauth_filter]\nissuer = http://localhost:8080\nstore = sqlite:///%(here)s/oauth.db\n"
            f"secret = env:CLI_TEST_SECRET\n{main}\n{rest}\n",
            encoding="utf-8",
        )

    def store(self):
        return open_store(f"sqlite:///{self.folder}/oauth.db", now=time.time)

    def start(self, *arguments, **options):
        """A process of its own, as the installed script runs."""
        environ = {**os.environ, "PYTHONPATH": PACKAGE_FOLDER, "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "oauth_filter.cli", "-c", str(self.ini), *map(str, arguments)]
        return subprocess.Popen(command, env=environ, cwd=self.folder, **options)

    @contextmanager
    def serving(self, *arguments):
        """The URL that `serve` says it serves, and what it has written once it is stopped with Ctrl-C."""
        written = []
        log = self.folder / "log"
        with (
            log.open("w") as err,
            self.start("serve", *arguments, "--port", "0", stdout=-1, stderr=err, stdin=-3, text=True) as process,
        ):
            try:
                first = process.stdout.readline()
                yield re.search(r"http://\S+", first)[0], written
            finally:
                process.send_signal(signal.SIGINT)
                written += [first + process.stdout.read(), log.read_text()]
        assert process.returncode == 0, written

    @contextmanager
    def provider(self):
        """A function that sends requests to a provider of this ini: method, path, and what `requests` takes."""
        (self.folder / "echo.py").write_text(ECHO)
        with self.serving("echo:app") as (url, _), requests.Session() as session:
            session.trust_env = False
            yield lambda method, path, **options: session.request(method, url + path, timeout=30, **options)

    def at_terminal(self, *arguments, answers):
        """Exit code and screen of a process at a terminal, at which each prompt gets the next answer."""
        ours, theirs = pty.openpty()
        with self.start(*arguments, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as process:
            os.close(theirs)
            screen = b""
            waiting = list(answers)
            while True:
                try:
                    read = os.read(ours, 1024)
                except OSError:
                    break
                if not read:
                    break
                screen += read
                if waiting and waiting[0][0] in screen.decode(errors="replace").rpartition("\n")[2]:
                    os.write(ours, waiting.pop(0)[1].encode() + b"\n")
            code = process.wait(timeout=30)
        os.close(ours)
        assert not waiting, screen
        return code, screen.decode()


@pytest.fixture
def cli(tmp_path, monkeypatch):
    monkeypatch.setenv("CLI_TEST_SECRET", "uT6oIhXkDwJ8xqkP0wM5sTn4eR7yBv2c")
    monkeypatch.delenv("OAUTH_FILTER_CONFIG", raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    command_line = CommandLine(tmp_path)
    command_line.write()
    return command_line
