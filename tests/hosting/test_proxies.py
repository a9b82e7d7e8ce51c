"""Whose address the log has: X-Forwarded-For, believed of named proxies only."""

import pytest
from werkzeug.test import Client as Browser

from oauth_filter.authorization_server.proxies import client_address

PROXIES = ("10.0.0.0/8", "127.0.0.1", "2001:db8::/32")


@pytest.mark.promise(9)
@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", None, "192.0.2.1"),
        # Who is no proxy of ours may write what he likes.
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),
        ("192.0.2.1", "10.0.0.1", "192.0.2.1"),
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        # What stands left of it was sent by that very client.
        ("127.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "127.0.0.1, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "203.0.113.9, 10.1.1.1,10.2.2.2", "203.0.113.9"),
        ("127.0.0.1", "10.1.1.1, 10.2.2.2", "10.1.1.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", None, "127.0.0.1"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9, garbage\n, 10.1.1.1", "10.1.1.1"),
        ("127.0.0.1", "203.0.113.9, ", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
        ("127.0.0.1", "[2001:db9::1]:4711", "2001:db9::1"),
        ("127.0.0.1", "2001:DB9::1", "2001:db9::1"),
        ("2001:db8::1", "203.0.113.9", "203.0.113.9"),
        ("::ffff:10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
        ("unix:", "203.0.113.9", "unix:"),
        ("", "203.0.113.9", None),
        (None, "203.0.113.9", None),
    ],
)
def test_client_address(peer, forwarded, address):
    environ = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded}
    assert client_address({key: value for key, value in environ.items() if value is not None}, PROXIES) == address


def test_without_proxies_nothing_is_forwarded():
    assert client_address({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}, ()) == "127.0.0.1"


@pytest.mark.parametrize("peer", ["", None])
def test_a_proxy_behind_a_unix_socket_has_a_name_too(peer):
    environ = {"HTTP_X_FORWARDED_FOR": "1.1.1.1, 203.0.113.9"} | ({} if peer is None else {"REMOTE_ADDR": peer})
    assert client_address(environ, ("unix",)) == "203.0.113.9"
    assert client_address({**environ, "REMOTE_ADDR": "198.51.100.7"}, ("unix",)) == "198.51.100.7"


def test_a_long_header_is_read_from_its_end(make_provider):
    forwarded = ", ".join(["10.0.0.1"] * 5000)
    assert client_address({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": forwarded}, PROXIES) == "10.0.0.1"


@pytest.mark.parametrize(("trusted", "address"), [((), "127.0.0.1"), (("127.0.0.1",), "203.0.113.9")])
def test_it_is_what_events_tell(make_provider, trusted, address):
    provider = make_provider(trusted_proxies=trusted)
    headers = {"X-Forwarded-For": "6.6.6.6, 203.0.113.9"}
    Browser(provider.filter).post(
        "/oauth2/token", data={"grant_type": "x"}, headers=headers, environ_overrides={"REMOTE_ADDR": "127.0.0.1"}
    )
    [event] = provider.events
    assert event.name == "refused"
    assert event.address == address
