"""What is wrong with settings: every fault at once, each with the option it is about."""

import ipaddress
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oauth_filter.errors import Problem
from oauth_filter.scope import Scope
from oauth_filter.settings.option import DAY
from oauth_filter.settings.option import MAY_BE_ZERO
from oauth_filter.settings.option import options
from oauth_filter.settings.profiles import PROFILES
from oauth_filter.settings.sections import JWTIssuer

if TYPE_CHECKING:
    from oauth_filter.settings.settings import Settings


def is_local(host: str | None) -> bool:
    """Whether a host name of a URL is this machine, where http does no harm."""
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def faults(settings: "Settings") -> Iterator[Problem]:
    for name, metadata, _ in options(type(settings)):
        value = getattr(settings, name)
        if metadata["choices"] and value not in metadata["choices"]:
            yield Problem(option=name, message=f"use one of {', '.join(filter(None, metadata['choices']))}")
        least = 0 if name in MAY_BE_ZERO else 1
        if metadata["kind"] == "duration" and not least <= value <= 10 * 365 * DAY:
            yield Problem(option=name, message=f"use a duration from {least}s to 3650d")
    yield from _issuer_faults(settings)
    if len(settings.secret) < 32:
        yield Problem(option="secret", message="32 characters or more are needed; `oauth-filter init` makes a secret")
    # Browsers read a second slash, or a backslash, as the start of a host.
    if not re.fullmatch(r"/|(/[^/\\]|https?://[^/\\])[!-\[\]-~]*", settings.logout_uri):
        yield Problem(option="logout_uri", message="use a path that starts with one slash, or an https URL")
    for network in settings.trusted_proxies:
        try:
            _ = network == "unix" or ipaddress.ip_network(network, strict=False)
        except ValueError:
            yield Problem(option="trusted_proxies", message="use IP addresses, networks such as 10.0.0.0/8, or unix")
    yield from _login_faults(settings)
    # RFC 9110 section 5.6.4, without what not every client reads alike.
    if re.search(r'[^\x20-\x7E]|["\\]', settings.realm):
        yield Problem(option="realm", message="use printable ASCII without quotes and backslashes")
    yield from _profile_faults(settings)
    if settings.user_header and not re.fullmatch(r"X-[A-Za-z0-9-]+", settings.user_header, re.IGNORECASE):
        # Others have a meaning already: no Authorization would ever reach the guard, no Cookie the application.
        yield Problem(option="user_header", message="use a header name that begins with X-, such as X-Remote-User")
    for token in settings.scopes:
        try:
            Scope(token)
        except ValueError:
            yield Problem(option="scopes", message="a scope is printable ASCII without spaces, quotes and backslashes")
    if settings.jwt_secret and len(settings.jwt_secret.encode()) < 32:
        yield Problem(option="jwt_secret", message="32 bytes or more are needed (RFC 7518 section 3.2)")
    for issuer in settings.jwt_issuers:
        yield from _jwt_issuer_faults(issuer)
    seen = set()
    for client in settings.clients:
        if client.key in seen:
            yield Problem(option=f"client:{client.key}", message="there is already a client of this id")
        seen.add(client.key)


def _profile_faults(settings: "Settings") -> Iterator[Problem]:
    # Its name alone changes nothing: whoever writes Settings(profile="nuxeo") would believe it does.
    others = PROFILES.get(settings.profile, {})
    defaults = {name: default for name, _, default in options(type(settings))}
    if others and all(getattr(settings, name) == defaults[name] for name in others):
        message = f"in Python the defaults of a profile come with Settings.for_profile({settings.profile!r}, ...)"
        yield Problem(option="profile", message=message)


def _issuer_faults(settings: "Settings") -> Iterator[Problem]:
    try:
        url = urlsplit(settings.issuer)
        _ = url.port
        well_formed = url.scheme in ("http", "https") and bool(url.hostname) and not url.username
    except ValueError:
        well_formed = False
    if (
        not well_formed
        or re.search(r"[?#\x00-\x20\x7f-\U0010ffff\\]", settings.issuer)
        or settings.issuer.endswith("/")
    ):
        message = "use an https URL without query, fragment, spaces and without a slash at the end (RFC 8414 section 2)"
        yield Problem(option="issuer", message=message)
    elif url.scheme == "http" and not is_local(url.hostname) and not settings.insecure_allow_http_issuer:
        yield Problem(option="issuer", message="use https; http is for localhost only (RFC 6749 section 3.1)")


def _login_faults(settings: "Settings") -> Iterator[Problem]:
    if settings.login == "application":
        if not settings.who_am_i.startswith("/"):
            yield Problem(option="who_am_i", message="login = application needs the path that answers who is signed in")
        if not settings.application_login.startswith("/") or "{next}" not in settings.application_login:
            yield Problem(
                option="application_login", message="login = application needs a login page such as /login?next={next}"
            )
    elif settings.login not in ("directory", "remote_user") and not re.fullmatch(
        r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", settings.login
    ):
        yield Problem(option="login", message="use directory, remote_user, application or package.module:callable")
    if (
        settings.login == "remote_user"
        and settings.remote_user_key.startswith("HTTP_")
        and not settings.trusted_proxies
    ):
        message = "a header can be forged by anybody: name the proxies that set it in trusted_proxies"
        yield Problem(option="remote_user_key", message=message)


def _jwt_issuer_faults(issuer: JWTIssuer) -> Iterator[Problem]:
    option_name = f"jwt_issuer:{issuer.issuer}"
    keys = [issuer.secret, issuer.public_key, issuer.jwks, issuer.jwks_uri]
    if sum(key is not None for key in keys) != 1:
        yield Problem(option=option_name, message="give exactly one of secret, public_key, jwks and jwks_uri")
    elif (issuer.secret is not None) != issuer.algorithm.startswith("HS"):
        yield Problem(option=option_name, message="a secret goes with HS algorithms, public keys with all others")
    elif issuer.secret is not None and len(issuer.secret.encode()) < 32:
        yield Problem(option=option_name, message="a secret of 32 bytes or more is needed (RFC 7518 section 3.2)")
    if issuer.jwks_uri is not None:
        try:
            url = urlsplit(issuer.jwks_uri)
            schemes = ("http", "https") if is_local(url.hostname) else ("https",)
            is_safe = bool(url.hostname) and url.scheme in schemes
        except ValueError:
            is_safe = False
        if not is_safe:
            yield Problem(option=option_name, message="fetch keys over https: jwks_uri is an https URL")
