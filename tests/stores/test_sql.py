"""The SQL store keeps the contract on real servers."""

import pytest

from oauth_filter.stores import open_store
from tests.stores.contract import StoreContract


@pytest.fixture
def opened(server, clock):
    """Open the store of the server, empty at first, as often as asked."""
    stores = []
    server.empty()

    def opened(**options):
        stores.append(open_store(server.url, **({"now": clock, "synchronous": "NORMAL"} | options)))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


@pytest.fixture
def store(opened):
    return opened()


class TestPostgreSQL(StoreContract):
    @pytest.fixture
    def server(self, postgresql):
        return postgresql

    @pytest.fixture
    def store(self, opened):
        return opened()
