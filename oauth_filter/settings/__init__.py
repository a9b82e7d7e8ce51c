"""Every option, typed, with its default and its meaning. The ini file and the documentation are read off this."""

from oauth_filter.settings.faults import is_local
from oauth_filter.settings.option import DAY
from oauth_filter.settings.option import HOUR
from oauth_filter.settings.option import MAY_BE_ZERO
from oauth_filter.settings.option import MINUTE
from oauth_filter.settings.option import Kind
from oauth_filter.settings.option import option
from oauth_filter.settings.option import options
from oauth_filter.settings.profiles import PROFILES
from oauth_filter.settings.sections import Algorithm
from oauth_filter.settings.sections import JWTIssuer
from oauth_filter.settings.sections import Rule
from oauth_filter.settings.settings import Settings

__all__ = [
    "DAY",
    "HOUR",
    "MAY_BE_ZERO",
    "MINUTE",
    "PROFILES",
    "Algorithm",
    "JWTIssuer",
    "Kind",
    "Rule",
    "Settings",
    "is_local",
    "option",
    "options",
]
