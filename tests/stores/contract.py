"""The contract of `Store`, sentence by sentence: every store's test class inherits it and overrides `store`."""

from dataclasses import replace

import pytest

from oauth_filter.records import KINDS
from oauth_filter.records import AccessToken
from oauth_filter.records import AuthorizationCode
from oauth_filter.records import Client
from oauth_filter.records import Consent
from oauth_filter.records import RefreshToken
from oauth_filter.records import UsedAssertion
from oauth_filter.records import User

DAY = 24 * 60 * 60
REVOCABLE = [kind for kind in KINDS if kind.revocable]
REGISTERED = [kind for kind in KINDS if not kind.revocable]


def keys(records):
    return [record.key for record in records]


class StoreContract:
    @pytest.fixture
    def store(self):
        raise NotImplementedError

    @pytest.fixture
    def make(self, clock):
        """A record issued now, with every envelope field but `spent_at`."""

        def make(kind, key="k", **fields):
            defaults = {
                "grant_id": "grant",
                "client_id": "client",
                "subject": "subject",
                "issued_at": clock(),
                "expires_at": clock() + 60,
            }
            return kind(key=key, **(defaults | fields))

        return make

    # get and put

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_record_comes_back_equal(self, store, make, kind):
        record = make(kind)
        store.put(record)
        assert store.get(kind, "k") == record

    def test_every_field_comes_back_with_its_type(self, store, clock):
        client = Client(
            key='näme"\0;--',
            name="Ünïcode \N{PILE OF POO}",
            redirect_uris=("https://a.example/cb", "http://127.0.0.1/"),
            grant_types=(),
            scope="",
            auto_grant=True,
            enabled=False,
            access_token_lifetime=60,
            issued_at=clock(),
        )
        store.put(client)
        found = store.get(Client, client.key)
        assert found == client
        assert (type(found.redirect_uris), type(found.issued_at)) == (tuple, float)

    def test_a_record_with_nothing_but_a_key(self, store):
        store.put(AccessToken(key=""))
        assert store.get(AccessToken, "") == AccessToken(key="")

    def test_kinds_do_not_share_keys(self, store, make):
        store.put(make(AccessToken), make(RefreshToken))
        assert type(store.get(AccessToken, "k")) is AccessToken
        assert type(store.get(RefreshToken, "k")) is RefreshToken
        assert store.get(Consent, "k") is None

    @pytest.mark.parametrize("key", ["", "K", "k ", "k\0", "%", "\ud800", "é", "k" * 100_000])
    def test_no_other_key_finds_it(self, store, make, key):
        store.put(make(Client))
        assert store.get(Client, key) is None
        assert store.find(Client, client_id=key) == []
        assert store.delete(Client, key) is False
        assert store.exchange(make(Client, key), make(Client, "x")) is False

    def test_put_replaces(self, store, make):
        store.put(make(Client, name="old"))
        store.put(make(Client, name="new"))
        assert [client.name for client in store.find(Client)] == ["new"]

    def test_put_takes_many_and_none(self, store, make):
        store.put()
        store.put(make(AccessToken, "a"), make(RefreshToken, "b"), make(AccessToken, "c"))
        assert keys(store.find(AccessToken)) == ["a", "c"]
        assert keys(store.find(RefreshToken)) == ["b"]

    @pytest.mark.parametrize("kind", KINDS)
    def test_nothing_outlives_its_expiry(self, store, clock, make, kind):
        store.put(make(kind, expires_at=clock() + 60))
        clock.advance(59.75)
        assert store.get(kind, "k") is not None
        clock.advance(0.25)
        assert store.get(kind, "k") is None
        assert store.find(kind) == []

    def test_what_has_no_expiry_stays(self, store, clock, make):
        store.put(make(Client, expires_at=None))
        clock.advance(1000 * DAY)
        assert store.get(Client, "k") is not None

    # add

    def test_add_inserts(self, store, make):
        record = make(UsedAssertion)
        assert store.add(record) is True
        assert store.get(UsedAssertion, "k") == record

    def test_add_leaves_the_first(self, store, make):
        assert store.add(make(User, name="first")) is True
        assert store.add(make(User, name="second")) is False
        assert store.get(User, "k").name == "first"

    def test_add_sees_a_spent_record(self, store, make):
        store.put(make(AuthorizationCode))
        store.exchange(make(AuthorizationCode))
        assert store.add(make(AuthorizationCode)) is False

    @pytest.mark.parametrize("of", ["grant", "client", "subject"])
    def test_add_sees_a_revoked_record(self, store, make, of):
        store.put(make(AuthorizationCode))
        store.revoke(of, of)
        assert store.add(make(AuthorizationCode)) is False
        assert store.get(AuthorizationCode, "k") is None

    def test_an_expired_record_gives_way(self, store, clock, make):
        store.add(make(UsedAssertion, expires_at=clock() + 60))
        clock.advance(60)
        assert store.add(make(UsedAssertion, expires_at=clock() + 60)) is True
        assert store.get(UsedAssertion, "k").issued_at == clock()

    @pytest.mark.rfc("7523", "3")
    def test_a_used_assertion_stays_used_whatever_is_revoked_and_purged(self, store, clock, make):
        used = make(UsedAssertion, expires_at=clock() + 60)
        store.add(used)
        for of in ("grant", "client", "subject"):
            store.revoke(of, of)
        store.purge()
        clock.advance(59)
        assert store.add(used) is False

    # exchange

    @pytest.mark.parametrize("kind", REVOCABLE)
    def test_exchange_spends_and_issues(self, store, clock, make, kind):
        store.put(make(kind))
        clock.advance(1)
        issued = make(AccessToken, "new"), make(RefreshToken, "new")
        assert store.exchange(make(kind), *issued) is True
        assert store.get(kind, "k").spent_at == clock()
        assert store.get(AccessToken, "new") == issued[0]
        assert store.get(RefreshToken, "new") == issued[1]

    def test_exchange_changes_nothing_else_in_what_it_spends(self, store, clock, make):
        code = make(AuthorizationCode, scope="a b", code_challenge="c")
        store.put(code)
        store.exchange(make(AuthorizationCode, scope="other"))
        assert store.get(AuthorizationCode, "k") == replace(code, spent_at=clock())

    @pytest.mark.promise(1)
    def test_the_second_exchange_loses_and_changes_nothing(self, store, clock, make):
        code = make(AuthorizationCode)
        store.put(code)
        assert store.exchange(code, make(AccessToken, "first")) is True
        first_spent_at = clock()
        clock.advance(1)
        assert store.exchange(code, make(AccessToken, "second"), make(AccessToken, "first", scope="stolen")) is False
        assert store.get(AccessToken, "second") is None
        assert store.get(AccessToken, "first").scope == ""
        assert store.get(AuthorizationCode, "k").spent_at == first_spent_at

    @pytest.mark.parametrize("end", ["missing", "deleted", "expired", "grant", "client", "subject"])
    def test_what_is_not_live_cannot_be_spent(self, store, clock, make, end):
        token = make(RefreshToken)
        if end != "missing":
            store.put(token)
        if end == "deleted":
            store.delete(RefreshToken, "k")
        elif end == "expired":
            clock.advance(60)
        elif end != "missing":
            store.revoke(end, end)
        issued = make(AccessToken, "new", grant_id="g2", client_id="c2", subject="s2")
        assert store.exchange(token, issued) is False
        assert store.get(AccessToken, "new") is None

    # delete

    def test_delete_says_whether_there_was_one(self, store, make):
        store.put(make(AccessToken), make(AccessToken, "other"))
        assert store.delete(AccessToken, "k") is True
        assert store.delete(AccessToken, "k") is False
        assert keys(store.find(AccessToken)) == ["other"]

    def test_delete_finds_what_is_no_longer_live(self, store, clock, make):
        store.put(make(AccessToken, "revoked"), make(AccessToken, "expired", grant_id="other"))
        store.revoke("grant", "grant")
        clock.advance(60)
        assert store.delete(AccessToken, "revoked") is True
        assert store.delete(AccessToken, "expired") is True

    # revoke

    @pytest.mark.parametrize("of", ["grant", "client", "subject"])
    @pytest.mark.parametrize("kind", REVOCABLE)
    def test_revoke_ends_everything_issued(self, store, make, kind, of):
        other = {"grant": "grant_id", "client": "client_id", "subject": "subject"}[of]
        without = make(kind, "without", **{other: None})
        store.put(make(kind, "a"), make(kind, "b"), make(kind, "other", **{other: "another"}), without)
        store.revoke(of, of)
        assert store.get(kind, "a") is None
        assert keys(store.find(kind)) == ["other", "without"]
        assert store.get(kind, "without") == without

    @pytest.mark.parametrize("of", ["grant", "client", "subject"])
    def test_names_of_grants_clients_and_subjects_are_not_confused(self, store, make, of):
        names = {"grant": "g", "client": "c", "subject": "s"}
        store.put(make(AccessToken, grant_id="g", client_id="c", subject="s"))
        for name in {"g", "c", "s", ""} - {names[of]}:
            store.revoke(of, name)
        assert store.get(AccessToken, "k") is not None
        store.revoke(of, names[of])
        assert store.get(AccessToken, "k") is None

    @pytest.mark.parametrize("of", ["client", "subject"])
    def test_what_is_issued_after_a_revocation_lives_even_in_the_same_tick(self, store, make, of):
        for round_ in range(3):
            store.put(make(AccessToken, f"old{round_}"))
            store.revoke(of, of)
            assert store.find(AccessToken) == []
        store.put(make(AccessToken, "put"))
        assert store.add(make(AccessToken, "added")) is True
        assert store.exchange(make(AccessToken, "put"), make(AccessToken, "issued")) is True
        assert keys(store.find(AccessToken)) == ["added", "issued", "put"]
        assert store.get(AccessToken, "old0") is None

    @pytest.mark.parametrize("of", ["client", "subject"])
    def test_a_clock_that_goes_backwards_revives_nothing(self, store, clock, make, of):
        store.put(make(AccessToken, "old", expires_at=None))
        clock.advance(-1000)
        store.revoke(of, of)
        store.put(make(AccessToken, "new"))
        assert store.get(AccessToken, "old") is None
        assert store.get(AccessToken, "new") is not None

    def test_a_consent_given_again_after_a_revocation_lives(self, store, make):
        store.put(make(Consent, scope="a"))
        store.revoke("subject", "subject")
        store.put(make(Consent, scope="a"))
        assert store.get(Consent, "k") is not None

    def test_a_revoked_name_that_is_created_again_leaves_the_old_tokens_dead(self, store, make):
        store.put(make(Client, "client"), make(AccessToken, "old", expires_at=None))
        store.delete(Client, "client")
        store.revoke("client", "client")
        assert store.add(make(Client, "client")) is True
        store.put(make(AccessToken, "new"))
        assert keys(store.find(AccessToken)) == ["new"]

    def test_under_a_revoked_grant_nothing_ever_lives_again(self, store, clock, make):
        store.revoke("grant", "grant")
        store.put(make(AccessToken))
        assert store.get(AccessToken, "k") is None
        clock.advance(DAY / 2)
        store.purge()
        store.put(make(AccessToken))
        assert store.get(AccessToken, "k") is None

    def test_a_grant_stays_revoked_while_anything_of_it_is_left(self, store, clock, make):
        store.put(*(make(AccessToken, f"{n}", expires_at=None) for n in range(5)))
        store.revoke("grant", "grant")
        clock.advance(2 * DAY)
        for _ in range(4):
            assert store.purge(limit=1) == 1
            assert store.find(AccessToken) == []

    @pytest.mark.parametrize("kind", REGISTERED)
    @pytest.mark.parametrize("of", ["grant", "client", "subject"])
    def test_registrations_outlive_revocation(self, store, make, kind, of):
        record = make(kind)
        store.put(record)
        store.revoke(of, of)
        assert store.get(kind, "k") == record
        assert store.purge() == 0

    def test_revoking_twice_and_revoking_nobody(self, store, make):
        for of in ("grant", "client", "subject"):
            store.revoke(of, "nobody")
            store.revoke(of, "nobody")
        store.put(make(AccessToken))
        assert store.get(AccessToken, "k") is not None

    # find

    @pytest.mark.parametrize("kind", KINDS)
    def test_find_by_client_and_subject(self, store, make, kind):
        store.put(
            make(kind, "a", client_id="c1", subject="s1"),
            make(kind, "b", client_id="c1", subject="s2"),
            make(kind, "c", client_id="c2", subject="s1"),
            make(kind, "d", client_id=None, subject=None),
        )
        assert keys(store.find(kind)) == ["a", "b", "c", "d"]
        assert keys(store.find(kind, client_id="c1")) == ["a", "b"]
        assert keys(store.find(kind, subject="s1")) == ["a", "c"]
        assert keys(store.find(kind, client_id="c1", subject="s1")) == ["a"]
        assert store.find(kind, client_id="c3") == []

    def test_pages_in_the_order_of_keys(self, store, make):
        names = ["", "B", "a", "b", "é", "\N{FULLWIDTH TILDE}", "\N{PILE OF POO}"]
        store.put(*(make(RefreshToken, name) for name in reversed(names)))
        pages, after = [], None
        while page := store.find(RefreshToken, client_id="client", after=after, limit=2):
            pages.append(keys(page))
            after = page[-1].key
        assert pages == [names[0:2], names[2:4], names[4:6], names[6:]]

    def test_find_shows_a_hundred_unless_told(self, store, make):
        store.put(*(make(AccessToken, f"{n:03}") for n in range(101)))
        assert len(store.find(AccessToken)) == 100

    def test_find_shows_spent_and_skips_dead(self, store, clock, make):
        store.put(make(RefreshToken, "expired", expires_at=clock()))
        store.put(make(RefreshToken, "revoked", grant_id="revoked"))
        store.put(make(RefreshToken, "spent"), make(RefreshToken, "z"))
        store.revoke("grant", "revoked")
        store.exchange(make(RefreshToken, "spent"))
        assert keys(store.find(RefreshToken, limit=2)) == ["spent", "z"]

    # purge

    @pytest.mark.parametrize("kind", KINDS)
    def test_purge_deletes_the_expired(self, store, clock, make, kind):
        store.put(make(kind, "gone", expires_at=clock()), make(kind, "there"))
        assert store.purge() == 1
        assert store.delete(kind, "gone") is False
        assert store.delete(kind, "there") is True

    @pytest.mark.parametrize("kind", REVOCABLE)
    @pytest.mark.parametrize("of", ["grant", "client", "subject"])
    def test_purge_deletes_the_revoked(self, store, make, kind, of):
        store.put(make(kind, expires_at=None))
        store.revoke(of, of)
        assert store.purge() == 1
        assert store.delete(kind, "k") is False

    def test_purge_keeps_to_its_limit_and_goes_on(self, store, clock, make):
        dead = [make(kind, f"{n:04}", expires_at=clock()) for kind in KINDS for n in range(10)]
        store.put(*dead, *(make(AccessToken, f"live{n}") for n in range(3)))
        full, rest = divmod(len(dead), 30)
        assert [store.purge(limit=30) for _ in range(full + 2)] == [*[30] * full, rest, 0]
        assert len(store.find(AccessToken)) == 3

    def test_purge_finds_what_died_behind_it(self, store, clock, make):
        store.put(make(Client, "a"), make(AccessToken, "b", expires_at=clock()), make(AccessToken, "c"))
        assert store.purge(limit=1) == 1
        clock.advance(60)
        assert store.purge() == 2

    def test_purge_goes_through_many(self, store, clock, make):
        store.put(*(make(AccessToken, f"{n:05}", expires_at=clock() + n % 2) for n in range(5000)))
        assert store.purge(limit=10_000) == 2500
        assert len(store.find(AccessToken, limit=5000)) == 2500

    @pytest.mark.parametrize("kind", [AuthorizationCode, RefreshToken])
    def test_what_is_spent_stays_until_it_expires(self, store, clock, make, kind):
        store.put(make(kind))
        store.exchange(make(kind))
        clock.advance(59)
        assert store.purge() == 0
        assert store.get(kind, "k").spent_at is not None
        clock.advance(1)
        assert store.purge() == 1

    # generation

    def test_generation_stands_still_while_nothing_is_taken_away(self, store, clock, make):
        before = store.generation()
        assert isinstance(before, int)
        store.put(make(RefreshToken), make(AccessToken), make(Consent))
        store.add(make(UsedAssertion))
        store.exchange(make(RefreshToken), make(RefreshToken, "next"))
        store.get(RefreshToken, "next")
        clock.advance(60)
        store.purge()
        assert store.generation() == before

    def test_generation_is_another_one_after_each_change(self, store, make):
        store.put(make(RefreshToken, grant_id="unrevoked", client_id=None, subject=None), make(AccessToken))
        changes = [
            lambda: store.delete(AccessToken, "k"),
            lambda: store.revoke("grant", "grant"),
            lambda: store.revoke("client", "client"),
            lambda: store.revoke("subject", "subject"),
            lambda: store.put(make(AccessToken), make(Client)),
            lambda: store.put(make(Client, enabled=False)),
            lambda: store.add(make(User)),
            lambda: store.put(make(User, enabled=False)),
            lambda: store.delete(User, "k"),
            lambda: store.exchange(make(RefreshToken), make(User)),
        ]
        seen = [store.generation()]
        for change in changes:
            change()
            seen.append(store.generation())
        assert None not in seen
        assert len(set(seen)) == len(changes) + 1

    # close

    def test_a_closed_store_opens_again(self, store, make):
        store.put(make(AccessToken))
        store.close()
        store.close()
        assert store.get(AccessToken, "k") == make(AccessToken)
        store.close()
        store.put(make(AccessToken, "other"))
        store.close()
        assert store.generation() is not None
