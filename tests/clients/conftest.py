"""A web server on this machine that answers as a test wants, and keeps what it was asked."""

import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer

import pytest

from tests.provider import make_provider
from tests.provider import provider

__all__ = ["make_provider", "provider"]


@dataclass
class Site:
    """What to answer, and what was asked: (method, path, headers, body) each."""

    url: str = ""
    status: int = 200
    headers: dict = field(default_factory=dict)
    content: bytes = b"{}"
    asked: list = field(default_factory=list)
    answer: object = None
    """Called with the handler instead of answering, for servers that misbehave."""


@contextmanager
def serving(certificate=None):
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            site.asked.append((self.command, self.path, dict(self.headers), body))
            if site.answer is not None:
                site.answer(self)
                return
            self.send_response(site.status)
            for name, value in site.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(site.content)

        do_POST = do_GET

        def log_message(self, *args):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *args):
            pass  # whoever asked has hung up, as it should

    server = Server(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    site.url = f"http{'s' if certificate else ''}://localhost:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def site():
    with serving() as site:
        yield site
