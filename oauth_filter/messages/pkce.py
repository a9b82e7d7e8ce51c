"""Proof key for code exchange -- RFC 7636."""

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from typing import Final

_UNRESERVED: Final = re.compile(r"[A-Za-z0-9\-._~]{43,128}")


def new_code_verifier() -> str:
    """A fresh code verifier: 256 random bits, 43 characters. Keep it in the user's session with the client."""
    return secrets.token_urlsafe(32)


def is_code_verifier(text: str) -> bool:
    """Whether `text` is well formed: 43 to 128 letters, digits and `-._~` (RFC 7636 section 4.1)."""
    return _UNRESERVED.fullmatch(text) is not None


def is_code_challenge(text: str) -> bool:
    """Whether `text` is well formed: 43 to 128 letters, digits and `-._~` (RFC 7636 section 4.2)."""
    return _UNRESERVED.fullmatch(text) is not None


def code_challenge(code_verifier: str, method: str = "S256") -> str:
    """The challenge of a verifier for method `S256` or `plain`.

    Raise ValueError for any other method (methods are case-sensitive) and for a malformed verifier. Send the
    method along: a server that is sent a challenge without `code_challenge_method` takes it as `plain`.
    """
    if not is_code_verifier(code_verifier):
        raise ValueError("a code_verifier has 43 to 128 letters, digits and -._~ (RFC 7636 section 4.1)")
    if method == "S256":
        digest = hashlib.sha256(code_verifier.encode()).digest()
        return urlsafe_b64encode(digest).rstrip(b"=").decode()
    if method == "plain":
        return code_verifier
    raise ValueError("code_challenge_method is S256 or plain (RFC 7636 section 4.2)")


def code_verifier_matches(code_verifier: str, *, challenge: str, method: str) -> bool:
    """Whether a verifier proves a challenge; compares in constant time.

    False, never an exception, for a malformed verifier and an unknown method. Does not check whether `plain` is
    allowed, nor that a challenge was required: an absent challenge has to be judged before.
    """
    try:
        expected = code_challenge(code_verifier, method)
    except ValueError:
        return False
    return hmac.compare_digest(expected.encode(), challenge.encode("utf-8", "surrogatepass"))
