"""JWTs, our own and those of others, and the keys they are judged by -- RFC 7515, RFC 7517, RFC 7519, RFC 7523."""

from oauth_filter.signing.assertion import Assertion
from oauth_filter.signing.assertion import verify_assertion
from oauth_filter.signing.client_assertion import CLIENT_ASSERTION_ALGORITHMS
from oauth_filter.signing.client_assertion import ClientKeys
from oauth_filter.signing.client_assertion import verify_client_assertion
from oauth_filter.signing.judging import Refused
from oauth_filter.signing.key_sets import key_fault
from oauth_filter.signing.keys import jwks_fault
from oauth_filter.signing.own import OWN_ALGORITHMS
from oauth_filter.signing.own import OwnKeys

__all__ = [
    "CLIENT_ASSERTION_ALGORITHMS",
    "OWN_ALGORITHMS",
    "Assertion",
    "ClientKeys",
    "OwnKeys",
    "Refused",
    "jwks_fault",
    "key_fault",
    "verify_assertion",
    "verify_client_assertion",
]
