"""Who the user is: four sources behind one seam.

A source answers `find` (who is that user name now) and either `authenticate` (a password, on our login page) or
`current` (somebody else has signed the browser in, and says so with each request).
"""

import importlib
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Protocol

from oauth_filter import passwords
from oauth_filter.authorization_server import who_am_i
from oauth_filter.authorization_server.proxies import is_trusted
from oauth_filter.errors import ConfigError
from oauth_filter.errors import OAuthError
from oauth_filter.errors import Problem
from oauth_filter.events import logger
from oauth_filter.records import User
from oauth_filter.settings import Settings
from oauth_filter.stores import Store

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment


class Users(Protocol):
    """Where users come from."""

    has_login_page: bool
    """Whether people sign in on our page with a password; otherwise `current` knows them."""
    keeps_a_list: bool
    """Whether `find` knows who is a user; otherwise every name could be one."""

    def find(self, username: str) -> User | None:
        """The user as known now, or None. A disabled user is None."""
        ...

    def authenticate(self, username: str, password: str) -> User | None:
        """The user whose password this is, or None. Says nothing about why not."""
        ...

    def current(self, environ: "WSGIEnvironment") -> User | None:
        """Whom the request comes from, or None. Raise OAuthError when that cannot be told now."""
        ...


class Directory:
    """`login = directory`: the users of our own store."""

    has_login_page = True
    keeps_a_list = True

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
    """`login = remote_user`: the server or a middleware in front has authenticated, as CGI's REMOTE_USER says.

    A key other than a header is believed, because only what runs in this process can set it; a header is believed of
    `trusted_proxies` only, and it is for them to remove what their own clients send under that name.
    """

    has_login_page = False
    keeps_a_list = False

    def __init__(self, settings: Settings) -> None:
        self._key = settings.remote_user_key
        self._proxies = settings.trusted_proxies

    def find(self, username: str) -> User | None:
        # The server in front keeps the list of users; a name it has vouched for is all there is to know.
        return User(key=username, subject=username)

    def authenticate(self, username: str, password: str) -> User | None:
        return None

    def current(self, environ: "WSGIEnvironment") -> User | None:
        # Anybody can send a header; only the named proxies are believed.
        if self._key.startswith("HTTP_") and not is_trusted(environ.get("REMOTE_ADDR", ""), self._proxies):
            return None
        username = _decoded(environ.get(self._key) or "")
        return self.find(username) if username else None


class WrappedApplication:
    """`login = application`: the wrapped application's own session, asked in-process with the browser's cookies."""

    has_login_page = False
    keeps_a_list = False

    def __init__(self, application: "WSGIApplication", settings: Settings) -> None:
        self._application = application
        self._path = settings.who_am_i

    def find(self, username: str) -> User | None:
        # The application keeps the list of users; it is asked again whenever the browser is there to be asked.
        return User(key=username, subject=username)

    def authenticate(self, username: str, password: str) -> User | None:
        return None

    def current(self, environ: "WSGIEnvironment") -> User | None:
        try:
            return who_am_i.read(who_am_i.ask(self._application, environ, self._path))
        except who_am_i.NoAnswer as problem:
            logger.error("who_am_i = %s did not say who is signed in: %s", self._path, problem)
        except Exception:
            # A bug of the application, not of ours: it must not look like one.
            logger.exception("who_am_i = %s failed in the application", self._path)
        raise OAuthError(
            "temporarily_unavailable", "The application could not say who is signed in.", reason="who_am_i_failed"
        )


class Callback:
    """`login = package.module:callable`: `callable(username, password)` returns a `User` or None.

    If the callable has an attribute `find(username)` returning a `User` or None, it is asked whenever a token is
    looked at afresh, and can so end a user's access; without one, the user name is the subject. It may raise
    `OAuthError("temporarily_unavailable", ...)`; anything else is taken for a bug.
    """

    has_login_page = True

    def __init__(self, path: str) -> None:
        module, _, name = path.partition(":")
        try:
            self._authenticate = getattr(importlib.import_module(module), name)
        except Exception as error:  # whatever a module does while it is imported
            message = f"{path} cannot be imported: {type(error).__name__}: {error}"
            raise ConfigError([Problem(option="login", message=message)]) from error
        if not callable(self._authenticate):
            raise ConfigError([Problem(option="login", message=f"{path} is nothing that can be called")])
        self._find = getattr(self._authenticate, "find", None)
        self.keeps_a_list = self._find is not None
        self._path = path

    def find(self, username: str) -> User | None:
        if self._find is None:
            return User(key=username, subject=username)
        return self._known(self._find(username))

    def authenticate(self, username: str, password: str) -> User | None:
        user = self._known(self._authenticate(username, password))
        if user is None or self._find is not None:
            return user
        # Only what `find` can say again, or the session would be that of somebody who cannot be found.
        return replace(user, subject=user.key, password_hash=None)

    def current(self, environ: "WSGIEnvironment") -> User | None:
        return None

    def _known(self, user: object) -> User | None:
        if user is None:
            return None
        if not isinstance(user, User):
            raise TypeError(f"login = {self._path} returned {type(user).__name__}, not oauth_filter.User or None")
        # A token without a subject would be that of a client acting for itself.
        return replace(user, subject=user.subject or user.key) if user.enabled else None


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


def _decoded(value: str) -> str:
    """The text of a CGI variable: UTF-8 behind latin-1 (PEP 3333). Empty for what is neither that nor a name."""
    try:
        text = value.encode("latin-1").decode()
    except UnicodeEncodeError:
        text = value  # a middleware in front wrote plain text
    except UnicodeDecodeError:
        return ""
    return text if who_am_i.is_name(text) else ""
