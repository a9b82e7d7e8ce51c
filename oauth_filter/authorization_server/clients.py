"""Which clients there are, and whether a request comes from one -- RFC 6749 sections 2.2 and 2.3."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from oauth_filter import passwords
from oauth_filter.errors import OAuthError
from oauth_filter.messages import ClientSecretBasic
from oauth_filter.messages import ClientSecretPost
from oauth_filter.messages import Parameters
from oauth_filter.messages import ProtocolError
from oauth_filter.messages import PublicClient
from oauth_filter.messages import parse_client_authentication
from oauth_filter.records import Client
from oauth_filter.settings import Settings
from oauth_filter.stores import Store

AUTHENTICATION_METHODS: Final = ("client_secret_basic", "client_secret_post", "none")
VERIFIED_SECRETS: Final = 1000
"""How many verified client secrets a process remembers at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The client a request at the token endpoint comes from, and whether it has proved so."""

    client: Client
    is_authenticated: bool


class Clients:
    """The clients of the settings, which nobody can change from outside, and those of the store."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._store = store
        self.configured: Final[Mapping[str, Client]] = MappingProxyType({c.key: c for c in settings.clients})
        self._verified: dict[str, bytes] = {}
        self._verified_key = secrets.token_bytes(32)

    def find(self, client_id: str) -> Client | None:
        """The enabled client of that id, or None."""
        client = self.configured.get(client_id) or self._store.get(Client, client_id)
        return client if client is not None and client.enabled else None

    def authenticate(self, form: Parameters, authorization: str | None) -> Caller:
        """The client that sent this request to the token endpoint -- RFC 6749 section 3.2.1.

        Raise OAuthError: `invalid_client` when it is unknown, disabled, sends a wrong secret, or none where it
        must; `invalid_request` when it authenticates in two ways at once. Does not count attempts.
        """
        client_id, secret = _credentials(form, authorization)
        client = self.find(client_id)
        if secret is not None and not self._is_secret_of(client, secret):
            raise _unknown()
        if client is None:
            raise _unknown()
        if secret is None and not client.is_public and not _may_be_silent(client, form):
            raise OAuthError("invalid_client", "The client must authenticate.", reason="missing_client_secret")
        return Caller(client=client, is_authenticated=secret is not None)

    def _is_secret_of(self, client: Client | None, secret: str) -> bool:
        stored = client.secret_hash if client else None
        # scrypt costs as much as hundreds of requests. Remembered is a digest under a key of this process, beside
        # the very hash it was checked against: a changed secret is a changed hash and is checked anew.
        seen = hmac.new(self._verified_key, secret.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
        if stored is not None and hmac.compare_digest(self._verified.get(stored, b""), seen):
            return True
        if not passwords.verify_secret(secret, stored):
            return False
        if stored is not None:
            if len(self._verified) >= VERIFIED_SECRETS:
                self._verified.clear()
            self._verified[stored] = seen
        return True


def _credentials(form: Parameters, authorization: str | None) -> tuple[str, str | None]:
    try:
        sent = parse_client_authentication(authorization, form)
    except ProtocolError as error:
        # RFC 6749 section 5.2: a failed attempt by header is answered 401 with a challenge.
        raise _unknown() if error.reason == "invalid_client_authentication" else error from None
    match sent:
        case ClientSecretBasic() | ClientSecretPost():
            return sent.client_id, sent.client_secret
        case PublicClient():
            return sent.client_id, None
        case None:
            raise OAuthError("invalid_client", "The client did not identify itself.", reason="missing_client_id")


def _unknown() -> OAuthError:
    # One answer for "no such client", "disabled" and "wrong secret": ids cannot be probed.
    return OAuthError("invalid_client", "The client is unknown or its secret is wrong.", reason="invalid_client")


def _may_be_silent(client: Client, form: Parameters) -> bool:
    """Whether a confidential client may use this request without its secret."""
    match client.client_authentication:
        case "required":
            return False
        case "not_required":
            return True
        case "not_required_with_pkce":
            # A refresh token came from a redemption that had a verifier, and is rotated.
            return form.single("code_verifier") is not None or form.single("grant_type") == "refresh_token"
