"""What OpenID Connect adds to an authorization request -- Core section 3.1.2.1."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace
from typing import Any
from typing import Final

from oauth_filter.errors import OAuthError
from oauth_filter.messages import AuthorizationRequest

PROMPTS: Final = frozenset({"none", "login", "consent", "select_account"})
_SIGN_IN_PROMPTS: Final = frozenset({"login", "select_account"})
_DISPLAYS: Final = ("page", "popup", "touch", "wap")
PARAMETERS: Final = (
    *("nonce", "prompt", "max_age", "display", "ui_locales", "login_hint", "id_token_hint", "acr_values", "claims"),
    *("request", "request_uri", "registration"),
)
MAX_CLAIMS: Final = 8 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIDRequest:
    """The parameters of OpenID Connect, read and checked; all absent in a request that is plain OAuth."""

    prompt: frozenset[str] = frozenset()
    max_age: int | None = None
    nonce: str | None = None
    login_hint: str | None = None
    id_token_hint: str | None = None
    acr_values: tuple[str, ...] = ()
    claims: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, asked: AuthorizationRequest) -> "OpenIDRequest":
        """Read the request. Raise OAuthError, to be sent to the client, for what makes no sense.

        `display` and `ui_locales` are wishes that may be ignored. Does not verify id_token_hint.
        """
        custom = asked.custom_parameters
        # Not `Parameters.single`: its error is for a page, and by now there is a client to tell.
        if any(len(set(custom.getlist(name))) > 1 for name in PARAMETERS):
            raise OAuthError("invalid_request", "A parameter is sent more than once.", reason="repeated_parameter")
        # Section 6 and section 7.2.1: what is not supported is refused by a code of its own.
        if custom.get("request"):
            raise OAuthError("request_not_supported", "Request objects are not supported.", reason="invalid_request")
        if custom.get("request_uri"):
            raise OAuthError(
                "request_uri_not_supported", "Request objects are not supported.", reason="invalid_request"
            )
        if custom.get("registration"):
            raise OAuthError(
                "registration_not_supported", "Self-issued registration is not supported.", reason="invalid_request"
            )
        if custom.get("display") not in (None, "", *_DISPLAYS):
            raise OAuthError("invalid_request", "The display is unknown.", reason="invalid_display")
        max_age = _max_age(custom.get("max_age"))
        prompt = _prompt(custom.get("prompt"))
        return cls(
            prompt=prompt | {"login"} if max_age == 0 and "none" not in prompt else prompt,
            max_age=max_age,
            nonce=custom.get("nonce") or None,
            login_hint=custom.get("login_hint") or None,
            id_token_hint=custom.get("id_token_hint") or None,
            acr_values=tuple((custom.get("acr_values") or "").split()),
            claims=_claims(custom.get("claims")),
        )

    @property
    def essential_acr(self) -> tuple[str, ...]:
        """The values of which one has to be reached -- section 5.5.1.1."""
        acr = ((self.claims or {}).get("id_token") or {}).get("acr")
        if not isinstance(acr, Mapping) or acr.get("essential") is not True:
            return ()
        values = acr.get("values", [acr.get("value")])
        return tuple(value for value in values if isinstance(value, str)) if isinstance(values, list) else ()

    @property
    def claim_names(self) -> frozenset[str]:
        """Every claim that the `claims` parameter asks for, wherever it is to be told -- section 5.5."""
        return frozenset(name for part in (self.claims or {}).values() for name in part or ())

    @property
    def required_subject(self) -> str | None:
        """The `sub` that the `claims` parameter insists on -- section 5.5.1."""
        sub = ((self.claims or {}).get("id_token") or {}).get("sub")
        value = sub.get("value") if isinstance(sub, Mapping) else None
        return value if isinstance(value, str) else None


def after_sign_in(asked: AuthorizationRequest) -> AuthorizationRequest:
    """The request as it stands once the user has signed in anew: that wish is fulfilled, all others remain."""
    custom = asked.custom_parameters
    rest = [(name, value) for name, value in custom.pairs() if name != "prompt"]
    if _max_age(custom.get("max_age")) == 0:
        rest = [(name, value) for name, value in rest if name != "max_age"]
    if left := [prompt for prompt in custom.get("prompt", "").split() if prompt not in _SIGN_IN_PROMPTS]:
        rest.append(("prompt", " ".join(left)))
    return replace(asked, custom_parameters=type(custom)(rest))


def _prompt(text: str | None) -> frozenset[str]:
    prompt = frozenset((text or "").split())
    if not prompt <= PROMPTS or ("none" in prompt and len(prompt) > 1):
        raise OAuthError(
            "invalid_request", "The prompt is unknown, or none stands with others.", reason="invalid_prompt"
        )
    return prompt


def _max_age(text: str | None) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise OAuthError("invalid_request", "max_age is a number of seconds.", reason="invalid_max_age")
    return int(text)


def _claims(text: str | None) -> Mapping[str, Any] | None:
    if not text:
        return None
    try:
        claims = json.loads(text) if len(text) <= MAX_CLAIMS else None
        json.dumps(claims, allow_nan=False).encode()
    except (ValueError, RecursionError):
        claims = None
    if not isinstance(claims, dict) or not all(isinstance(part, dict | None) for part in claims.values()):
        raise OAuthError("invalid_request", "The claims parameter is malformed.", reason="invalid_claims")
    return claims
