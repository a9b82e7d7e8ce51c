"""The SQL store keeps the contract on real servers, and what is said of its tables and of other people's databases."""

import pytest

from oauth_filter.stores import open_store
from tests.stores.contract import StoreContract


@pytest.fixture
def clock(lasting_clock):
    lasting_clock.time = 1_700_000_000.25
    return lasting_clock


@pytest.fixture(scope="class")
def server(request):
    return request.getfixturevalue(request.cls.server_name)


@pytest.fixture(scope="class")
def lasting_store(server, lasting_clock):
    """One for a whole class: making the tables again for each test would take most of the time."""
    server.drop()
    store = open_store(server.url, now=lasting_clock, synchronous="NORMAL")
    yield store
    store.close()


@pytest.fixture
def emptied(server, lasting_store, clock):
    server.empty()
    return lasting_store


class TestPostgreSQL(StoreContract):
    server_name = "postgresql"

    @pytest.fixture
    def store(self, emptied):
        return emptied


class TestMariaDB(StoreContract):
    server_name = "mariadb"

    @pytest.fixture
    def store(self, emptied):
        return emptied
