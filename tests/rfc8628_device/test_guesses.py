"""User codes can be guessed; how often is bounded, and nobody is kept out by others -- RFC 8628 section 5.1."""

import pytest

from oauth_filter.authorization_server.user_codes import ALPHABET
from tests.provider import Provider
from tests.provider import ticket
from tests.rfc8628_device.conftest import Device
from tests.rfc8628_device.conftest import Person

pytestmark = [pytest.mark.promise(12), pytest.mark.rfc("8628", "5.1")]

MINUTE = 60


def guesses(number):
    """That many codes nobody has."""
    return ["BBBBBB" + ALPHABET[n // 20] + ALPHABET[n % 20] for n in range(number)]


def enter(person, user_code):
    """Type a code into the page the person has before them, whatever was shown last."""
    fields = {"ticket": ticket(person.page), "user_code": user_code}
    return person.browser.post("/oauth2/device", data=fields, environ_base={"REMOTE_ADDR": "192.0.2.1"})


def is_confirmed(person, answer):
    return answer.status_code == 303 and 'value="allow"' in person.browser.get(answer.location).text


def test_after_ten_wrong_codes_a_user_has_to_wait(start, person, clock):
    device = start()
    for guess in guesses(10):
        assert enter(person, guess).status_code == 303
    answer = enter(person, device.user_code)
    assert answer.status_code == 429
    assert "Too many wrong codes" in answer.text
    clock.advance(10 * MINUTE)
    assert is_confirmed(person, enter(person, Device(person.provider).user_code))


def test_a_day_of_guessing_comes_to_an_end(start, person, clock):
    tried = 0
    for _ in range(20):
        for guess in guesses(10):
            tried += enter(person, guess).status_code == 303
        clock.advance(10 * MINUTE)
    assert tried == 50


def test_only_wrong_codes_count(provider, person):
    for _ in range(12):
        assert is_confirmed(person, enter(person, Device(provider).user_code))


def test_what_cannot_be_a_code_does_not_count(start, person):
    for _ in range(12):
        enter(person, "BCDF")
    assert is_confirmed(person, enter(person, start().user_code))


def test_somebody_else_is_not_kept_out_by_them(provider, start, person):
    for guess in guesses(11):
        enter(person, guess)
    provider.add_user("bob")
    bob = Person(provider, "bob")
    assert is_confirmed(bob, enter(bob, start().user_code))


def test_many_users_at_one_address_are_slowed_down_and_an_honest_one_is_not(provider, start):
    tried = 0
    for number in range(20):
        provider.add_user(f"mallory{number}")
        mallory = Person(provider, f"mallory{number}")
        tried += [enter(mallory, guess).status_code for guess in guesses(10)].count(303)
    # Three that only the user answers for, and a hundred of the address.
    assert tried == 20 * 3 + 100
    alice = Person(provider)
    assert enter(alice, "BBBBBBBB").status_code == 303
    assert is_confirmed(alice, enter(alice, start().user_code))


def test_processes_count_together(provider, clock):
    other = Provider(clock, store=provider.store)
    here, there = Person(provider), Person(other)
    answers = [enter(person, guess) for guess in guesses(5) for person in (here, there)]
    assert [answer.status_code for answer in answers] == [303] * 10
    assert enter(here, "BBBBBBBB").status_code == enter(there, "BBBBBBBB").status_code == 429


def test_strangers_are_counted_by_address(provider, start):
    device = start()

    def validate(user_code, address="192.0.2.1"):
        query = {"client_id": "native", "user_code": user_code}
        browser = provider.browser()
        return browser.get(
            "/oauth2/device/validate", query_string=query, environ_base={"REMOTE_ADDR": address}
        ).status_code

    assert {validate(guess) for guess in guesses(20)} == {400}
    assert validate(device.user_code) == 429
    assert validate(device.user_code, "192.0.2.2") == 200
    # Whoever has one address of IPv6 has 2**64 of them.
    assert {validate(guess, f"2001:db8::{guess[-2:].encode().hex()}") for guess in guesses(20)} == {400}
    assert validate(device.user_code, "2001:db8::ffff:1") == 429
    assert validate(device.user_code, "2001:db8:0:1::1") == 200
    alice = Person(provider)
    assert is_confirmed(alice, enter(alice, device.user_code))
