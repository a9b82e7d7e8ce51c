"""Fetching from, and posting to, URLs of the settings and of clients: those must not lead to where only we can reach.

A client's URL is a stranger's: a server that fetches whatever it is told to is a door to the network it stands in
(RFC 7591 section 5). So: https, public addresses, no redirects, no proxy, little time and few bytes.
"""

import io
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from http.client import HTTPException
from typing import Any
from typing import Final
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler
from urllib.request import ProxyHandler
from urllib.request import Request
from urllib.request import build_opener
from urllib.request import getproxies

from oauth_filter.messages.redirect_uri import is_uri_text
from oauth_filter.settings import is_local

TIMEOUT: Final = 5.0
"""Seconds until the last byte of the answer."""
MAX_CONTENT: Final = 64 * 1024
"""The longest answer that is read, in bytes."""
FORM: Final = "application/x-www-form-urlencoded"

_HOST: Final = re.compile(r"[A-Za-z0-9.-]+|[0-9A-Fa-f:.]+")
_EMBEDDING: Final = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("::/96"))
"""IPv6 networks whose last four bytes are an IPv4 address (RFC 6052 section 2.1, RFC 4291 section 2.5.5.1)."""


def fetch(url: str, *, allow_private: bool) -> bytes:
    """What stands at a URL. Raise OSError when it cannot be had, is not answered 200, or must not be asked for.

    `allow_private` permits addresses that are not public, and http to this machine. Does not bound how long the
    name takes to resolve.
    """
    status, content = _exchange("GET", url, None, {"Accept": "application/json"}, allow_private=allow_private)
    if status != 200:
        raise OSError(f"the answer is {status}")
    return content


def post(url: str, body: bytes, *, allow_private: bool, content_type: str = FORM) -> int:
    """POST to a URL and return the status of the answer. Raise OSError as `fetch` does.

    A redirect is an answer like any other, and is not followed.
    """
    status, _ = _exchange("POST", url, body, {"Content-Type": content_type}, allow_private=allow_private)
    return status


class _NoRedirects(HTTPRedirectHandler):
    """A redirect would lead away from the address that the settings vouch for."""

    def redirect_request(self, *_: Any) -> None:
        return None


def fetch_trusted(url: str) -> bytes:
    """What stands at a URL of the settings: wherever it leads and by way of a proxy if need be, but no redirects.

    Raise OSError. Does not bound a server that trickles its response header.
    """
    # A loopback address is not for a proxy.
    proxies = {scheme: proxy for scheme, proxy in getproxies().items() if scheme in ("https", "no")}
    opener = build_opener(_NoRedirects, ProxyHandler(proxies))
    request = Request(url, headers={"Accept": "application/jwk-set+json, application/json"})  # noqa: S310 -- Settings checked the scheme
    deadline = time.monotonic() + TIMEOUT
    content = bytearray()
    try:
        with opener.open(request, timeout=TIMEOUT) as response:
            while chunk := response.read1(MAX_CONTENT):
                content += chunk
                if len(content) > MAX_CONTENT:
                    raise OSError(f"the answer is longer than {MAX_CONTENT} bytes")
                _left(deadline)
    except HTTPError as error:
        error.close()
        raise
    except (HTTPException, ValueError) as error:
        raise OSError("the answer is not HTTP") from error
    return bytes(content)


def _exchange(
    method: str, url: str, body: bytes | None, headers: Mapping[str, str], *, allow_private: bool
) -> tuple[int, bytes]:
    place = _place(url, allow_private=allow_private)
    deadline = time.monotonic() + TIMEOUT
    connection = HTTPConnection(place.host, place.port)
    try:
        with _connected(place, deadline, allow_private=allow_private) as stream:
            connection.sock = _Bounded(stream, deadline)
            connection.request(method, place.target, body, {"Host": place.authority, "Connection": "close", **headers})
            with connection.getresponse() as answer:
                content = answer.read(MAX_CONTENT + 1)
    except (HTTPException, ValueError) as error:
        raise OSError("the answer is not HTTP") from error
    if len(content) > MAX_CONTENT:
        raise OSError(f"the answer is longer than {MAX_CONTENT} bytes")
    return answer.status, content


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    host: str
    port: int
    authority: str
    target: str
    is_https: bool


def _place(url: str, *, allow_private: bool) -> _Place:
    # Characters first: urlsplit silently deletes TAB, CR and LF.
    if not is_uri_text(url):
        raise OSError("that is not a URL")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise OSError("that is not a URL") from None
    host = parts.hostname or ""
    if not _HOST.fullmatch(host) or "@" in parts.netloc:
        raise OSError("that is not a URL of a host")
    if parts.scheme != "https" and not (parts.scheme == "http" and allow_private and is_local(host)):
        raise OSError("only https URLs are fetched")
    return _Place(
        host=host,
        port=port or (443 if parts.scheme == "https" else 80),
        authority=parts.netloc,
        target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        is_https=parts.scheme == "https",
    )


def _connected(place: _Place, deadline: float, *, allow_private: bool) -> socket.socket:
    """A connection to an address that has been judged: a name asked again could answer with another one."""
    try:
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)]
    except UnicodeError:
        raise OSError("that is not the name of a host") from None
    permitted = [address for address in dict.fromkeys(found) if allow_private or is_public(address)]
    if not permitted:
        raise OSError("the host has no public address")
    failure = OSError("the host cannot be reached")
    for address in permitted:
        try:
            connection = socket.create_connection((address, place.port), timeout=_left(deadline))
        except OSError as error:
            failure = error
            continue
        if not place.is_https:
            return connection
        try:
            connection.settimeout(_left(deadline))
            return ssl.create_default_context().wrap_socket(connection, server_hostname=place.host)
        except BaseException:
            connection.close()
            raise
    raise failure


def is_public(address: str) -> bool:
    """Whether an IP address is one that everybody can reach, also when it stands within an IPv6 address."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and any(ip in network for network in _EMBEDDING):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("it took too long")
    return left


class _Bounded:
    """A connection whose reads have one deadline together: a server that trickles would keep a thread forever."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline

    def sendall(self, data: Any) -> None:
        self._connection.settimeout(_left(self._deadline))
        self._connection.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._connection, self._deadline))

    def close(self) -> None:
        """Nothing yet: HTTPConnection closes as soon as it has read the header of an answer that is the last."""


class _Reader(io.RawIOBase):
    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(_left(self._deadline))
        return self._connection.recv_into(buffer)
