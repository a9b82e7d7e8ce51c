"""kill -9 at any moment loses no acknowledged token and doubles none -- promise 13."""

import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from oauth_filter.records import AccessToken
from oauth_filter.records import RefreshToken
from oauth_filter.stores import open_store

KILLS = 50
WRITER = str(Path(__file__).with_name("writer.py"))


def run_and_kill(url, name, seconds):
    """What a writer had acknowledged when it was killed, some time after its first word."""
    with subprocess.Popen([sys.executable, WRITER, url, name], stdout=subprocess.PIPE, text=True) as writer:
        try:
            first = writer.stdout.readline()
            time.sleep(seconds)
        finally:
            writer.kill()
        return [line.split() for line in (first + writer.stdout.read()).splitlines()]


@pytest.mark.promise(13)
def test_fifty_killed_writers_lose_nothing_and_double_nothing(tmp_path):
    url = f"sqlite:///{tmp_path}/oauth.db"
    chance = random.Random()  # a seed would be a moment of our choosing
    acknowledged = []
    for kill in range(KILLS):
        lines = run_and_kill(url, f"{kill}", chance.uniform(0, 0.15))
        assert lines
        acknowledged += lines
        if kill % 10 == 9:
            # The next writers find a log that nobody has open and recover it.
            with closing(sqlite3.connect(tmp_path / "oauth.db")) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]

    store = open_store(url, now=time.time)
    told = {"lost": set(), "issued": set(), "spent": set(), "revoking": set(), "revoked": set()}
    for what, key in acknowledged:
        told[what].add(key)
    assert told["lost"] == set()
    assert len(told["issued"]) >= KILLS
    assert told["spent"]
    assert told["revoked"], "no writer lived long enough to test revocation"
    for key in told["issued"]:
        # Who was killed between "revoking" and "revoked" may have come to either side of it.
        if key.rpartition(".")[0] not in told["revoking"]:
            assert store.get(AccessToken, key) is not None, f"{key} was acknowledged and is lost"
            assert store.get(RefreshToken, key) is not None, f"{key} was acknowledged and is lost"
    for key in told["spent"]:
        token = store.get(RefreshToken, key)
        assert token is None or token.spent_at is not None, f"{key} was spent and lives again"

    refresh = store.find(RefreshToken, limit=1_000_000)
    access = {token.key for token in store.find(AccessToken, limit=1_000_000)}
    assert access == {token.key for token in refresh}, "a transaction was torn"
    assert not told["revoked"] & {token.grant_id for token in refresh}
    heads = Counter(token.grant_id for token in refresh if token.spent_at is None)
    assert heads.keys() == {token.grant_id for token in refresh}
    assert set(heads.values()) == {1}, "a family has two live heads"

    assert store.generation() is not None, "what the last victim left unknown has not been renewed"
    store.close()
