"""The authorization server as a WSGI application: from a path to an endpoint, from an error to a response."""

from collections.abc import Callable
from collections.abc import Iterable
from typing import TYPE_CHECKING
from typing import Final

from oauth_filter.authorization_server.backchannel import Backchannel
from oauth_filter.authorization_server.claims import Claims
from oauth_filter.authorization_server.clients import Clients
from oauth_filter.authorization_server.destination import page
from oauth_filter.authorization_server.endpoints.authorize import authorize
from oauth_filter.authorization_server.endpoints.consent import consent
from oauth_filter.authorization_server.endpoints.device import device
from oauth_filter.authorization_server.endpoints.device_approve import device_approve
from oauth_filter.authorization_server.endpoints.device_authorize import device_authorize
from oauth_filter.authorization_server.endpoints.device_user_code import device_user_code
from oauth_filter.authorization_server.endpoints.device_validate import device_validate
from oauth_filter.authorization_server.endpoints.entity_grant import entity_grant
from oauth_filter.authorization_server.endpoints.introspect import introspect
from oauth_filter.authorization_server.endpoints.jwks import jwks
from oauth_filter.authorization_server.endpoints.login import login
from oauth_filter.authorization_server.endpoints.logout import logout
from oauth_filter.authorization_server.endpoints.metadata import oauth_metadata
from oauth_filter.authorization_server.endpoints.metadata import openid_configuration
from oauth_filter.authorization_server.endpoints.nuxeo_directory import nuxeo_directory
from oauth_filter.authorization_server.endpoints.revoke import revoke
from oauth_filter.authorization_server.endpoints.signed_out import signed_out
from oauth_filter.authorization_server.endpoints.static import static_endpoints
from oauth_filter.authorization_server.endpoints.token import token
from oauth_filter.authorization_server.endpoints.userinfo import userinfo
from oauth_filter.authorization_server.grant_types import GrantType
from oauth_filter.authorization_server.grant_types.authorization_code import authorization_code
from oauth_filter.authorization_server.grant_types.client_credentials import client_credentials
from oauth_filter.authorization_server.grant_types.device_code import device_code
from oauth_filter.authorization_server.grant_types.jwt_bearer import jwt_bearer
from oauth_filter.authorization_server.grant_types.password import password
from oauth_filter.authorization_server.grant_types.refresh_token import refresh_token
from oauth_filter.authorization_server.http import Endpoint
from oauth_filter.authorization_server.http import Request
from oauth_filter.authorization_server.http import Response
from oauth_filter.authorization_server.http import json_response
from oauth_filter.authorization_server.pages import Pages
from oauth_filter.authorization_server.routes import Routes
from oauth_filter.authorization_server.server import Server
from oauth_filter.authorization_server.sessions import Sessions
from oauth_filter.authorization_server.tokens import is_honoured
from oauth_filter.authorization_server.users import Users
from oauth_filter.authorization_server.users import open_users
from oauth_filter.errors import OAuthError
from oauth_filter.events import announce_to
from oauth_filter.events import logger
from oauth_filter.messages import BearerChallenge
from oauth_filter.messages import TokenErrorResponse
from oauth_filter.records import AccessToken
from oauth_filter.settings import Settings
from oauth_filter.signing import OwnKeys
from oauth_filter.stores import Store

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment

CROSS_ORIGIN: Final = [
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "WWW-Authenticate, X-Request-ID, Retry-After"),
]
"""For endpoints that believe no cookie: a script of any site may send what any program may send."""

RETRY_AFTER: Final = "5"
"""Seconds, where the store cannot be reached."""


class AuthorizationServer:
    """Answers the paths it `owns`. Raise ConfigError for templates and dotted paths that do not work."""

    def __init__(
        self, settings: Settings, store: Store, *, application: "WSGIApplication", now: Callable[[], float]
    ) -> None:
        endpoints = _endpoints(settings)
        users = open_users(settings, store, application)
        self.server: Final = Server(
            settings=settings,
            store=store,
            now=now,
            keys=OwnKeys(settings, store, now),
            clients=Clients(settings, store, now),
            users=users,
            claims=Claims(settings),
            sessions=Sessions(settings, now),
            pages=Pages(settings),
            announce=announce_to(settings.on_event),
            backchannel=Backchannel(allow_private=settings.insecure_allow_private_fetch),
            grant_types={grant_type.name: grant_type for grant_type in _grant_types(settings, users)},
            endpoints=endpoints,
        )
        self._routes = Routes(endpoints, _aliases(settings))
        self.owns: Final = self._routes.owns

    def is_honoured(self, token: AccessToken) -> bool:
        """Whether the client and the user of a live token are still what they were."""
        return is_honoured(self.server, token)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = Request(environ)
        endpoint, request.path_values = self._routes.find(environ.get("PATH_INFO", ""))
        try:
            response = self._answer(endpoint, request)
        except OAuthError as error:
            self.server.event(
                "refused",
                request,
                client_id=request.client_id,
                reason=error.reason or error.code,
                detail=error.detail,
            )
            response = self._refusal(endpoint, request, error)
        except Exception:
            logger.exception("request %s failed", request.id)
            self.server.event("failed", request, reason="server_error")
            bug = OAuthError("server_error", "Something went wrong here. It has been logged.", reason="unknown")
            response = self._refusal(endpoint, request, bug)
        response.headers["X-Request-ID"] = request.id
        if endpoint is not None and endpoint.cross_origin:
            response.headers.extend(CROSS_ORIGIN)
        return response(environ, start_response)

    def _answer(self, endpoint: Endpoint | None, request: Request) -> Response:
        if endpoint is None:
            raise OAuthError("invalid_request", "There is nothing at this address.", reason="not_found", status=404)
        if request.method == "OPTIONS" and endpoint.cross_origin:
            return _preflight(endpoint)
        method = "GET" if request.method == "HEAD" else request.method
        if method not in endpoint.methods:
            raise OAuthError(
                "invalid_request", "The method is not allowed here.", reason="method_not_allowed", status=405
            )
        return endpoint.handle(self.server, request)

    def _refusal(self, endpoint: Endpoint | None, request: Request, error: OAuthError) -> Response:
        if endpoint is None or endpoint.answers == "page":
            response = self._error_page(request, error)
        else:
            response = json_response(TokenErrorResponse.from_error(error).to_dict(), error.status)
        if error.status == 405 and endpoint is not None:
            response.headers["Allow"] = ", ".join(endpoint.methods)
        if error.status == 503:
            response.headers["Retry-After"] = RETRY_AFTER
        if (challenge := _challenge(request, error)) is not None:
            response.headers["WWW-Authenticate"] = challenge
        return response

    def _error_page(self, request: Request, error: OAuthError) -> Response:
        heading, advice = _explanation(error)
        html = self.server.pages.render(
            "error.html",
            heading=heading,
            description=error.description,
            advice=advice,
            request_id=request.id,
        )
        return page(html, error.status)


def _endpoints(settings: Settings) -> tuple[Endpoint, ...]:
    optional = [nuxeo_directory] if settings.nuxeo_directory_api else []
    return (
        authorize,
        login,
        consent,
        token,
        revoke,
        introspect,
        userinfo,
        logout,
        signed_out,
        device_authorize,
        device,
        device_validate,
        device_user_code,
        device_approve,
        jwks,
        entity_grant,
        oauth_metadata,
        openid_configuration,
        *optional,
        *static_endpoints(),
    )


def _aliases(settings: Settings) -> dict[str, Endpoint]:
    """Where clients look for endpoints without having read the metadata."""
    aliases = {"/.well-known/jwks.json": jwks}
    # RFC 8414 section 3.1 puts the well-known part before the path of the issuer, Discovery section 4 behind it;
    # clients do both.
    for metadata in (oauth_metadata, openid_configuration):
        aliases[metadata.path + settings.issuer_path] = metadata
        aliases[settings.issuer_path + metadata.path] = metadata
    if settings.fusionauth_parameters:
        aliases["/api/entity/{entity_id}/grant"] = entity_grant
    return aliases


def _grant_types(settings: Settings, users: Users) -> tuple[GrantType, ...]:
    optional = [jwt_bearer] if settings.jwt_bearer_enabled else []
    if users.has_login_page:
        # Where somebody else signs users in, we have no password to compare with.
        optional.append(password)
    return (authorization_code, refresh_token, client_credentials, device_code, *optional)


def _preflight(endpoint: Endpoint) -> Response:
    """Fetch standard, CORS preflight: what a script may send here."""
    response = Response(status=204)
    # There is no content to have a type, and `wsgiref.validate` holds us to it.
    del response.headers["Content-Type"]
    response.headers["Access-Control-Allow-Methods"] = ", ".join(endpoint.methods)
    response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
    response.headers["Access-Control-Max-Age"] = "3600"
    return response


def _challenge(request: Request, error: OAuthError) -> str | None:
    """How to authenticate, where that is what was wrong -- RFC 6749 section 5.2, RFC 6750 section 3."""
    if error.reason == "access_token_required":
        # RFC 6750 section 3.1: who sent nothing is told of no error.
        return BearerChallenge().to_header()
    if error.code in ("invalid_token", "insufficient_scope"):
        return BearerChallenge.from_error(error).to_header()
    if error.reason == "administrator_required":
        return 'Basic realm="administration", charset="UTF-8"'
    # MUST where the client used the header; harmless where it used nothing.
    if error.code == "invalid_client" and not _names(request) & {"client_secret", "client_assertion"}:
        return 'Basic realm="client", charset="UTF-8"'
    return None


def _names(request: Request) -> set[str]:
    try:
        return set(request.form_parameters())
    except OAuthError:
        return set()


def _explanation(error: OAuthError) -> tuple[str, str]:
    """A heading and what to do, for a person who cannot be sent back to the application."""
    if error.status == 404:
        return "Page not found", "Check the address, or go back to the application you came from."
    if error.status >= 500:
        return "Something went wrong", "Please try again in a moment."
    if error.reason == "invalid_form":
        return "Please start again", "Go back to the application you came from and sign in from there."
    return (
        "This request cannot be answered",
        "Go back to the application you came from. If this keeps happening, tell the people who run it.",
    )
