"""The SQLite store keeps the contract, and what is said of its file, its processes and its troubles."""

import gc
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest

from oauth_filter.errors import ConfigError
from oauth_filter.errors import OAuthError
from oauth_filter.records import AccessToken
from oauth_filter.records import Client
from oauth_filter.records import Consent
from oauth_filter.records import RefreshToken
from oauth_filter.stores import open_store
from tests.stores.contract import StoreContract

DAY = 24 * 60 * 60


@pytest.fixture
def path(tmp_path):
    return tmp_path / "oauth #1%20?.db"


@pytest.fixture
def opened(path, clock):
    """Open the store of `path`, as often as asked."""
    stores = []

    def opened():
        stores.append(open_store(f"sqlite:///{path}", now=clock))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


@pytest.fixture
def store(opened):
    return opened()


@pytest.fixture
def python(path):
    """Run a script in another process with the URL of the store as its argument."""

    def python(script, **options):
        return subprocess.run(
            [sys.executable, "-c", script, f"sqlite:///{path}"],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=60,
            **options,
        ).stdout

    return python


class TestSQLiteStore(StoreContract):
    @pytest.fixture
    def store(self, opened):
        return opened()


class TestTwoProcessesWorth(StoreContract):
    """The contract once more with every verb on another connection to the file than the last."""

    @pytest.fixture
    def store(self, opened):
        stores = [opened(), opened()]

        class Alternating:
            def __getattr__(self, verb):
                stores.reverse()
                return getattr(stores[0], verb)

        return Alternating()


# The file


def test_only_the_owner_may_read_any_of_the_files(store, tmp_path):
    store.put(Client(key="c"))
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    name = "oauth #1%20?.db"
    assert modes == dict.fromkeys([name, f"{name}-wal", f"{name}-shm", f"{name}-generation"], 0o600)


def test_it_was_created_so_under_any_umask(tmp_path, clock):
    umask = os.umask(0)
    try:
        store = open_store(f"sqlite:///{tmp_path}/oauth.db", now=clock)
        store.put(Client(key="c"))
        assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}
        store.close()
    finally:
        os.umask(umask)


def test_closing_leaves_one_tidy_database(store, path, tmp_path):
    store.put(Client(key="c"))
    store.close()
    assert sorted(tmp_path.iterdir()) == [path, path.with_name(path.name + "-generation")]


def test_a_dropped_store_leaves_one_too(tmp_path, clock):
    store = open_store(f"sqlite:///{tmp_path}/oauth.db", now=clock)
    store.put(Client(key="c"))
    del store
    gc.collect()  # its walk of purging refers back to it
    assert sorted(file.name for file in tmp_path.iterdir()) == ["oauth.db", "oauth.db-generation"]


def test_what_was_stored_is_there_for_the_next_process(opened, python):
    first = opened()
    first.put(AccessToken(key="live"), AccessToken(key="dead", grant_id="g"))
    first.revoke("grant", "g")
    script = (
        "import sys, time; from oauth_filter.stores import open_store; from oauth_filter.records import AccessToken\n"
        "store = open_store(sys.argv[1], now=time.time)\n"
        "print([token.key for token in store.find(AccessToken)]); store.close()"
    )
    assert python(script) == "['live']\n"
    first.close()
    assert python(script) == "['live']\n"


def test_a_relative_path_stays_what_it_was_when_opened(tmp_path, clock, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = open_store("sqlite:///oauth.db", now=clock)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    store.put(Client(key="c"))
    store.close()
    assert (tmp_path / "oauth.db").stat().st_size > 0


def test_people_find_one_table_a_kind(store, path):
    store.put(AccessToken(key="k", subject="s", client_id="c", scope="read write"))
    with closing(sqlite3.connect(path)) as connection:
        row = connection.execute("SELECT key, subject, client_id, details FROM oauth_access_token").fetchone()
    assert row == ("k", "s", "c", '{"scope":"read write"}')


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:oauth.db", "oauth.db", "redis", ""])
def test_other_urls_are_refused(url, clock):
    with pytest.raises(ConfigError, match=r"store: use memory:, sqlite:///"):
        open_store(url, now=clock)


def test_options_that_cannot_be_are_refused(path, clock):
    with pytest.raises(ConfigError, match="memory:"):
        open_store("sqlite:///:memory:", now=clock)
    with pytest.raises(ConfigError, match="NORMAL, FULL, EXTRA"):
        open_store(f"sqlite:///{path}", now=clock, synchronous="OFF; DROP TABLE oauth_client")


def refused(opened, path, match):
    with pytest.raises(ConfigError, match=match) as refusal:
        opened()
    (problem,) = refusal.value.problems
    assert problem.file == str(path)
    assert problem.option == "store"


def test_a_database_of_something_else_is_refused_and_left_alone(opened, path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()
    refused(opened, path, "database of something else; name a file of its own")
    assert path.read_bytes() == before


def test_a_database_of_a_newer_version_is_refused(opened, path):
    opened().close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    refused(opened, path, r"newer oauth_filter \(version 2, this is 1\)")


def test_a_file_that_is_no_database_is_refused_and_left_alone(opened, path):
    path.write_text("Dear diary, " * 1000)
    refused(opened, path, "not a database.*restore it from a backup")
    assert path.read_text().startswith("Dear diary")


def test_a_directory_is_refused(opened, path):
    path.mkdir()
    refused(opened, path, "cannot be opened as the store")


def test_a_file_in_no_directory_is_refused(tmp_path, clock):
    with pytest.raises(ConfigError, match=r"\(No such file or directory\); name a file"):
        open_store(f"sqlite:///{tmp_path}/missing/oauth.db", now=clock)


def test_a_file_older_than_a_kind_of_record_learns_it(opened, path):
    opened().put(AccessToken(key="k"))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE oauth_consent")
    store = opened()
    store.put(Consent(key="c", subject="s"))
    assert store.find(Consent, subject="s") == [Consent(key="c", subject="s")]
    assert store.get(AccessToken, "k") is not None


def test_an_empty_file_becomes_the_store(opened, path):
    path.touch(0o600)
    opened().put(Client(key="c"))


def test_a_revoked_grant_is_forgotten_a_day_after_its_last_record(clock, path):
    store = open_store(f"sqlite:///{path}", now=clock, synchronous="NORMAL")

    def rows():
        with closing(sqlite3.connect(path)) as connection:
            return connection.execute("SELECT of, count(*) FROM oauth_revocation GROUP BY of").fetchall()

    for n in range(1500):
        store.revoke("grant", f"{n}")
    store.revoke("client", "c")
    store.revoke("subject", "s")
    store.put(RefreshToken(key="old", client_id="c"))
    clock.advance(DAY - 1)
    store.purge()
    assert rows() == [("client", 1), ("grant", 1500), ("subject", 1)]
    clock.advance(1)
    store.purge()
    assert rows() == [("client", 1), ("subject", 1)]
    store.close()


# Processes


def test_another_process_sees_the_generation_change(store, path):
    script = (
        "import sys, time; from oauth_filter.stores import open_store\n"
        "store = open_store(sys.argv[1], now=time.time)\n"
        "for _ in sys.stdin: print(store.generation(), flush=True)\n"
        "store.close()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, f"sqlite:///{path}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:

        def seen_there():
            other.stdin.write("\n")
            other.stdin.flush()
            return int(other.stdout.readline())

        before = seen_there()
        assert before == store.generation()
        store.put(AccessToken(key="k"))
        assert seen_there() == before
        store.revoke("grant", "g")
        assert before != seen_there() == store.generation()
    assert other.returncode == 0


def test_a_generation_left_unknown_by_a_killed_writer_is_renewed_by_the_next(opened, path):
    one, other = opened(), opened()
    before = one.generation()
    path.with_name(path.name + "-generation").write_bytes(bytes(8))
    assert one.generation() is None
    other.put(AccessToken(key="k"))
    assert one.generation() not in (None, before)
    path.with_name(path.name + "-generation").write_bytes(bytes(8))
    assert opened().generation() == one.generation() is not None


def test_without_a_map_nothing_is_remembered_and_nothing_revoked_in_silence(store, path):
    store.put(AccessToken(key="k", grant_id="g"))
    store.close()
    beside = path.with_name(path.name + "-generation")
    beside.unlink()
    beside.mkdir()
    assert store.generation() is None
    store.put(AccessToken(key="other"))
    with pytest.raises(OAuthError) as trouble:
        store.revoke("grant", "g")
    assert trouble.value.reason == "store_unavailable"
    assert store.get(AccessToken, "k") is not None


FORKING = """
import os, sys, threading, time
from oauth_filter.records import AccessToken, RefreshToken
from oauth_filter.stores import open_store

store = open_store(sys.argv[1], now=time.time)
store.put(AccessToken(key="before"))
generation = store.generation()
stop = threading.Event()

def keep_writing():
    n = 0
    while not stop.is_set():
        store.put(RefreshToken(key=f"{n}"))
        store.purge()
        n += 1

writers = [threading.Thread(target=keep_writing) for _ in range(3)]
for writer in writers:
    writer.start()
children = []
for child in range(8):
    pid = os.fork()
    if pid == 0:
        assert store.get(AccessToken, "before") is not None
        for n in range(10):
            store.put(AccessToken(key=f"{child} {n}"))
        store.purge()
        store.revoke("grant", f"{child}")
        if child % 2:
            time.sleep(0.2)  # after the parent has closed the file, and may have taken the log along
        store.put(AccessToken(key=f"{child} last"))
        if child % 3:
            store.close()
        os._exit(0)
    children.append(pid)
stop.set()
for writer in writers:
    writer.join()
store.close()
assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 8
missing = [f"{c} {n}" for c in range(8) for n in [*range(10), "last"] if store.get(AccessToken, f"{c} {n}") is None]
assert not missing, missing
assert store.generation() not in (None, generation)
store.close()
print("all there")
"""


def test_children_of_a_busy_process_write_beside_it_and_after_it(python, path):
    assert python(FORKING, env={**os.environ, "PYTHONWARNINGS": "ignore"}) == "all there\n"
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


# Trouble


def unavailable(call):
    with pytest.raises(OAuthError) as trouble:
        call()
    error = trouble.value
    return (error.code, error.reason, error.status) == ("temporarily_unavailable", "store_unavailable", 503)


def verbs(store):
    return [
        lambda: store.get(AccessToken, "k"),
        lambda: store.put(AccessToken(key="k")),
        lambda: store.add(AccessToken(key="new")),
        lambda: store.exchange(RefreshToken(key="r"), AccessToken(key="new")),
        lambda: store.delete(AccessToken, "k"),
        lambda: store.revoke("grant", "g"),
        lambda: store.find(AccessToken),
        lambda: store.purge(),
    ]


@pytest.mark.parametrize("verb", range(8))
def test_a_file_that_has_gone_is_trouble_and_not_an_empty_store(store, path, verb):
    store.put(AccessToken(key="k"))
    store.close()
    path.unlink()
    assert unavailable(verbs(store)[verb])
    assert not path.exists()


@pytest.mark.promise(13)
@pytest.mark.parametrize("verb", range(8))
def test_nothing_is_written_to_a_file_that_was_removed_while_it_was_open(store, path, verb):
    store.put(AccessToken(key="k"))
    path.unlink()
    assert unavailable(verbs(store)[verb])
    assert not path.exists()


@pytest.mark.promise(13)
def test_what_takes_its_place_is_the_store_and_keeps_its_log(opened, path, tmp_path, clock):
    before = opened()
    before.put(AccessToken(key="before"))
    backup = open_store(f"sqlite:///{tmp_path}/backup.db", now=clock)
    backup.put(AccessToken(key="restored"))
    backup.close()
    (tmp_path / "backup.db").replace(path)
    for beside in ("-wal", "-shm"):
        path.with_name(path.name + beside).unlink()
    beside_it = opened()
    beside_it.put(AccessToken(key="new"))
    for store in (before, beside_it):
        assert [token.key for token in store.find(AccessToken)] == ["new", "restored"]
    before.put(AccessToken(key="newer"))
    before.close()
    assert [token.key for token in beside_it.find(AccessToken)] == ["new", "newer", "restored"]


@pytest.mark.parametrize("verb", range(8))
def test_a_damaged_file_is_trouble(store, path, verb):
    store.put(AccessToken(key="k"), RefreshToken(key="r"))
    store.close()
    size = path.stat().st_size
    path.write_bytes(os.urandom(size))
    assert unavailable(verbs(store)[verb])


def test_it_recovers_when_the_file_is_back(store, path):
    store.put(AccessToken(key="k"))
    store.close()
    path.rename(path.with_suffix(".away"))
    assert unavailable(lambda: store.get(AccessToken, "k"))
    path.with_suffix(".away").rename(path)
    assert store.get(AccessToken, "k") is not None


FULL_DISK = """
import resource, sys, time
from oauth_filter.errors import OAuthError
from oauth_filter.records import AccessToken, RefreshToken
from oauth_filter.stores import open_store

store = open_store(sys.argv[1], now=time.time)
store.put(RefreshToken(key="r"))
generation = store.generation()
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, unlimited[1]))
many = [AccessToken(key=f"{n}", scope="x" * 1000) for n in range(1000)]
for verb in (lambda: store.put(*many), lambda: store.exchange(RefreshToken(key="r"), *many)):
    try:
        verb()
    except OAuthError as error:
        print(error.code, error.reason)
resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
print(store.find(AccessToken), store.get(RefreshToken, "r").spent_at, store.generation() == generation)
print(store.exchange(RefreshToken(key="r"), *many), len(store.find(AccessToken, limit=2000)))
store.close()
"""


def test_a_full_disk_is_trouble_and_leaves_no_half(python):
    assert python(FULL_DISK).splitlines() == [
        "temporarily_unavailable store_unavailable",
        "temporarily_unavailable store_unavailable",
        "[] None True",
        "True 1000",
    ]


def test_a_lock_that_is_never_let_go_is_trouble_for_writers_only(tmp_path, clock, monkeypatch):
    monkeypatch.setattr("oauth_filter.stores.sqlite_file.LOCK_TIMEOUT", 0.05)
    path = tmp_path / "oauth.db"
    store = open_store(f"sqlite:///{path}", now=clock)
    store.put(AccessToken(key="k"))
    generation = store.generation()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        assert unavailable(lambda: store.put(AccessToken(key="other")))
        assert unavailable(lambda: store.revoke("grant", "g"))
        assert store.get(AccessToken, "k") is not None
        assert store.generation() == generation
    store.put(AccessToken(key="other"))
    store.close()


def test_a_writer_who_does_not_come_to_an_end_is_trouble_for_the_threads_behind_it(path, monkeypatch):
    monkeypatch.setattr("oauth_filter.stores.sqlite_file.LOCK_TIMEOUT", 0.05)
    writing, go_on = threading.Event(), threading.Event()

    def clock():
        if threading.current_thread() is slow:
            writing.set()
            go_on.wait(30)
        return 1_700_000_000.0

    slow = threading.Thread(target=lambda: store.exchange(RefreshToken(key="r")))
    store = open_store(f"sqlite:///{path}", now=clock)
    slow.start()
    assert writing.wait(30)
    troubled = []
    others = [
        threading.Thread(target=lambda: troubled.append(unavailable(lambda: store.put(AccessToken(key="k")))))
        for _ in range(3)
    ]
    for thread in others:
        thread.start()
    for thread in others:
        thread.join(10)
    went_on_without_it = list(troubled)
    go_on.set()
    for thread in (slow, *others):
        thread.join()
    assert went_on_without_it == [True, True, True]
    store.put(AccessToken(key="k"))
    store.close()


def test_a_mistake_of_the_caller_is_not_disguised_as_trouble(store):
    with pytest.raises(sqlite3.Error):
        store.put(AccessToken(key=object()))
    assert store.find(AccessToken) == []


def test_a_clock_of_its_own_is_all_it_needs(path):
    store = open_store(f"sqlite:///{path}", now=time.time)
    store.put(AccessToken(key="k", expires_at=time.time() + 60))
    assert store.get(AccessToken, "k") is not None
    store.close()
