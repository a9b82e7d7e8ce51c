"""Scopes as sets -- RFC 6749 section 3.3."""

import pytest

from oauth_filter.scope import Scope


class Token(str):
    """A token that counts how often it is compared."""

    __slots__ = ()
    compared = 0

    def __eq__(self, other):
        Token.compared += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


@pytest.mark.promise(7)
def test_a_scope_of_many_tokens_takes_no_square_of_their_number_to_compare():
    many = [Token(number) for number in range(2000)]
    assert Scope(*many) <= Scope(*reversed(many), "more")
    assert Token.compared < 20 * len(many)
