"""Encrypting what has to be read again: private keys, and answers kept for a client that asks twice.

Fernet (AES-128-CBC with HMAC-SHA256) under a key derived by HKDF, so that each use and each secret has a key of its
own. Does not hide how long the text is.
"""

import base64
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.fernet import Fernet
from cryptography.fernet import InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_PREFIX: Final = "oauth_filter "


def seal(text: str, *, secret: str, use: str) -> str:
    """`text` so that only who has `secret` can read it, and only as meant for `use`. `secret` has high entropy."""
    return _fernet(secret, use).encrypt(text.encode()).decode()


def unseal(sealed: str, *, secret: str, use: str) -> str | None:
    """What was sealed; None when it was not sealed under this secret for this use."""
    try:
        return _fernet(secret, use).decrypt(sealed).decode()
    except (InvalidToken, InvalidSignature, ValueError):
        return None


def _fernet(secret: str, use: str) -> Fernet:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=(_PREFIX + use).encode()).derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(key))
