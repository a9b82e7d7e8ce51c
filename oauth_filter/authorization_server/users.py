"""Who the user is: four sources behind one seam.

A source answers `find` (who is that user name now) and either `authenticate` (a password, on our login page) or
`current` (somebody else has signed the browser in, and says so with each request).
"""

import importlib
import io
import ipaddress
import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any
from typing import Final
from typing import Protocol

from oauth_filter import passwords
from oauth_filter.errors import ConfigError
from oauth_filter.errors import OAuthError
from oauth_filter.errors import Problem
from oauth_filter.records import User
from oauth_filter.settings import Settings
from oauth_filter.stores import Store

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment

MAX_ANSWER: Final = 64 * 1024
"""Bytes of the application's who-am-i answer that are read at most."""


class Users(Protocol):
    """Where users come from."""

    has_login_page: bool
    """Whether people sign in on our page with a password; otherwise `current` knows them."""

    def find(self, username: str) -> User | None:
        """The user as known now, or None. A disabled user is None."""
        ...

    def authenticate(self, username: str, password: str) -> User | None:
        """The user whose password this is, or None. Says nothing about why not."""
        ...

    def current(self, environ: "WSGIEnvironment") -> User | None:
        """Whom the request comes from, or None."""
        ...


class Directory:
    """`login = directory`: the users of our own store."""

    has_login_page = True

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, username: str) -> User | None:
        user = self._store.get(User, username)
        return user if user is not None and user.enabled else None

    def authenticate(self, username: str, password: str) -> User | None:
        user = self.find(username)
        # Always verify something: an unknown name must take as long as a wrong password.
        is_right = passwords.verify_secret(password, user.password_hash if user else None)
        return user if is_right else None

    def current(self, environ: "WSGIEnvironment") -> User | None:
        return None


class RemoteUser:
    """`login = remote_user`: the server or a middleware in front has authenticated, as CGI's REMOTE_USER says."""

    has_login_page = False

    def __init__(self, settings: Settings) -> None:
        self._key = settings.remote_user_key
        self._proxies = [ipaddress.ip_network(network, strict=False) for network in settings.trusted_proxies]

    def find(self, username: str) -> User | None:
        # The server in front keeps the list of users; a name it has vouched for is all there is to know.
        return User(key=username, subject=username)

    def authenticate(self, username: str, password: str) -> User | None:
        return None

    def current(self, environ: "WSGIEnvironment") -> User | None:
        # Anybody can send a header; only the named proxies are believed.
        if self._key.startswith("HTTP_") and not self._is_trusted(environ.get("REMOTE_ADDR", "")):
            return None
        username = environ.get(self._key, "")
        return self.find(username) if username else None

    def _is_trusted(self, peer: str) -> bool:
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self._proxies)


class WrappedApplication:
    """`login = application`: the wrapped application's own session, asked in-process with the browser's cookies.

    The view at `who_am_i` answers 200 with JSON such as {"username": "alice", "name": "Alice"}, or with the user
    name as plain text; any other 2xx, 3xx or 4xx means that nobody is signed in.
    """

    has_login_page = False

    def __init__(self, application: "WSGIApplication", settings: Settings) -> None:
        self._application = application
        self._path = settings.who_am_i

    def find(self, username: str) -> User | None:
        # The application keeps the list of users; it is asked again whenever the browser is there to be asked.
        return User(key=username, subject=username)

    def authenticate(self, username: str, password: str) -> User | None:
        return None

    def current(self, environ: "WSGIEnvironment") -> User | None:
        status, content_type, body = self._ask(environ)
        if status >= 500:
            raise OAuthError(
                "temporarily_unavailable",
                "The application could not say who is signed in.",
                reason="who_am_i_failed",
            )
        if status != 200:
            return None
        return self._read(content_type, body)

    def _ask(self, environ: "WSGIEnvironment") -> tuple[int, str, bytes]:
        asked = {
            key: value
            for key, value in environ.items()
            # The question is ours: of the browser's request only who sent it is passed on.
            if key.startswith(("wsgi.", "SERVER_", "REMOTE_"))
            or key in ("SCRIPT_NAME", "HTTP_COOKIE", "HTTP_HOST", "HTTP_USER_AGENT", "HTTP_ACCEPT_LANGUAGE")
        }
        asked |= {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": self._path,
            "QUERY_STRING": "",
            "HTTP_ACCEPT": "application/json",
            "CONTENT_LENGTH": "0",
            "wsgi.input": io.BytesIO(),
        }
        answer: dict[str, Any] = {}
        written: list[bytes] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], Any]:
            answer["status"] = int(status[:3])
            answer["type"] = next((value for name, value in headers if name.lower() == "content-type"), "")
            return written.append

        body = self._application(asked, start_response)
        try:
            for part in body:
                written.append(part)
                if sum(map(len, written)) > MAX_ANSWER:
                    break
        finally:
            if (close := getattr(body, "close", None)) is not None:
                close()
        return answer["status"], answer["type"], b"".join(written)

    @staticmethod
    def _read(content_type: str, body: bytes) -> User | None:
        try:
            text = body.decode()
            said = json.loads(text) if content_type.startswith("application/json") else {"username": text.strip()}
            username, name = said.get("username"), said.get("name")
        except (ValueError, AttributeError, RecursionError):
            username = name = None
        if not isinstance(username, str) or not username or not username.isprintable() or len(username) > 255:
            return None
        return User(key=username, subject=username, name=name if isinstance(name, str) else "")


class Callback:
    """`login = package.module:callable`: `callable(username, password)` returns a `User` or None.

    If the callable has an attribute `find(username)` returning a `User` or None, it is asked whenever a token is
    looked at afresh, and can so end a user's access; without one, the user name is the subject.
    """

    has_login_page = True

    def __init__(self, path: str) -> None:
        module, _, name = path.partition(":")
        try:
            self._authenticate = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError) as error:
            raise ConfigError([Problem(option="login", message=f"cannot be imported ({error})")]) from error
        self._find = getattr(self._authenticate, "find", None)

    def find(self, username: str) -> User | None:
        if self._find is None:
            return User(key=username, subject=username)
        user: User | None = self._find(username)
        return user if user is not None and user.enabled else None

    def authenticate(self, username: str, password: str) -> User | None:
        user: User | None = self._authenticate(username, password)
        if user is None or not user.enabled:
            return None
        return user if self._find is not None else replace(user, subject=user.key)

    def current(self, environ: "WSGIEnvironment") -> User | None:
        return None


def open_users(settings: Settings, store: Store, application: "WSGIApplication") -> Users:
    """The source that `login` names. Raise ConfigError when a dotted path cannot be imported."""
    match settings.login:
        case "directory":
            return Directory(store)
        case "remote_user":
            return RemoteUser(settings)
        case "application":
            return WrappedApplication(application, settings)
        case path:
            return Callback(path)
