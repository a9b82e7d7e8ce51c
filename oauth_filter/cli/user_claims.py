"""What `user add` and `user update` can be told for ID tokens and userinfo -- OpenID Connect Core section 5.1."""

import json
import re
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from typing import Final
from typing import TypeVar

import click

from oauth_filter.authorization_server.claims import USER_CLAIMS
from oauth_filter.ini.values import did_you_mean

F = TypeVar("F", bound=Callable[..., Any])

LONGEST_CLAIM: Final = 1000
FLAGS: Final = ("email_verified", "phone_number_verified")
ADDRESS: Final = ("formatted", "street_address", "locality", "region", "postal_code", "country")
"""OpenID Connect Core section 5.1.1."""

_REMOVED: Final = None


def claim_options(command: F) -> F:
    """The parameter `claims` gets what was given of both options, by name; None for a claim to take away."""
    command = click.option(
        "--claim",
        "claims",
        multiple=True,
        metavar="NAME=VALUE",
        callback=_claims,
        help="A standard claim, such as given_name=Alice, email_verified=true or address={JSON}; nothing after the = "
        "takes it away. Repeatable.",
    )(command)
    return click.option("--email", callback=_email, help="The e-mail address; an empty one takes it away.")(command)


def merged(before: Mapping[str, Any] | None, email: Mapping[str, Any], claims: Mapping[str, Any]) -> Any:
    """The claims a user had with the changes given. Raise UsageError for a claim given twice."""
    if email.keys() & claims.keys():
        raise click.UsageError("give the e-mail address once")
    changed = {**(before or {}), **email, **claims}
    return {name: value for name, value in changed.items() if value is not _REMOVED} or None


def _email(context: click.Context, parameter: click.Parameter, text: str | None) -> dict[str, Any]:
    return {} if text is None else {"email": _value("email", text)}


def _claims(context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in texts:
        name, is_pair, value = text.partition("=")
        if not is_pair:
            raise click.BadParameter("write NAME=VALUE")
        if name not in USER_CLAIMS:
            known = did_you_mean(name, USER_CLAIMS) or f"; there are {', '.join(USER_CLAIMS)}"
            raise click.BadParameter(f"'{name}' is no standard claim{known}")
        if name in found:
            raise click.BadParameter(f"{name} is given twice")
        found[name] = _value(name, value)
    return found


def _value(name: str, text: str) -> Any:
    if not text:
        return _REMOVED
    if not text.isprintable() or len(text) > LONGEST_CLAIM:
        raise click.BadParameter(f"{name} is one line of up to {LONGEST_CLAIM} characters, none of them for control")
    if name in FLAGS:
        if text not in ("true", "false"):
            raise click.BadParameter(f"{name} is true or false")
        return text == "true"
    if name == "updated_at":
        if not re.fullmatch("[0-9]{1,12}", text):
            raise click.BadParameter("updated_at is a number of seconds since 1970")
        return int(text)
    if name == "address":
        return _address(text)
    if name == "email" and not re.fullmatch(r"[^@\s]+@[^@\s]+", text):
        raise click.BadParameter("an e-mail address has one '@' and no spaces")
    return text


def _address(text: str) -> dict[str, str]:
    try:
        address = json.loads(text)
    except (ValueError, RecursionError):
        address = None
    if not isinstance(address, dict) or not all(isinstance(value, str) for value in address.values()):
        raise click.BadParameter('address is a JSON object of texts, such as {"locality": "Oxford"}')
    if unknown := sorted(address.keys() - set(ADDRESS)):
        raise click.BadParameter(f"an address has no '{unknown[0]}'; it has {', '.join(ADDRESS)}")
    return address
