"""JWTs, our own and those of others, and the keys they are judged by -- RFC 7515, RFC 7517, RFC 7519, RFC 7523."""

from oauth_filter.signing.assertion import Assertion
from oauth_filter.signing.assertion import verify_assertion
from oauth_filter.signing.keys import jwks_fault
from oauth_filter.signing.keys import key_fault
from oauth_filter.signing.own import OWN_ALGORITHMS
from oauth_filter.signing.own import OwnKeys

__all__ = ["OWN_ALGORITHMS", "Assertion", "OwnKeys", "jwks_fault", "key_fault", "verify_assertion"]
