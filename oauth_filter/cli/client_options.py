"""What `client add` and `client update` can be told: every option of `[client:ID]`, under the same name and meaning.

The command line is read off `ini.ClientSection`, so that the two ways to describe a client cannot differ.
"""

import os
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from typing import Final
from typing import TypeVar

import click

from oauth_filter.cli.exits import USAGE
from oauth_filter.cli.exits import Failure
from oauth_filter.errors import Problem
from oauth_filter.ini import ClientSection
from oauth_filter.ini.lines import Entry
from oauth_filter.ini.values import URIS
from oauth_filter.ini.values import convert
from oauth_filter.ini.values import resolve
from oauth_filter.records import Client
from oauth_filter.registration import client_faults
from oauth_filter.scope import ADMIN_SCOPE
from oauth_filter.scope import OPENID_SCOPES
from oauth_filter.scope import Scope
from oauth_filter.settings import Settings
from oauth_filter.settings import options

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_GRANT_TYPES: Final = ("authorization_code", "refresh_token")

OPTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    name: metadata for name, metadata, _ in options(ClientSection) if metadata["kind"] != "secret"
}
"""Name and metadata of each option of a client but its secret, which no command line has."""

DEFAULTS: Final[Mapping[str, Any]] = {name: default for name, _, default in options(ClientSection) if name in OPTIONS}

_METAVARS: Final = {
    "duration": "DURATION",
    "redirect_uris": "URI",
    "post_logout_redirect_uris": "URI",
    "origins": "ORIGIN",
    "grant_types": "NAME",
    "scope": "SCOPE",
    "jwks": "TEXT|file:PATH",
}


def client_options(command: F) -> F:
    """The options that `add` and `update` share; the parameters have the names of the fields of `Client`."""
    for name, metadata in reversed(list(OPTIONS.items())):
        command = _option(name, metadata)(command)
    return command


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """What of the shared options was given, as fields of `Client`."""
    return {name: value for name, value in values.items() if value not in (None, ())}


def check_client(client: Client, settings: Settings, *, before: Client | None = None) -> None:
    """Raise Failure with everything that speaks against registering `client`.

    What already spoke against it `before` a change is not held against the change: a client that came by another door
    may have faults of its own, and can be disabled all the same.
    """
    known = [] if before is None else list(_faults(before, settings))
    changed = {name for name in OPTIONS if before is None or getattr(client, name) != getattr(before, name)}
    faults = [fault for fault in _faults(client, settings) if fault.option in changed or fault not in known]
    if faults:
        raise Failure("\n       ".join(map(str, faults)), USAGE)


def _faults(client: Client, settings: Settings) -> Iterator[Problem]:
    yield from client_faults(client)
    if client.is_public and "client_credentials" in client.grant_types:
        message = "client_credentials is for clients with a secret or keys (RFC 6749 section 4.4)"
        yield Problem(option="grant_types", message=message)
    if not client.name.isprintable():
        yield Problem(option="name", message="use one line without control characters")
    known = (*settings.scopes, *OPENID_SCOPES, ADMIN_SCOPE)
    if settings.scopes and (unknown := [token for token in (client.scope or "").split() if token not in known]):
        yield Problem(option="scope", message=f"not in [scopes] of the ini: {' '.join(unknown)}")


def _option(name: str, metadata: Mapping[str, Any]) -> Callable[[F], F]:
    word = name.replace("_", "-")
    kind, meaning = metadata["kind"], metadata["meaning"]
    if name == "enabled":
        return click.option("--enable/--disable", name, default=None, help=meaning)
    if kind == "flag":
        return click.option(f"--{word}/--no-{word}", name, default=None, help=meaning)
    metavar = _METAVARS.get(name) or _METAVARS.get(kind)
    if kind == "list":
        default = f" By default {' and '.join(DEFAULT_GRANT_TYPES)}." if name == "grant_types" else ""
        return click.option(
            f"--{word.removesuffix('s')}",
            name,
            multiple=True,
            metavar=metavar,
            callback=_list,
            help=f"{meaning} Repeatable.{default}",
        )
    choices = click.Choice(metadata["choices"]) if metadata["choices"] else None
    return click.option(f"--{word}", name, type=choices, metavar=metavar, callback=_single, help=meaning)


def _single(context: click.Context, parameter: click.Parameter, text: str | None) -> Any:
    name = parameter.name or ""
    if text is None:
        return None
    kind, choices = OPTIONS[name]["kind"], OPTIONS[name]["choices"]
    try:
        if name == "jwks":
            text = resolve(Entry(name=name, text=text, line=None), kind, Path.cwd(), os.environ)
        return convert(name, text, kind, choices)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _list(context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> Any:
    name = parameter.name or ""
    if name in URIS:
        # Not split at spaces, so that a URI with one in it is refused instead of becoming two.
        return tuple(dict.fromkeys(texts))
    try:
        values = convert(name, " ".join(texts), "list", ())
        return str(Scope(*values)) if name == "scope" and values else values
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
