"""Who makes a request: what the application finds in its environ."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from types import MappingProxyType
from typing import Any
from typing import Final

from oauth_filter.records import AccessToken
from oauth_filter.scope import Scope

PRINCIPAL: Final = "oauth_filter.principal"
SUBJECT: Final = "oauth_filter.subject"
CLIENT_ID: Final = "oauth_filter.client_id"
SCOPE: Final = "oauth_filter.scope"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The bearer of an access token. `environ["oauth_filter.principal"]` is one.

    `subject` never changes and is never reused; `username` is for people. Both are None for a client that acts for
    itself (RFC 6749 section 4.4). `expires_at` is in seconds since the epoch; None means never.
    """

    subject: str | None
    username: str | None
    client_id: str
    scope: Scope
    expires_at: float | None
    claims: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """What else the token says, such as `permissions`."""
    grant_id: str | None = None

    @classmethod
    def of(cls, token: AccessToken) -> "Principal":
        return cls(
            subject=token.subject,
            username=token.username,
            client_id=token.client_id or "",
            scope=Scope.parse(token.scope),
            expires_at=token.expires_at,
            claims=MappingProxyType(dict(token.claims or {})),
            grant_id=token.grant_id,
        )

    def environ(self, user_key: str | None = None) -> dict[str, Any]:
        """The environ keys that tell an application about this principal.

        What does not apply is absent rather than empty: all clients acting for themselves would otherwise share the
        user "". `REMOTE_USER` and `user_key` are UTF-8 behind latin-1, as PEP 3333 has every CGI variable;
        the `oauth_filter.` keys are plain text.
        """
        told: dict[str, Any] = {
            "AUTH_TYPE": "Bearer",
            PRINCIPAL: self,
            CLIENT_ID: self.client_id,
            SCOPE: str(self.scope),
        }
        if self.subject is not None:
            told[SUBJECT] = self.subject
        if self.username is not None:
            told["REMOTE_USER"] = self.username.encode("utf-8", "surrogatepass").decode("latin-1")
            if user_key is not None:
                told[user_key] = told["REMOTE_USER"]
        return told
