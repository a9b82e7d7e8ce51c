"""`oauth-filter purge`: delete what has expired or been revoked."""

from pathlib import Path

import click

from oauth_filter.cli.configuration import opened
from oauth_filter.cli.printing import print_json


@click.command(short_help="Delete what has expired or been revoked.")
@click.option("--batch", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="Records at a time.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def purge(path: Path, batch: int, as_json: bool) -> None:
    """Delete expired and revoked codes, tokens and consents from the store.

    They are refused anyway; deleting them saves space. Safe while servers run: each batch is a short write. Run it
    once a day. What is still needed to detect a second use of a code or refresh token stays until it expires.
    """
    total = 0
    with opened(path) as (_, store):
        while True:
            deleted = store.purge(batch)
            total += deleted
            if deleted < batch:
                break
    if as_json:
        print_json({"deleted": total})
    else:
        click.echo(f"Deleted {total} records.")
