"""The rules of `[protect]`: what a request needs, by its method and path."""

from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from typing import Literal

from oauth_filter.resource_server.spellings import readings
from oauth_filter.settings import Rule

Token = Literal["none", "optional", "required"]
_STRICTER: Final[tuple[Token, ...]] = ("none", "optional", "required")
_NEEDS: Final[dict[str, Token]] = {"public": "none", "optional": "optional", "authenticated": "required"}

_REMEMBERED: Final = 4096
_MAX_REMEMBERED_LENGTH: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What a request must bring: whether a token, and the scopes it must have, all of them."""

    token: Token = "required"
    scope: frozenset[str] = frozenset()


class Rules:
    """The compiled rules. The first that matches wins; where none does, a token is needed.

    A request must satisfy the rule of every reading of its path (see `spellings`) and of the same in another case:
    the greatest need of a token and the union of the scopes. So an application that does not mind case cannot be
    reached around a rule, and `public` opens what it spells and nothing else.
    """

    def __init__(self, protect: Iterable[Rule], *, refuse_ambiguous_paths: bool) -> None:
        self._as_spelled: Final = [(r.method and r.method.upper(), r.path, _requirement(r)) for r in protect]
        self._in_any_case: Final = [(m, path.casefold(), needs) for m, path, needs in self._as_spelled]
        self._refuse_ambiguous_paths: Final = refuse_ambiguous_paths
        self._remembered: Final = lru_cache(maxsize=_REMEMBERED)(self._judge)

    def requirement(self, method: str, path: str) -> Requirement | None:
        """What a request of this `REQUEST_METHOD` and `PATH_INFO` needs; None for a path to refuse.

        Fifty rules cost one look-up: what was judged lately is remembered. Does not look at the query, at
        `SCRIPT_NAME`, which a client may control, or at headers: an application that takes its method from
        X-HTTP-Method-Override needs rules without a method.
        """
        # What is remembered is of bounded size, so that nobody can fill the memory with long paths.
        if len(path) + len(method) > _MAX_REMEMBERED_LENGTH:
            return self._judge(method, path)
        return self._remembered(method, path)

    def _judge(self, method: str, path: str) -> Requirement | None:
        method = method.upper()
        if method == "OPTIONS" and path == "*":
            path = "/*"  # the server as such (RFC 9110 section 9.3.7), which some servers spell this way themselves
        spelled = readings(path, refuse_ambiguous=self._refuse_ambiguous_paths)
        if spelled is None:
            return None
        needs = [_first(self._as_spelled, method, reading) for reading in spelled]
        needs += [_first(self._in_any_case, method, folded) for folded in {reading.casefold() for reading in spelled}]
        return Requirement(
            token=max((need.token for need in needs), key=_STRICTER.index),
            scope=frozenset().union(*(need.scope for need in needs)),
        )


def _requirement(rule: Rule) -> Requirement:
    return Requirement(token="required" if rule.scope else _NEEDS[rule.access], scope=frozenset(rule.scope))


def _first(rules: Sequence[tuple[str | None, str, Requirement]], method: str, path: str) -> Requirement:
    for rule_method, rule_path, requirement in rules:
        if (rule_method is None or method == rule_method or (method == "HEAD" and rule_method == "GET")) and (
            path == rule_path
            or (rule_path.endswith("/") and (path.startswith(rule_path) or path == rule_path.removesuffix("/")))
        ):
            return requirement
    return Requirement()
