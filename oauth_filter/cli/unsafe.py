"""Settings that run but should not go into production: what is wrong with each, and how to mend it.

After RFC 9700 and the security considerations of the RFCs an option names. What is listed here is never refused:
each has its use on a test machine or with a legacy client.
"""

import ipaddress
import re
import stat
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from typing import Final
from urllib.parse import urlsplit

from oauth_filter.cli.configuration import sqlite_file
from oauth_filter.cli.printing import duration
from oauth_filter.records import Client
from oauth_filter.settings import DAY
from oauth_filter.settings import HOUR
from oauth_filter.settings import MINUTE
from oauth_filter.settings import Settings
from oauth_filter.settings import is_local

SERVERS: Final = 2**24
"""More addresses than any set of proxies of one's own has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsafe:
    """A setting that runs and is a risk. Holds no secret."""

    section: str
    option: str
    value: str
    reason: str
    fix: str


_VALUES: Final[tuple[tuple[str, Any, str, str], ...]] = (
    (
        "insecure_allow_http_issuer",
        True,
        "the issuer may be plain http on a network, where tokens and passwords are read in passing",
        "serve https, give an https issuer and remove this line",
    ),
    (
        "synchronous",
        "NORMAL",
        "after a power cut a revocation or a spent code of the last moments may be forgotten",
        "use synchronous = FULL",
    ),
    (
        "allow_plain_pkce",
        True,
        "a plain code_challenge is the verifier itself, so whoever sees the request can redeem the code (RFC 7636 7.2)",
        "set allow_plain_pkce = false; every maintained client can do S256",
    ),
    (
        "token_parameters_in_query",
        True,
        "secrets, codes and refresh tokens in a URL end up in access logs and browser histories (RFC 6749 2.3.1)",
        "set token_parameters_in_query = false and let clients send a form body",
    ),
    (
        "accept_query_token",
        True,
        "an access token in a URL ends up in access logs, browser histories and Referer headers (RFC 9700 4.3.2)",
        "set accept_query_token = false and let clients send Authorization: Bearer",
    ),
    (
        "refresh_token_usage",
        "reusable",
        "a stolen refresh token works beside the genuine one and nobody notices (RFC 9700 4.14.2)",
        "use refresh_token_usage = one_time",
    ),
    (
        "refuse_ambiguous_paths",
        False,
        "the rules and the application may read '//', '/../' and double encoding differently",
        "set refuse_ambiguous_paths = true",
    ),
    (
        "nuxeo_directory_api",
        True,
        "clients can be registered over HTTP with nothing but an administrator's password",
        "set nuxeo_directory_api = false and use `oauth-filter client add`",
    ),
)

_ASSERTION_VALUES: Final[tuple[tuple[str, Any, str, str], ...]] = (
    (
        "jwt_require_exp",
        False,
        "an assertion that leaks can be used without saying when it ends (RFC 7523 3)",
        "set jwt_require_exp = true and let issuers send exp",
    ),
    (
        "jwt_require_aud",
        False,
        "an assertion made for another server is accepted here (RFC 7523 3)",
        "set jwt_require_aud = true and let issuers name us in aud",
    ),
    (
        "jwt_require_jti",
        False,
        "issuers need not make their assertions unique (RFC 7523 3)",
        "set jwt_require_jti = true and let issuers send jti",
    ),
)

_LONGEST: Final = {
    "session_lifetime": (30 * DAY, "whoever gets at the browser is signed in for as long"),
    "code_lifetime": (10 * MINUTE, "a code that leaks can be redeemed for as long (RFC 6749 4.1.2: at most 10m)"),
    "access_token_lifetime": (DAY, "an access token that leaks works for as long"),
    "refresh_token_lifetime": (365 * DAY, "a refresh token that leaks works for as long"),
}


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
    yield from _values(settings, _VALUES)
    if settings.jwt_bearer_enabled:
        yield from _assertions(settings)
    for name, (longest, reason) in _LONGEST.items():
        if getattr(settings, name) > longest:
            yield _of(settings, name, reason, f"use {duration(longest)} or less")
    yield from _network(settings)
    yield from _rules(settings)
    configured = {client.key for client in settings.clients}
    for client in settings.clients:
        yield from _client(client)
    for client in clients:
        if client.key in configured:
            reason = "the store has a client of this id too, which the ini hides"
            yield Unsafe(
                section=f"client:{client.key}", option="client_id", value=client.key, reason=reason, fix="rename one"
            )
        else:
            yield from _client(client)


def unsafe_files(path: Path, settings: Settings) -> Iterator[Unsafe]:
    """Secrets that stand in the ini itself, and files with secrets that others on this machine can read."""
    section = ""
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        if header := re.match(r"\s*\[(.*)\]", line):
            section = header[1].strip()
        elif found := re.match(r"\s*(secret|jwt_secret)\s*=\s*(\S.*)", line):
            option, value = found[1], re.split(r"\s;", found[2])[0].strip()
            if value.startswith("file:"):
                named = value.removeprefix("file:").replace("%(here)s", str(path.absolute().parent))
                yield from _readable(section, option, path.absolute().parent / named)
            elif not value.startswith("env:"):
                yield Unsafe(
                    section=section,
                    option=option,
                    value="***",
                    reason="the secret stands in the ini itself, which gets copied, mailed and versioned",
                    fix=f"put it into a file of mode 0600 and write {option} = file:%(here)s/NAME, or use env:NAME",
                )
    if (database := sqlite_file(settings)) is not None:
        yield from _readable("oauth_filter", "store", database)


def _of(settings: Settings, option: str, reason: str, fix: str, *, value: str | None = None) -> Unsafe:
    shown = _written(getattr(settings, option)) if value is None else value
    return Unsafe(section="oauth_filter", option=option, value=shown, reason=reason, fix=fix)


def _written(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int():
            return duration(value)
        case tuple():
            return " ".join(value)
        case _:
            return str(value)


def _values(settings: Settings, table: Iterable[tuple[str, Any, str, str]]) -> Iterator[Unsafe]:
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
    yield from _values(settings, _ASSERTION_VALUES)
    if settings.jwt_max_lifetime > DAY:
        reason = "an assertion that leaks can be redeemed for as long"
        yield _of(settings, "jwt_max_lifetime", reason, f"use {duration(HOUR)}; an assertion is made for one request")
    if settings.jwt_secret and not settings.jwt_issuer:
        reason = "any iss is accepted, so assertions made with this secret for another purpose work here (RFC 7523 3)"
        yield _of(settings, "jwt_issuer", reason, "name the issuer: jwt_issuer = NAME")


def _network(settings: Settings) -> Iterator[Unsafe]:
    for network in settings.trusted_proxies:
        if ipaddress.ip_network(network, strict=False).num_addresses > SERVERS:
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
    if settings.scope_policy == "allow" and any(rule.scope for rule in settings.protect):
        reason = "a client without a scope of its own can ask for any scope, also for those the rules need"
        yield _of(settings, "unknown_scope", reason, "list the scopes in [scopes]", value="allow")


def _client(client: Client) -> Iterator[Unsafe]:
    def found(option: str, value: str, reason: str, fix: str) -> Unsafe:
        return Unsafe(section=f"client:{client.key}", option=option, value=value, reason=reason, fix=fix)

    uses_codes = "authorization_code" in client.grant_types
    if client.is_public and client.auto_grant and uses_codes:
        reason = "any program can claim to be a public client, and nobody is asked (RFC 6749 10.2)"
        yield found("auto_grant", "true", reason, "set auto_grant = false, or give the client a secret")
    if not client.is_public and client.client_authentication != "required":
        reason = "the client has a secret, and requests without it are accepted (RFC 6749 3.2.1)"
        fix = "use client_authentication = required"
        yield found("client_authentication", client.client_authentication, reason, fix)
    if "password" in client.grant_types:
        reason = "the client sees the password, and no second factor can ever be asked for (RFC 9700 2.4)"
        yield found("grant_types", "password", reason, "use authorization_code")
    if "implicit" in client.grant_types:
        reason = "access tokens in URLs leak through histories, logs and scripts (RFC 9700 2.1.2)"
        yield found("grant_types", "implicit", reason, "use authorization_code with PKCE")
    if client.pkce == "optional" and uses_codes:
        reason = "without PKCE a code that leaks or is injected can be redeemed (RFC 9700 2.1.1)"
        yield found("pkce", "optional", reason, "use pkce = required")
    for option in ("access_token_lifetime", "refresh_token_lifetime"):
        longest, reason = _LONGEST[option]
        value = getattr(client, option)
        if value is not None and value > longest:
            yield found(option, duration(value), reason, f"use {duration(longest)} or less")
    for uri in client.redirect_uris:
        parts = urlsplit(uri)
        if parts.scheme == "http" and not is_local(parts.hostname):
            reason = "codes travel in the clear (RFC 9700 2.6)"
            yield found("redirect_uris", uri, reason, "use https")


def _readable(section: str, option: str, file: Path) -> Iterator[Unsafe]:
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
    except OSError:
        return
    # A group may read: that is how containers and services hand over secrets.
    if mode & 0o037:
        yield Unsafe(
            section=section,
            option=option,
            value=f"{file} (mode {mode:04o})",
            reason="other users of this machine can read or change it",
            fix=f"chmod 600 {file}",
        )
