"""Who is at the other end when proxies stand in between: X-Forwarded-For, believed of named proxies only."""

import ipaddress
from functools import lru_cache
from typing import TYPE_CHECKING
from typing import Final

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

UNIX: Final = "unix"
_MAX_HOPS: Final = 32

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def is_trusted(peer: str, trusted_proxies: tuple[str, ...]) -> bool:
    """Whether the address of a peer is one of the networks of the setting `trusted_proxies`.

    Over a Unix socket there is no address; the word `unix` trusts whoever may open that.
    """
    if not peer:
        return UNIX in trusted_proxies
    address = _address(peer)
    return address is not None and _is_within(address, _networks(trusted_proxies))


def client_address(environ: "WSGIEnvironment", trusted_proxies: tuple[str, ...]) -> str | None:
    """Where a request comes from, for the log: the rightmost address that is not one of the trusted proxies.

    Everything left of it was written by whoever that is, and says nothing. None when the server gives no address.
    Good enough to find somebody again, not to let somebody in: an address is not a credential.
    """
    peer: str | None = environ.get("REMOTE_ADDR") or None
    if not is_trusted(peer or "", trusted_proxies):
        return peer
    networks = _networks(trusted_proxies)
    for hop in reversed(environ.get("HTTP_X_FORWARDED_FOR", "").split(",")[-_MAX_HOPS:]):
        address = _address(hop)
        if address is None:
            break
        peer = str(address)
        if not _is_within(address, networks):
            break
    return peer


def subscriber(address: str | None) -> str | None:
    """Whom an address stands for where guesses are counted: of IPv6, one subscriber has all of a /64 (RFC 6177)."""
    found = _address(address or "")
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((found, 64), strict=False))
    return address


@lru_cache(maxsize=16)
def _networks(trusted_proxies: tuple[str, ...]) -> tuple[_Network, ...]:
    return tuple(ipaddress.ip_network(network, strict=False) for network in trusted_proxies if network != UNIX)


def _is_within(address: _Address, networks: tuple[_Network, ...]) -> bool:
    return any(address in network for network in networks)


def _address(text: str) -> _Address | None:
    text = text.strip()
    # Some proxies write the port as well: 192.0.2.1:4711, [2001:db8::1]:4711.
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    # A server that listens on both families at once shows IPv4 peers as ::ffff:192.0.2.1.
    return getattr(address, "ipv4_mapped", None) or address
