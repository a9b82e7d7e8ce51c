"""URIs with a `*` in them, which a client may register once it has asked for that, and what they match.

The rules are those of FusionAuth's URL validation. A `*` stands for one or more characters:

- in the left-most label of a host name with three labels or more: letters, digits, `-` and `_`;
- as the whole port: digits;
- once in each segment of the path: anything that does not leave the segment;
- as the whole value of a query parameter: anything that does not leave the value.

It stands nowhere else: not in the scheme, a user name, an IP address or a fragment. All other text is compared
character by character; there are as many segments and parameters, in the same order.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from oauth_filter.messages.redirect_uri import is_uri_text

# RFC 3986 appendix B, for text that has passed `is_uri_text` and has no fragment.
_URI: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):(?://([^/?]*))?([^?]*)(?:\?(.*))?")
_AUTHORITY: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._*\-]*)(?::([0-9*]*))?")

_IN_LABEL: Final = re.compile(r"[A-Za-z0-9_\-]+")
_IN_PORT: Final = re.compile(r"[0-9]{1,5}")
_IN_SEGMENT: Final = re.compile(r"[^/?#]+")
# Some servers take `;` for `&`: then a value could bring a second `code` along.
_IN_VALUE: Final = re.compile(r"[^&;#]+")

_NUMBER: Final = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_DOTS: Final = re.compile(r"(\.|%2[eE]){1,2}((;|%3[bB]).*)?")
_HIDDEN_SLASH: Final = re.compile(r"%2[fF]|%5[cC]")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    scheme: str
    host: str | None
    port: str | None
    path: str
    query: str | None


def is_pattern(uri: str) -> bool:
    """Whether a registered URI has a wildcard in it."""
    return "*" in uri


def pattern_fault(pattern: str) -> str | None:
    """Why a URI with a `*` in it must not be registered, as a sentence; None when it may.

    Does not check what else is asked of a URI: check `sample(pattern)` for that.
    """
    return next(_faults(pattern), None)


def sample(pattern: str) -> str:
    """A URI that a well-formed pattern matches."""
    parts = _split(pattern)
    if parts is not None and parts.port == "*":
        pattern = pattern.replace(":*", ":1", 1)
    return pattern.replace("*", "x")


def pattern_matches(pattern: str, uri: str) -> bool:
    """Whether a URI is one of those that a pattern stands for. A pattern that is at fault matches nothing.

    Takes time proportional to their length. Does not check that the URI may be redirected to at all.
    """
    return pattern_fault(pattern) is None and not differences(pattern, uri)


def differences(pattern: str, uri: str) -> tuple[str, ...]:
    """The parts in which a URI is not what a pattern, or a URI without a `*`, wants. Empty when it is."""
    # No parser of URLs sees the text: what it would repair, such as a TAB, a backslash or a second @, is refused.
    wanted, given = _split(pattern), _split(uri)
    if wanted is None or given is None:
        return ("its characters",)
    parts = {
        "scheme": given.scheme == wanted.scheme,
        "host": _host_fits(wanted.host, given.host),
        "port": _fits(wanted.port, given.port, _IN_PORT),
        "path": _path_fits(wanted.path, given.path),
        "query": _query_fits(wanted.query, given.query),
    }
    return tuple(name for name, fits in parts.items() if not fits)


def _split(uri: str) -> _Parts | None:
    """The parts of a URI or pattern; None for what is neither, and for a user name or an unusual host."""
    split = _URI.fullmatch(uri) if is_uri_text(uri) and "#" not in uri else None
    if split is None:
        return None
    scheme, authority, path, query = split.groups()
    if authority is None:
        return _Parts(scheme=scheme, host=None, port=None, path=path, query=query)
    place = _AUTHORITY.fullmatch(authority)
    return place and _Parts(scheme=scheme, host=place[1], port=place[2], path=path, query=query)


def _faults(pattern: str) -> Iterator[str]:
    parts = _split(pattern)
    if parts is None:
        yield "a * stands in a host name, as a port, in the path or as a query value, and nowhere else"
        return
    yield from _host_faults(parts.host or "")
    if "*" in (parts.port or "") and parts.port != "*":
        yield "a * stands for the whole port"
    for segment in parts.path.split("/"):
        if segment.count("*") > 1:
            yield "there is at most one * in a segment of the path"
        if _is_unsafe(segment):
            yield "beside a * the path has no segments '.' and '..', and no slash that is escaped"
    for parameter in (parts.query or "").split("&"):
        name, _, value = parameter.partition("=")
        if "*" in name or ("*" in value and value != "*"):
            yield "a * stands for the whole value of a query parameter"


def _host_faults(host: str) -> Iterator[str]:
    if "*" not in host:
        return
    first, *others = host.split(".")
    if any("*" in label for label in others):
        yield "a * stands only in the left-most label of a host name"
    if first.count("*") > 1:
        yield "there is at most one * in a host name"
    if others and _NUMBER.fullmatch(others[-1]):
        yield "there is no * in an IP address"
    if len(others) < 2 or not all(others):
        yield "a host name with a * has three labels or more, such as *.example.com"


def _is_unsafe(segment: str) -> bool:
    # Browsers resolve dot segments, escaped ones too, and would leave the path that was registered. To many servers an
    # escaped slash is a slash, and `..;x` is `..`.
    return _DOTS.fullmatch(segment) is not None or _HIDDEN_SLASH.search(segment) is not None


def _fits(wanted: str | None, given: str | None, replacement: re.Pattern[str]) -> bool:
    """Whether a part is the one wanted, where at most one `*` stands for what `replacement` matches."""
    if wanted is None or given is None or "*" not in wanted:
        return wanted == given
    before, _, after = wanted.partition("*")
    end = len(given) - len(after)
    return (
        end > len(before)
        and given.startswith(before)
        and given.endswith(after)
        and replacement.fullmatch(given, len(before), end) is not None
    )


def _host_fits(wanted: str | None, given: str | None) -> bool:
    if wanted is None or given is None or "*" not in wanted:
        return wanted == given
    first, _, others = wanted.partition(".")
    label, _, rest = given.partition(".")
    return rest == others and _fits(first, label, _IN_LABEL)


def _path_fits(wanted: str, given: str) -> bool:
    if "*" not in wanted:
        return given == wanted
    ours, theirs = wanted.split("/"), given.split("/")
    return len(ours) == len(theirs) and all(
        _fits(one, other, _IN_SEGMENT) and not _is_unsafe(other) for one, other in zip(ours, theirs, strict=True)
    )


def _query_fits(wanted: str | None, given: str | None) -> bool:
    if wanted is None or given is None or "*" not in wanted:
        return wanted == given
    ours, theirs = wanted.split("&"), given.split("&")
    return len(ours) == len(theirs) and all(
        _fits(one, other, _IN_VALUE) for one, other in zip(ours, theirs, strict=True)
    )
