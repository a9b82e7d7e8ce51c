"""What every store test has: a clock that stands still until it is told to go."""

import pytest

pytest.register_assert_rewrite("tests.stores.contract")


class Clock:
    def __init__(self):
        self.time = 1_700_000_000.25

    def __call__(self):
        return self.time

    def advance(self, seconds):
        self.time += seconds


@pytest.fixture
def clock():
    return Clock()
