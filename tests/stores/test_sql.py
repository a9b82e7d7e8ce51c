"""The SQL store keeps the contract on real servers, and what is said of its tables and of other people's databases."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
import sqlalchemy as sa

from oauth_filter.errors import ConfigError
from oauth_filter.errors import OAuthError
from oauth_filter.records import AccessToken
from oauth_filter.records import Client
from oauth_filter.records import Consent
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


# What is said of the tables, and of servers that are not as they should be


@pytest.fixture(params=["postgresql", "mariadb"])
def fresh_server(request):
    server = request.getfixturevalue(request.param)
    server.drop()
    yield server
    server.drop()


@pytest.fixture
def opened(fresh_server, clock):
    """Open the store of the server as often as asked."""
    stores = []

    def opened(**options):
        stores.append(open_store(fresh_server.url, **({"now": clock, "synchronous": "NORMAL"} | options)))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


@pytest.fixture
def fresh_postgresql(postgresql):
    postgresql.drop()
    yield postgresql
    postgresql.drop()


def refused(match, url, **options):
    with pytest.raises(ConfigError, match=match) as refusal:
        open_store(url, now=time.time, **({"synchronous": "NORMAL"} | options))
    (problem,) = refusal.value.problems
    assert problem.option == "store"


def test_people_find_one_table_a_kind(opened, fresh_server):
    opened().put(AccessToken(key="k", subject="s", client_id="c", scope="read write"))
    rows = fresh_server.execute("SELECT subject, client_id, details FROM oauth_access_token")
    texts = tuple(value.decode() if isinstance(value, bytes) else value for value in rows[0])
    assert texts == ("s", "c", '{"scope":"read write"}')


def test_a_database_of_something_else_is_refused_and_left_alone(fresh_server):
    fresh_server.execute("CREATE TABLE oauth_client (theirs INTEGER)")
    refused("tables of something else with our names; name a database or a schema", fresh_server.url)
    assert fresh_server.execute("SELECT * FROM oauth_client") == []
    fresh_server.execute("CREATE TABLE oauth_store (theirs INTEGER)")
    refused("tables of something else", fresh_server.url)


def test_tables_of_a_newer_version_are_refused(opened, fresh_server):
    opened().close()
    fresh_server.execute("UPDATE oauth_store SET version = 2")
    refused(r"newer oauth_filter \(version 2, this is 1\)", fresh_server.url)


def test_tables_older_than_a_kind_of_record_learn_it(opened, fresh_server):
    opened().put(AccessToken(key="k"))
    fresh_server.execute("DROP TABLE oauth_consent")
    store = opened()
    store.put(Consent(key="c", subject="s"))
    assert store.find(Consent, subject="s") == [Consent(key="c", subject="s")]
    assert store.get(AccessToken, "k") is not None


def test_what_a_killed_process_began_to_make_is_finished(opened, fresh_server):
    opened().close()
    fresh_server.execute("DELETE FROM oauth_store")
    fresh_server.execute("DROP TABLE oauth_client")
    store = opened()
    store.put(Client(key="c"))
    assert store.generation() is not None


def test_a_revoked_grant_is_forgotten_a_day_after_its_last_record(opened, fresh_server, clock):
    store = opened()
    store.revoke("grant", "g")
    store.revoke("client", "c")
    clock.advance(24 * 60 * 60 - 1)
    store.purge()
    assert fresh_server.execute("SELECT kind FROM oauth_revocation ORDER BY kind") == [("client",), ("grant",)]
    clock.advance(1)
    store.purge()
    assert fresh_server.execute("SELECT kind FROM oauth_revocation") == [("client",)]


@pytest.mark.parametrize("fresh_server", ["mariadb"], indirect=True)
def test_a_name_that_is_too_long_is_not_cut_off(opened):
    store = opened()
    for verb in (store.put, store.add):
        with pytest.raises(sa.exc.DataError):
            verb(Client(key="k" * 1500))
    assert store.find(Client) == []


def test_values_stay_out_of_what_is_logged(opened):
    store = opened()
    with pytest.raises(Exception) as mistake:  # noqa: PT011
        store.put(AccessToken(key="a digest", expires_at="a value"))
    assert "a digest" not in str(mistake.value)
    assert store.find(AccessToken) == []


def test_a_lock_that_is_never_let_go_is_trouble_for_writers_only(opened, fresh_server, monkeypatch):
    monkeypatch.setattr("oauth_filter.stores.sql_database.STATEMENT_TIMEOUT", 1)
    store = opened()
    store.put(AccessToken(key="k", grant_id="g"))
    generation = store.generation()
    with closing(fresh_server.connect()) as other:
        cursor = other.cursor()
        cursor.execute("BEGIN")
        cursor.execute("UPDATE oauth_store SET version = 3 - version")
        with pytest.raises(OAuthError) as trouble:
            store.revoke("grant", "g")
        assert trouble.value.reason == "store_unavailable"
        # Issuing is not held up by a revocation under way.
        store.put(AccessToken(key="other"))
        assert store.exchange(AccessToken(key="other"), AccessToken(key="another")) is True
        assert store.get(AccessToken, "k") is not None
        assert store.generation() == generation
    store.revoke("grant", "g")
    assert store.get(AccessToken, "k") is None


def test_who_loses_a_deadlock_tries_again(fresh_postgresql, clock):
    store = open_store(fresh_postgresql.url, now=clock, synchronous="NORMAL")
    store.put(Client(key="c", name="old"))
    with fresh_postgresql.connect() as other, ThreadPoolExecutor(2) as pool:
        other.execute("BEGIN")
        other.execute("SET LOCAL deadlock_timeout = '1min'")
        other.execute("UPDATE oauth_store SET version = version")
        storing = pool.submit(store.put, Client(key="c", name="new"))
        while not fresh_postgresql.execute("SELECT 1 FROM pg_locks WHERE NOT granted"):
            time.sleep(0.01)
        # It holds the client and wants the row of the store; now it is the other way round here.
        other.execute("UPDATE oauth_client SET details = details")
        other.execute("COMMIT")
        storing.result()
    assert store.get(Client, "c").name == "new"
    store.close()


def test_a_user_who_may_not_make_tables_can_use_them(fresh_postgresql, clock):
    owner = open_store(fresh_postgresql.url, now=clock, synchronous="NORMAL")
    owner.put(AccessToken(key="k"))
    owner.close()
    fresh_postgresql.execute("DROP ROLE IF EXISTS worker")
    fresh_postgresql.execute("CREATE ROLE worker LOGIN PASSWORD 'w'")
    url = f"postgresql+psycopg://worker:w@127.0.0.1:{fresh_postgresql.port}/postgres"
    refused(r"its user must be allowed to create tables", url)
    fresh_postgresql.execute("GRANT USAGE ON SCHEMA public TO worker")
    fresh_postgresql.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO worker")
    store = open_store(url, now=clock, synchronous="NORMAL")
    store.revoke("client", "c")
    assert store.delete(AccessToken, "k") is True
    store.close()


def test_a_database_that_cannot_hold_every_name_is_refused(fresh_postgresql):
    fresh_postgresql.execute("DROP DATABASE IF EXISTS latin")
    fresh_postgresql.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    refused("create it with ENCODING 'UTF8'", fresh_postgresql.url.replace("/postgres", "/latin"))


def test_a_database_that_is_not_there_is_refused(fresh_server):
    refused("does not exist on that server; create it first", fresh_server.url.rpartition("/")[0] + "/missing")


def test_a_server_that_loses_commits_is_refused_unless_it_may(mariadb, clock):
    refused("innodb_flush_log_at_trx_commit = 1, or synchronous = NORMAL", mariadb.url, synchronous="FULL")
    mariadb.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 1")
    try:
        open_store(mariadb.url, now=clock, synchronous="FULL").close()
    finally:
        mariadb.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 2")
