"""The `oauth-filter` command. Its exit codes stand in `oauth_filter.cli.exits`, its reference in docs/cli.md."""

import io
import sys
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from oauth_filter.cli.check import check
from oauth_filter.cli.client import client
from oauth_filter.cli.demo import demo
from oauth_filter.cli.entity import entity
from oauth_filter.cli.exits import UNAVAILABLE
from oauth_filter.cli.exits import USAGE
from oauth_filter.cli.exits import Failure
from oauth_filter.cli.init import init
from oauth_filter.cli.keys import keys
from oauth_filter.cli.purge import purge
from oauth_filter.cli.serve import serve
from oauth_filter.cli.token import token
from oauth_filter.cli.user import user
from oauth_filter.errors import ConfigError
from oauth_filter.errors import OAuthError
from oauth_filter.errors import Unreachable


class _Commands(click.Group):
    """The one place where what a person can mend becomes a sentence instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        for stream in (sys.stdout, sys.stderr):
            # A user's name must not crash a command on a terminal that cannot show it.
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        try:
            return super().invoke(ctx)
        except Failure as failure:
            click.echo(f"Error: {failure}", err=True)
            ctx.exit(failure.exit_code)
        except ConfigError as error:
            for problem in error.problems:
                click.echo(str(problem), err=True)
            ctx.exit(UNAVAILABLE if isinstance(error, Unreachable) else USAGE)
        except OAuthError as error:
            cause = f" ({error.__cause__})" if error.__cause__ else ""
            click.echo(f"Error: {error.description.rstrip('.')}{cause}", err=True)
            ctx.exit(UNAVAILABLE)


def _version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        try:
            number = version("oauth-filter")
        except PackageNotFoundError:
            number = "(not installed)"
        click.echo(f"oauth-filter {number}")
        context.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "-c",
    "--config",
    metavar="FILE",
    default="oauth.ini",
    show_default=True,
    envvar="OAUTH_FILTER_CONFIG",
    show_envvar=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The ini file.",
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Say the version.")
@click.pass_context
def main(context: click.Context, config: Path) -> None:
    """An OAuth 2 provider and bearer check in front of any WSGI application.

    Start with init, and look at check after each change. What is changed here is effective at once, without a
    restart, in every process that uses the store.

    Exit codes: 0 done, 1 the answer is no, 2 wrong usage or configuration, 3 not found, 4 already there,
    5 store or port not available.
    """
    context.obj = config


for command in (init, check, serve, client, user, entity, keys, token, purge, demo):
    main.add_command(command)
