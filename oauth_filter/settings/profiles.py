"""Profiles: named tables of other defaults, and nothing else. No code asks for the name of one."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from typing import Final

from oauth_filter.settings.option import MINUTE

PROFILES: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "default": {},
        "nuxeo": {
            "code_lifetime": 10 * MINUTE,
            "allow_plain_pkce": True,
            "token_parameters_in_query": True,
            "refresh_revokes_access_token": True,
            "jwt_require_exp": False,
            "jwt_require_aud": False,
            "jwt_require_jti": False,
            "nuxeo_directory_api": True,
        },
        "fusionauth": {
            "code_lifetime": 30,
            "device_code_lifetime": 5 * MINUTE,
            "refresh_token_usage": "reusable",
            "refresh_token_expiration": "fixed",
            "refresh_token_requires_offline_access": True,
            "fusionauth_parameters": True,
        },
    }
)
