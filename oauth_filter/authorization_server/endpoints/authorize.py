"""The authorization endpoint -- RFC 6749 section 3.1. One function, entered again after login and consent."""

from typing import TYPE_CHECKING
from typing import Final

from oauth_filter import credentials
from oauth_filter.authorization_server.debugging import explained
from oauth_filter.authorization_server.debugging import quoted
from oauth_filter.authorization_server.destination import RESPONSE_MODES
from oauth_filter.authorization_server.destination import Destination
from oauth_filter.authorization_server.destination import destination
from oauth_filter.authorization_server.destination import destination_of
from oauth_filter.authorization_server.destination import page
from oauth_filter.authorization_server.endpoints.login import ask_to_sign_in
from oauth_filter.authorization_server.http import MAX_QUERY
from oauth_filter.authorization_server.http import Request
from oauth_filter.authorization_server.http import Response
from oauth_filter.authorization_server.http import endpoint
from oauth_filter.authorization_server.http import redirect
from oauth_filter.authorization_server.interaction import SignedIn
from oauth_filter.authorization_server.interaction import access_of
from oauth_filter.authorization_server.interaction import next_step
from oauth_filter.authorization_server.interaction import scope_of
from oauth_filter.authorization_server.interaction import session_grant
from oauth_filter.authorization_server.interaction import signed_in
from oauth_filter.authorization_server.openid_request import OpenIDRequest
from oauth_filter.authorization_server.openid_request import after_sign_in
from oauth_filter.authorization_server.origins import check_origin
from oauth_filter.authorization_server.pages import redirect_host
from oauth_filter.authorization_server.response_types import check_response_type
from oauth_filter.authorization_server.response_types import produce
from oauth_filter.errors import OAuthError
from oauth_filter.events import EventName
from oauth_filter.messages import AuthorizationRequest
from oauth_filter.messages import Parameters
from oauth_filter.messages import ProtocolError
from oauth_filter.messages import is_code_challenge
from oauth_filter.messages.form import encode_form
from oauth_filter.records import Client
from oauth_filter.records import UserGrant
from oauth_filter.scope import Scope
from oauth_filter.settings import DAY
from oauth_filter.settings import Settings

if TYPE_CHECKING:
    from oauth_filter.authorization_server.server import Server

PATH: Final = "/oauth2/authorize"

SILENT_SCOPES: Final = ("openid", "offline_access")
OPENID_SCOPE_WORDS: Final = {
    "profile": "See your name and profile",
    "email": "See your e-mail address",
    "address": "See your postal address",
    "phone": "See your phone number",
}


@endpoint(PATH, methods=("GET", "POST"), answers="page", metadata_name="authorization_endpoint")
def authorize(server: "Server", request: Request) -> Response:
    """Answer an authorization request that a client sent the browser with."""
    return answer(server, request, request.raw_form() if request.method == "POST" else request.raw_query())


def answer(server: "Server", request: Request, query: bytes | str, *, allowed: Scope | None = None) -> Response:
    """Ask the user what is still to be asked, or send the browser back to the client.

    `allowed` is what the user has just said yes to, on our page.
    """
    try:
        asked = AuthorizationRequest.parse(query)
    except ProtocolError as error:
        return _refused(server, request, destination_of(server, error), error)
    to = destination(server, asked.client_id, asked.redirect_uri)
    try:
        if allowed is None:  # a decision comes from a page of ours
            check_origin(server.settings, to.client, request)
        openid = OpenIDRequest.of(asked)
        scope = permissible(server.settings, to.client, asked, openid)
        if asked.response_mode == "form_post" and not to.takes_posts:
            raise OAuthError(
                "invalid_request", "The redirect_uri cannot receive a form.", reason="invalid_response_mode"
            )
        user = signed_in(server, request)
        if user is None and request.method == "POST" and allowed is None:
            # Browsers keep cookies back from a form of another site, and send them with the GET that follows. A login
            # page now would come with a cookie of ours, and so any site could sign the user out.
            return redirect(f"{server.path(PATH)}?{_as_url(asked)}", 303)
        access = access_of(to.client, scope, openid)
        match next_step(server, to.client, access, user, openid, allowed):
            case "login":
                return login_page(server, request, to, asked, openid)
            case "consent" if user is not None:
                return consent_page(server, request, to, asked, user, access)
        assert user is not None  # noqa: S101 -- next_step() lets nobody through unseen; this is for the type checker
        return grant(server, request, to, asked, openid, user, scope)
    except OAuthError as error:
        return _refused(server, request, to, error, asked)


def _as_url(asked: AuthorizationRequest) -> str:
    query = asked.to_query()
    if len(query) > MAX_QUERY:
        raise OAuthError("invalid_request", "The request is too long.", reason="request_too_large")
    return query


def permissible(settings: Settings, client: Client, asked: AuthorizationRequest, openid: OpenIDRequest) -> str:
    """The scope the request would get. Raise OAuthError for what this server or this client must not do."""
    if asked.response_mode not in (None, *RESPONSE_MODES):
        raise OAuthError("invalid_request", "The response_mode is not supported.", reason="invalid_response_mode")
    scope = scope_of(settings, client, str(asked.scope) if asked.scope else None)
    check_response_type(client, asked, scope, openid.nonce)
    # Multiple Response Types section 3: tokens must not get into logs and Referer headers.
    if asked.response_type.default_mode == "fragment" and asked.response_mode == "query":
        raise OAuthError(
            "invalid_request", "The response_mode query is not for tokens.", reason="invalid_response_mode"
        )
    if "code" in asked.response_type:
        check_code_challenge(settings, client, asked)
    if "openid" in scope.split() and asked.redirect_uri is None:
        raise OAuthError("invalid_request", "The parameter redirect_uri is missing.", reason="missing_redirect_uri")
    return scope


def check_code_challenge(settings: Settings, client: Client, asked: AuthorizationRequest) -> None:
    """RFC 7636 section 4.4.1, and the client's PKCE policy."""
    if asked.code_challenge is None:
        if asked.code_challenge_method is not None:
            raise OAuthError("invalid_request", "A code_challenge is missing.", reason="missing_code_challenge")
        if client.pkce == "required" or (client.is_public and client.pkce != "optional"):
            kind = "a public client" if client.is_public else "a confidential client"
            raise OAuthError(
                "invalid_request",
                "This client must use PKCE.",
                reason="missing_code_challenge",
                detail=explained(client, f"no code_challenge; it is {kind} with pkce = {client.pkce}"),
            )
        return
    # "defaults to "plain" if not present" (section 4.3)
    match asked.code_challenge_method or "plain":
        case "S256":
            well_formed = is_code_challenge(asked.code_challenge) and len(asked.code_challenge) == 43
        case "plain" if settings.allow_plain_pkce:
            well_formed = is_code_challenge(asked.code_challenge)
        case _:
            raise OAuthError(
                "invalid_request",
                "The code_challenge_method is not supported; use S256.",
                reason="invalid_pkce_code_challenge_method",
                detail=explained(client, f"code_challenge_method is {quoted(asked.code_challenge_method)}"),
            )
    if not well_formed:
        length = len(asked.code_challenge)
        raise OAuthError(
            "invalid_request",
            "The code_challenge is malformed.",
            reason="invalid_pkce_code_challenge",
            detail=explained(client, f"a code_challenge of S256 has 43 characters of base64url; this one has {length}"),
        )


def login_page(
    server: "Server", request: Request, to: Destination, asked: AuthorizationRequest, openid: OpenIDRequest
) -> Response:
    """Ask who the user is. The whole request comes back in the query of one URL."""
    back = f"{PATH}?{after_sign_in(asked).to_query()}"
    return ask_to_sign_in(server, request, back, client=to.client, login_hint=openid.login_hint)


def consent_page(
    server: "Server", request: Request, to: Destination, asked: AuthorizationRequest, user: SignedIn, access: Scope
) -> Response:
    """Ask the user whether the client may. What they were shown is in the ticket: they allow that and no more."""
    session = server.sessions.read(request)
    what = encode_form([("access", str(access)), ("query", asked.to_query())])
    html = server.pages.render(
        "consent.html",
        action=server.path("/oauth2/consent"),
        ticket=server.sessions.seal("consent", session, what, user.user.subject),
        client_name=to.client.name or to.client.key,
        redirect_host=redirect_host(to.redirect_uri),
        username=user.user.display_name,
        can_switch=server.users.has_login_page,
        scopes=described(server.settings, access),
        consent_days=0 if to.client.consent == "always" else server.settings.consent_lifetime // DAY,
    )
    response = page(html, leads_away=True, frame_ancestors=to.client.origins)
    server.sessions.write(response, session)
    return response


def described(settings: Settings, scope: Scope) -> list[tuple[str, str | None]]:
    """Each scope with its sentence. Those that only steer the protocol are not worth a line."""
    words = {**OPENID_SCOPE_WORDS, **settings.scopes}
    return [(token, words.get(token)) for token in scope if token not in SILENT_SCOPES]


def grant(
    server: "Server",
    request: Request,
    to: Destination,
    asked: AuthorizationRequest,
    openid: OpenIDRequest,
    user: SignedIn,
    scope: str,
) -> Response:
    """Issue what the response type names, and send the browser back with it -- RFC 6749 section 4.1.2."""
    basis = UserGrant(
        key="",
        grant_id=credentials.new_id(),
        client_id=to.client.key,
        subject=user.user.subject,
        username=user.user.username,
        scope=scope,
        auth_time=user.auth_time,
        nonce=openid.nonce,
        sid=user.sid,
        acr=user.acr,
        amr=user.amr,
        claims_requested=openid.claims,
    )
    made = produce(server, asked, to.client, user.user, basis, scope)
    server.store.put(*made.records, *session_grant(server, basis))
    name: EventName = "code_issued" if made.code else "token_issued"
    server.event(name, request, client_id=to.client.key, username=user.user.username, grant_id=basis.grant_id)
    response = asked.success(
        redirect_uri=to.redirect_uri,
        code=made.code,
        access_token=made.access_token,
        expires_in=made.expires_in,
        scope=Scope.parse(scope) if made.access_token else None,
        id_token=made.id_token,
        iss=server.settings.issuer,
        custom_parameters=_extras(server, asked),
    )
    return to.deliver(server, response)


def _extras(server: "Server", asked: AuthorizationRequest) -> Parameters | None:
    if not server.settings.fusionauth_parameters:
        return None
    locale = asked.custom_parameters.get("locale")
    return Parameters({"userState": "Authenticated", **({"locale": locale} if locale else {})})


def _refused(
    server: "Server", request: Request, to: Destination, error: OAuthError, asked: AuthorizationRequest | None = None
) -> Response:
    server.event("refused", request, client_id=to.client.key, reason=error.reason or error.code, detail=error.detail)
    return to.refuse(server, error, asked)
