"""From a path to an endpoint."""

import re
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Final

from oauth_filter.authorization_server.http import Endpoint

MOUNT: Final = "/oauth2"
"""Everything below is ours, also what does not exist: the application never sees it."""
BELOW: Final = MOUNT + "/"


class Routes:
    """The paths of some endpoints, and `aliases`: other paths that lead to the same ones."""

    def __init__(self, endpoints: Iterable[Endpoint], aliases: Mapping[str, Endpoint]) -> None:
        paths = {**{endpoint.path: endpoint for endpoint in endpoints}, **aliases}
        self._exact = {path: endpoint for path, endpoint in paths.items() if "{" not in path}
        # `{name}` stands for one segment.
        self._patterns = [
            (re.compile(re.sub(r"\\?\{(\w+)\\?\}", r"(?P<\1>[^/]+)", re.escape(path))), endpoint)
            for path, endpoint in paths.items()
            if "{" in path
        ]
        self._outside = [p for p, endpoint in self._patterns if not p.pattern.startswith(re.escape(BELOW))]

    def owns(self, path: str) -> bool:
        """Whether we answer requests to this path, be it with an error."""
        path = collapsed(path)
        return (
            path.startswith(BELOW)
            or path == MOUNT
            or path in self._exact
            or any(pattern.fullmatch(path) for pattern in self._outside)
        )

    def find(self, path: str) -> tuple[Endpoint | None, Mapping[str, str]]:
        """The endpoint at a path, and what stands there for the names in braces."""
        path = collapsed(path)
        if (endpoint := self._exact.get(path)) is not None:
            return endpoint, {}
        for pattern, endpoint in self._patterns:
            if (match := pattern.fullmatch(path)) is not None:
                return endpoint, match.groupdict()
        return None, {}


def collapsed(path: str) -> str:
    """Clients in the field double slashes, and some servers keep them."""
    return re.sub(r"/{2,}", "/", path) if "//" in path else path
