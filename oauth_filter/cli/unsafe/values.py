"""Options of which one value is unsafe whatever the others are: option, value, reason, fix."""

from typing import Any
from typing import Final

Table = tuple[tuple[str, Any, str, str], ...]

VALUES: Final[Table] = (
    (
        "insecure_allow_private_fetch",
        True,
        "whoever registers a client can make us ask services inside the network for keys (RFC 7591 5)",
        "remove this line, and give such clients their keys as jwks",
    ),
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
        "unknown_scope",
        "allow",
        "clients get scopes that nobody has described: users cannot know what they allow, nor you what is out there",
        "list the scopes in [scopes] and use unknown_scope = reject",
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

ASSERTION_VALUES: Final[Table] = (
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
"""They matter only where the jwt-bearer grant is on."""
