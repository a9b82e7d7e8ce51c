"""What reading a message can raise, and the text errors may carry -- RFC 6749 sections 4.1.2.1 and 5.2.

`ProtocolError` is raised where a server reads what a client sent, `ResponseError` where a client reads what a
server sent. Bad data from the other side never raises anything else; ValueError and TypeError are for mistakes
of the program that builds a message.
"""

import re
from typing import Final
from typing import LiteralString

from oauth_filter.errors import ErrorCode
from oauth_filter.errors import OAuthError

_ILLEGAL: Final = re.compile(r"[^\x20-\x21\x23-\x5B\x5D-\x7E]")
_WEB_PAGE: Final = re.compile(r"https?://[\x21\x23-\x5B\x5D-\x7E]+", re.IGNORECASE)
_ERROR_CODE: Final = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+(?: +[\x21\x23-\x5B\x5D-\x7E]+)*")


class ProtocolError(OAuthError):
    """A request that cannot be understood, and what could be read of it before it went wrong.

    Beside what an OAuthError has: `client_id`; `unverified_redirect_uri`, which anybody may have written, so it
    must be compared with what the client has registered before a browser is sent there; `state`;
    `response_mode`, the one asked for or else the default of the response type; and `redirectable`: False says
    that the error must be shown to the user and never be sent to any redirect URI (RFC 6749 section 4.1.2.1).
    `redirectable` does not say that the redirect URI is registered: this class does not know the client.
    """

    def __init__(
        self,
        code: ErrorCode,
        description: LiteralString,
        *,
        reason: LiteralString | None = None,
        status: int | None = None,
        client_id: str | None = None,
        unverified_redirect_uri: str | None = None,
        state: str | None = None,
        response_mode: str | None = None,
        redirectable: bool = False,
    ) -> None:
        super().__init__(code, description, reason=reason, status=status)
        self.client_id: Final = client_id
        self.unverified_redirect_uri: Final = unverified_redirect_uri
        self.state: Final = state
        self.response_mode: Final = response_mode
        self.redirectable: Final = redirectable


class ResponseError(Exception):
    """An answer of a server that a client must not use. The text is constant and carries nothing of the answer."""


def is_error_code(text: str) -> bool:
    """Whether `text` may stand as an `error` value: visible ASCII without double quote and backslash."""
    return _ERROR_CODE.fullmatch(text) is not None


def is_error_text(text: str) -> bool:
    """Whether `text` may stand as an `error_description`: printable ASCII without double quote and backslash."""
    return _ILLEGAL.search(text) is None


def legal_error_text(text: str) -> str:
    """`text` without the characters an `error_description` may not have (RFC 6749 section 4.1.2.1)."""
    return _ILLEGAL.sub("", text)


def legal_error_uri(uri: str | None) -> str | None:
    """`uri` if it is the address of a web page; None for anything else, which no browser should be offered."""
    return uri if uri is not None and _WEB_PAGE.fullmatch(uri) else None
