"""PasteDeploy: `use = egg:oauth-filter` in a `[filter:...]` section."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from oauth_filter import ini
from oauth_filter.middleware import OAuthFilter
from oauth_filter.settings import Settings
from oauth_filter.settings import options

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def filter_factory(global_conf: dict[str, str], **local_conf: str) -> Callable[["WSGIApplication"], OAuthFilter]:
    """A filter from `config = path/to/oauth.ini`, from options of `[oauth_filter]` in the section itself, or both.

    What is written in the section wins over the file. Relative paths start at the folder of the PasteDeploy file, in
    options beside `config` at the folder of that file. Rules, scopes and clients have sections of their own, and so
    need `config`; without it every path needs a token. An option that stands in `[DEFAULT]` counts too, and wins over
    the section unless that says `set name = value`: so PasteDeploy has it. Raise ConfigError with every fault there is.
    """
    ours = {"config", *(name for name, _, _ in options(Settings))}
    written = {name: value for name, value in global_conf.items() if name in ours} | local_conf
    config = written.pop("config", None)
    here = Path(global_conf.get("here", ""))
    if config is not None:
        settings = ini.load(here / config, overrides=written)
    else:
        settings = ini.parse("", file=global_conf.get("__file__", "PasteDeploy"), here=here, overrides=written)
    return lambda application: OAuthFilter(application, settings)
