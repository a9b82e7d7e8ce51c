"""The sections of the settings that have a shape of their own."""

import re
from dataclasses import dataclass
from dataclasses import field
from typing import Literal

from oauth_filter.scope import Scope
from oauth_filter.settings.option import option

Algorithm = Literal[
    "HS256",
    "HS384",
    "HS512",
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A line of `[protect]`: which requests, and what they need.

    `path` ending in `/` means that folder, with or without the slash, and everything below it; any other path means
    itself. `method` None means every method; GET covers HEAD.
    """

    path: str
    method: str | None = None
    access: Literal["public", "optional", "authenticated"] = "authenticated"
    scope: Scope = field(default_factory=Scope)
    """All of these scopes are needed; only with access `authenticated`."""

    @classmethod
    def parse(cls, what: str, needs: str) -> "Rule":
        """Read `GET /reports/` and `reports:read`. Raise ValueError with a sentence for a person."""
        method, _, path = what.strip().rpartition(" ")
        method = method.strip().upper()
        if not path.startswith("/"):
            raise ValueError("a rule is '/path' or 'METHOD /path', and the path starts with '/'")
        if method and not re.fullmatch(r"[A-Z]+", method):
            raise ValueError("the method of a rule is one word, such as GET")
        if re.search(r"//|/\.{1,2}(/|$)|[\\%?#;\x00-\x20\x7f]", path):
            raise ValueError("write the path decoded and plain: no '//', '/./', '%', '?', '#', ';' or spaces in it")
        match needs.split():
            case ["public" | "optional" | "authenticated" as access]:
                return cls(path=path, method=method or None, access=access)
            case []:
                raise ValueError("say public, optional, authenticated, or the scopes that are needed")
            case tokens if {"public", "optional", "authenticated"} & set(tokens):
                raise ValueError("public, optional and authenticated stand alone")
            case _:
                return cls(path=path, method=method or None, scope=Scope.parse(needs))


@dataclass(frozen=True, slots=True, kw_only=True)
class JWTIssuer:
    """Whose assertions the jwt-bearer grant accepts -- RFC 7523. Section `[jwt_issuer:NAME]`; NAME is the `iss`."""

    issuer: str
    algorithm: Algorithm = option("RS256", "The one JWS algorithm accepted from this issuer.", rfc="7518 3.1")
    secret: str | None = option(None, "The shared secret, for HS256, HS384 and HS512.", kind="secret")
    public_key: str | None = option(None, "The public key as PEM text, for every other algorithm.")
    jwks: str | None = option(None, "The public keys as the text of a JWK Set.", rfc="7517 5")
    jwks_uri: str | None = option(None, "Where the JWK Set is fetched from, over https.", rfc="7517 5")
