"""Asking the wrapped application who is signed in: one request to a view of its own, made without a network.

The view answers 200 with JSON such as {"username": "alice", "name": "Alice Example"}, or with the user name as plain
text. 204, 401, 403, a redirect, or no user name mean that nobody is signed in. Everything else, HTML above all, is no
answer: a sign-in form that comes with a 200 must not become a user.
"""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

from oauth_filter.records import User

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment

MAX_ANSWER: Final = 64 * 1024
"""Bytes of the answer that are read at most."""
MAX_USERNAME: Final = 255

# The question is ours. Of the browser's request only this is passed on: whose it is, and how it reached us.
_PASSED_ON: Final = frozenset(
    {
        "SCRIPT_NAME",
        "SERVER_NAME",
        "SERVER_PORT",
        "SERVER_PROTOCOL",
        "SERVER_SOFTWARE",
        "REMOTE_ADDR",
        "REMOTE_HOST",
        "REMOTE_PORT",
        "HTTPS",
        "HTTP_COOKIE",
        "HTTP_HOST",
        "HTTP_USER_AGENT",
        "HTTP_ACCEPT_LANGUAGE",
        "HTTP_FORWARDED",
        "HTTP_X_FORWARDED_FOR",
        "HTTP_X_FORWARDED_HOST",
        "HTTP_X_FORWARDED_PORT",
        "HTTP_X_FORWARDED_PREFIX",
        "HTTP_X_FORWARDED_PROTO",
    }
)

# How frameworks spell "nobody" when it is printed: taken for a name, all strangers would share one account.
_NOBODY: Final = frozenset({"", "None", "null", "Anonymous", "anonymous", "AnonymousUser"})


class NoAnswer(Exception):
    """The application did not say who is signed in, nor that nobody is. The message is for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the application said."""

    status: int
    content_type: str
    body: bytes


def ask(application: "WSGIApplication", environ: "WSGIEnvironment", path: str) -> Answer:
    """The application's answer to GET `path` from the browser of `environ`. Raise NoAnswer if it has none.

    What the application raises is raised. A cookie that it sets here does not reach the browser.
    """
    path, _, query = path.partition("?")
    asked = {key: value for key, value in environ.items() if key in _PASSED_ON or key.startswith("wsgi.")}
    asked |= {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path.encode().decode("latin-1"),  # PEP 3333
        "QUERY_STRING": query,
        "CONTENT_LENGTH": "0",
        "HTTP_ACCEPT": "application/json, text/plain;q=0.5",
        "wsgi.input": io.BytesIO(),
    }
    said: dict[str, Any] = {}
    body = bytearray()

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        said["status"] = int(status[:3])
        said["content_type"] = next((value for name, value in headers if name.lower() == "content-type"), "")
        return body.extend

    parts = application(asked, start_response)
    try:
        for part in parts:
            body += part
            if len(body) > MAX_ANSWER:
                raise NoAnswer(f"more than {MAX_ANSWER} bytes")
    finally:
        if (close := getattr(parts, "close", None)) is not None:
            close()
    if not said:
        raise NoAnswer("start_response was not called")
    return Answer(**said, body=bytes(body))


def read(answer: Answer) -> User | None:
    """Whom an answer names, None when it says that nobody is signed in. Raise NoAnswer for anything else."""
    if answer.status in (204, 401, 403) or 300 <= answer.status < 400:
        return None
    if answer.status != 200:
        raise NoAnswer(f"status {answer.status}")
    try:
        text = answer.body.decode()
        match answer.content_type.partition(";")[0].strip().lower():
            case "application/json":
                said = json.loads(text)
            case "text/plain":
                said = {"username": text.strip()}
            case _:
                raise NoAnswer("neither application/json nor text/plain")
    except (ValueError, RecursionError):
        raise NoAnswer("malformed JSON, or not UTF-8") from None
    if said is None:
        return None
    if not isinstance(said, dict):
        raise NoAnswer("JSON that is not an object")
    username = said.get("username")
    if username is None or username in _NOBODY:
        return None
    if not isinstance(username, str) or not is_name(username):
        raise NoAnswer(f"a username that is not a text of at most {MAX_USERNAME} printable characters")
    name = said.get("name")
    return User(key=username, subject=username, name=name if isinstance(name, str) and is_name(name) else "")


def is_name(text: str) -> bool:
    """Whether a text can name somebody: a line break in it could forge a line of a log, an endless one fill it."""
    return text.isprintable() and len(text) <= MAX_USERNAME
