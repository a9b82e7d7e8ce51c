"""Providers for every way a user can be signed in."""

import pytest

from tests.provider import Provider


@pytest.fixture
def make_provider(clock):
    """A provider with settings of the test's own."""

    def make(**settings):
        return Provider(clock, **settings)

    return make
