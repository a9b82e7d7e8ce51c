"""Bearer tokens on the wire: the Authorization header and the challenge -- RFC 6750 sections 2.1 and 3."""

import re
from dataclasses import dataclass
from typing import Final

from oauth_filter.errors import OAuthError
from oauth_filter.messages.errors import ProtocolError
from oauth_filter.messages.errors import is_error_code
from oauth_filter.messages.errors import is_error_text
from oauth_filter.messages.errors import legal_error_text
from oauth_filter.messages.redirect_uri import is_uri_text
from oauth_filter.scope import Scope

_TOKEN68: Final = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
_QUOTABLE: Final = re.compile(r"[\x20-\x7E]*")


def bearer_token_from_header(authorization: str | None) -> str | None:
    """The token of an Authorization header; None when there is no header or it is of another scheme.

    The scheme is case-insensitive, any number of spaces may follow it. Raise ProtocolError `invalid_request` for a
    header that has a scheme alone or a token that is none (RFC 6750 section 2.1, `b64token`). Does not look at query
    and body, and knows nothing about the token.
    """
    if authorization is None or not (value := authorization.strip(" \t")):
        return None
    scheme, _, token = value.partition(" ")
    if token and scheme.lower() != "bearer":
        return None
    token = token.lstrip(" ")
    if not _TOKEN68.fullmatch(token):
        raise ProtocolError("invalid_request", "Malformed Authorization header", reason="access_token_malformed")
    return token


@dataclass(frozen=True, slots=True, kw_only=True)
class BearerChallenge:
    """What a protected resource answers in WWW-Authenticate when it wants a (better) token.

    Without `error` when the request had no token at all (section 3.1). `scope` is what would be needed.
    `resource_metadata` is the URL of RFC 9728 section 5.1. Raise ValueError for texts a header cannot carry.
    """

    realm: str | None = None
    scope: Scope | None = None
    error: str | None = None
    error_description: str | None = None
    error_uri: str | None = None
    resource_metadata: str | None = None

    def __post_init__(self) -> None:
        if not _QUOTABLE.fullmatch(self.realm or ""):
            raise ValueError("a realm is printable ASCII")
        if self.error is not None and not is_error_code(self.error):
            raise ValueError("error has characters it must not have (RFC 6750 section 3)")
        if self.error is None and (self.error_description or self.error_uri):
            raise ValueError("error_description and error_uri explain an error")
        if not is_error_text(self.error_description or ""):
            raise ValueError("error_description has characters it must not have (RFC 6750 section 3)")
        if not is_uri_text(self.error_uri or "") or not is_uri_text(self.resource_metadata or ""):
            raise ValueError("error_uri and resource_metadata are URIs")

    @classmethod
    def from_error(
        cls,
        error: OAuthError,
        *,
        realm: str | None = None,
        scope: Scope | None = None,
        resource_metadata: str | None = None,
    ) -> "BearerChallenge":
        """The challenge that tells of `error`."""
        return cls(
            realm=realm,
            scope=scope,
            error=error.code,
            error_description=legal_error_text(error.description.replace('"', "'")) or None,
            resource_metadata=resource_metadata,
        )

    def to_header(self) -> str:
        """The value of WWW-Authenticate."""
        attributes = {
            "realm": self.realm,
            "error": self.error,
            "error_description": self.error_description,
            "error_uri": self.error_uri,
            "scope": str(self.scope) if self.scope else None,
            "resource_metadata": self.resource_metadata,
        }
        quoted = ", ".join(f'{name}="{_quote(value)}"' for name, value in attributes.items() if value is not None)
        return f"Bearer {quoted}" if quoted else "Bearer"


def _quote(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
