"""What is unsafe about the options and rules of an ini."""

import ipaddress
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote
from urllib.parse import urlsplit

from oauth_filter.cli.printing import duration
from oauth_filter.cli.printing import written
from oauth_filter.cli.unsafe.clients import HTTP_KEYS
from oauth_filter.cli.unsafe.clients import unsafe_client
from oauth_filter.cli.unsafe.row import LONGEST
from oauth_filter.cli.unsafe.row import Unsafe
from oauth_filter.cli.unsafe.values import ASSERTION_VALUES
from oauth_filter.cli.unsafe.values import VALUES
from oauth_filter.cli.unsafe.values import Table
from oauth_filter.records import Client
from oauth_filter.resource_server.rules import Rules
from oauth_filter.settings import DAY
from oauth_filter.settings import HOUR
from oauth_filter.settings import JWTIssuer
from oauth_filter.settings import Settings
from oauth_filter.settings import is_local

SERVERS: Final = 2**24
"""More addresses than any set of proxies of one's own has."""
HASH_LENGTH: Final = {"HS256": 32, "HS384": 48, "HS512": 64}
"""Bytes of the hash of each algorithm, below which its secret is too short (RFC 7518 section 3.2)."""


def unsafe_settings(settings: Settings, clients: Iterable[Client] = ()) -> Iterator[Unsafe]:
    """Every unsafe setting, with those of `clients` from the store and of the settings' own.

    Reads no file and opens no connection. Does not judge passwords and the code that `login` may name.
    """
    yield from _issuer(settings)
    if settings.store.startswith("memory:"):
        yield _of(settings, "store", "every restart forgets all users, tokens and revocations", "use sqlite:///path")
    if len(set(settings.secret)) < 12:
        reason = "the master secret is too regular to be random; who guesses it can sign in as anybody"
        yield _of(settings, "secret", reason, "let `oauth-filter init` make one in an empty folder", value="***")
    yield from _values(settings, VALUES)
    if settings.jwt_bearer_enabled:
        yield from _assertions(settings)
    for name, (longest, reason) in LONGEST.items():
        if getattr(settings, name) > longest:
            yield _of(settings, name, reason, f"use {duration(longest)} or less")
    yield from _network(settings)
    yield from _rules(settings)
    yield from _application_login(settings)
    configured = {client.key for client in settings.clients}
    for client in settings.clients:
        yield from unsafe_client(client)
    for client in clients:
        if client.key in configured:
            reason = "the store has a client of this id too, which the ini hides"
            yield Unsafe(
                section=f"client:{client.key}", option="client_id", value=client.key, reason=reason, fix="rename one"
            )
        else:
            yield from unsafe_client(client)


def _of(settings: Settings, option: str, reason: str, fix: str, *, value: str | None = None) -> Unsafe:
    shown = written(getattr(settings, option)) if value is None else value
    return Unsafe(section="oauth_filter", option=option, value=shown, reason=reason, fix=fix)


def _values(settings: Settings, table: Table) -> Iterator[Unsafe]:
    for option, value, reason, fix in table:
        if getattr(settings, option) == value:
            yield _of(settings, option, reason, fix)


def _issuer(settings: Settings) -> Iterator[Unsafe]:
    if not settings.is_https:
        local = is_local(urlsplit(settings.issuer).hostname)
        reason = (
            "http is for trying things out on this machine: on a network tokens and passwords are read in passing"
            if local
            else "tokens and passwords travel in the clear (RFC 6749 3.1 and 3.2: TLS is a must)"
        )
        yield _of(settings, "issuer", reason, "give the https URL that browsers and clients use")


def _assertions(settings: Settings) -> Iterator[Unsafe]:
    yield from _values(settings, ASSERTION_VALUES)
    if settings.jwt_max_lifetime > DAY:
        reason = "an assertion that leaks can be redeemed for as long"
        yield _of(settings, "jwt_max_lifetime", reason, f"use {duration(HOUR)}; an assertion is made for one request")
    if settings.jwt_secret and not settings.jwt_issuer:
        reason = "any iss is accepted, so assertions made with this secret for another purpose work here (RFC 7523 3)"
        yield _of(settings, "jwt_issuer", reason, "name the issuer: jwt_issuer = NAME")
    if settings.jwt_secret and len(settings.jwt_secret.encode()) < HASH_LENGTH["HS512"]:
        reason, fix = _too_short("HS512")
        yield _of(settings, "jwt_secret", reason, fix, value="***")
    for issuer in settings.jwt_issuers:
        yield from _jwt_issuer(issuer)


def _jwt_issuer(issuer: JWTIssuer) -> Iterator[Unsafe]:
    section = f"jwt_issuer:{issuer.issuer}"
    if issuer.secret is not None and len(issuer.secret.encode()) < HASH_LENGTH.get(issuer.algorithm, 0):
        reason, fix = _too_short(issuer.algorithm)
        yield Unsafe(section=section, option="secret", value="***", reason=reason, fix=fix)
    if issuer.jwks_uri is not None and issuer.jwks_uri.startswith("http:"):
        yield Unsafe(section=section, option="jwks_uri", value=issuer.jwks_uri, reason=HTTP_KEYS, fix="use https")


def _too_short(algorithm: str) -> tuple[str, str]:
    needed = HASH_LENGTH[algorithm]
    reason = f"for {algorithm} a secret has {needed} bytes or more; a shorter one can be guessed offline (RFC 7518 3.2)"
    return reason, f"use a random secret of {needed} bytes or more"


def _network(settings: Settings) -> Iterator[Unsafe]:
    for network in settings.trusted_proxies:
        if network != "unix" and ipaddress.ip_network(network, strict=False).num_addresses > SERVERS:
            reason = f"{network} is far more than proxies of your own: those addresses can claim to be anybody"
            yield _of(settings, "trusted_proxies", reason, "name the addresses of your proxies")
    if settings.login == "remote_user" and settings.remote_user_key.startswith("HTTP_"):
        reason = "whoever gets a header of this name past the proxy is that user"
        yield _of(settings, "remote_user_key", reason, "see that the proxy removes this header from what it receives")


def _rules(settings: Settings) -> Iterator[Unsafe]:
    for rule in settings.protect:
        if rule.path == "/" and rule.access == "public":
            yield Unsafe(
                section="protect",
                option=f"{rule.method or ''} /".strip(),
                value="public",
                reason="whatever no rule above names is open to everybody, also what is added later",
                fix="name what is public, and end with / = authenticated",
            )
    if not settings.unknown_scope and not settings.scopes and any(rule.scope for rule in settings.protect):
        reason = "a client without a scope of its own can ask for any scope, also for those the rules need"
        yield _of(settings, "unknown_scope", reason, "list the scopes in [scopes]", value="allow")


def _application_login(settings: Settings) -> Iterator[Unsafe]:
    """A login page that needs a token: nobody can sign in, or somebody will open more than that page to mend it."""
    if settings.login != "application":
        return
    path = unquote(urlsplit(settings.application_login).path)
    rules = Rules(settings.protect, refuse_ambiguous_paths=settings.refuse_ambiguous_paths)
    for method in ("GET", "POST"):
        needs = rules.requirement(method, path)
        if needs is None or needs.token == "required":
            reason = f"{method} {path} is refused without a token, so nobody can sign in there"
            yield _of(
                settings, "application_login", reason, f"open it in [protect], above other rules: {path} = public"
            )
            return
