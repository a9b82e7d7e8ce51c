"""What `client add` and `client update` can be told about a client, and how that becomes a record."""

import time
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import Final
from typing import TypeVar
from typing import get_args

import click

from oauth_filter import credentials
from oauth_filter.cli.asking import secret_from_prompt
from oauth_filter.cli.asking import secret_from_stdin
from oauth_filter.cli.exits import USAGE
from oauth_filter.cli.exits import Failure
from oauth_filter.errors import Problem
from oauth_filter.ini.values import GRANT_TYPES
from oauth_filter.ini.values import convert
from oauth_filter.passwords import hash_secret
from oauth_filter.records import Client
from oauth_filter.records import ClientAuthentication
from oauth_filter.records import PKCEPolicy
from oauth_filter.registration import client_faults
from oauth_filter.scope import Scope
from oauth_filter.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])

SHORT_SECRET: Final = 16
"""Characters below which a chosen client secret gets a warning."""
DEFAULT_GRANT_TYPES: Final = ("authorization_code", "refresh_token")
SHORT_NAMES: Final = {value: name for name, value in GRANT_TYPES.items()}

_INHERITED: Final = 0
"""A lifetime of which the ini decides; None would be an option that was not given."""


def _duration(context: click.Context, parameter: click.Parameter, text: str | None) -> int | None:
    if text is None:
        return None
    if text == "default":
        return _INHERITED
    try:
        seconds: int = convert(parameter.name or "", text, "duration", ())
    except ValueError as error:
        raise click.BadParameter(f"{error}, or default") from None
    return seconds


def _scope(context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> str | None:
    try:
        return str(Scope(*(token for text in texts for token in text.split()))) if texts else None
    except ValueError:
        raise click.BadParameter("a scope is printable ASCII without quotes and backslashes") from None


_OPTIONS = (
    click.option("--name", help="The name that the consent page shows."),
    click.option(
        "--redirect-uri",
        "redirect_uris",
        multiple=True,
        metavar="URI",
        help="Where users may be sent back to, byte for byte; https, or http on this machine. Repeatable.",
    ),
    click.option(
        "--grant-type",
        "grant_types",
        multiple=True,
        type=click.Choice(list(GRANT_TYPES)),
        help="What it may ask tokens with. Repeatable. Default: authorization_code and refresh_token.",
    ),
    click.option(
        "--scope",
        multiple=True,
        callback=_scope,
        help="A scope it may ask for. Repeatable. Default: all that are configured.",
    ),
    click.option("--auto-grant/--no-auto-grant", default=None, help="Skip the consent page: only for your own."),
    click.option(
        "--client-authentication",
        type=click.Choice(get_args(ClientAuthentication)),
        help="Whether a client with a secret must send it. Default: required.",
    ),
    click.option(
        "--pkce",
        type=click.Choice(get_args(PKCEPolicy)),
        help="Whether it must use PKCE. Default: required_unless_client_authentication.",
    ),
    click.option(
        "--access-token-lifetime",
        metavar="DURATION",
        callback=_duration,
        help="Such as 15m; `default` is that of the ini.",
    ),
    click.option(
        "--refresh-token-lifetime",
        metavar="DURATION",
        callback=_duration,
        help="Such as 30d; `default` is that of the ini.",
    ),
)


def client_options(command: F) -> F:
    """The options that `add` and `update` share."""
    for decorate in reversed(_OPTIONS):
        command = decorate(command)
    return command


def secret_options(command: F) -> F:
    """Where a chosen secret comes from; without either, one is generated."""
    command = click.option("--prompt-secret", is_flag=True, help="Ask for a chosen secret at the terminal.")(command)
    return click.option("--secret-stdin", is_flag=True, help="Read a chosen secret from standard input.")(command)


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """What of the shared options was given, as fields of `Client`."""
    fields = {name: value for name, value in values.items() if value not in (None, ())}
    if "grant_types" in fields:
        fields["grant_types"] = tuple(dict.fromkeys(GRANT_TYPES[name] for name in fields["grant_types"]))
    if "redirect_uris" in fields:
        fields["redirect_uris"] = tuple(dict.fromkeys(fields["redirect_uris"]))
    for name in ("access_token_lifetime", "refresh_token_lifetime"):
        if fields.get(name) == _INHERITED:
            fields[name] = None
    return fields


def new_secret(*, from_stdin: bool, from_prompt: bool) -> tuple[str, bool]:
    """A client secret, and whether it was generated and has to be shown."""
    if from_stdin and from_prompt:
        raise click.UsageError("give one of --secret-stdin and --prompt-secret")
    if not from_stdin and not from_prompt:
        return credentials.generate(credentials.CLIENT_SECRET), True
    secret = secret_from_stdin() if from_stdin else secret_from_prompt("Client secret", instead="--secret-stdin")
    if len(secret) < SHORT_SECRET:
        click.echo(f"Warning: fewer than {SHORT_SECRET} characters can be guessed; let one be generated.", err=True)
    return secret, False


def check_client(client: Client, settings: Settings, changed: Collection[str] | None = None) -> None:
    """Raise Failure with everything that speaks against registering `client`, or against the fields `changed`.

    A client that came by another door may have faults of its own, and can be disabled all the same.
    """
    faults = [fault for fault in _faults(client, settings) if changed is None or fault.option in changed]
    if faults:
        raise Failure("\n       ".join(map(str, faults)), USAGE)


def _faults(client: Client, settings: Settings) -> Iterator[Problem]:
    yield from client_faults(client)
    if client.is_public and "client_credentials" in client.grant_types:
        message = "client_credentials is for clients with a secret (RFC 6749 section 4.4)"
        yield Problem(option="grant_types", message=message)
    if not client.name.isprintable():
        yield Problem(option="name", message="use one line without control characters")
    if settings.scopes and (unknown := [t for t in (client.scope or "").split() if t not in settings.scopes]):
        yield Problem(option="scope", message=f"not in [scopes] of the ini: {' '.join(unknown)}")


def registered(client_id: str, secret: str | None, values: Mapping[str, Any]) -> Client:
    """A new client of the store."""
    return Client(
        key=client_id,
        client_id=client_id,
        secret_hash=None if secret is None else hash_secret(secret),
        issued_at=time.time(),
        **{"grant_types": DEFAULT_GRANT_TYPES, **given(values)},
    )
