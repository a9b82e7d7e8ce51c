"""What ends between the look at a token and the writing of what it becomes."""

import pytest

from oauth_filter.errors import OAuthError
from oauth_filter.records import AccessToken
from oauth_filter.records import User
from oauth_filter.stores.memory import MemoryStore


class Store(MemoryStore):
    """A store in which something happens just before tokens are written."""

    def __init__(self, **options):
        super().__init__(**options)
        self.meanwhile = None

    def put(self, *records):
        self._happens(records)
        super().put(*records)

    def exchange(self, spent, *issued):
        self._happens(issued)
        return super().exchange(spent, *issued)

    def _happens(self, records):
        happening, written = self.meanwhile, any(isinstance(record, AccessToken) for record in records)
        if happening is not None and written:
            self.meanwhile = None
            happening()


@pytest.fixture
def store(clock):
    return Store(now=clock)


@pytest.mark.promise(2)
@pytest.mark.promise(4)
@pytest.mark.parametrize("usage", ["one_time", "reusable"])
@pytest.mark.parametrize("of", ["grant", "client", "subject"])
def test_a_refresh_revives_nothing_that_is_revoked_during_it(make_provider, store, usage, of):
    provider = make_provider(store=store, refresh_token_usage=usage, access_token_format="jwt")
    tokens = provider.tokens()
    key = {
        "grant": next(event.grant_id for event in provider.events if event.name == "token_issued"),
        "client": "app",
        "subject": store.get(User, "alice").subject,
    }
    store.meanwhile = lambda: store.revoke(of, key[of])
    answer = provider.refresh(tokens["refresh_token"])
    assert (answer.status_code, answer.json["error_reason"]) == (400, "refresh_token_not_found")
    assert store.find(AccessToken, client_id="app") == []
    assert "reuse_detected" not in [event.name for event in provider.events]


@pytest.mark.promise(1)
def test_a_code_whose_client_is_revoked_is_not_taken_for_stolen(make_provider, store):
    provider = make_provider(store=store)
    code = provider.code()
    store.meanwhile = lambda: store.revoke("client", "app")
    assert provider.redeem(code).json["error_reason"] == "auth_code_not_found"
    assert "reuse_detected" not in [event.name for event in provider.events]


def test_a_refresh_that_breaks_off_leaves_no_access_token_too_many(make_provider, store):
    provider = make_provider(store=store, refresh_revokes_access_token=True)
    first = provider.tokens()

    def trouble(kind, key):
        raise OAuthError("temporarily_unavailable", "The store cannot be reached.")

    store.delete = trouble
    assert provider.refresh(first["refresh_token"]).status_code == 503
    del store.delete
    second = provider.refresh(first["refresh_token"])
    assert provider.call(second.json["access_token"]).status_code == 200
    assert provider.call(first["access_token"]).status_code == 401
