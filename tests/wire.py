"""Requests written one environ key at a time, as a server may deliver them, and what comes back.

`wsgi.input` is as merciless as a socket: whoever reads beyond the body would wait forever, and so fails.
"""

import re
from dataclasses import dataclass
from dataclasses import field
from urllib.parse import urlencode
from wsgiref.validate import validator

FORM = "application/x-www-form-urlencoded"
METHODS = ("GET", "HEAD", "POST", "OPTIONS", "PATCH", "PUT", "DELETE", "TRACE", "CONNECT")


class Input:
    """The body of a request. `length` is what the server was told of it: None when nothing says where it ends.

    `ends` says that the server finds the end by itself (`wsgi.input_terminated`). `breaks` makes the connection break
    where the body should go on; without it the other side has closed its half.
    """

    def __init__(self, body, length, *, ends=False, breaks=False):
        self._body = body
        self._allowed = len(body) + 1 if ends else length or 0
        self._ends = ends
        self._breaks = breaks
        self.taken = 0
        self.asked_beyond = False

    def read(self, size=-1):
        if not self._ends and not 0 <= size <= self._allowed - self.taken:
            self.asked_beyond = True
            raise AssertionError("read beyond the end of the body: a socket would hang here")
        found = self._body[self.taken :][: size if size >= 0 else None]
        self.taken += len(found)
        if self._breaks and not found and size:
            raise ConnectionResetError
        return found

    def readline(self, size=-1):
        raise AssertionError("nothing of ours reads lines")

    readlines = __iter__ = readline


@dataclass(kw_only=True)
class Request:
    """A request. `fields` go into the query of a GET or HEAD and into the body of everything else."""

    method: str = "GET"
    path: str = "/"
    query: str = ""
    fields: list = field(default_factory=list)
    body: bytes | None = None
    """Instead of `fields`."""
    content_type: str | None = FORM
    content_length: str | None = "as sent"
    ends: bool = False
    breaks: bool = False
    headers: dict = field(default_factory=dict)
    without: tuple = ()
    """Environ keys that this server leaves out."""

    @property
    def has_form(self):
        return self.method not in ("GET", "HEAD") and self.body is None

    def environ(self):
        """The environ: text is latin-1 throughout, as PEP 3333 has it."""
        encoded = urlencode(self.fields)
        body = (encoded.encode() if self.has_form else b"") if self.body is None else self.body
        query = self.query or ("" if self.method not in ("GET", "HEAD") else encoded)
        length = str(len(body)) if self.content_length == "as sent" else self.content_length
        known = int(length) if re.fullmatch(r"\s*[0-9]{1,9}\s*", length or "") else None
        environ = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": self.path,
            "QUERY_STRING": query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "8080",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "localhost:8080",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": Input(body, known, ends=self.ends, breaks=self.breaks),
            "wsgi.errors": Errors(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        if self.content_type is not None:
            environ["CONTENT_TYPE"] = self.content_type
        if length is not None:
            environ["CONTENT_LENGTH"] = length
        if self.ends:
            environ["wsgi.input_terminated"] = True
        environ |= self.headers
        return {key: value for key, value in environ.items() if key not in self.without}


class Errors:
    """`wsgi.errors`. What is written to it would be in the server's log."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def writelines(self, lines):
        self.text += "".join(lines)

    def flush(self):
        pass


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: list
    body: bytes
    input: Input
    errors: Errors

    def header(self, name):
        """The one value of a header; None if it is not there."""
        values = [value for known, value in self.headers if known.lower() == name.lower()]
        assert len(values) < 2, self.headers
        return values[0] if values else None

    @property
    def text(self):
        return self.body.decode()


def send(application, request):
    """What the application answers; judged by `wsgiref.validate` whenever what it is given is legal itself."""
    environ = request.environ()
    source, errors = environ["wsgi.input"], environ["wsgi.errors"]
    started = []

    def start_response(status, headers, exc_info=None):
        started.append((int(status[:3]), headers))
        return written.append

    written = []
    answering = (validator(application) if _is_legal(environ) else application)(environ, start_response)
    try:
        body = b"".join(answering)
    finally:
        if hasattr(answering, "close"):
            answering.close()
    assert len(started) == 1
    status, headers = started[0]
    return Answer(status=status, headers=headers, body=b"".join(written) + body, input=source, errors=errors)


def _is_legal(environ):
    length = environ.get("CONTENT_LENGTH", "")
    return (
        environ["REQUEST_METHOD"] in METHODS[:-1]
        and (length == "" or (length.isascii() and length.isdigit() and len(length) < 4000))
        and {"QUERY_STRING", "SERVER_NAME", "SERVER_PORT"} <= environ.keys()
        and environ.get("PATH_INFO", "").startswith("/")
        and "SCRIPT_NAME" in environ
    )
