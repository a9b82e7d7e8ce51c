"""The one WSGI callable: it answers what is ours, guards everything else, and hands it to the application."""

import os
import time
from collections.abc import Callable
from collections.abc import Iterable
from typing import TYPE_CHECKING
from typing import Final

from oauth_filter import ini
from oauth_filter.authorization_server.app import AuthorizationServer
from oauth_filter.errors import ConfigError
from oauth_filter.registration import client_faults
from oauth_filter.resource_server.guard import Guard
from oauth_filter.settings import Settings
from oauth_filter.stores import Store
from oauth_filter.stores import open_store

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment


class OAuthFilter:
    """Any WSGI application as an OAuth 2 provider and a protected resource:

        app = OAuthFilter(app, "oauth.ini")

    `settings` is the path of an ini file, or `Settings`. `store` is opened from the settings unless one is given.
    `now` is the clock, in seconds since the epoch; tests move it. Raise ConfigError with every fault there is.

    Put it outermost, and nothing between it and the server that rewrites paths: whatever reads a path after it has
    been judged may read another one. It keeps no state beside its store, so several can live in one process.
    """

    def __init__(
        self,
        application: "WSGIApplication",
        settings: "str | os.PathLike[str] | Settings",
        *,
        store: Store | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.application: Final = application
        self.settings: Final = settings if isinstance(settings, Settings) else ini.load(settings)
        # Settings of Python have not been through the ini, which checks this line by line.
        if problems := [fault for client in self.settings.clients for fault in client_faults(client)]:
            raise ConfigError(problems)
        self.store: Final = (
            open_store(self.settings.store, now=now, synchronous=self.settings.synchronous) if store is None else store
        )
        self._server: Final = AuthorizationServer(self.settings, self.store, application=application, now=now)
        self._owns: Final = self._server.owns
        self._guard: Final = Guard(
            application, self.settings, self.store, is_honoured=self._server.is_honoured, now=now
        )

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if self._owns(environ.get("PATH_INFO", "")):
            return self._server(environ, start_response)
        return self._guard(environ, start_response)
