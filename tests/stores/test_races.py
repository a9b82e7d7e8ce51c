"""Exactly one winner: 200 rounds of 64 attempts at once on one record, over threads and over processes."""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from oauth_filter.records import AccessToken
from oauth_filter.records import AuthorizationCode
from oauth_filter.records import Client
from oauth_filter.records import RefreshToken
from oauth_filter.records import UsedAssertion
from oauth_filter.stores import open_store

ROUNDS = 200
ATTEMPTS = 64
PROCESSES = 4
KINDS = [AuthorizationCode, RefreshToken]
EMBEDDED = ["memory", "sqlite"]
SERVERS = ["postgresql", "mariadb", "redis_server"]


@pytest.fixture
def url(request, tmp_path):
    """The URL of a store with nothing in it, not even tables."""
    if request.param == "memory":
        return "memory:"
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/oauth.db"
    server = request.getfixturevalue(request.param)
    server.drop()
    return server.url


@pytest.fixture
def store(url):
    # What is lost with the power is not what this is about, so the threads need not wait for the disk.
    store = open_store(url, now=time.time, synchronous="NORMAL")
    yield store
    store.close()


def issued_under(store, spent):
    """The keys of what the winner of one race issued, which must be both or nothing."""
    refresh = {token.key for token in store.find(RefreshToken, subject="issued", limit=10_000)}
    access = {token.key for token in store.find(AccessToken, limit=10_000)}
    assert refresh == access
    return [key for key in access if key.startswith(f"{spent.kind} {spent.key} ")]


@pytest.mark.promise(1)
@pytest.mark.parametrize("url", EMBEDDED, indirect=True)
@pytest.mark.parametrize("kind", KINDS)
def test_one_thread_wins(store, kind):
    start = threading.Barrier(ATTEMPTS)

    def attempt(spent, number):
        start.wait()
        key = f"{spent.kind} {spent.key} {number}"
        return store.exchange(spent, AccessToken(key=key), RefreshToken(key=key, subject="issued"))

    with ThreadPoolExecutor(ATTEMPTS) as pool:
        for round_ in range(ROUNDS):
            spent = kind(key=f"{round_}")
            store.put(spent)
            won = list(pool.map(attempt, [spent] * ATTEMPTS, range(ATTEMPTS)))
            assert won.count(True) == 1
    for round_ in range(ROUNDS):
        assert len(issued_under(store, kind(key=f"{round_}"))) == 1


@pytest.mark.promise(1)
@pytest.mark.parametrize("url", ["sqlite", *SERVERS], indirect=True)
def test_one_of_four_processes_wins(url):
    # The file is the one store that is also the slowest to lose nothing; servers have tests for that of their own.
    synchronous = "FULL" if url.startswith("sqlite") else "NORMAL"
    racer = str(Path(__file__).with_name("racer.py"))
    with ExitStack() as stack:
        # All of them open the new store at once, which is a race of its own.
        racers = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, racer, url, f"process{n}", synchronous],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for n in range(PROCESSES)
        ]
        assert [racer.stdout.readline() for racer in racers] == ["ready\n"] * PROCESSES
        store = open_store(url, now=time.time, synchronous=synchronous)
        stack.callback(store.close)
        records = [KINDS[round_ % 2](key=f"{round_}") for round_ in range(ROUNDS)]
        store.put(*records)
        for record in records:
            for racer in racers:
                racer.stdin.write(f"{record.kind} {record.key}\n")
                racer.stdin.flush()
            assert sum(int(racer.stdout.readline()) for racer in racers) == 1
        for racer in racers:
            racer.stdin.close()
        assert [racer.wait() for racer in racers] == [0] * PROCESSES
        for record in records:
            assert len(issued_under(store, record)) == 1
            assert store.get(type(record), record.key).spent_at is not None


@pytest.mark.rfc("7523", "3")
@pytest.mark.parametrize("url", [*EMBEDDED, *SERVERS], indirect=True)
def test_one_thread_adds(store):
    start = threading.Barrier(ATTEMPTS)

    def attempt(key, number):
        start.wait()
        return store.add(UsedAssertion(key=key, client_id=f"{number}"))

    with ThreadPoolExecutor(ATTEMPTS) as pool:
        for round_ in range(20):
            assert list(pool.map(attempt, [f"{round_}"] * ATTEMPTS, range(ATTEMPTS))).count(True) == 1


@pytest.mark.promise(4)
@pytest.mark.parametrize("url", [*EMBEDDED, *SERVERS], indirect=True)
def test_a_reader_never_uses_a_number_from_before_the_revocation(store):
    """The guard's way of remembering, against a writer: nothing revoked is honoured once `revoke` has returned."""
    revoked_until, done = -1, threading.Event()
    store.put(*(AccessToken(key=f"{n}", grant_id=f"{n}") for n in range(ROUNDS)))

    def remember_and_check():
        remembered, hits = {}, 0
        while not done.is_set():
            known_revoked = revoked_until
            for n in range(max(0, known_revoked - 2), min(known_revoked + 3, ROUNDS)):
                generation = store.generation()
                entry = remembered.get(n)
                if generation is not None and entry is not None and entry[0] == generation:
                    live, hits = entry[1], hits + 1
                else:
                    live = store.get(AccessToken, f"{n}") is not None
                    if generation is not None:
                        remembered[n] = generation, live
                assert not (live and n <= known_revoked)
        return hits

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(remember_and_check) for _ in range(3)]
        try:
            for n in range(ROUNDS):
                store.revoke("grant", f"{n}")
                revoked_until = n
        finally:
            done.set()
        assert [reader.exception() for reader in readers] == [None] * 3


@pytest.mark.promise(4)
@pytest.mark.parametrize("url", [*EMBEDDED, *SERVERS], indirect=True)
@pytest.mark.parametrize("of", ["grant", "client", "subject"])
def test_an_exchange_does_not_outrun_a_revocation(store, of):
    """What is exchanged while its client is revoked is revoked with it: nothing that follows from it lives."""
    threads = 8

    def exchange_for_ever(name, names, is_revoked):
        number = 0
        while True:
            must_fail = is_revoked.is_set()
            following = RefreshToken(key=f"{name} {number + 1}", **names)
            if not store.exchange(RefreshToken(key=f"{name} {number}"), following):
                return number
            assert not must_fail
            number += 1

    with ThreadPoolExecutor(threads) as pool:
        for round_ in range(10):
            names = {"grant_id": f"{of} {round_}", "client_id": "c", "subject": "s"}
            chains = [f"{of} {round_} {thread}" for thread in range(threads)]
            store.put(*(RefreshToken(key=f"{chain} 0", **names) for chain in chains))
            is_revoked = threading.Event()
            racing = [pool.submit(exchange_for_ever, chain, names, is_revoked) for chain in chains]
            time.sleep(0.005)
            store.revoke(of, names["grant_id" if of == "grant" else "client_id" if of == "client" else "subject"])
            is_revoked.set()
            for chain, length in zip(chains, [thread.result() for thread in racing], strict=True):
                assert store.get(RefreshToken, f"{chain} {length}") is None


@pytest.mark.parametrize("url", [*EMBEDDED, *SERVERS], indirect=True)
def test_reading_goes_on_while_clients_change(store):
    store.put(Client(key="c", name="0"))
    done = threading.Event()

    def read():
        while not done.is_set():
            assert store.get(Client, "c") is not None
        return True

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(4)]
        try:
            for n in range(100):
                store.put(Client(key="c", name=f"{n}"))
        finally:
            done.set()
        assert all(reader.result() for reader in readers)
