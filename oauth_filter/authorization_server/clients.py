"""Which clients there are, and whether a request comes from one -- RFC 6749 sections 2.2 and 2.3."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from typing import LiteralString

from oauth_filter import passwords
from oauth_filter import sealing
from oauth_filter.authorization_server.debugging import explained
from oauth_filter.errors import OAuthError
from oauth_filter.messages import ClientAssertion
from oauth_filter.messages import ClientAuthentication
from oauth_filter.messages import ClientSecretBasic
from oauth_filter.messages import ClientSecretPost
from oauth_filter.messages import Parameters
from oauth_filter.messages import ProtocolError
from oauth_filter.messages import PublicClient
from oauth_filter.messages import parse_client_authentication
from oauth_filter.records import Client
from oauth_filter.records import UsedAssertion
from oauth_filter.registration import SECRET_USE
from oauth_filter.settings import Settings
from oauth_filter.signing import ClientKeys
from oauth_filter.signing import Refused
from oauth_filter.signing import verify_client_assertion
from oauth_filter.stores import Store

VERIFIED_SECRETS: Final = 1000
"""How many verified client secrets a process remembers at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The client a request at the token endpoint comes from, and whether it has proved so."""

    client: Client
    is_authenticated: bool


class Clients:
    """The clients of the settings, which nobody can change from outside, and those of the store."""

    def __init__(self, settings: Settings, store: Store, now: Callable[[], float]) -> None:
        self._settings = settings
        self._store = store
        self._now = now
        self._keys = ClientKeys(allow_private=settings.insecure_allow_private_fetch)
        self.configured: Final[Mapping[str, Client]] = MappingProxyType({c.key: c for c in settings.clients})
        self._verified: dict[str, bytes] = {}
        self._verified_key = secrets.token_bytes(32)

    def find(self, client_id: str) -> Client | None:
        """The enabled client of that id, or None."""
        client = self.configured.get(client_id) or self._store.get(Client, client_id)
        return client if client is not None and client.enabled else None

    def authenticate(self, form: Parameters, authorization: str | None) -> Caller:
        """The client that sent this request to the token endpoint -- RFC 6749 section 3.2.1.

        Raise OAuthError: `invalid_client` when it is unknown, disabled, sends a wrong secret or assertion, or none
        where it must; `invalid_request` when it authenticates in two ways at once. Does not count attempts.
        """
        sent = _sent(form, authorization)
        client = self.find(sent.client_id)
        if (
            isinstance(sent, ClientSecretBasic)
            and sent.unencoded is not None
            and not self._is_secret_of(client, sent.client_secret)
        ):
            # RFC 6749 section 2.3.1 has both halves form-encoded, which curl, requests and many more do not do.
            sent = sent.unencoded
            client = self.find(sent.client_id)
        match sent:
            case ClientAssertion():
                self._check_assertion(client, sent.client_assertion)
            case ClientSecretBasic() | ClientSecretPost() if not self._is_secret_of(client, sent.client_secret):
                raise _unknown(client, "the secret is wrong")
        if client is None:
            raise _unknown(
                reason="invalid_client_id" if isinstance(sent, PublicClient) else "invalid_client_authentication"
            )
        if isinstance(sent, PublicClient):
            if not client.is_public and not _may_be_silent(client, form):
                raise OAuthError("invalid_client", "The client must authenticate.", reason="missing_client_secret")
            return Caller(client=client, is_authenticated=False)
        if client.token_endpoint_auth_method not in (None, sent.method):
            raise _unknown(client, f"it used {sent.method} and may use {client.token_endpoint_auth_method} only")
        return Caller(client=client, is_authenticated=True)

    def _is_secret_of(self, client: Client | None, secret: str) -> bool:
        if client is None:
            return self._verifies(secret, None)
        now = self._now()
        old = [stored for stored, accepted_until in client.old_secret_hashes if now < accepted_until]
        return any(self._verifies(secret, stored) for stored in (client.secret_hash, *old))

    def _verifies(self, secret: str, stored: str | None) -> bool:
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

    def _check_assertion(self, client: Client | None, assertion: str) -> None:
        """Raise OAuthError unless the client has signed this assertion, and nobody has shown it before."""
        if client is None:
            raise _not_proved()
        secret = None
        if client.token_endpoint_auth_method == "client_secret_jwt":
            secret = sealing.unseal(client.sealed_secret or "", secret=self._settings.secret, use=SECRET_USE)
            if secret is None:
                raise _not_proved(explained(client, "its secret was not sealed under this master secret"))
        now = self._now()
        try:
            verified = verify_client_assertion(
                assertion, client=client, secret=secret, keys=self._keys, issuer=self._settings.issuer, now=now
            )
        except Refused as refused:
            raise _not_proved(explained(client, refused.description)) from None
        used = UsedAssertion(key=verified.replay_key, issued_at=now, expires_at=verified.expires_at)
        if not self._store.add(used):
            raise _not_proved(explained(client, "the assertion has been used before"))


def _sent(form: Parameters, authorization: str | None) -> ClientAuthentication:
    try:
        sent = parse_client_authentication(authorization, form)
    except ProtocolError as error:
        # RFC 6749 section 5.2: a failed attempt by header is answered 401 with a challenge.
        if error.reason == "invalid_client_authentication":
            raise _not_proved() if form.single("client_assertion") is not None else _unknown() from None
        raise
    if sent is None:
        raise OAuthError("invalid_client", "The client did not identify itself.", reason="missing_client_id")
    return sent


def _unknown(
    client: Client | None = None, detail: str = "", *, reason: LiteralString = "invalid_client_authentication"
) -> OAuthError:
    # One answer for "no such client", "disabled" and "wrong secret": who guesses secrets learns of no id that it is
    # one. Without a secret there is nothing to guess, and every public client answers to its id.
    return OAuthError(
        "invalid_client",
        "The client is unknown or its secret is wrong.",
        reason=reason,
        detail=explained(client, detail) if client is not None else None,
    )


def _not_proved(detail: str | None = None) -> OAuthError:
    return OAuthError(
        "invalid_client",
        "The client is unknown or its assertion is not good.",
        reason="invalid_client_authentication",
        detail=detail,
    )


def _may_be_silent(client: Client, form: Parameters) -> bool:
    """Whether a confidential client may use this request without its secret."""
    match client.client_authentication:
        case "required":
            return False
        case "not_required":
            return True
        case "not_required_with_pkce":
            # Other grants have no use for a verifier: there it is a word that anybody can add. What a refresh token
            # was issued for is not known here; a stolen one is what rotation is for.
            grant_type = form.single("grant_type")
            is_proved = grant_type == "authorization_code" and form.single("code_verifier") is not None
            return is_proved or grant_type == "refresh_token"
