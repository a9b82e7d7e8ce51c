"""Requests and responses of our own endpoints, and what an endpoint is."""

import json
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any
from typing import Final
from typing import Literal

from werkzeug.exceptions import ClientDisconnected
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Request as WerkzeugRequest
from werkzeug.wrappers import Response as Response

from oauth_filter import credentials
from oauth_filter.errors import OAuthError
from oauth_filter.messages import Parameters
from oauth_filter.messages import decode_form

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from oauth_filter.authorization_server.server import Server

MAX_BODY: Final = 64 * 1024
"""Bytes of a request body that are read at most; the longest legitimate one is an assertion."""
MAX_QUERY: Final = 32 * 1024
FORM: Final = "application/x-www-form-urlencoded"
NO_STORE: Final = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))


class Request(WerkzeugRequest):
    """A request to one of our endpoints. Reads no further than `MAX_BODY`, and never past CONTENT_LENGTH."""

    # A body without a length is cut off here, silently; one more than allowed shows that it was.
    max_content_length = MAX_BODY + 1

    def __init__(self, environ: "WSGIEnvironment") -> None:
        super().__init__(environ)
        self.id: Final = credentials.new_id()
        self.client_id: str | None = None
        """The client it has turned out to come from, for the log."""
        self.path_values: Mapping[str, str] = {}
        """What stood in the path where the endpoint's has a name in braces."""

    def body(self) -> bytes:
        """Raise OAuthError: with status 413 for a body longer than `MAX_BODY`, with 400 for one that breaks off."""
        try:
            body = self.get_data(cache=True, parse_form_data=False)
        except RequestEntityTooLarge:
            raise _too_large() from None
        except ClientDisconnected:
            raise OAuthError("invalid_request", "The request is incomplete.", reason="request_incomplete") from None
        if len(body) > MAX_BODY:
            raise _too_large()
        return body

    def raw_query(self) -> bytes:
        """The query string as it came. Raise OAuthError with status 414 when it is longer than `MAX_QUERY`."""
        # WSGI hands bytes over as latin-1 text (PEP 3333).
        query: bytes = self.environ.get("QUERY_STRING", "").encode("latin-1", "replace")
        if len(query) > MAX_QUERY:
            raise OAuthError("invalid_request", "The URL is too long.", reason="request_too_large", status=414)
        return query

    def raw_form(self) -> bytes:
        """The body of a form POST as it came -- RFC 6749 section 3.2 allows no other format."""
        if self.mimetype != FORM:
            if not self.mimetype and not self.body():
                return b""
            raise OAuthError(
                "invalid_request",
                "Send the parameters as application/x-www-form-urlencoded.",
                reason="invalid_content_type",
            )
        return self.body()

    def form_parameters(self) -> Parameters:
        """The parameters of a form POST. Raise OAuthError for anything else or anything malformed."""
        return decode_form(self.raw_form())


def _too_large() -> OAuthError:
    return OAuthError("invalid_request", "The request is too large.", reason="request_too_large", status=413)


def json_response(
    data: Mapping[str, Any], status: int = 200, headers: Iterable[tuple[str, str]] = NO_STORE
) -> Response:
    """A JSON answer that no cache keeps, unless other `headers` say so -- RFC 6749 section 5.1."""
    response = Response(json.dumps(dict(data)), status, mimetype="application/json")
    response.headers.extend(list(headers))
    return response


def redirect(uri: str, status: Literal[302, 303] = 302) -> Response:
    """A redirect whose Location is `uri` byte for byte, and whose target is not told where the browser came from."""
    response = Response(status=status)
    response.headers["Location"] = uri
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers.extend(list(NO_STORE))
    return response


Answers = Literal["json", "page"]
Handler = Callable[["Server", Request], Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One URL of ours. `answers` is how it reports errors: to a program or to a person."""

    path: str
    methods: tuple[str, ...]
    answers: Answers
    metadata_name: str | None
    handle: Handler
    cross_origin: bool = False
    """Whether scripts of other sites may use it: it believes no cookie, so they gain nothing by it."""


def endpoint(
    path: str,
    *,
    methods: tuple[str, ...],
    answers: Answers,
    metadata_name: str | None = None,
    cross_origin: bool = False,
) -> Callable[[Handler], Endpoint]:
    """Make a function the handler of an endpoint. It is served once it stands in the list of `endpoints`."""

    def decorate(handle: Handler) -> Endpoint:
        return Endpoint(
            path=path,
            methods=methods,
            answers=answers,
            metadata_name=metadata_name,
            handle=handle,
            cross_origin=cross_origin,
        )

    return decorate
