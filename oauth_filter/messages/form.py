"""`application/x-www-form-urlencoded`, strictly -- RFC 6749 appendix B and section 3.1.

The one decoder for queries, form bodies, fragments and the halves of HTTP Basic. It splits at `&` only and at the
first `=`, reads `+` as a space, keeps every value of a repeated name, and refuses what others guess at: broken
percent escapes, bytes that are not UTF-8, and NUL, which databases and C libraries take for the end of a text.
"""

import re
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Final
from typing import LiteralString
from urllib.parse import unquote
from urllib.parse import urlencode

from oauth_filter.messages.errors import ProtocolError

MAX_PARAMETERS: Final = 1000

_BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


class Parameters(Mapping[str, str]):
    """Names and their values, immutable and hashable; a name may have several values.

    As a mapping it shows the first value of each name; `getlist()` shows all. Two are equal when every name has
    the same values in the same order. `repr()` shows names only, because values are codes, tokens and secrets.
    """

    __slots__ = ("_values",)

    _values: dict[str, tuple[str, ...]]

    def __init__(self, parameters: Mapping[str, str | Iterable[str]] | Iterable[tuple[str, str]] = ()) -> None:
        """Take a mapping whose values are a text or several, or pairs in which a name may come again."""
        values: dict[str, tuple[str, ...]] = {}
        if isinstance(parameters, Parameters):
            values = parameters._values
        elif isinstance(parameters, Mapping):
            for name, value in parameters.items():
                several = (value,) if isinstance(value, str) else tuple(value)
                if several:
                    values[name] = several
        else:
            for name, value in parameters:
                values[name] = (*values.get(name, ()), value)
        self._values = values

    @classmethod
    def _of(cls, values: dict[str, tuple[str, ...]]) -> "Parameters":
        made = cls.__new__(cls)
        made._values = values
        return made

    def __getitem__(self, name: str) -> str:
        return self._values[name][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __eq__(self, other: object) -> bool:
        return self._values == other._values if isinstance(other, Parameters) else NotImplemented

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        return f"<Parameters {list(self._values)}>"

    def getlist(self, name: str) -> list[str]:
        """Every value of `name` in the order they came; empty when there is none."""
        return list(self._values.get(name, ()))

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Every name with every value, values of one name together."""
        return ((name, value) for name, values in self._values.items() for value in values)

    def single(self, name: LiteralString) -> str | None:
        """The one value of a parameter the protocol defines; None when it is absent or has no value.

        "Parameters sent without a value MUST be treated as if they were omitted", and "MUST NOT be included more
        than once": raise ProtocolError `invalid_request` for different values. The same value again is let
        through, as clients in the field do that and it cannot be read in two ways.
        """
        values = self._values.get(name)
        if values is None:
            return None
        if len(values) > 1 and len(set(values)) > 1:
            raise ProtocolError(
                "invalid_request", f"Parameter {name} is sent more than once", reason="repeated_parameter"
            )
        return values[0] or None

    def refuse_repeated(self, names: Iterable[LiteralString]) -> None:
        """Raise ProtocolError `invalid_request` if one of `names` has different values."""
        for name in names:
            self.single(name)

    def without(self, names: Iterable[str]) -> "Parameters":
        """The parameters that are none of `names`."""
        dropped = frozenset(names)
        return self._of({name: values for name, values in self._values.items() if name not in dropped})


def decode_form(encoded: bytes | str, *, max_parameters: int = MAX_PARAMETERS) -> Parameters:
    """Decode a raw query string (without `?`), a fragment (without `#`) or a form body.

    Bytes are what came over the wire; a text that is not ASCII is taken as Unicode, so a WSGI server encodes
    `environ["QUERY_STRING"]` as latin-1 first. White space around the whole is dropped, as are empty pieces.
    Raise ProtocolError `invalid_request`, with a constant text, for anything malformed and for more than
    `max_parameters` pieces. Does not limit the length of `encoded`: whoever reads a body does that.
    """
    try:
        text = encoded.decode() if isinstance(encoded, bytes) else encoded
        if not text.isascii():
            text.encode()  # A lone surrogate is no character, whatever Python thinks.
        text = text.strip(" \t\r\n")
        if not text:
            return Parameters()
        if text.count("&") >= max_parameters:
            raise ProtocolError("invalid_request", "Too many parameters", reason="too_many_parameters")
        if ("%" in text and (_BROKEN_ESCAPE.search(text) or "%00" in text)) or "\0" in text:
            raise _malformed()
        if "+" in text:
            text = text.replace("+", " ")
        values: dict[str, tuple[str, ...]] = {}
        for piece in text.split("&"):
            if not piece:
                continue
            name, _, value = piece.partition("=")
            if "%" in name:
                name = unquote(name, errors="strict")
            if "%" in value:
                value = unquote(value, errors="strict")
            values[name] = (*values[name], value) if name in values else (value,)
    except UnicodeError:
        raise _malformed() from None
    return Parameters._of(values)


def decode_component(encoded: str) -> str:
    """Decode one name or value. Raise ProtocolError `invalid_request` when it is malformed."""
    if _BROKEN_ESCAPE.search(encoded) or "%00" in encoded or "\0" in encoded:
        raise _malformed()
    try:
        encoded.encode()
        return unquote(encoded.replace("+", " "), errors="strict")
    except UnicodeError:
        raise _malformed() from None


def encode_form(parameters: Iterable[tuple[str, str]]) -> str:
    """Encode pairs; what `decode_form` reads back unchanged.

    Raise ValueError for what it would refuse: NUL and lone surrogates.
    """
    encoded = urlencode(list(parameters))
    if "%00" in encoded:
        raise ValueError("a parameter must not contain NUL")
    return encoded


def _malformed() -> ProtocolError:
    return ProtocolError("invalid_request", "Malformed parameters", reason="malformed_parameters")
