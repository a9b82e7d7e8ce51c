"""One process of the race: for each line `kind key` on stdin, sixteen threads try to exchange that record at once."""

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from oauth_filter.records import KINDS
from oauth_filter.records import AccessToken
from oauth_filter.records import RefreshToken
from oauth_filter.stores import open_store

THREADS = 16


def race(pool, store, spent, name):
    """How many of the threads won, each of them trying to issue tokens of its own."""
    start = threading.Barrier(THREADS)

    def attempt(number):
        start.wait()
        key = f"{spent.kind} {spent.key} {name} {number}"
        return store.exchange(spent, AccessToken(key=key), RefreshToken(key=key, subject="issued"))

    return list(pool.map(attempt, range(THREADS))).count(True)


if __name__ == "__main__":
    _, url, name, synchronous = sys.argv
    store = open_store(url, now=time.time, synchronous=synchronous)
    kinds = {kind.kind: kind for kind in KINDS}
    with ThreadPoolExecutor(THREADS) as pool:
        print("ready", flush=True)
        for line in sys.stdin:
            kind, key = line.split()
            print(race(pool, store, kinds[kind](key=key), name), flush=True)
    store.close()
