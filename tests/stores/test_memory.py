"""The memory store keeps the contract."""

import pytest

from oauth_filter.stores import open_store
from tests.stores.contract import StoreContract


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self, clock):
        return open_store("memory:", now=clock)


def test_two_stores_share_nothing(clock):
    one, other = open_store("memory:", now=clock), open_store("memory://", now=clock)
    one.revoke("client", "c")
    assert one.generation() != other.generation()
