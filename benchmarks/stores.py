"""`python -m benchmarks.stores`: what the verbs of each store take, and what a token takes there.

Servers run on this machine, started for the purpose, and keep what they acknowledge through a loss of power; so the
figures hold the disk's time, and no network's.
"""

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from oauth_filter import credentials
from oauth_filter.records import AccessToken
from oauth_filter.records import RefreshToken
from oauth_filter.stores import Store
from oauth_filter.stores import open_store
from tests.prepare import server_program
from tests.servers import MariaDB
from tests.servers import PostgreSQL
from tests.servers import Redis
from tests.servers import Server

THREADS = 4


def token(kind: type[AccessToken | RefreshToken]) -> AccessToken | RefreshToken:
    """One like those that are issued."""
    now = time.time()
    return kind(
        key=credentials.digest(credentials.new_id()),
        grant_id=credentials.new_id(),
        client_id="reports-app",
        subject=credentials.new_id(),
        username="alice",
        scope="reports:read reports:write",
        issued_at=now,
        expires_at=now + 3600,
    )


def verbs(store: Store, count: int) -> Iterator[tuple[str, list[Callable[[], object]]]]:
    """Each with as many calls as are to be timed."""
    known = token(AccessToken)
    store.put(known)
    yield "generation", [store.generation] * count
    yield "get", [partial(store.get, AccessToken, known.key)] * count
    yield "put one", [partial(store.put, token(AccessToken)) for _ in range(count)]
    heads = [token(RefreshToken) for _ in range(count)]
    for head in heads:
        store.put(head)
    yield "exchange for two", [partial(store.exchange, h, token(AccessToken), token(RefreshToken)) for h in heads]
    yield "revoke", [partial(store.revoke, "grant", credentials.new_id()) for _ in range(count)]


def timed(calls: list[Callable[[], object]], threads: int) -> float:
    """Seconds a call takes, when as many threads make them."""
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: time.sleep(0), range(threads)))
        began = time.perf_counter()
        list(pool.map(lambda part: [call() for call in part], [calls[n::threads] for n in range(threads)]))
        return (time.perf_counter() - began) / len(calls)


@contextmanager
def running(server: type[Server]) -> Iterator[Server]:
    started = server()
    try:
        started.start()
        if isinstance(started, MariaDB):
            started.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 1")
        yield started
    finally:
        started.remove()


def size(server: Server | Path) -> int:
    """Bytes on disk, or in the memory of Redis."""
    if isinstance(server, PostgreSQL):
        server.execute("VACUUM")
        return server.execute("SELECT pg_total_relation_size('oauth_access_token')")[0][0]
    if isinstance(server, MariaDB):
        return (server.folder / "data" / "oauth" / "oauth_access_token.ibd").stat().st_size
    if isinstance(server, Redis):
        return server.execute("INFO")["used_memory"]
    return server.stat().st_size


def bytes_a_token(store: Store, server: Server | Path, count: int) -> float:
    before = size(server)
    for _ in range(count // 1000):
        store.put(*(token(AccessToken) for _ in range(1000)))
    store.close()
    return (size(server) - before) / count


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stores", description="What the verbs of stores take.")
    parser.add_argument("--quick", action="store_true", help="a few rounds, for a first impression")
    quick = parser.parse_args().quick
    count, rounds, stored = (100, 2, 5_000) if quick else (500, 5, 50_000)
    with ExitStack() as stack:
        file = Path(stack.enter_context(TemporaryDirectory())) / "oauth.db"
        places: dict[str, Server | Path] = {"sqlite": file}
        for server in (PostgreSQL, MariaDB, Redis):
            if server_program(server.name):
                places[server.__name__] = stack.enter_context(running(server))
        stores = {
            name: open_store(f"sqlite:///{place}" if isinstance(place, Path) else place.url, now=time.time)
            for name, place in places.items()
        }
        seconds: dict[tuple[str, int], dict[str, list[float]]] = {}
        for _ in range(rounds):
            for threads in (1, THREADS):
                for name, store in stores.items():
                    for verb, calls in verbs(store, count):
                        seconds.setdefault((verb, threads), {}).setdefault(name, []).append(timed(calls, threads))
        print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}. Calls a second:\n")
        print(f"| | {' | '.join(stores)} |\n|---|{'---:|' * len(stores)}")
        for (verb, threads), found in seconds.items():
            rates = " | ".join(f"{1 / statistics.median(found[name]):,.0f}" for name in stores)
            print(f"| {verb}, {threads} {'thread' if threads == 1 else 'threads'} | {rates} |")
        sizes = " | ".join(f"{bytes_a_token(stores[name], places[name], stored):,.0f}" for name in stores)
        print(f"| bytes an access token | {sizes} |")
        for store in stores.values():
            store.close()


if __name__ == "__main__":
    main()
