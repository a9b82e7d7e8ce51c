"""Tokens seen before: they pass without a look-up, and never longer than they should."""

import gc
from concurrent.futures import ThreadPoolExecutor

import pytest

from oauth_filter import User
from oauth_filter import credentials
from oauth_filter.errors import OAuthError
from oauth_filter.records import AccessToken
from oauth_filter.stores.memory import MemoryStore


class CountingStore(MemoryStore):
    """Counts how often a token is looked up; can be made to fail, or to know nothing of revocations elsewhere."""

    looked_up = 0
    is_down = False
    is_blind = False
    while_looking = None

    def get(self, kind, key):
        if self.is_down:
            raise OAuthError("temporarily_unavailable", "The store cannot be reached.")
        record = super().get(kind, key)
        if kind is AccessToken:
            self.looked_up += 1
            if self.while_looking:
                self.while_looking()
        return record

    def generation(self):
        return None if self.is_blind else super().generation()


@pytest.fixture
def store(clock):
    return CountingStore(now=clock)


@pytest.fixture
def site(site_of, store):
    return site_of("/optional/ = optional", store=store)


def test_the_second_request_asks_nobody(site, store):
    token = site.issue()
    for _ in range(5):
        assert site.request(token=token).status == 200
        assert site.request(query=f"access_token={token}").status == 200
        assert site.request(HTTP_AUTHORIZATION=f"bearer {token}").status == 200
    assert store.looked_up == 1


def test_garbage_asks_nobody(site, store):
    good = credentials.generate("ofa")
    for token in ("x", good[:-1] + ("A" if good[-1] != "A" else "B"), credentials.generate("ofr"), good + "a"):
        assert site.request(token=token).status == 401
    assert store.looked_up == 0


def test_an_expired_token_is_refused_to_the_second(site, clock):
    token = site.issue(lifetime=30)
    assert site.request(token=token).status == 200
    clock.advance(29.5)
    assert site.request(token=token).status == 200
    clock.advance(0.5)
    assert site.request(token=token).status == 401
    assert site.request("/optional/", token=token).status == 401


def test_a_token_without_an_end_has_none(site, clock):
    token = site.issue(lifetime=None)
    for _ in range(3):
        assert site.request(token=token).status == 200
        assert site.environ["oauth_filter.principal"].expires_at is None
        clock.advance(10_000_000)


@pytest.mark.promise(4)
@pytest.mark.parametrize(("of", "key"), [("grant", "grant"), ("client", "app"), ("subject", "subject-of-alice")])
def test_a_revoked_token_is_refused_at_the_next_request(site, store, of, key):
    token = site.issue()
    for _ in range(2):
        assert site.request(token=token).status == 200
    store.revoke(of, key)
    assert site.request(token=token).status == 401


@pytest.mark.promise(4)
def test_a_deleted_token_is_refused_at_the_next_request(site, store):
    token = site.issue()
    assert site.request(token=token).status == 200
    store.delete(AccessToken, credentials.digest(token))
    assert site.request(token=token).status == 401


@pytest.mark.promise(4)
def test_a_disabled_or_replaced_user_is_refused_at_the_next_request(site, store):
    token = site.issue()
    assert site.request(token=token).status == 200
    store.put(User(key="alice", subject="subject-of-alice", enabled=False))
    assert site.request(token=token).status == 401
    store.put(User(key="alice", subject="another-alice"))
    assert site.request(token=token).status == 401
    store.put(User(key="alice", subject="subject-of-alice"))
    assert site.request(token=token).status == 200


@pytest.mark.promise(4)
def test_a_revocation_during_the_look_up_is_not_forgotten(site, store):
    token = site.issue()

    def revoke():
        store.while_looking = None
        store.revoke("grant", "grant")

    store.while_looking = revoke
    assert site.request(token=token).status == 200
    assert site.request(token=token).status == 401


@pytest.mark.promise(4)
def test_a_revocation_of_something_else_costs_a_look_up_and_nothing_more(site, store):
    token = site.issue()
    for number in range(3):
        store.revoke("grant", f"another-{number}")
        assert site.request(token=token).status == 200
        assert site.request(token=token).status == 200
    assert store.looked_up == 3


def test_when_revocations_cannot_be_known_nothing_remembered_is_used(site, store):
    token = site.issue()
    assert site.request(token=token).status == 200
    store.is_blind = True
    for _ in range(3):
        assert site.request(token=token).status == 200
    assert store.looked_up == 4
    store.revoke("grant", "grant")
    assert site.request(token=token).status == 401
    store.is_blind = False
    assert site.request(token=token).status == 401


def test_a_token_is_judged_anew_once_a_minute_and_when_the_clock_is_set_back(site, store, clock):
    token = site.issue()
    for expected in (1, 2, 3):
        assert site.request(token=token).status == 200
        clock.advance(59)
        assert site.request(token=token).status == 200
        assert store.looked_up == expected
        clock.advance(1)
    clock.advance(-1000)
    assert site.request(token=token).status == 200
    assert store.looked_up == 4


def test_storage_trouble_is_no_verdict_about_the_token(site, store):
    seen, unseen = site.issue(), site.issue()
    assert site.request(token=seen).status == 200
    store.is_down = True
    for path in ("/api", "/optional/"):
        answer = site.request(path, token=unseen)
        assert answer.status == 503
        assert int(answer.headers["retry-after"]) > 0
        assert answer.json["error"] == "temporarily_unavailable"
        assert answer.challenge is None
    assert site.request(token="garbage").status == 401
    assert site.request(token=seen).status == 200
    store.is_down = False
    assert site.request(token=unseen).status == 200


@pytest.mark.promise(7)
def test_however_many_tokens_come_the_memory_stays_bounded_and_the_answers_right(site, store):
    tokens = [site.issue(f"scope-{number}") for number in range(20_000)]
    for number, token in enumerate(tokens):
        assert site.request(token=token).status == 200
        assert site.environ["oauth_filter.scope"] == f"scope-{number}"
    site.seen.clear()
    kept = sum(type(thing).__name__ == "Principal" for thing in gc.get_objects())
    assert 0 < kept <= 2 * 8192
    # One that is used all the time is never thrown out.
    looked_up = store.looked_up
    for token in tokens[-8000:]:
        assert site.request(token=tokens[-1]).status == 200
        assert site.request(token=token).status == 200
    assert store.looked_up - looked_up <= 1


@pytest.mark.promise(5)
def test_what_is_remembered_is_no_token_to_use(site):
    token = site.issue()
    for _ in range(2):
        assert site.request(token=token).status == 200
    site.seen.clear()
    remembered = []
    waiting = [site.filter]
    known = set()
    while waiting:
        for thing in gc.get_referents(waiting.pop()):
            if id(thing) not in known and type(thing).__name__ not in ("module", "function", "type"):
                known.add(id(thing))
                waiting.append(thing)
                if isinstance(thing, str | bytes):
                    remembered.append(thing)
    assert "subject-of-alice" in remembered
    body = token.removeprefix("ofa_")
    assert not [text for text in remembered if (body if isinstance(text, str) else body.encode()) in text]


def test_threads_get_the_principal_of_their_own_token(site_of):
    site = site_of()
    tokens = {f"scope-{number}": site.issue(f"scope-{number}") for number in range(50)}

    def ask(scope):
        told = []
        environ = {"PATH_INFO": "/api", "REQUEST_METHOD": "GET", "HTTP_AUTHORIZATION": f"Bearer {tokens[scope]}"}
        body = site.filter(environ, lambda status, headers: told.append(status))
        return told == ["200 OK"] and body == [b"the application"] and environ["oauth_filter.scope"] == scope

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, list(tokens) * 40))
