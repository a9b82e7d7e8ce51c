"""The token request -- RFC 6749 sections 3.2 and 4.1.3, RFC 8707."""

import re
from dataclasses import dataclass
from typing import Final

from oauth_filter.messages.client_authentication import CLIENT_PARAMETERS
from oauth_filter.messages.client_authentication import ClientAssertion
from oauth_filter.messages.client_authentication import ClientAuthentication
from oauth_filter.messages.client_authentication import ClientSecretBasic
from oauth_filter.messages.client_authentication import ClientSecretPost
from oauth_filter.messages.client_authentication import PublicClient
from oauth_filter.messages.client_authentication import parse_client_authentication
from oauth_filter.messages.errors import ProtocolError
from oauth_filter.messages.form import Parameters
from oauth_filter.messages.form import decode_form
from oauth_filter.messages.form import encode_form
from oauth_filter.messages.grants import AuthorizationCodeGrant
from oauth_filter.messages.grants import AuthorizationGrant
from oauth_filter.messages.grants import ClientCredentialsGrant
from oauth_filter.messages.grants import DeviceCodeGrant
from oauth_filter.messages.grants import parse_grant
from oauth_filter.messages.redirect_uri import is_uri_text
from oauth_filter.scope import Scope

_COMMON: Final = ("grant_type", "scope", *CLIENT_PARAMETERS)
_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^#]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """What a client posts to the token endpoint.

    `client` says who asks and how that is proved; None is a request that does not say, which only some grants
    allow. Send `to_form()` as body, of type `application/x-www-form-urlencoded`, and `authorization()` as the
    Authorization header if it is not None. Raise ValueError for a scope with a grant that takes none, for an
    illegal resource, for a custom parameter that has a field of its own, and for a client the grant does not allow.
    """

    grant: AuthorizationGrant
    client: ClientAuthentication | None = None
    scope: Scope | None = None
    resources: tuple[str, ...] = ()
    custom_parameters: Parameters = Parameters()  # noqa: RUF009 -- it is immutable

    def __post_init__(self) -> None:
        if self.scope and not self.grant.takes_scope:
            raise ValueError("this grant takes no scope in the token request")
        if not all(map(_is_resource, self.resources)):
            raise ValueError("a resource is an absolute URI without fragment (RFC 8707 section 2)")
        if any(name in self.custom_parameters for name in (*_COMMON, *self.grant.names, "resource")):
            raise ValueError("a custom parameter must not have the name of a field")
        if isinstance(self.grant, ClientCredentialsGrant) and isinstance(self.client, PublicClient | None):
            raise ValueError("the client_credentials grant is for clients that authenticate")
        if isinstance(self.grant, AuthorizationCodeGrant | DeviceCodeGrant) and self.client is None:
            raise ValueError("this grant needs a client_id")
        if not self.scope:
            object.__setattr__(self, "scope", None)

    @classmethod
    def parse(cls, body: bytes | str, *, authorization: str | None = None) -> "TokenRequest":
        """Read a form body and the Authorization header. Raise ProtocolError, and nothing else."""
        return cls.from_parameters(decode_form(body), authorization=authorization)

    @classmethod
    def from_parameters(cls, form: Parameters, *, authorization: str | None = None) -> "TokenRequest":
        """Read a decoded form and the Authorization header.

        Raise ProtocolError as `parse_client_authentication` and `parse_grant` do; `invalid_client` for client
        credentials without client authentication, `invalid_scope`, and `invalid_target` for a resource that is
        no absolute URI. A scope where the grant takes none is ignored. Does not look anything up: the client, its
        secret, codes and tokens are the server's business, as are the HTTP method and the content type.
        """
        client = parse_client_authentication(authorization, form)
        form.refuse_repeated(("grant_type", "scope"))
        grant = parse_grant(form)
        if isinstance(grant, ClientCredentialsGrant) and isinstance(client, PublicClient | None):
            raise ProtocolError(
                "invalid_client", "Client authentication is required", reason="client_authentication_missing"
            )
        if isinstance(grant, AuthorizationCodeGrant | DeviceCodeGrant) and client is None:
            raise ProtocolError("invalid_request", "Missing client_id parameter", reason="missing_client_id")
        try:
            scope = Scope.parse(form.single("scope") or "") if grant.takes_scope else None
        except ValueError:
            raise ProtocolError(
                "invalid_scope", "The scope has characters it must not have", reason="invalid_scope"
            ) from None
        resources = tuple(form.getlist("resource"))
        if not all(map(_is_resource, resources)):
            raise ProtocolError(
                "invalid_target",
                "A resource must be an absolute URI without fragment",
                reason="invalid_resource",
            )
        return cls(
            grant=grant,
            client=client,
            scope=scope or None,
            resources=resources,
            custom_parameters=form.without((*_COMMON, *grant.names, "resource")),
        )

    def authorization(self) -> str | None:
        """The value of the Authorization header; None when there is to be none."""
        return self.client.authorization() if isinstance(self.client, ClientSecretBasic) else None

    def parameters(self) -> Parameters:
        """Everything that is sent in the form, by name. Holds secrets."""
        sent: list[tuple[str, str | None]] = [("grant_type", self.grant.grant_type)]
        sent += [(name, getattr(self.grant, name)) for name in self.grant.names]
        if isinstance(self.client, ClientSecretPost | ClientAssertion | PublicClient):
            sent.append(("client_id", self.client.client_id))
        if isinstance(self.client, ClientSecretPost):
            sent.append(("client_secret", self.client.client_secret))
        if isinstance(self.client, ClientAssertion):
            sent.append(("client_assertion_type", self.client.client_assertion_type))
            sent.append(("client_assertion", self.client.client_assertion))
        if self.scope:
            sent.append(("scope", str(self.scope)))
        sent += [("resource", resource) for resource in self.resources]
        sent += self.custom_parameters.pairs()
        return Parameters((name, value) for name, value in sent if value is not None)

    def to_form(self) -> str:
        """The body. Raise ValueError if a value has a NUL or a lone surrogate."""
        return encode_form(self.parameters().pairs())


def _is_resource(uri: str) -> bool:
    return is_uri_text(uri) and _ABSOLUTE.fullmatch(uri) is not None
