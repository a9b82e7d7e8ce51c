"""What the stores on servers promise alike: trouble is told and passes, processes share, passwords stay unsaid."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import pytest

from oauth_filter import credentials
from oauth_filter.errors import ConfigError
from oauth_filter.errors import OAuthError
from oauth_filter.records import AccessToken
from oauth_filter.records import Client
from oauth_filter.records import RefreshToken
from oauth_filter.records import User
from oauth_filter.stores import open_store
from tests.provider import Provider
from tests.servers import PASSWORD
from tests.servers import QUOTED_PASSWORD

THREADS = 8


@pytest.fixture(params=["postgresql", "mariadb", "redis_server"])
def server(request):
    server = request.getfixturevalue(request.param)
    server.drop()
    return server


@pytest.fixture
def store(server):
    store = open_store(server.url, now=time.time, synchronous="NORMAL")
    yield store
    store.close()


@pytest.fixture
def python(server):
    """Start a script in another process with the URL of the store as its argument."""

    def python(script, **options):
        command = [sys.executable, "-c", script, server.url]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options)

    return python


def verbs(store):
    return [
        lambda: store.get(AccessToken, "k"),
        lambda: store.put(AccessToken(key="k")),
        lambda: store.add(AccessToken(key="new")),
        lambda: store.exchange(RefreshToken(key="r"), AccessToken(key="new")),
        lambda: store.delete(AccessToken, "k"),
        lambda: store.revoke("grant", "g"),
        lambda: store.find(AccessToken),
        lambda: store.find(Client),
        lambda: store.purge(),
    ]


def trouble_of(call):
    with pytest.raises(OAuthError) as trouble:
        call()
    error = trouble.value
    assert (error.code, error.reason, error.status) == ("temporarily_unavailable", "store_unavailable", 503)
    return "".join(traceback.format_exception(error))


# Down and up


def test_while_the_server_is_down_there_is_trouble_and_afterwards_none(server, store):
    tokens = [RefreshToken(key=f"{n}", grant_id="g") for n in range(THREADS)]
    store.put(*tokens)
    store.revoke("grant", "another")
    start = threading.Barrier(THREADS)

    def use(token):
        # All at once, so that there are as many connections as threads.
        start.wait()
        return store.get(RefreshToken, token.key)

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(use, tokens)) == tokens
        before = store.generation()
        server.stop()
        try:
            assert store.generation() is None
            for verb in verbs(store):
                assert PASSWORD not in trouble_of(verb)
        finally:
            server.start()
        assert list(pool.map(use, tokens)) == tokens
        assert list(pool.map(lambda token: store.exchange(token), tokens)) == [True] * THREADS
    assert store.generation() == before
    store.revoke("grant", "g")
    assert store.find(RefreshToken) == []
    assert store.generation() not in (before, None)


def test_what_was_written_to_a_connection_that_has_died_is_told_or_done(server, store):
    """Whoever writes first after a restart may be told of trouble, but not that somebody else was faster."""
    store.put(RefreshToken(key="r"))
    server.stop()
    server.start()
    try:
        won = store.exchange(RefreshToken(key="r"), AccessToken(key="k"))
    except OAuthError:
        won = store.exchange(RefreshToken(key="r"), AccessToken(key="k"))
    assert won is True
    assert store.get(AccessToken, "k") is not None


@pytest.mark.promise(13)
def test_a_server_that_crashes_loses_nothing_acknowledged_and_tears_nothing(server):
    # Ours is set to flush once a second, which loses nothing as long as the machine stays up.
    synchronous = "NORMAL" if "mariadb" in server.url else "FULL"
    if "postgresql" in server.url:
        # FULL is to hold whatever the default is.
        server.execute("ALTER DATABASE postgres SET synchronous_commit = off")
    store = open_store(server.url, now=time.time, synchronous=synchronous)
    acknowledged, spent = [], []

    def issue(name):
        number = 0
        while True:
            acknowledged.append(f"{name} {number}")
            following = f"{name} {number + 1}"
            try:
                won = store.exchange(
                    RefreshToken(key=f"{name} {number}"), RefreshToken(key=following), AccessToken(key=following)
                )
            except OAuthError:
                return
            assert won
            spent.append(f"{name} {number}")
            number += 1

    for n in range(THREADS):
        store.put(RefreshToken(key=f"{n} 0"), AccessToken(key=f"{n} 0"))
    with ThreadPoolExecutor(THREADS) as pool:
        writers = [pool.submit(issue, f"{n}") for n in range(THREADS)]
        time.sleep(0.3)
        # PostgreSQL has a word for crashing that leaves none of its processes behind.
        server.stop(signal.SIGQUIT if "postgresql" in server.url else signal.SIGKILL)
        try:
            assert [writer.exception() for writer in writers] == [None] * THREADS
        finally:
            server.start()
    assert len(spent) > THREADS
    refresh = {token.key: token for token in store.find(RefreshToken, limit=100_000)}
    assert refresh.keys() == {token.key for token in store.find(AccessToken, limit=100_000)}
    assert set(acknowledged) <= refresh.keys()
    assert [key for key in spent if refresh[key].spent_at is None] == []
    store.close()


class TestThroughTheFilter:
    @pytest.fixture
    def provider(self, store):
        return Provider(time.time, store=store)

    @pytest.mark.promise(4)
    def test_what_another_process_revokes_is_refused_at_the_next_request(self, provider, server):
        with closing(open_store(server.url, now=time.time, synchronous="NORMAL")) as other:
            for end in (
                lambda tokens: other.revoke(
                    "grant", other.get(RefreshToken, credentials.digest(tokens["refresh_token"])).grant_id
                ),
                lambda tokens: other.revoke("client", "app"),
                lambda tokens: other.revoke("subject", other.get(User, "alice").subject),
                lambda tokens: other.put(replace(other.get(Client, "app"), enabled=False)),
            ):
                tokens = provider.tokens()
                assert [provider.call(tokens["access_token"]).status_code for _ in range(3)] == [200] * 3
                end(tokens)
                assert provider.call(tokens["access_token"]).status_code == 401

    def test_while_the_server_is_down_clients_are_told_to_come_back(self, provider, server):
        tokens = provider.tokens()
        assert provider.call(tokens["access_token"]).status_code == 200
        server.stop()
        try:
            answers = [provider.call(tokens["access_token"]), provider.refresh(tokens["refresh_token"])]
        finally:
            server.start()
        assert [answer.status_code for answer in answers] == [503, 503]
        assert all(answer.headers["Retry-After"].isdigit() for answer in answers)
        assert provider.call(tokens["access_token"]).status_code == 200
        assert provider.refresh(tokens["refresh_token"]).status_code == 200


# Processes


def test_another_process_sees_the_generation_change(store, python):
    script = (
        "import sys, time; from oauth_filter.stores import open_store\n"
        "store = open_store(sys.argv[1], now=time.time, synchronous='NORMAL')\n"
        "for _ in sys.stdin: print(store.generation(), flush=True)\n"
        "store.close()"
    )
    with python(script) as other:

        def seen_there():
            other.stdin.write("\n")
            other.stdin.flush()
            return int(other.stdout.readline())

        before = seen_there()
        assert before == store.generation()
        store.put(AccessToken(key="k"))
        assert seen_there() == before
        for revoke in [lambda: store.revoke("subject", "s"), lambda: store.put(Client(key="c", enabled=False))]:
            revoke()
            assert before != seen_there() == store.generation()
            before = store.generation()
    assert other.returncode == 0


FORKING = """
import os, sys, threading, time
from oauth_filter.records import AccessToken, RefreshToken
from oauth_filter.stores import open_store

store = open_store(sys.argv[1], now=time.time, synchronous="NORMAL")
store.put(AccessToken(key="before"))
stop = threading.Event()

def keep_writing():
    n = 0
    while not stop.is_set():
        store.put(RefreshToken(key=f"{threading.get_ident()} {n}"))
        assert store.get(RefreshToken, f"{threading.get_ident()} {n}") is not None
        n += 1

writers = [threading.Thread(target=keep_writing) for _ in range(3)]
for writer in writers:
    writer.start()
children = []
for child in range(6):
    pid = os.fork()
    if pid == 0:
        assert store.get(AccessToken, "before") is not None
        for n in range(10):
            store.put(AccessToken(key=f"{child} {n}"))
        if child % 2:
            store.close()
            store.put(AccessToken(key=f"{child} last"))
        os._exit(0)
    children.append(pid)
    time.sleep(0.02)
assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 6
stop.set()
for writer in writers:
    writer.join()
print(len(store.find(AccessToken, limit=1000)))
store.close()
"""


def test_children_of_a_busy_process_use_connections_of_their_own(python, server):
    server.drop()
    with python(FORKING, env={**os.environ, "PYTHONWARNINGS": "ignore"}) as parent:
        assert parent.stdout.read() == f"{1 + 6 * 10 + 3}\n"
    assert parent.returncode == 0


# What is said


def refused(url, **options):
    """All that is said when a store is refused, also to whoever logs it with a traceback."""
    with pytest.raises(ConfigError) as refusal:
        open_store(url, now=time.time, **{"synchronous": "NORMAL", **options})
    (problem,) = refusal.value.problems
    assert problem.option == "store"
    said = "".join(traceback.format_exception(refusal.value))
    for secret in (PASSWORD, QUOTED_PASSWORD, PASSWORD.split("/")[1]):
        assert secret not in said
    return problem.message


def test_a_wrong_password_is_refused_and_not_told(server):
    message = refused(server.url.replace(QUOTED_PASSWORD, QUOTED_PASSWORD + "x"))
    assert "refuses the user or the password" in message


def test_a_server_that_is_not_there_is_refused(server):
    assert "cannot be reached" in refused(re.sub(r":\d+/", ":1/", server.url))


@pytest.mark.parametrize("url", ["{url}?no_such_option=1", "{password}"])
def test_a_url_that_cannot_be_used_is_refused_without_quoting_it(server, url):
    # A password that was not quoted moves the host and the port to where they cannot be.
    unquoted = server.url.replace(QUOTED_PASSWORD, PASSWORD)
    assert refused(url.format(url=server.url, password=unquoted))


def test_nothing_shown_of_a_store_holds_the_password(store):
    assert PASSWORD not in repr(store) + repr(vars(store))
    assert QUOTED_PASSWORD not in repr(store) + repr(vars(store))


MISSING = """
import sys, time
for name in sys.argv[2:]:
    sys.modules[name] = None
from oauth_filter.stores import open_store
from oauth_filter import credentials
from oauth_filter.errors import ConfigError
try:
    open_store(sys.argv[1], now=time.time)
except ConfigError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("url", "library", "extra"),
    [
        ("postgresql+psycopg://u:p@h/d", "sqlalchemy", "postgresql"),
        ("postgresql+psycopg://u:p@h/d", "psycopg", "postgresql"),
        ("mysql+pymysql://u:p@h/d", "pymysql", "mysql"),
        ("mariadb+pymysql://u:p@h/d", "pymysql", "mysql"),
        ("redis://u:p@h/0", "redis", "redis"),
    ],
)
def test_a_missing_library_is_named_with_what_installs_it(url, library, extra):
    said = subprocess.run(
        [sys.executable, "-c", MISSING, url, library], check=True, capture_output=True, text=True, timeout=60
    ).stdout
    assert said == f'store: a library is missing ({library}); pip install "oauth-filter[{extra}]"\n'


@pytest.mark.parametrize("url", ["postgresql://u:p@h/d", "mysql://h/d", "redis:x", "postgresql+psycopg2://h/d"])
def test_other_urls_are_refused_with_those_there_are(url):
    assert "use memory:, sqlite:///path/to/file, postgresql+psycopg://" in refused(url)
