"""The token response -- RFC 6749 sections 5.1 and 5.2."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Final
from typing import NoReturn

from oauth_filter.errors import OAuthError
from oauth_filter.messages.errors import ResponseError
from oauth_filter.messages.errors import is_error_code
from oauth_filter.messages.errors import is_error_text
from oauth_filter.messages.errors import legal_error_text
from oauth_filter.messages.errors import legal_error_uri
from oauth_filter.scope import Scope

_TOKEN: Final = re.compile(r"[\x20-\x7E]+")
_SECONDS: Final = re.compile(r"([0-9]{1,15})(?:\.[0-9]{1,15})?")
_SUCCESS: Final = ("access_token", "token_type", "expires_in", "refresh_token", "scope", "id_token")
_ERROR: Final = ("error", "error_description", "error_uri")
_LONGEST: Final = 10**15  # What `seconds` reads; a lifetime of thirty million years.


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenResponse:
    """The tokens a token endpoint hands out. `expires_in` is in seconds; None is "the server does not say".

    `custom_parameters` are the members this class has no field for, as JSON has them. Raise ValueError for texts
    that are no tokens, a negative lifetime, and a custom parameter that has a field of its own.
    """

    access_token: str = field(repr=False)
    token_type: str = "Bearer"
    expires_in: int | None = None
    refresh_token: str | None = field(default=None, repr=False)
    scope: Scope | None = None
    id_token: str | None = field(default=None, repr=False)
    custom_parameters: Mapping[str, object] = field(default_factory=dict, hash=False, repr=False)

    def __post_init__(self) -> None:
        for token in (self.access_token, self.refresh_token, self.id_token):
            if token is not None and not _TOKEN.fullmatch(token):
                raise ValueError("a token is one or more printable ASCII characters (RFC 6749 appendix A)")
        if self.token_type.lower() != "bearer":
            raise ValueError("token_type must be Bearer")
        if self.expires_in is not None and not 0 <= self.expires_in < _LONGEST:
            raise ValueError("expires_in is a number of seconds, not negative")
        _keep(self, self.custom_parameters, (*_SUCCESS, "error"))
        # What it is worth does not depend on how it is spelt.
        object.__setattr__(self, "token_type", "Bearer")
        if not self.scope:
            object.__setattr__(self, "scope", None)

    @classmethod
    def parse(cls, body: bytes | str) -> "TokenResponse":
        """Read the body of a 200 answer.

        `token_type` may be spelt in any case, `expires_in` be `3600`, `3599.0` or `"3600"`. Raise ResponseError,
        and nothing else, for anything that is not a Bearer token response. Does not check an ID token.
        """
        members = _members(body)
        if members is None:
            raise ResponseError("the token response is not a JSON object")
        access_token = members.get("access_token")
        token_type = members.get("token_type")
        refresh_token = members.get("refresh_token")
        id_token = members.get("id_token")
        for token in (access_token, refresh_token, id_token):
            if token is not None and not (isinstance(token, str) and _TOKEN.fullmatch(token)):
                raise ResponseError("a token of the token response is malformed")
        if not isinstance(access_token, str):
            raise ResponseError("the token response has no access_token")
        if not isinstance(token_type, str) or token_type.lower() != "bearer":
            raise ResponseError("the token_type of the token response is not Bearer")
        expires_in = members.get("expires_in")
        lifetime = None if expires_in is None else seconds(expires_in)
        if expires_in is not None and lifetime is None:
            raise ResponseError("the expires_in of the token response is no number of seconds")
        scope = members.get("scope")
        try:
            granted = Scope.parse(scope) if isinstance(scope, str) else None
        except ValueError:
            raise ResponseError("the scope of the token response is illegal") from None
        return cls(
            access_token=access_token,
            expires_in=lifetime,
            refresh_token=refresh_token if isinstance(refresh_token, str) else None,
            scope=granted or None,
            id_token=id_token if isinstance(id_token, str) else None,
            custom_parameters={
                name: value for name, value in members.items() if name not in _SUCCESS and name != "error"
            },
        )

    def to_dict(self) -> dict[str, object]:
        """The members of the JSON object. Holds secrets."""
        sent: dict[str, object] = {
            "access_token": self.access_token,
            "token_type": self.token_type,
            "expires_in": self.expires_in,
            "refresh_token": self.refresh_token,
            "scope": str(self.scope) if self.scope else None,
            "id_token": self.id_token,
        }
        return {name: value for name, value in sent.items() if value is not None} | dict(self.custom_parameters)

    def to_json(self) -> str:
        """The body; to be sent as `application/json` with `Cache-Control: no-store` (section 5.1)."""
        return json.dumps(self.to_dict(), allow_nan=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenErrorResponse:
    """A token endpoint's refusal. `error` is None when the answer did not say which, as a broken proxy's does not.

    Raise ValueError for an illegal code or description and a custom parameter that has a field of its own.
    """

    error: str | None
    error_description: str | None = None
    error_uri: str | None = None
    status: int = 400
    custom_parameters: Mapping[str, object] = field(default_factory=dict, hash=False, repr=False)

    def __post_init__(self) -> None:
        if self.error is not None and not is_error_code(self.error):
            raise ValueError("error has characters it must not have (RFC 6749 section 5.2)")
        if "" in (self.error_description, self.error_uri):
            raise ValueError("an empty parameter means the same as none; use None")
        if not is_error_text(self.error_description or ""):
            raise ValueError("error_description has characters it must not have (RFC 6749 section 5.2)")
        if self.error_uri != legal_error_uri(self.error_uri):
            raise ValueError("error_uri is the address of a web page")
        _keep(self, self.custom_parameters, _ERROR)

    @classmethod
    def from_error(cls, error: OAuthError) -> "TokenErrorResponse":
        """The response that tells of `error`; its `reason` becomes the member `error_reason`.

        Does not make a WWW-Authenticate header: a 401 to a client that used HTTP Basic needs one (section 5.2).
        """
        return cls(
            error=error.code,
            error_description=legal_error_text(error.description.replace('"', "'")) or None,
            status=error.status,
            custom_parameters={"error_reason": error.reason} if error.reason else {},
        )

    @classmethod
    def parse(cls, body: bytes | str, *, status: int = 400) -> "TokenErrorResponse":
        """Read the body of an answer that is not 200. Never raises: what cannot be understood is left out."""
        members = _members(body) or {}
        error = members.get("error")
        description = members.get("error_description")
        uri = members.get("error_uri")
        return cls(
            error=error if isinstance(error, str) and is_error_code(error) else None,
            error_description=(legal_error_text(description) if isinstance(description, str) else "") or None,
            error_uri=legal_error_uri(uri if isinstance(uri, str) else None),
            status=status,
            custom_parameters={name: value for name, value in members.items() if name not in _ERROR},
        )

    def to_dict(self) -> dict[str, object]:
        """The members of the JSON object."""
        sent: dict[str, object] = {
            "error": self.error,
            "error_description": self.error_description,
            "error_uri": self.error_uri,
        }
        return {name: value for name, value in sent.items() if value is not None} | dict(self.custom_parameters)

    def to_json(self) -> str:
        """The body; to be sent as `application/json` with `Cache-Control: no-store` and the status."""
        return json.dumps(self.to_dict(), allow_nan=False)


def parse_token_response(status: int, body: bytes | str) -> TokenResponse | TokenErrorResponse:
    """Read what a token endpoint answered. Raise ResponseError for a 200 that is no token response."""
    return TokenResponse.parse(body) if status == 200 else TokenErrorResponse.parse(body, status=status)


def seconds(value: object) -> int | None:
    """A lifetime as servers write it: a number or its text, a fraction cut off; None when it is neither."""
    text = str(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else ""
    matched = _SECONDS.fullmatch(text)
    return int(matched[1]) if matched else None


def _members(body: bytes | str) -> dict[str, object] | None:
    try:
        text = body.decode() if isinstance(body, bytes) else body
        members = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    return members if isinstance(members, dict) else None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        # "Parameters MUST NOT be included more than once"; readers differ in which one they take.
        raise ValueError("a member is repeated")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError("not a JSON number")


def _keep(response: object, custom: Mapping[str, object], names: tuple[str, ...]) -> None:
    if any(name in custom for name in names):
        raise ValueError("a custom parameter must not have the name of a field")
    object.__setattr__(response, "custom_parameters", dict(custom))
