"""The Redis store keeps the contract on a real server."""

import pytest

from oauth_filter.stores import open_store
from tests.stores.contract import StoreContract


@pytest.fixture
def opened(redis_server, clock):
    """Open the store of the server, empty at first, as often as asked."""
    stores = []
    redis_server.empty()

    def opened(**options):
        stores.append(open_store(redis_server.url, **({"now": clock, "synchronous": "NORMAL"} | options)))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


@pytest.fixture
def store(opened):
    return opened()


class TestRedis(StoreContract):
    @pytest.fixture
    def store(self, opened):
        return opened()
