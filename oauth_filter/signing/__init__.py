"""JWTs that others signed, and the keys they are judged by -- RFC 7515, RFC 7517, RFC 7519, RFC 7523."""

from oauth_filter.signing.assertion import Assertion
from oauth_filter.signing.assertion import verify_assertion
from oauth_filter.signing.keys import key_fault

__all__ = ["Assertion", "key_fault", "verify_assertion"]
