"""`oauth-filter demo`: a provider, an API behind it and a client of it, in one process, to click through."""

import logging
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING
from typing import Final

import click

from oauth_filter.cli.demo.forms import StepFailed
from oauth_filter.cli.demo.installation import HOST
from oauth_filter.cli.demo.installation import Demo
from oauth_filter.cli.demo.installation import install
from oauth_filter.cli.demo.walk import walk
from oauth_filter.cli.exits import NEGATIVE
from oauth_filter.cli.exits import Failure
from oauth_filter.cli.serve import listen
from oauth_filter.cli.serve import make_server
from oauth_filter.cli.serve import run

if TYPE_CHECKING:
    from werkzeug.serving import BaseWSGIServer

NO_PORT_IN_PARTICULAR: Final = 0


@click.command(short_help="Try it: a provider, an API and a client to click through.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="A free one is taken if it is not free, or if it is 0.",
)
@click.option(
    "--data",
    metavar="DIR",
    default="demo-data",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the demo keeps its ini, secret and database.",
)
@click.option("--check", is_flag=True, help="Walk through everything over HTTP, say how it went, and stop.")
def demo(port: int, data: Path, check: bool) -> None:
    """Start a demo on 127.0.0.1: a sample API behind the filter, and a client application to click through.

    With --check nobody needs to click: on a folder of its own and a free port, the demo signs in, consents, gets a
    token, calls the API, refreshes and revokes, prints each step, and exits with 1 at the first that fails.
    """
    if check:
        _check()
        return
    with _listen(port) as listening:
        demo = install(data, port=listening.getsockname()[1])
        _introduce(demo, data)
        run(_server(demo, listening))


def _listen(port: int) -> socket:
    try:
        return listen(HOST, port)
    except Failure as failure:
        listening = listen(HOST, NO_PORT_IN_PARTICULAR)
        click.echo(f"{failure}; using port {listening.getsockname()[1]} instead.\n".capitalize(), err=True)
        return listening


def _server(demo: Demo, listening: socket) -> "BaseWSGIServer":
    # Other commands need neither pages nor signatures, and start in half the time.
    from oauth_filter.cli.demo.site import DemoSite
    from oauth_filter.middleware import OAuthFilter

    return make_server(OAuthFilter(DemoSite(demo), demo.ini), listening)


def _check() -> None:
    with tempfile.TemporaryDirectory() as folder, listen(HOST, NO_PORT_IN_PARTICULAR) as listening:
        demo = install(Path(folder), port=listening.getsockname()[1])
        with _running(_server(demo, listening)):
            try:
                for step in walk(demo):
                    click.echo(f"ok      {step}")
            except StepFailed as failed:
                click.echo(f"FAILED  {failed}")
                raise Failure("the demo does not work", NEGATIVE) from None
    click.echo("Everything works.")


@contextmanager
def _running(server: "BaseWSGIServer") -> Iterator[None]:
    # The walk does on purpose what a log would warn of.
    logs = [logging.getLogger(name) for name in ("werkzeug", "oauth_filter")]
    before = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.ERROR)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        for log, level in zip(logs, before, strict=True):
            log.setLevel(level)


def _introduce(demo: Demo, data: Path) -> None:
    # In a virtual environment that is not activated, the command is not on the PATH.
    command = sys.argv[0] if sys.argv[0].endswith("oauth-filter") else "oauth-filter"
    click.echo(
        f"""\
oauth_filter demo on {demo.url("/")}   (Ctrl-C stops it; it keeps its data in {data})

Open {demo.url("/client/")} in a browser and sign in:

    user name  {demo.username}
    password   {demo.password}

Or paste this into another terminal:

# A client acts for itself: get a token, then call the API with it.
SECRET={demo.service_secret}
curl -s -u {demo.service}:$SECRET -d grant_type=client_credentials -d scope=reports:read {demo.url("/oauth2/token")}
TOKEN=$(curl -s -u {demo.service}:$SECRET -d grant_type=client_credentials -d scope=reports:read \\
    {demo.url("/oauth2/token")} | sed 's/.*"access_token": "\\([^"]*\\)".*/\\1/')
curl -i -H "Authorization: Bearer $TOKEN" {demo.url("/api/reports")}

# Without a token, the API says how to get in.
curl -i {demo.url("/api/me")}

# A client acts for a user: open this in a browser. The page you end at says how to go on.
{demo.service_authorize_url}

# What the filter knows.
{command} -c {demo.ini} token list
{command} -c {demo.ini} check
"""
    )
