"""Reading secrets, and asking before something is lost. A secret never comes from the command line itself.

Arguments are seen by every user of the machine (`ps`) and kept by shells.
"""

import sys

import click

from oauth_filter.cli.exits import NEGATIVE
from oauth_filter.cli.exits import USAGE
from oauth_filter.cli.exits import Failure
from oauth_filter.passwords import MAX_SECRET_LENGTH


def secret_from_stdin() -> str:
    """The one line of standard input, without its line end. Raise Failure when it is not one line of UTF-8."""
    data = sys.stdin.buffer.read(4 * MAX_SECRET_LENGTH + 3)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise Failure("what came on standard input is not UTF-8 text", USAGE) from None
    return _legal(text.removesuffix("\n").removesuffix("\r"))


def secret_from_prompt(what: str, *, instead: str) -> str:
    """Ask twice at the terminal, without showing what is typed. `instead` is the option to use without one."""
    if not sys.stdin.isatty():
        raise Failure(f"there is no terminal to ask at; use {instead}", USAGE)
    answer: str = click.prompt(what, hide_input=True, confirmation_prompt=True)
    return _legal(answer)


def confirm(question: str, *, yes: bool) -> None:
    """Go on only when `yes` was given on the command line or the person at the terminal says so."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Failure(f"{question} There is no terminal to ask at; say --yes to go on.", USAGE)
    if not click.confirm(question):
        raise Failure("nothing was changed", NEGATIVE)


def _legal(secret: str) -> str:
    if not secret:
        raise Failure("nothing was entered", USAGE)
    if len(secret) > MAX_SECRET_LENGTH:
        raise Failure(f"at most {MAX_SECRET_LENGTH} characters are allowed", USAGE)
    if not secret.isprintable():
        raise Failure("one line without control characters is needed", USAGE)
    return secret
