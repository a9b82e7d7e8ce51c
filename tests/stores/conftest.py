"""What every store test has: a clock that stands still until it is told to go, and servers that run while needed."""

import pytest

pytest.register_assert_rewrite("tests.stores.contract")

from tests.servers import MariaDB  # noqa: E402
from tests.servers import PostgreSQL  # noqa: E402
from tests.servers import Redis  # noqa: E402


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


@pytest.fixture(scope="session")
def lasting_clock():
    """For a store that outlives a test; the test sets it back."""
    return Clock()


def _running(server):
    server = server()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def postgresql():
    yield from _running(PostgreSQL)


@pytest.fixture(scope="session")
def redis_server():
    yield from _running(Redis)


@pytest.fixture(scope="session")
def mariadb():
    yield from _running(MariaDB)
