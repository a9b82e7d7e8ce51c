"""One WSGI callable that makes any WSGI application an OAuth 2 provider and a protected resource."""

from importlib import import_module
from typing import TYPE_CHECKING
from typing import Any

if TYPE_CHECKING:
    from oauth_filter.errors import ConfigError
    from oauth_filter.errors import OAuthError
    from oauth_filter.events import Event
    from oauth_filter.middleware import OAuthFilter
    from oauth_filter.records import Client
    from oauth_filter.records import User
    from oauth_filter.resource_server.principal import Principal
    from oauth_filter.settings import Rule
    from oauth_filter.settings import Settings

__all__ = ["Client", "ConfigError", "Event", "OAuthError", "OAuthFilter", "Principal", "Rule", "Settings", "User"]

_MODULES = {
    "Client": "oauth_filter.records",
    "ConfigError": "oauth_filter.errors",
    "Event": "oauth_filter.events",
    "OAuthError": "oauth_filter.errors",
    "OAuthFilter": "oauth_filter.middleware",
    "Principal": "oauth_filter.resource_server.principal",
    "Rule": "oauth_filter.settings",
    "Settings": "oauth_filter.settings",
    "User": "oauth_filter.records",
}


def __getattr__(name: str) -> Any:
    # Loaded when asked for: who uses only `oauth_filter.messages` in a client needs neither the server nor its pages.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
