"""What is unsafe about a client, wherever it is defined."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from oauth_filter.cli.printing import duration
from oauth_filter.cli.unsafe.row import LONGEST
from oauth_filter.cli.unsafe.row import Unsafe
from oauth_filter.records import Client
from oauth_filter.settings import is_local

HTTP_KEYS: Final = "keys that are fetched over http can be replaced on the way, and then anybody can sign"
BY_USERS: Final = ("authorization_code", "implicit", "urn:ietf:params:oauth:grant-type:device_code")
"""Grant types in which a user is asked."""


def _of_a_device(client: Client) -> str | None:
    """A redirect URI that belongs to whatever program of the user's device takes it first."""
    return next((uri for uri in client.redirect_uris if not uri.lower().startswith("https:")), None)


def unsafe_client(client: Client) -> Iterator[Unsafe]:
    def found(option: str, value: str, reason: str, fix: str) -> Unsafe:
        return Unsafe(section=f"client:{client.key}", option=option, value=value, reason=reason, fix=fix)

    uses_codes = "authorization_code" in client.grant_types
    if client.is_public and client.auto_grant and set(BY_USERS) & set(client.grant_types):
        reason = "any program can claim to be a public client, and nobody is asked (RFC 6749 10.2)"
        yield found("auto_grant", "true", reason, "set auto_grant = false, or give the client a secret")
    elif client.is_public and uses_codes and client.consent == "remember" and (uri := _of_a_device(client)):
        reason = f"other programs of the device can use {uri} too, and are not asked about again (RFC 8252 8.6)"
        yield found("consent", "remember", reason, "use consent = always")
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
    if client.redirect_uri_matching == "wildcard":
        reason = "one abandoned host or open redirector that a pattern covers is enough to get codes (RFC 9700 4.1.3)"
        yield found("redirect_uri_matching", "wildcard", reason, "list the URIs, and use redirect_uri_matching = exact")
    if client.unknown_scope == "allow":
        reason = "it gets whatever scope it asks for, also those that rules need and nobody has described"
        yield found(
            "unknown_scope", "allow", reason, "use unknown_scope = reject, and say what it may ask for in scope"
        )
    if client.jwks_uri is not None and client.jwks_uri.startswith("http:"):
        yield found("jwks_uri", client.jwks_uri, HTTP_KEYS, "use https")
    if client.pkce == "optional" and uses_codes:
        reason = "without PKCE a code that leaks or is injected can be redeemed (RFC 9700 2.1.1)"
        yield found("pkce", "optional", reason, "use pkce = required")
    for option in ("access_token_lifetime", "refresh_token_lifetime"):
        longest, reason = LONGEST[option]
        value = getattr(client, option)
        if value is not None and value > longest:
            yield found(option, duration(value), reason, f"use {duration(longest)} or less")
    for uri in client.redirect_uris:
        parts = urlsplit(uri)
        if parts.scheme == "http" and not is_local(parts.hostname):
            reason = "codes travel in the clear (RFC 9700 2.6)"
            yield found("redirect_uris", uri, reason, "use https")
