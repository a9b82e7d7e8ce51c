"""Making, recognising and digesting the secrets we generate.

Everything we generate carries 256 random bits, a prefix that says what it is, and a checksum: garbage is refused
without asking the store, and a token leaked into a repository or a log can be recognised by scanners. Such secrets
are found by their SHA-256, which needs no salt at that entropy. What people choose is the matter of `passwords`.
"""

import base64
import hashlib
import hmac
import secrets
import zlib
from typing import Final
from typing import Literal

Prefix = Literal["ofa", "ofr", "ofc", "ofd", "ofs"]
ACCESS_TOKEN: Final = "ofa"
REFRESH_TOKEN: Final = "ofr"
AUTHORIZATION_CODE: Final = "ofc"
DEVICE_CODE: Final = "ofd"
CLIENT_SECRET: Final = "ofs"

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_LENGTH: Final = 43  # 62**43 > 2**256
_CHECKSUM_LENGTH: Final = 6  # 62**6 > 2**32
_LENGTH: Final = 3 + 1 + _RANDOM_LENGTH + _CHECKSUM_LENGTH


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def generate(prefix: Prefix) -> str:
    """A new secret such as `ofa_4fj...`: 53 characters, 256 random bits, all of them legal in a Bearer header."""
    body = f"{prefix}_{_base62(int.from_bytes(secrets.token_bytes(32)), _RANDOM_LENGTH)}"
    return body + _base62(zlib.crc32(body.encode()), _CHECKSUM_LENGTH)


def is_well_formed(token: str, prefix: Prefix) -> bool:
    """Whether `token` could be one of ours. Says nothing about whether it was ever issued."""
    return (
        len(token) == _LENGTH
        and token.startswith(prefix)
        and token.isascii()
        and token[-_CHECKSUM_LENGTH:] == _base62(zlib.crc32(token[:-_CHECKSUM_LENGTH].encode()), _CHECKSUM_LENGTH)
    )


def is_access_token(token: str) -> bool:
    """Whether `token` could be an access token of ours: an opaque one, or a JWT (RFC 9068), whose form says little."""
    return is_well_formed(token, ACCESS_TOKEN) or token.count(".") == 2


def digest(token: str) -> str:
    """The key under which a generated secret is stored: base64url of its SHA-256, 43 characters."""
    hashed = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
    return base64.urlsafe_b64encode(hashed)[:43].decode()


def new_id() -> str:
    """128 random bits for grants, subjects and request ids: unique, not secret."""
    return secrets.token_urlsafe(16)


def equal(one: str, other: str) -> bool:
    """Compare in constant time on bytes; `hmac.compare_digest` alone raises for text that is not ASCII."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))
