"""The Redis store keeps the contract on a real server, and what is said of its keys and of that server."""

import random
import time
from dataclasses import replace

import pytest

from oauth_filter.errors import ConfigError
from oauth_filter.errors import OAuthError
from oauth_filter.records import KINDS
from oauth_filter.records import AccessToken
from oauth_filter.records import Client
from oauth_filter.records import Consent
from oauth_filter.records import RefreshToken
from oauth_filter.stores import open_store
from tests.stores.contract import StoreContract


@pytest.fixture(autouse=True)
def empty(redis_server):
    redis_server.empty()


@pytest.fixture
def opened(redis_server, clock):
    """Open the store of the server as often as asked."""
    stores = []

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


def refused(match, url, **options):
    with pytest.raises(ConfigError, match=match) as refusal:
        open_store(url, now=time.time, **({"synchronous": "NORMAL"} | options))
    (problem,) = refusal.value.problems
    assert problem.option == "store"


@pytest.fixture
def configure(redis_server):
    """Change the configuration of the server while it runs, until the test ends."""
    before = {}

    def configure(name, value):
        ((_, value_before),) = redis_server.execute("CONFIG GET", name).items()
        before.setdefault(name, value_before)
        redis_server.execute("CONFIG", "SET", name, value)

    yield configure
    for name, value in before.items():
        redis_server.execute("CONFIG", "SET", name, value)


# What is there


def test_people_find_one_key_a_record(store, redis_server):
    store.put(AccessToken(key="k", subject="s", client_id="c", scope="read write", issued_at=1.5, expires_at=2e9))
    assert redis_server.execute("GET", "oauth:access_token:k").splitlines() == [
        b"0",
        b"",
        b'[2000000000.0,null,"c","s",1.5]',
        b'{"scope":"read write"}',
    ]


def test_times_keep_all_their_digits(store, clock):
    clock.time = 1_700_000_000.123456
    token = RefreshToken(key="k", issued_at=clock(), expires_at=clock() + 0.1)
    store.put(token)
    assert store.exchange(token) is True
    assert store.get(RefreshToken, "k") == replace(token, spent_at=clock())


def test_what_expires_goes_by_itself_and_the_rest_stays(store, redis_server, clock):
    store.put(
        RefreshToken(key="k", expires_at=clock() + 60),
        RefreshToken(key="late", expires_at=clock() + 1e12),
        Client(key="c"),
    )
    store.exchange(RefreshToken(key="k"))
    assert 60 < redis_server.execute("TTL", "oauth:refresh_token:k") <= 120
    assert redis_server.execute("TTL", "oauth:refresh_token:late") == -1
    assert redis_server.execute("TTL", "oauth:client:c") == -1


def test_purging_leaves_nothing_behind(store, redis_server, clock):
    kept = {b"oauth:version", b"oauth:generation", b"oauth:sequence", b"oauth:revoked_client"}
    for kind in KINDS:
        store.put(*(kind(key=f"{n}", client_id="c", subject="s", expires_at=clock() + 60) for n in range(3)))
    # As if Redis had found it to be expired.
    redis_server.execute("DEL", "oauth:refresh_token:1", "oauth:client:1")
    store.revoke("client", "c")
    store.purge()
    assert redis_server.execute("EXISTS", "oauth:index:refresh_token:client_id:c") == 0
    assert redis_server.execute("ZRANGE", "oauth:index:client", 0, -1) == [b"0", b"2"]
    clock.advance(60)
    store.purge()
    assert set(redis_server.execute("KEYS", "*")) == kept


def test_what_is_replaced_is_found_by_what_it_says_now(store):
    store.put(Consent(key="k", client_id="old", subject="s"))
    store.put(Consent(key="k", client_id="new", subject="s"))
    assert store.find(Consent, client_id="old") == []
    assert [consent.key for consent in store.find(Consent, client_id="new")] == ["k"]


def test_many_are_found_in_order_with_and_without_an_index(store):
    for kind in (Client, AccessToken):
        names = [f"{n:04}" for n in range(2500)]
        store.put(*(kind(key=name, client_id=f"{int(name) % 2}") for name in random.sample(names, len(names))))
        assert [record.key for record in store.find(kind, limit=5000)] == names
        assert [record.key for record in store.find(kind, client_id="1", after="1500", limit=3)] == [
            "1501",
            "1503",
            "1505",
        ]


def test_a_revoked_grant_is_forgotten_a_day_after_its_last_record(store, redis_server, clock):
    for n in range(1500):
        store.revoke("grant", f"{n}")
    clock.advance(24 * 60 * 60 - 1)
    store.purge()
    assert redis_server.execute("ZCARD", "oauth:revoked_grant") == 1500
    clock.advance(1)
    store.purge()
    assert redis_server.execute("EXISTS", "oauth:revoked_grant") == 0


def test_a_server_that_has_lost_the_script_is_told_it_again(store, redis_server):
    store.put(AccessToken(key="k"))
    redis_server.execute("SCRIPT", "FLUSH")
    assert store.get(AccessToken, "k") is not None


def test_a_database_that_was_emptied_is_not_remembered(store, redis_server):
    redis_server.execute("FLUSHALL")
    assert store.generation() is None
    store.revoke("grant", "g")
    assert store.generation() is not None


# Servers that are not as they should be


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl", "volatile-lru", "allkeys-random"])
def test_a_server_that_drops_keys_is_refused(redis_server, configure, policy):
    configure("maxmemory-policy", policy)
    refused("set maxmemory-policy noeviction", redis_server.url)


@pytest.mark.parametrize("appendfsync", ["everysec", "no"])
def test_a_server_that_may_lose_what_it_acknowledged_is_refused_unless_it_may(redis_server, configure, appendfsync):
    configure("appendfsync", appendfsync)
    refused("set appendonly yes and appendfsync always there", redis_server.url, synchronous="FULL")
    open_store(redis_server.url, now=time.time, synchronous="NORMAL").close()


def test_a_server_that_loses_nothing_is_accepted(redis_server):
    open_store(redis_server.url, now=time.time, synchronous="FULL").close()


def test_a_replica_is_refused(redis_server):
    redis_server.execute("REPLICAOF", "127.0.0.1", "1")
    try:
        refused("is a replica; name its master", redis_server.url)
    finally:
        redis_server.execute("REPLICAOF", "NO", "ONE")


def test_a_server_that_became_a_replica_is_trouble_for_writers(store, redis_server):
    store.put(AccessToken(key="k"))
    redis_server.execute("REPLICAOF", "127.0.0.1", "1")
    try:
        with pytest.raises(OAuthError) as trouble:
            store.revoke("grant", "g")
        assert trouble.value.reason == "store_unavailable"
    finally:
        redis_server.execute("REPLICAOF", "NO", "ONE")
    store.revoke("grant", "g")


def test_a_full_memory_is_trouble_for_writers_only_and_leaves_no_half(store, redis_server, configure):
    store.put(RefreshToken(key="r"))
    configure("maxmemory", "1mb")
    with pytest.raises(OAuthError) as trouble:
        store.exchange(RefreshToken(key="r"), AccessToken(key="k"))
    assert trouble.value.reason == "store_unavailable"
    assert store.get(RefreshToken, "r").spent_at is None
    configure("maxmemory", "0")
    assert store.exchange(RefreshToken(key="r"), AccessToken(key="k")) is True


def test_keys_of_something_else_are_refused_and_left_alone(redis_server):
    redis_server.execute("SET", "oauth:theirs", "x")
    refused("keys of something else with our names; name another database", redis_server.url)
    assert redis_server.execute("KEYS", "*") == [b"oauth:theirs"]
    redis_server.execute("SET", "oauth:version", "theirs")
    refused("keys of something else", redis_server.url)


def test_keys_of_others_in_the_same_database_do_not_matter(redis_server, clock):
    redis_server.execute("SET", "session:oauth:access_token:k", "x")
    store = open_store(redis_server.url, now=clock, synchronous="NORMAL")
    assert store.find(AccessToken) == []
    assert store.purge() == 0
    store.close()


def test_keys_of_a_newer_version_are_refused(opened, redis_server):
    opened()
    redis_server.execute("SET", "oauth:version", "2")
    refused(r"newer oauth_filter \(version 2, this is 1\)", redis_server.url)
