"""What a client must satisfy before it is registered, by whatever door it comes -- RFC 6749 section 2, RFC 7591."""

import re
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import replace
from typing import Final
from typing import Literal
from typing import get_args
from typing import get_origin
from typing import get_type_hints
from urllib.parse import urlsplit

from oauth_filter import sealing
from oauth_filter.errors import Problem
from oauth_filter.messages.redirect_uri import is_uri_text
from oauth_filter.messages.redirect_uri import redirect_uri_fault
from oauth_filter.passwords import hash_secret
from oauth_filter.records import GRANT_TYPES
from oauth_filter.records import Client
from oauth_filter.scope import Scope
from oauth_filter.settings import is_local
from oauth_filter.signing import jwks_fault
from oauth_filter.uri_pattern import is_pattern
from oauth_filter.uri_pattern import pattern_fault
from oauth_filter.uri_pattern import sample

AUTHENTICATION_METHODS: Final = (
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "none",
)
"""How a client can authenticate (RFC 7591 section 2)."""

SECRET_USE: Final = "client secret"
"""What `Client.sealed_secret` is sealed for."""

MIN_HMAC_SECRET: Final = 32
"""The least bytes of a secret that signs assertions by HS256 (RFC 7518 section 3.2)."""

_LIFETIMES: Final = ("access_token_lifetime", "id_token_lifetime", "refresh_token_lifetime")
_TYPES: Final = get_type_hints(Client)


def with_secret(client: Client, secret: str, *, master_secret: str) -> Client:
    """The client with this secret instead of the one it had.

    Only a digest is kept, except for client_secret_jwt, which takes the secret itself: that is sealed. Raise
    ValueError, with a sentence for a person, for a secret that cannot be used. Does not judge its strength.
    """
    is_for_jwt = client.token_endpoint_auth_method == "client_secret_jwt"
    if is_for_jwt and len(secret.encode("utf-8", "surrogatepass")) < MIN_HMAC_SECRET:
        raise ValueError("client_secret_jwt needs a secret of 32 bytes or more (RFC 7518 section 3.2)")
    sealed = sealing.seal(secret, secret=master_secret, use=SECRET_USE) if is_for_jwt else None
    return replace(client, secret_hash=hash_secret(secret), sealed_secret=sealed)


def client_faults(client: Client) -> Iterator[Problem]:
    """Every reason why this client must not be registered; `option` is the name of the field.

    Does not check that its id is free, whom its URIs belong to, or that a jwks_uri answers.
    """
    if not re.fullmatch(r"[\x20-\x7e]{1,255}", client.key) or client.key != client.key.strip():
        yield Problem(option="client_id", message="use 1 to 255 printable ASCII characters (RFC 6749 appendix A.1)")
    yield from _choice_faults(client)
    yield from _key_faults(client)
    yield from _uri_faults(client)
    if unknown := [grant_type for grant_type in client.grant_types if grant_type not in GRANT_TYPES]:
        yield Problem(option="grant_types", message=f"unknown: {' '.join(unknown)}; known: {' '.join(GRANT_TYPES)}")
    try:
        scope = Scope.parse(client.scope or "")
    except ValueError:
        message = "a scope is printable ASCII without quotes and backslashes, scopes are separated by spaces"
        yield Problem(option="scope", message=message)
    else:
        if any(token.startswith("target-entity:") for token in scope):
            # As a scope of its own it would be handed out without asking the entity.
            yield Problem(option="scope", message="permissions at an entity are granted by `oauth-filter entity grant`")
    for name in _LIFETIMES:
        if (lifetime := getattr(client, name)) is not None and lifetime <= 0:
            yield Problem(option=name, message="use a positive number of seconds")
    yield from _subject_faults(client)


def _choice_faults(client: Client) -> Iterator[Problem]:
    for name, of in _TYPES.items():
        choices = next((get_args(part) for part in (of, *get_args(of)) if get_origin(part) is Literal), ())
        value = getattr(client, name)
        if choices and value is not None and value not in choices:
            yield Problem(option=name, message=f"use one of {', '.join(choices)}")


def _key_faults(client: Client) -> Iterator[Problem]:
    if client.jwks is not None and client.jwks_uri is not None:
        yield Problem(option="jwks_uri", message="give one of jwks and jwks_uri (RFC 7591 section 2)")
    if client.jwks is not None and (fault := jwks_fault(client.jwks)) is not None:
        yield Problem(option="jwks", message=fault)
    if client.jwks_uri is not None and (fault := _web_fault(client.jwks_uri)) is not None:
        yield Problem(option="jwks_uri", message=fault)
    method = client.token_endpoint_auth_method
    has_keys = client.jwks is not None or client.jwks_uri is not None
    match method:
        case None:
            return
        case "client_secret_basic" | "client_secret_post" | "client_secret_jwt" if client.secret_hash is None:
            fault = f"{method} needs a secret"
        case "client_secret_jwt" if client.sealed_secret is None:
            fault = "client_secret_jwt needs the secret itself: give the client a new one"
        case "private_key_jwt" if not has_keys:
            fault = "private_key_jwt needs jwks or jwks_uri"
        case "none" if not client.is_public and client.client_authentication == "required":
            fault = "none is for clients without secret and keys, or that need not authenticate"
        case _ if method not in AUTHENTICATION_METHODS:
            fault = f"use one of {', '.join(AUTHENTICATION_METHODS)}"
        case _:
            return
    yield Problem(option="token_endpoint_auth_method", message=fault)


def _uri_faults(client: Client) -> Iterator[Problem]:
    lists: tuple[tuple[str, Callable[[str], str | None]], ...] = (
        ("redirect_uris", registration_fault),
        ("post_logout_redirect_uris", _post_logout_fault),
        ("origins", origin_fault),
    )
    for name, check in lists:
        for uri in getattr(client, name):
            if (fault := _wildcard_fault(client, uri) or check(sample(uri))) is not None:
                yield Problem(option=name, message=fault)
    for name in ("authorization_code", "implicit"):
        if not client.redirect_uris and name in client.grant_types:
            yield Problem(option="redirect_uris", message=f"the {name} grant needs at least one redirect URI")
            break
    for name in ("logout_uri", "backchannel_logout_uri", "device_verification_uri"):
        uri = getattr(client, name)
        if uri is not None and (fault := _web_fault(uri)) is not None:
            yield Problem(option=name, message=fault)


def _post_logout_fault(uri: str) -> str | None:
    fault = registration_fault(uri)
    return fault and fault.replace("redirect_uri", "the URI", 1)


def _wildcard_fault(client: Client, uri: str) -> str | None:
    if not is_pattern(uri):
        return None
    if client.redirect_uri_matching != "wildcard":
        return "a * needs redirect_uri_matching = wildcard"
    return pattern_fault(uri)


def _subject_faults(client: Client) -> Iterator[Problem]:
    if client.sector_identifier is not None and not re.fullmatch(r"[a-z0-9.-]{1,253}", client.sector_identifier):
        yield Problem(option="sector_identifier", message="use a host name in small letters, such as example.com")
    is_alone = client.subject_type == "pairwise" and client.sector_identifier is None
    # OpenID Connect Core section 8.1: with several hosts there is no telling which of them is the sector.
    if is_alone and len({_host(uri) for uri in client.redirect_uris}) > 1:
        message = "redirect URIs at several hosts need a sector_identifier for pairwise subjects"
        yield Problem(option="sector_identifier", message=message)


def _host(uri: str) -> str | None:
    try:
        return urlsplit(uri).hostname
    except ValueError:
        return None


def registration_fault(uri: str) -> str | None:
    """Why `uri` must not be registered as a redirect URI; None when it may.

    Beyond what makes a redirect URI illegal anywhere: cleartext http is for this machine only (RFC 8252 section
    7.3, RFC 9700 section 2.1), and so is a scheme that names no place the browser could return to.
    """
    if (fault := redirect_uri_fault(uri)) is not None:
        return fault
    url = urlsplit(uri)
    if url.scheme == "http" and not is_local(url.hostname):
        return "redirect_uri must use https; http is for localhost only"
    if url.username is not None:
        return "redirect_uri must not hold a user name"
    if url.scheme in ("about", "blob", "file", "filesystem", "ftp", "mailto", "ws", "wss"):
        return "redirect_uri has a forbidden scheme"
    return None


def origin_fault(origin: str) -> str | None:
    """Why `origin` is not one, as a browser sends it in an Origin header: `https://host`, `https://host:port`."""
    written = re.fullmatch(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", origin)
    if written is None:
        return "an origin is scheme, host in small letters, and port unless it is that of the scheme; no slash after it"
    if origin.startswith("http:") and not is_local(written[1].strip("[]")):
        return "an origin uses https; http is for localhost only"
    if written[2] in ((":443",) if origin.startswith("https:") else (":80",)):
        return "browsers leave the port of the scheme out of an origin"
    return None


def _web_fault(uri: str) -> str | None:
    if not is_uri_text(uri):
        return "there are characters in it that a URL does not have"
    try:
        url = urlsplit(uri)
        url.port  # noqa: B018 -- raises ValueError for a port that is none
    except ValueError:
        return "this is not a URL"
    if url.scheme not in ("http", "https") or not url.hostname or url.username is not None or "#" in uri:
        return "use an https URL without user name and fragment"
    if url.scheme == "http" and not is_local(url.hostname):
        return "use https; http is for localhost only"
    return None
