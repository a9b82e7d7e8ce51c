"""What nearly every test needs: a clock that stands still until it is moved, and settings that can be run."""

import pytest

from oauth_filter import Settings

pytest_plugins = ["tests.provider"]


class Clock:
    """Seconds since the epoch, as `now` of everything that takes one."""

    def __init__(self):
        self.time = 1_700_000_000.25

    def __call__(self):
        return self.time

    def advance(self, seconds):
        self.time += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def settings():
    """A function that makes settings, from defaults fit for tests and the changes it is given."""

    def make(**changes):
        return Settings(**{"issuer": "http://localhost:8080", "store": "memory:", "secret": "s3cr3t-0" * 8, **changes})

    return make
