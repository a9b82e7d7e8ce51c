"""One code, one refresh token, 64 clients at once: four processes of sixteen threads each on one SQLite file."""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from oauth_filter.stores import open_store
from tests.provider import CALLBACK
from tests.provider import ISSUER
from tests.provider import VERIFIER
from tests.provider import Provider

PROCESSES = 4
ATTEMPTS = PROCESSES * 16
ROUNDS = 12
RACER = str(Path(__file__).with_name("racer.py"))


class Race:
    """Four other processes with filters of their own, and one here that looks at what they did."""

    def __init__(self, stack, url, **settings):
        store = open_store(url, now=time.time)
        stack.callback(store.close)
        self.provider = Provider(time.time, store=store, **settings)
        self.browser = self.provider.browser()
        settings = json.dumps({"issuer": ISSUER, "secret": "s" * 64, "store": "memory:"} | settings)
        # All of them open the file at once.
        self.racers = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, RACER, url, settings], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                )
            )
            for _ in range(PROCESSES)
        ]
        # They end when nobody has anything more to say to them.
        stack.callback(lambda: [racer.stdin.close() for racer in self.racers])
        assert [racer.stdout.readline() for racer in self.racers] == ["ready\n"] * PROCESSES

    def run(self, form):
        """The JSON of the 64 answers to one request: of those that won, and of those that lost."""
        line = json.dumps([form, self.provider.basic()]) + "\n"
        for racer in self.racers:
            racer.stdin.write(line)
            racer.stdin.flush()
        answers = [answer for racer in self.racers for answer in json.loads(racer.stdout.readline())]
        assert len(answers) == ATTEMPTS
        assert {status for status, _ in answers} <= {200, 400}
        return [said for status, said in answers if status == 200], [said for status, said in answers if status == 400]

    def code(self):
        return self.provider.code(browser=self.browser)

    def redeem(self, code):
        return self.run(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": CALLBACK,
                "code_verifier": VERIFIER,
            }
        )

    def refresh(self, refresh_token):
        return self.run({"grant_type": "refresh_token", "refresh_token": refresh_token})

    def is_dead(self, tokens):
        """Whether neither of the tokens is good for anything any more."""
        called = self.provider.call(tokens["access_token"])
        refreshed = self.provider.refresh(tokens["refresh_token"])
        return (called.status_code, refreshed.status_code) == (401, 400)


@pytest.fixture
def race(tmp_path):
    with ExitStack() as stack:
        yield lambda **settings: Race(stack, f"sqlite:///{tmp_path}/oauth.db", **settings)


@pytest.mark.promise(1)
@pytest.mark.rfc("6749", "4.1.2", "MUST NOT be used more than once")
def test_a_code_is_redeemed_once_and_what_came_of_it_is_revoked(race):
    race = race()
    for _ in range(ROUNDS):
        code = race.code()
        won, lost = race.redeem(code)
        assert len(won) == 1
        assert {said["error"] for said in lost} == {"invalid_grant"}
        # 63 others knew the code, so one of them may have stolen it.
        assert race.is_dead(won[0])


@pytest.mark.promise(2)
@pytest.mark.rfc("9700", "4.14.2", "refresh token rotation")
def test_a_refresh_token_is_replaced_once_and_its_family_ends(race):
    race = race(refresh_token_grace=0)
    for _ in range(ROUNDS):
        tokens = race.provider.redeem(race.code()).json
        won, lost = race.refresh(tokens["refresh_token"])
        assert len(won) == 1
        assert {said["error"] for said in lost} == {"invalid_grant"}
        assert race.is_dead(won[0])
        assert race.is_dead(tokens)


@pytest.mark.promise(2)
def test_within_the_grace_all_get_the_same_answer(race):
    """Never two live heads: who repeats a refresh learns nothing but what the first was told."""
    race = race(refresh_token_grace=600)
    for _ in range(ROUNDS):
        tokens = race.provider.redeem(race.code()).json
        won, lost = race.refresh(tokens["refresh_token"])
        assert not lost
        (refresh_token,) = {said["refresh_token"] for said in won}
        assert len({said["access_token"] for said in won}) == 1
        # It is the one head of the family: a second generation can grow from it and from nothing else.
        won, lost = race.refresh(refresh_token)
        assert not lost
        assert len({said["refresh_token"] for said in won}) == 1
        assert race.provider.call(won[0]["access_token"]).status_code == 200


@pytest.mark.promise(2)
@pytest.mark.promise(4)
def test_a_grace_does_not_outrun_a_revocation(race):
    """Revoked while 64 refresh: whoever was first, nothing lives afterwards."""
    race = race(refresh_token_grace=600)
    with ThreadPoolExecutor(1) as pool:
        for _ in range(ROUNDS):
            tokens = race.provider.redeem(race.code()).json
            racing = pool.submit(race.refresh, tokens["refresh_token"])
            assert race.provider.revoke(tokens["refresh_token"]).status_code == 200
            won, _ = racing.result()
            assert all(race.is_dead(said) for said in won)
            assert race.is_dead(tokens)
            won, _ = race.refresh(tokens["refresh_token"])
            assert won == []
