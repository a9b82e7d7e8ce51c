"""The benchmark still measures what it says. How long anything takes is not tested."""

from benchmarks.__main__ import table
from benchmarks.guard import cases
from benchmarks.guard import measure


def test_every_way_is_measured_and_printed():
    with cases(calls=20) as ways:
        results = measure(ways, rounds=2)
    assert [result.name for result in results] == [way.name for way in ways]
    printed = table(results)
    for way in ways:
        assert way.name in printed
    for who in ("by hand", "seen before", "unseen", "public", "refused", "Authlib", "oauthlib"):
        assert who in printed
