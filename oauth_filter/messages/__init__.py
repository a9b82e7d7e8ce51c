"""Typed OAuth 2 protocol messages, for servers and for client developers: pure values, no input or output.

Each message is a frozen dataclass that can be built, sent and read back unchanged. Reading what a client sent
raises ProtocolError; reading what a server answered raises ResponseError (CallbackError is one).
"""

from oauth_filter.messages.authorization_request import AUTHORIZATION_PARAMETERS
from oauth_filter.messages.authorization_request import AuthorizationRequest
from oauth_filter.messages.authorization_request import ResponseType
from oauth_filter.messages.authorization_request import new_state
from oauth_filter.messages.authorization_response import AuthorizationErrorResponse
from oauth_filter.messages.authorization_response import AuthorizationResponse
from oauth_filter.messages.authorization_response import AuthorizationSuccessResponse
from oauth_filter.messages.authorization_response import ResponseMode
from oauth_filter.messages.bearer import BearerChallenge
from oauth_filter.messages.bearer import bearer_token_from_header
from oauth_filter.messages.callback import AuthorizationDenied
from oauth_filter.messages.callback import CallbackError
from oauth_filter.messages.callback import IssuerMismatch
from oauth_filter.messages.callback import StateMismatch
from oauth_filter.messages.callback import parse_callback
from oauth_filter.messages.callback import verify_callback
from oauth_filter.messages.client_authentication import ClientAssertion
from oauth_filter.messages.client_authentication import ClientAuthentication
from oauth_filter.messages.client_authentication import ClientSecretBasic
from oauth_filter.messages.client_authentication import ClientSecretPost
from oauth_filter.messages.client_authentication import PublicClient
from oauth_filter.messages.client_authentication import parse_client_authentication
from oauth_filter.messages.errors import ProtocolError
from oauth_filter.messages.errors import ResponseError
from oauth_filter.messages.form import MAX_PARAMETERS
from oauth_filter.messages.form import Parameters
from oauth_filter.messages.form import decode_form
from oauth_filter.messages.form import encode_form
from oauth_filter.messages.grants import AuthorizationCodeGrant
from oauth_filter.messages.grants import AuthorizationGrant
from oauth_filter.messages.grants import ClientCredentialsGrant
from oauth_filter.messages.grants import DeviceCodeGrant
from oauth_filter.messages.grants import JWTBearerGrant
from oauth_filter.messages.grants import PasswordGrant
from oauth_filter.messages.grants import RefreshTokenGrant
from oauth_filter.messages.grants import parse_grant
from oauth_filter.messages.pkce import code_challenge
from oauth_filter.messages.pkce import code_verifier_matches
from oauth_filter.messages.pkce import is_code_challenge
from oauth_filter.messages.pkce import is_code_verifier
from oauth_filter.messages.pkce import new_code_verifier
from oauth_filter.messages.redirect_uri import redirect_uri_fault
from oauth_filter.messages.token_request import TokenRequest
from oauth_filter.messages.token_response import TokenErrorResponse
from oauth_filter.messages.token_response import TokenResponse
from oauth_filter.messages.token_response import parse_token_response

__all__ = [
    "AUTHORIZATION_PARAMETERS",
    "MAX_PARAMETERS",
    "AuthorizationCodeGrant",
    "AuthorizationDenied",
    "AuthorizationErrorResponse",
    "AuthorizationGrant",
    "AuthorizationRequest",
    "AuthorizationResponse",
    "AuthorizationSuccessResponse",
    "BearerChallenge",
    "CallbackError",
    "ClientAssertion",
    "ClientAuthentication",
    "ClientCredentialsGrant",
    "ClientSecretBasic",
    "ClientSecretPost",
    "DeviceCodeGrant",
    "IssuerMismatch",
    "JWTBearerGrant",
    "Parameters",
    "PasswordGrant",
    "ProtocolError",
    "PublicClient",
    "RefreshTokenGrant",
    "ResponseError",
    "ResponseMode",
    "ResponseType",
    "StateMismatch",
    "TokenErrorResponse",
    "TokenRequest",
    "TokenResponse",
    "bearer_token_from_header",
    "code_challenge",
    "code_verifier_matches",
    "decode_form",
    "encode_form",
    "is_code_challenge",
    "is_code_verifier",
    "new_code_verifier",
    "new_state",
    "parse_callback",
    "parse_client_authentication",
    "parse_grant",
    "parse_token_response",
    "redirect_uri_fault",
    "verify_callback",
]
