"""Scope -- RFC 6749 section 3.3."""

import re
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Set
from typing import Final

SCOPE_TOKEN: Final = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")
"""`scope-token = 1*NQCHAR`: printable ASCII without space, double quote and backslash."""

OPENID_SCOPES: Final = ("openid", "offline_access", "profile", "email", "address", "phone")
"""Scopes that mean something to us without standing in `[scopes]` -- OpenID Connect Core sections 5.4 and 11."""

ADMIN_SCOPE: Final = "oauth2:admin"
"""The scope to administer over HTTP. Only a client that is registered for it by name gets it, whatever `unknown_scope`
says.
"""


class Scope(Set[str]):
    """An immutable set of scope tokens that remembers their order.

    `Scope("read", "write")` and `Scope.parse("read write")` are equal; order does not matter for equality and
    hashing. `str()` joins with one space, as the wire wants it.
    """

    __slots__ = ("_tokens",)

    def __init__(self, *tokens: str) -> None:
        """Raise ValueError for a token RFC 6749 section 3.3 does not allow."""
        for token in tokens:
            if not SCOPE_TOKEN.fullmatch(token):
                raise ValueError("not a scope-token (RFC 6749 section 3.3)")
        # For its order, and because who asks chooses how many there are: looking for each in a tuple takes seconds.
        self._tokens = dict.fromkeys(tokens)

    @classmethod
    def parse(cls, text: str) -> "Scope":
        """Split at spaces; runs of spaces collapse. Raise ValueError for an illegal scope token."""
        return cls(*(token for token in text.split(" ") if token))

    @classmethod
    def _from_iterable(cls, it: Iterable[str]) -> "Scope":  # type: ignore[override]
        return cls(*it)

    def __contains__(self, token: object) -> bool:
        return token in self._tokens

    def __iter__(self) -> Iterator[str]:
        return iter(self._tokens)

    def __len__(self) -> int:
        return len(self._tokens)

    def __hash__(self) -> int:
        return self._hash()

    def __str__(self) -> str:
        return " ".join(self._tokens)

    def __repr__(self) -> str:
        return f"Scope({', '.join(map(repr, self._tokens))})"
