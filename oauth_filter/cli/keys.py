"""`oauth-filter keys`: the keys that sign ID tokens and JWT access tokens, without their private parts."""

import time
from pathlib import Path
from typing import Any
from typing import Final
from typing import get_args

import click

from oauth_filter.cli.asking import confirm
from oauth_filter.cli.configuration import opened
from oauth_filter.cli.printing import ahead
from oauth_filter.cli.printing import print_json
from oauth_filter.cli.printing import print_table
from oauth_filter.cli.printing import timestamp
from oauth_filter.records import SigningAlgorithm
from oauth_filter.records import SigningKey
from oauth_filter.signing import OwnKeys

WAITING: Final = "waiting"
SIGNING: Final = "signing"
RETIRING: Final = "retiring"
"""Published for what it has signed, and signs no more: replaced, or sealed under another master secret."""


@click.group()
def keys() -> None:
    """List and rotate the keys that sign ID tokens and JWT access tokens.

    The first key of an algorithm is made when it is needed. Private keys are kept sealed and shown nowhere.
    """


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def list_keys(path: Path, as_json: bool) -> None:
    """List the keys of our JWK Set: waiting to sign, signing, or kept for what they have signed."""
    with opened(path) as (settings, store):
        own = OwnKeys(settings, store, time.time)
        found = sorted(own.all(), key=lambda key: (key.algorithm, key.signs_from, key.key))
        states = {key.key: _state(own, key) for key in found}
    if as_json:
        print_json([_as_json(key, states[key.key]) for key in found])
    elif not found:
        click.echo("There are no keys yet: the first is made when something is signed or the JWK Set is asked for.")
    else:
        print_table(
            ("KID", "ALGORITHM", "STATE", "SIGNS", "LEAVES"),
            [
                (
                    key.key,
                    key.algorithm,
                    states[key.key],
                    ahead(key.signs_from) if states[key.key] == WAITING else "-",
                    ahead(key.expires_at),
                )
                for key in found
            ],
        )


@keys.command()
@click.option(
    "--algorithm",
    type=click.Choice(get_args(SigningAlgorithm)),
    help="Which key to replace. Default: that of id_token_signing_alg in the ini.",
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask when a new key is waiting already.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def rotate(path: Path, algorithm: SigningAlgorithm | None, yes: bool, as_json: bool) -> None:
    """Make a new key: it is published now, signs once everybody has seen it, and then the one before leaves.

    The old key stays published until nothing it has signed is good any more. No request fails at any moment.
    """
    with opened(path) as (settings, store):
        own = OwnKeys(settings, store, time.time)
        algorithm = algorithm or settings.id_token_signing_alg
        waiting = [key for key in own.all() if key.algorithm == algorithm and key.signs_from > time.time()]
        if waiting:
            signs = ahead(min(key.signs_from for key in waiting))
            confirm(f"A new key waits already and signs {signs}. Make another one?", yes=yes)
        new = own.rotate(algorithm)
        states = {key.key: _state(own, key) for key in own.all()}
        old = [key for key in own.all() if key.algorithm == algorithm and key.expires_at is not None]
    if as_json:
        shown = [_as_json(key, states[key.key]) for key in old]
        print_json(_as_json(new, states[new.key]) | {"leaving": shown})
        return
    when = "at once" if new.signs_from <= time.time() else f"from {timestamp(new.signs_from)}, {ahead(new.signs_from)}"
    click.echo(f"Key {new.key} ({algorithm}) is published, and signs {when}.")
    for key in old:
        click.echo(f"Key {key.key} ({states[key.key]}) leaves at {timestamp(key.expires_at)}, {ahead(key.expires_at)}.")


def _state(own: OwnKeys, key: SigningKey) -> str:
    if key.signs_from > time.time():
        return WAITING
    signing = own.signing(key.algorithm)
    return SIGNING if signing is not None and signing.key == key.key else RETIRING


def _as_json(key: SigningKey, state: str) -> dict[str, Any]:
    return {
        "kid": key.key,
        "algorithm": key.algorithm,
        "state": state,
        "created_at": timestamp(key.issued_at or None),
        "signs_from": timestamp(key.signs_from),
        "leaves_at": timestamp(key.expires_at),
    }
