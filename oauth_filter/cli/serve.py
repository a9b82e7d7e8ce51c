"""`oauth-filter serve`: a development server for an application behind the filter."""

import importlib
import os
import re
import socket
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from urllib.parse import urlsplit

import click

from oauth_filter.cli.configuration import load_settings
from oauth_filter.cli.configuration import located
from oauth_filter.cli.exits import UNAVAILABLE
from oauth_filter.cli.exits import USAGE
from oauth_filter.cli.exits import Failure
from oauth_filter.settings import Settings
from oauth_filter.settings import is_local

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from werkzeug.serving import BaseWSGIServer


@click.command(short_help="Serve an application behind the filter, for development.")
@click.argument("application", metavar="MODULE:APP")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one.")
@click.pass_obj
def serve(path: Path, application: str, host: str, port: int) -> None:
    """Serve a WSGI application behind the filter, for development only.

    MODULE:APP is where Python finds it, such as shop.wsgi:app; the current folder is looked into first.
    """
    settings = load_settings(path)
    wrapped = import_application(application)

    # Other commands need neither pages nor signatures, and start in half the time.
    from oauth_filter.middleware import OAuthFilter

    with located(path):
        filtered = OAuthFilter(wrapped, settings)
    with listen(host, port) as listening:
        port = listening.getsockname()[1]
        click.echo(f"{application} behind the filter: http://{host}:{port}/  (Ctrl-C stops it)")
        click.echo("This is a development server, not one for production.")
        _warn(settings, host, port)
        run(make_server(filtered, listening))


def import_application(name: str) -> "WSGIApplication":
    """The object that `package.module:attribute` names. Raise Failure that says which part of it is wrong."""
    module_name, _, attribute = name.partition(":")
    if not re.fullmatch(r"[^\W\d][\w.]*:[^\W\d][\w.]*", name):
        raise Failure(f"{name} is not of the form MODULE:APP, such as shop.wsgi:app", USAGE)
    sys.path.insert(0, os.getcwd())
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise _broken(module_name, error) from error
        raise Failure(f"there is no module {error.name} here or among the installed ones", USAGE) from None
    except Exception as error:
        raise _broken(module_name, error) from error
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise Failure(f"module {module_name} has no {attribute}", USAGE)
        found = getattr(found, part)
    if not callable(found):
        raise Failure(f"{name} is not callable and so no WSGI application", USAGE)
    application: WSGIApplication = found
    return application


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raise Failure when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise Failure(f"cannot listen on {host} port {port}: {error.strerror or error}", UNAVAILABLE) from None
    return listening


def make_server(application: "WSGIApplication", listening: socket.socket) -> "BaseWSGIServer":
    """A threaded development server on a socket that listens already."""
    from werkzeug import serving

    from oauth_filter.cli.request_log import RequestLog

    host, port = listening.getsockname()[:2]
    return serving.make_server(
        host, port, application, threaded=True, request_handler=RequestLog, fd=listening.fileno()
    )


def run(server: "BaseWSGIServer") -> None:
    """Serve until Ctrl-C."""
    try:
        server.serve_forever()
    finally:
        server.server_close()


def _broken(module_name: str, error: Exception) -> Failure:
    """What a person needs to mend a module that fails when imported: the line, not the traceback."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    file, line = where.filename, where.lineno
    if isinstance(error, SyntaxError):
        file, line = error.filename or file, error.lineno
    return Failure(f"importing {module_name} failed at {file}:{line}: {type(error).__name__}: {error}", USAGE)


def _warn(settings: Settings, host: str, port: int) -> None:
    if not is_local(host):
        click.echo(f"Warning: {host} can be reached from other machines.", err=True)
    issuer = urlsplit(settings.issuer)
    if (issuer.port or {"http": 80, "https": 443}[issuer.scheme]) != port:
        click.echo(f"Note: the issuer is {settings.issuer}: sign-in pages and metadata lead there.", err=True)
