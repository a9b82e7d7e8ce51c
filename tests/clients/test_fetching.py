"""What is fetched from a URL that a client has registered, and what is not."""

import datetime
import socket
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import NoEncryption
from cryptography.hazmat.primitives.serialization import PrivateFormat

from oauth_filter.signing.fetching import MAX_CONTENT
from oauth_filter.signing.fetching import fetch
from oauth_filter.signing.fetching import is_public
from oauth_filter.signing.fetching import post
from tests.clients.conftest import serving


def refused(url, *, allow_private=False):
    with pytest.raises(OSError) as caught:  # noqa: PT011 -- the tests look at the text
        fetch(url, allow_private=allow_private)
    return str(caught.value)


def test_what_stands_at_a_url(site):
    site.content = b'{"keys": []}'
    assert fetch(f"{site.url}/jwks?a=b", allow_private=True) == b'{"keys": []}'
    ((method, path, headers, _),) = site.asked
    assert (method, path) == ("GET", "/jwks?a=b")
    assert headers["Host"] == site.url.removeprefix("http://")


def test_a_post(site):
    site.status = 204
    assert post(site.url, b"logout_token=x", allow_private=True) == 204
    ((method, path, headers, body),) = site.asked
    assert (method, path, body) == ("POST", "/", b"logout_token=x")
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert headers["Content-Length"] == "14"


@pytest.mark.parametrize("status", [204, 301, 302, 307, 404, 500])
def test_anything_but_200_is_no_answer_and_a_redirect_is_not_followed(site, status):
    site.status, site.headers = status, {"Location": f"{site.url}/elsewhere"}
    refused(site.url, allow_private=True)
    assert post(site.url, b"", allow_private=True) == status
    assert [path for _, path, _, _ in site.asked] == ["/", "/"]


@pytest.mark.parametrize("size", [MAX_CONTENT, MAX_CONTENT + 1])
def test_a_long_answer(site, size):
    site.content = b"x" * size
    if size == MAX_CONTENT:
        assert len(fetch(site.url, allow_private=True)) == size
    else:
        assert "longer" in refused(site.url, allow_private=True)


@pytest.mark.parametrize("dripped", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"])
def test_a_server_that_trickles_is_left(site, monkeypatch, dripped):
    monkeypatch.setattr("oauth_filter.signing.fetching.TIMEOUT", 0.3)

    def answer(handler):
        handler.wfile.write(dripped)
        for _ in range(600):
            handler.wfile.write(b"x")
            time.sleep(0.01)

    site.answer = answer
    refused(site.url, allow_private=True)


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n"])
def test_a_server_that_speaks_no_http(site, said):
    site.answer = lambda handler: handler.wfile.write(said)
    refused(site.url, allow_private=True)


def test_no_server():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        refused(f"http://127.0.0.1:{taken.getsockname()[1]}/", allow_private=True)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "[::1]", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1"),
        *("0.0.0.0", "255.255.255.255", "[fe80::1]", "[fc00::1]", "[::ffff:127.0.0.1]", "[64:ff9b::a00:1]"),
        # Other spellings of 127.0.0.1 that resolvers know.
        *("2130706433", "0x7f000001", "127.1", "0177.0.0.1", "127.0.0.1."),
    ],
)
def test_private_addresses_are_not_asked(host):
    assert refused(f"https://{host}/") in (
        "the host has no public address",
        # Where the resolver does not know this spelling.
        "[Errno -2] Name or service not known",
        "[Errno -3] Temporary failure in name resolution",
        "[Errno -5] No address associated with hostname",
    )


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "2002:808:808::1"])
def test_public_addresses(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address", ["::", "::1", "::127.0.0.1", "2002:7f00:1::1", "224.0.0.1", "ff02::1", "240.0.0.1", "192.0.2.1"]
)
def test_addresses_that_are_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "http://8.8.8.8/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "//example.com/",
        "example.com",
        "",
        "https://",
        "https://user@example.com/",
        "https://:@example.com/",
        "https://exa mple.com/",
        "https://example.com/\r\nX: y",
        "https://exa\tmple.com/",
        "https://example.com\\@localhost/",
        "https://ex%61mple.com/",
        "https://example.com:port/",
        "https://example.com:99999/",
        "https://[::1/",
        "https://b\u00fccher.example/",
        "https://" + "a" * 64 + ".example/",
    ],
)
def test_urls_that_are_not_asked(url, monkeypatch):
    monkeypatch.setattr(socket, "create_connection", None)  # a connection would be a TypeError
    refused(url)


def test_http_is_for_this_machine_even_where_private_addresses_are_allowed():
    assert refused("http://10.0.0.1/", allow_private=True) == "only https URLs are fetched"


def test_the_address_connected_to_is_the_one_that_was_judged(site, monkeypatch):
    """A name server may answer every time with something else (DNS rebinding)."""
    port = int(site.url.rpartition(":")[2])
    answers = [["93.184.216.34"], ["127.0.0.1"]]
    dialled = []
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *a, **k: [(2, 1, 6, "", (address, port)) for address in answers.pop(0)]
    )

    def dial(address, timeout):
        dialled.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", dial)
    refused(f"https://rebinding.example:{port}/")
    assert dialled == [("93.184.216.34", port)]
    assert answers == [["127.0.0.1"]]


def test_of_several_addresses_the_public_ones_are_asked(monkeypatch):
    dialled = []
    found = ["10.0.0.1", "93.184.216.34", "::1"]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: [(2, 1, 6, "", (address, 443)) for address in found])

    def dial(address, timeout):
        dialled.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", dial)
    refused("https://several.example/")
    assert dialled == [("93.184.216.34", 443)]


@pytest.fixture
def certificate(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "localhost.pem"
    file.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + signed.public_bytes(Encoding.PEM)
    )
    return file


def test_https_with_a_certificate_that_is_trusted(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serving(certificate) as site:
        assert fetch(f"{site.url}/", allow_private=True) == b"{}"
        ((_, _, headers, _),) = site.asked
        assert headers["Host"] == site.url.removeprefix("https://")


def test_https_with_a_certificate_for_somebody_else(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serving(certificate) as site:
        refused(site.url.replace("localhost", "127.0.0.1"), allow_private=True)
        assert not site.asked


def test_https_with_a_certificate_nobody_trusts(certificate):
    with serving(certificate) as site:
        refused(site.url, allow_private=True)
        assert not site.asked
