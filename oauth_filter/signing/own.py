"""Our own keys: made when first needed, kept sealed, published, rotated -- RFC 7515, RFC 7517, RFC 7638."""

import json
import threading
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from typing import Final
from typing import get_args

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import NoEncryption
from cryptography.hazmat.primitives.serialization import PrivateFormat
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from oauth_filter import credentials
from oauth_filter import sealing
from oauth_filter.records import Client
from oauth_filter.records import SigningAlgorithm
from oauth_filter.records import SigningKey
from oauth_filter.settings import Settings
from oauth_filter.signing.keys import ALGORITHMS
from oauth_filter.stores import Store

OWN_ALGORITHMS: Final[tuple[SigningAlgorithm, ...]] = get_args(SigningAlgorithm)
_USE: Final = "signing key"
_OPENED: Final = 64
"""How many private keys a process keeps unsealed at most."""


class OwnKeys:
    """The keys of one provider. Every look goes to the store, so a rotation anywhere is seen at once everywhere."""

    def __init__(self, settings: Settings, store: Store, now: Callable[[], float]) -> None:
        self._settings = settings
        self._store = store
        self._now = now
        self._opened: dict[str, Any] = {}
        self._lock = threading.Lock()

    def sign(self, claims: Mapping[str, Any], *, algorithm: SigningAlgorithm | None = None, typ: str = "JWT") -> str:
        """A JWT of these claims, by the algorithm given or else the one of the settings -- RFC 7519 section 7.1."""
        algorithm = algorithm or self._settings.id_token_signing_alg
        key = self.current(algorithm)
        return jwt.encode(
            dict(claims), self._open(key), algorithm=algorithm, headers={"kid": key.key, "typ": typ}, sort_headers=False
        )

    def verify(self, token: str, *, typ: str = "JWT") -> Mapping[str, Any] | None:
        """The claims of a JWT that we signed as one of this type; None for any other.

        Does not check a single claim: not the audience, and not that it has not expired.
        """
        try:
            header = jwt.get_unverified_header(token)
            kid = header.get("kid") if header.get("typ") == typ else None
            key = self._store.get(SigningKey, kid) if isinstance(kid, str) else None
            if key is None:
                return None
            material = ALGORITHMS[key.algorithm].from_jwk(key.public_jwk)
            claims: Mapping[str, Any] = jwt.decode(
                token,
                material,
                algorithms=[key.algorithm],
                options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False},
            )
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            return None
        return claims

    def current(self, algorithm: SigningAlgorithm) -> SigningKey:
        """The key that signs now. The first is made here and may sign at once: no JWK Set is given out without it."""
        return self.signing(algorithm) or self._make(algorithm, self._now())

    def signing(self, algorithm: str) -> SigningKey | None:
        """The key that signs now, if there is one yet."""
        now = self._now()
        ready = [
            key
            for key in self.all()
            if key.algorithm == algorithm
            and key.signs_from <= now
            # One sealed under another master secret stays in the set for what it has signed, and signs no more.
            and self._open(key) is not None
        ]
        return max(ready, key=lambda key: (key.signs_from, key.key), default=None)

    def all(self) -> list[SigningKey]:
        """Every key that has not left the JWK Set."""
        return self._store.find(SigningKey)

    def jwks(self) -> dict[str, Any]:
        """The JWK Set: keys that sign, will sign, or have signed something that is still good -- RFC 7517 section 5."""
        keys = self.all()
        # One of each from the start: a key that came later would sign before those who keep the set have seen it.
        missing = [algorithm for algorithm in OWN_ALGORITHMS if algorithm not in {key.algorithm for key in keys}]
        keys += [self.current(algorithm) for algorithm in missing]
        return {"keys": [json.loads(key.public_jwk) for key in keys]}

    def rotate(self, algorithm: SigningAlgorithm) -> SigningKey:
        """Make a new key. It is published now, signs after `jwks_lifetime`, and then the ones before leave the set.

        They leave once nothing they signed is good any more. No request fails at any moment of it.
        """
        now = self._now()
        signs_from = now + self._settings.jwks_lifetime
        before = [key for key in self.all() if key.algorithm == algorithm]
        new = self._make(algorithm, signs_from if before else now)
        leaves_at = signs_from + self._longest_lifetime() + self._settings.jwks_lifetime
        for key in before:
            if key.expires_at is None:
                self._retire(key, leaves_at)
        return new

    def _longest_lifetime(self) -> int:
        """For how long something that is signed now can be good, whatever client it is for."""
        # An ID token is a hint at logout for as long as the session lasts.
        longest = max(
            self._settings.id_token_lifetime, self._settings.access_token_lifetime, self._settings.session_lifetime
        )
        clients, after = list(self._settings.clients), None
        while page := self._store.find(Client, after=after):
            clients += page
            after = page[-1].key
        for client in clients:
            longest = max(longest, client.id_token_lifetime or 0, client.access_token_lifetime or 0)
        return longest

    def _retire(self, key: SigningKey, at: float) -> None:
        self._store.put(
            SigningKey(
                key=key.key,
                algorithm=key.algorithm,
                public_jwk=key.public_jwk,
                sealed=key.sealed,
                signs_from=key.signs_from,
                issued_at=key.issued_at,
                expires_at=at,
            )
        )

    def _make(self, algorithm: SigningAlgorithm, signs_from: float) -> SigningKey:
        private = _generate(algorithm)
        kid = credentials.new_id()
        public = json.loads(ALGORITHMS[algorithm].to_jwk(private.public_key()))
        members = {name: public[name] for name in ("kty", "crv", "n", "e", "x", "y") if name in public}
        key = SigningKey(
            key=kid,
            algorithm=algorithm,
            public_jwk=json.dumps({**members, "kid": kid, "alg": algorithm, "use": "sig"}),
            sealed=sealing.seal(
                private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
                secret=self._settings.secret,
                use=_USE,
            ),
            signs_from=signs_from,
            issued_at=self._now(),
        )
        self._store.put(key)
        return key

    def _open(self, key: SigningKey) -> Any:
        with self._lock:
            if key.key not in self._opened:
                pem = sealing.unseal(key.sealed, secret=self._settings.secret, use=_USE)
                if pem is None:
                    return None
                if len(self._opened) >= _OPENED:
                    self._opened.clear()
                self._opened[key.key] = load_pem_private_key(pem.encode(), password=None)
            return self._opened[key.key]


def _generate(algorithm: SigningAlgorithm) -> Any:
    match algorithm:
        case "RS256" | "PS256":
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)
        case "ES256":
            return ec.generate_private_key(ec.SECP256R1())
        case "EdDSA":
            return ed25519.Ed25519PrivateKey.generate()
