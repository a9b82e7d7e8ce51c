"""`oauth-filter init`: an ini file to start from, and the secret it needs."""

import os
import secrets
from pathlib import Path
from textwrap import wrap
from typing import Any

import click

from oauth_filter.cli.exits import EXISTS
from oauth_filter.cli.exits import UNAVAILABLE
from oauth_filter.cli.exits import USAGE
from oauth_filter.cli.exits import Failure
from oauth_filter.cli.printing import duration
from oauth_filter.errors import ConfigError
from oauth_filter.settings import PROFILES
from oauth_filter.settings import Settings
from oauth_filter.settings import options

_ESSENTIAL = ("issuer", "store", "secret", "login", "profile", "accept_query_token")

_HEAD = """\
# The settings of oauth_filter. After a change: oauth-filter check
# A value can be env:NAME (an environment variable) or file:PATH (what a file says); %(here)s is this folder.

[protect]
# The first rule that matches decides; what none matches needs a token, too. For example:
#   /static/ = public             no token needed
#   /news/ = optional             with or without a token
#   GET /reports/ = reports:read  a token with this scope
/ = authenticated

[scopes]
# A scope and the sentence that the consent page shows. With none here, clients may ask for any.
#reports:read = Read your reports

# Clients are registered with `oauth-filter client add`, or here:
#[client:my-app]
#name = My App
#redirect_uris = http://localhost:8000/callback
#secret = env:MY_APP_SECRET

[oauth_filter]
# Our own URL as browsers and clients see it: https everywhere but on this machine. Never taken from a request.
issuer = {issuer}
# Where users, clients and tokens are kept.
store = sqlite:///%(here)s/oauth.db
# The master secret. Keep it out of version control: whoever has it can sign in as anybody.
secret = file:%(here)s/oauth.secret
# Who signs users in: directory (oauth-filter user add), remote_user, application, or package.module:callable.
login = directory
{chosen}
# ------------------------------------------------------------------------------------------------------------------
# Everything else, with its default. To change one, remove its '#'.
# ------------------------------------------------------------------------------------------------------------------
"""


@click.command(short_help="Write an oauth.ini and a secret to start from.")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path))
@click.option("--issuer", default="http://localhost:8080", show_default=True, help="Our URL as browsers see it.")
@click.option(
    "--profile",
    type=click.Choice(list(PROFILES)),
    default="default",
    show_default=True,
    help="The named set of defaults to start from.",
)
def init(folder: Path, issuer: str, profile: str) -> None:
    """Write a commented oauth.ini and a fresh oauth.secret into DIR (default: here).

    Neither file is ever overwritten. The secret is readable by its owner only (mode 0600).
    """
    try:
        Settings(issuer=issuer, secret="x" * 32)
    except ConfigError as error:
        raise Failure(f"--issuer: {error.problems[0].message}", USAGE) from None
    ini, secret = folder / "oauth.ini", folder / "oauth.secret"
    for file in (ini, secret):
        if os.path.lexists(file):
            raise Failure(f"{file} is there already and stays as it is", EXISTS)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _create(secret, secrets.token_urlsafe(32) + "\n", 0o600)
        _create(ini, ini_text(issuer, profile), 0o644)
    except FileExistsError as error:
        raise Failure(f"{error.filename} is there already and stays as it is", EXISTS) from None
    except OSError as error:
        raise Failure(f"{error.filename or folder}: {error.strerror}", UNAVAILABLE) from None
    _explain(ini, secret, issuer)


def ini_text(issuer: str, profile: str) -> str:
    """A complete ini file: what everybody decides first, then every other option, commented out."""
    chosen = "" if profile == "default" else f"# A named set of other defaults.\nprofile = {profile}\n"
    if profile == "default":
        chosen += "# Tokens in URLs end up in logs; true accepts ?access_token= all the same.\n"
        chosen += "accept_query_token = false\n"
    lines = [_HEAD.format(issuer=issuer, chosen=chosen)]
    for name, metadata, default in options(Settings):
        if name not in _ESSENTIAL or (name == "accept_query_token" and profile != "default"):
            section = f" [RFC {metadata['rfc']}]" if metadata["rfc"] else ""
            value = PROFILES[profile].get(name, default)
            lines += wrap(metadata["meaning"] + section, 118, initial_indent="# ", subsequent_indent="# ")
            lines.append(f"#{name} = {written(metadata['kind'], value)}".rstrip())
    return "\n".join(lines) + "\n"


def written(kind: str, value: Any) -> str:
    """A value as an ini file has it."""
    match kind:
        case "flag":
            return str(value).lower()
        case "duration":
            return duration(value)
        case "list":
            return " ".join(value)
        case _:
            return str(value)


def _create(file: Path, text: str, mode: int) -> None:
    # O_EXCL and the mode at creation: nobody can slip in a file or a link, or read before a chmod.
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(text)


def _explain(ini: Path, secret: Path, issuer: str) -> None:
    command = "oauth-filter" if ini == Path("oauth.ini") else f"oauth-filter -c {ini}"
    click.echo(
        f"""\
Wrote {ini}
Wrote {secret} (mode 0600; keep it out of version control)

Next:
  1. Read {ini}; the issuer is {issuer}
  2. Add a user:        {command} user add alice
  3. Add a client:      {command} client add my-app --redirect-uri http://localhost:8000/callback
  4. Wrap your application:

         from oauth_filter import OAuthFilter
         app = OAuthFilter(app, "{ini}")

     or try it as it is:  {command} serve MODULE:APP
  5. Before production: {command} check"""
    )
