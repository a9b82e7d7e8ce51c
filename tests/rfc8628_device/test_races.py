"""Sixteen at once: one decision, and one redemption."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from oauth_filter.stores import open_store
from tests.provider import Provider
from tests.provider import ticket
from tests.rfc8628_device.conftest import Device
from tests.rfc8628_device.conftest import Person

THREADS = 16


@pytest.fixture(params=["memory:", "sqlite:///{}/oauth.db"], ids=["memory", "sqlite"])
def provider(request, clock, tmp_path):
    store = open_store(request.param.format(tmp_path), now=clock, synchronous="NORMAL")
    yield Provider(clock, store=store)
    store.close()


def at_once(do):
    """What sixteen threads get that all do it at the same moment."""
    start = threading.Barrier(THREADS)

    def attempt(number):
        start.wait()
        return do(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(attempt, range(THREADS)))


def same_browser(person):
    """A browser with the same cookies, because one cannot be used by two threads."""
    browser = person.provider.browser()
    for cookie in person.browser._cookies.values():
        browser.set_cookie(cookie.key, cookie.value, path=cookie.path)
    return browser


@pytest.mark.promise(1)
@pytest.mark.parametrize("round_", range(3))
def test_one_decision_wins(provider, round_):
    device, person = Device(provider), Person(provider)
    page = person.enter(device.user_code)
    browsers = [same_browser(person) for _ in range(THREADS)]

    def decide(number):
        fields = {"ticket": ticket(page), "decision": ("allow", "deny")[number % 2]}
        answer = browsers[number].post("/oauth2/device", data=fields)
        return browsers[number].get(answer.location).text

    pages = at_once(decide)
    allowed = sum("Device connected" in page for page in pages)
    denied = sum("Device refused" in page for page in pages)
    assert allowed + denied == 1
    assert sum("not valid" in page for page in pages) == THREADS - 1
    answer = device.poll()
    assert (answer.status_code == 200) == bool(allowed)
    if denied:
        assert answer.json["error"] == "access_denied"


@pytest.mark.promise(1)
@pytest.mark.parametrize("round_", range(3))
def test_one_poll_gets_tokens(provider, round_):
    device, person = Device(provider), Person(provider)
    person.allow(device.user_code)
    answers = at_once(lambda number: device.poll())
    assert [answer.status_code for answer in answers].count(200) == 1
    assert {answer.json["error"] for answer in answers if answer.status_code != 200} == {"invalid_grant"}
    # Fifteen others had the same secret: nobody can tell which of them was meant to.
    [tokens] = [answer.json for answer in answers if answer.status_code == 200]
    assert provider.call(tokens["access_token"]).status_code == 401
    assert provider.refresh(tokens["refresh_token"], "native").status_code == 400


def test_polls_during_a_decision_do_not_undo_it(provider):
    device, person = Device(provider), Person(provider)
    page = person.enter(device.user_code)
    browsers = [same_browser(person) for _ in range(THREADS)]

    def act(number):
        if number:
            return device.poll().json
        return browsers[0].post("/oauth2/device", data={"ticket": ticket(page), "decision": "deny"}).status_code

    assert at_once(act)[0] == 303
    assert device.error() == "access_denied"


@pytest.mark.promise(12)
def test_no_more_guesses_at_once_than_one_after_the_other(provider):
    person = Person(provider)
    browsers = [same_browser(person) for _ in range(THREADS)]

    def guess(number):
        fields = {"ticket": ticket(person.page), "user_code": "BBBBBBB" + "BCDFGHJKLMNPQRST"[number]}
        return browsers[number].post("/oauth2/device", data=fields).status_code

    answers = at_once(guess)
    assert answers.count(303) == 10
    assert answers.count(429) == 6
