"""What `[client:ID]` can say: the options of a client, with their meaning. The documentation is read off this."""

from dataclasses import dataclass
from dataclasses import fields
from typing import Any
from typing import Final
from typing import Literal
from typing import get_args
from typing import get_origin
from typing import get_type_hints

from oauth_filter.records import Client
from oauth_filter.records import ClientAuthentication
from oauth_filter.records import PKCEPolicy
from oauth_filter.records import SigningAlgorithm
from oauth_filter.records import TokenFormat
from oauth_filter.records import UnknownScope
from oauth_filter.registration import AUTHENTICATION_METHODS
from oauth_filter.settings import Kind
from oauth_filter.settings import option

_DEFAULTS: Final = {f.name: f.default for f in fields(Client)}
_TYPES: Final = get_type_hints(Client)


def _same(name: str, meaning: str, *, kind: Kind = "text", choices: tuple[str, ...] = (), rfc: str = "") -> Any:
    """An option with the default of the field of that name of `records.Client`, and its choices if it has some."""
    for part in (_TYPES[name], *get_args(_TYPES[name])):
        if get_origin(part) is Literal:
            choices = get_args(part)
    return option(_DEFAULTS[name], meaning, kind=kind, choices=choices, rfc=rfc)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSection:
    """What `[client:ID]` can say. The defaults are those of `records.Client`."""

    # Who it is
    name: str = _same("name", "The name that the consent page shows.")
    secret: str | None = option(
        None,
        "The client's secret; without one, and without keys, it is a public client.",
        kind="secret",
        rfc="6749 2.3.1",
    )
    jwks: str | None = _same(
        "jwks", "Its public keys as the text of a JWK Set, best by file:path, for private_key_jwt.", rfc="7517 5"
    )
    jwks_uri: str | None = _same(
        "jwks_uri", "Where its JWK Set is fetched from, over https and from public addresses only.", rfc="7591 2"
    )
    enabled: bool = _same("enabled", "Whether it may do anything at all.", kind="flag")

    # What it may do
    redirect_uris: tuple[str, ...] = _same(
        "redirect_uris",
        "Where users may be sent back to, compared byte for byte; a loopback address with any port.",
        kind="list",
        rfc="6749 3.1.2",
    )
    redirect_uri_matching: Literal["exact", "wildcard"] = _same(
        "redirect_uri_matching",
        "wildcard lets a * in redirect_uris, post_logout_redirect_uris and origins stand for one or more characters.",
    )
    grant_types: tuple[str, ...] = _same(
        "grant_types",
        "How it may ask for tokens, by URN or its last word; implicit and password have to be listed.",
        kind="list",
        rfc="6749 1.3",
    )
    scope: str | None = _same(
        "scope", "The scopes it may ask for, where that is not all of them.", kind="list", rfc="6749 3.3"
    )
    unknown_scope: UnknownScope | None = _same(
        "unknown_scope",
        "What becomes of a scope that is unknown or not allowed to it, where not as in [oauth_filter].",
        rfc="6749 3.3",
    )
    origins: tuple[str, ...] = _same(
        "origins",
        "The only origins whose pages may use it and frame our pages; empty lets every origin use it and none frame.",
        kind="list",
        rfc="6454 7",
    )
    client_authentication: ClientAuthentication = _same(
        "client_authentication",
        "Whether a client with a secret or keys must authenticate at the token endpoint; a secret that is sent is "
        "always checked.",
        rfc="6749 3.2.1",
    )
    token_endpoint_auth_method: str | None = _same(
        "token_endpoint_auth_method",
        "The one method it may authenticate by; without it, every one it has the means for. client_secret_jwt has to "
        "be named.",
        choices=AUTHENTICATION_METHODS,
        rfc="7591 2",
    )
    pkce: PKCEPolicy = _same("pkce", "Whether it must use PKCE.", rfc="7636 4.4.1")
    resource_server: bool = _same(
        "resource_server", "Whether it may introspect the tokens of other clients.", kind="flag", rfc="7662 2"
    )

    # What users are asked
    auto_grant: bool = _same(
        "auto_grant", "Skip the consent page for every user: only for applications of your own.", kind="flag"
    )
    consent: Literal["remember", "always"] = _same(
        "consent", "Whether the consent page is shown once for the same scopes, or every time."
    )
    registration_required: bool = _same(
        "registration_required", "Whether only users who are registered for it may use it.", kind="flag"
    )

    # What it gets
    access_token_format: TokenFormat | None = _same(
        "access_token_format", "opaque or jwt, where not that of [oauth_filter].", rfc="9068 2"
    )
    access_token_lifetime: int | None = _same(
        "access_token_lifetime", "Lifetime of its access tokens, where not that of [oauth_filter].", kind="duration"
    )
    id_token_lifetime: int | None = _same(
        "id_token_lifetime", "Lifetime of its ID tokens, where not that of [oauth_filter].", kind="duration"
    )
    id_token_signed_response_alg: SigningAlgorithm | None = _same(
        "id_token_signed_response_alg", "The algorithm of its ID tokens, where not that of [oauth_filter]."
    )
    generate_refresh_tokens: bool = _same(
        "generate_refresh_tokens", "Whether it gets refresh tokens, if it may use them.", kind="flag", rfc="6749 1.5"
    )
    refresh_token_lifetime: int | None = _same(
        "refresh_token_lifetime", "Lifetime of its refresh tokens, where not that of [oauth_filter].", kind="duration"
    )
    scope_handling: Literal["strict", "compatibility"] | None = _same(
        "scope_handling", "What its tokens tell of the user beyond their scope, where not as in [oauth_filter]."
    )
    subject_type: Literal["public", "pairwise"] = _same(
        "subject_type", "pairwise gives each user another sub here than at other clients."
    )
    sector_identifier: str | None = _same(
        "sector_identifier",
        "A host name that clients share to see the same pairwise sub; by default that of the first redirect URI.",
    )

    # Logging out
    post_logout_redirect_uris: tuple[str, ...] = _same(
        "post_logout_redirect_uris",
        "Where users may be sent to after signing out, compared as redirect_uris are.",
        kind="list",
    )
    logout_uri: str | None = _same(
        "logout_uri", "A page of the client that ends its own session; shown in a frame when the user signs out here."
    )
    logout_behavior: Literal["all_clients", "redirect_only"] = _same(
        "logout_behavior", "Whether signing out from this client tells the others the user is signed in to."
    )
    backchannel_logout_uri: str | None = _same(
        "backchannel_logout_uri", "Where we POST a logout token when the user signs out here."
    )

    # Helping its developers
    device_verification_uri: str | None = _same(
        "device_verification_uri",
        "The page that people are told to open, where not that of [oauth_filter].",
        rfc="8628 3.2",
    )
    debug: bool = _same(
        "debug", "Write the full reason of each refusal to the event log; answers stay as they are.", kind="flag"
    )
