"""The filter as a WSGI citizen -- PEP 3333: where no token is concerned, nobody notices it."""

import io
import os
import subprocess
import sys
from wsgiref.util import FileWrapper
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

import oauth_filter
from oauth_filter import Client
from oauth_filter import OAuthFilter
from oauth_filter import Rule
from oauth_filter import User
from oauth_filter import credentials
from oauth_filter.records import AccessToken
from oauth_filter.stores.memory import MemoryStore

RULES = (Rule.parse("/public/", "public"), Rule.parse("/optional/", "optional"))


@pytest.fixture
def protect(settings, clock):
    def make(application, **changes):
        protected = OAuthFilter(application, settings(protect=RULES, **changes), now=clock)
        protected.store.put(Client(key="app", name="App"), User(key="alice", subject="subject"))
        return protected

    return make


def issue(protected):
    token = credentials.generate("ofa")
    protected.store.put(
        AccessToken(key=credentials.digest(token), client_id="app", subject="subject", username="alice")
    )
    return token


def environ_of(path, *, query="", method="GET", token=None, **more):
    environ = {"SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": method, **more}
    setup_testing_defaults(environ)
    if token:
        environ["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return environ


class Stream:
    """Says when it is read and how often it is closed."""

    def __init__(self):
        self.read = 0
        self.closed = 0

    def __iter__(self):
        for number in range(3):
            self.read += 1
            yield b"%d" % number

    def close(self):
        self.closed += 1


WAYS = [
    pytest.param("/public/", "", False, id="public"),
    pytest.param("/optional/", "", False, id="optional"),
    pytest.param("/api", "", True, id="header"),
    pytest.param("/api", "access_token={}", False, id="query"),
]


@pytest.mark.promise(14)
@pytest.mark.parametrize(("path", "query", "in_header"), WAYS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_both_sides_keep_the_protocol(protect, path, query, in_header, method):
    body = b"a body the filter does not touch"

    def application(environ, start_response):
        assert environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])) == body
        write = start_response("200 OK", [("Content-Type", "text/plain"), ("X-Own", "kept")])
        assert callable(write)
        return [b"" if method == "HEAD" else b"hello"]

    protected = protect(validator(application))
    token = issue(protected)
    for _ in range(2):
        environ = environ_of(
            path,
            query=query.format(token),
            method=method,
            token=token if in_header else None,
            CONTENT_LENGTH=str(len(body)),
            **{"wsgi.input": io.BytesIO(body)},
        )
        told = []

        def start_response(status, headers, exc_info=None, told=told):
            told.append((status, dict(headers)))
            return lambda data: None

        answer = validator(protected)(environ, start_response)
        assert b"".join(answer) == (b"" if method == "HEAD" else b"hello")
        answer.close()
        ((status, headers),) = told
        assert (status, headers["X-Own"]) == ("200 OK", "kept")


@pytest.mark.promise(14)
@pytest.mark.parametrize("path", ["/api", "/a//b", "/oauth2/nothing", "/oauth2/authorize"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("header", ["", "Bearer x", "Bearer"])
def test_refusals_keep_the_protocol(protect, path, method, header):
    protected = protect(None)
    environ = environ_of(path, method=method, HTTP_AUTHORIZATION=header)
    told = []

    def start_response(status, headers, exc_info=None):
        told.append(status)
        return lambda data: None

    answer = validator(protected)(environ, start_response)
    body = b"".join(answer)
    answer.close()
    assert told[0][0] == "4"
    assert bool(body) == (method != "HEAD")


@pytest.mark.promise(14)
@pytest.mark.parametrize(("path", "query", "in_header"), WAYS)
def test_a_stream_is_handed_on_as_it_is(protect, path, query, in_header):
    stream = Stream()

    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return stream

    protected = protect(application)
    token = issue(protected)
    environ = environ_of(path, query=query.format(token), token=token if in_header else None)
    answer = protected(environ, lambda status, headers, exc_info=None: lambda data: None)
    # The very object: the server closes it, and finds the methods and the length it may have.
    assert answer is stream
    assert (stream.read, stream.closed) == (0, 0)
    assert next(iter(answer)) == b"0"
    assert (stream.read, stream.closed) == (1, 0)


@pytest.mark.promise(14)
@pytest.mark.parametrize(("path", "query", "in_header"), WAYS)
def test_a_file_is_still_sent_by_the_server(protect, path, query, in_header):
    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return environ["wsgi.file_wrapper"](io.BytesIO(b"a file"))

    protected = protect(application)
    token = issue(protected)
    environ = environ_of(path, query=query.format(token), token=token if in_header else None)
    environ["wsgi.file_wrapper"] = FileWrapper
    answer = protected(environ, lambda status, headers, exc_info=None: lambda data: None)
    assert type(answer) is FileWrapper
    assert environ["wsgi.file_wrapper"] is FileWrapper


@pytest.mark.promise(14)
@pytest.mark.parametrize(("path", "query", "in_header"), WAYS)
def test_the_way_of_old_applications_works(protect, path, query, in_header):
    """`write()`, and a second start_response with exc_info after trouble."""

    def application(environ, start_response):
        write = start_response("200 OK", [("Content-Type", "text/plain")])
        write(b"written")
        try:
            raise KeyError("trouble")
        except KeyError:
            start_response("500 Trouble", [("Content-Type", "text/plain")], sys.exc_info())
        return [b" and returned"]

    protected = protect(application)
    token = issue(protected)
    written, told = [], []

    def start_response(status, headers, exc_info=None):
        told.append((status, exc_info and exc_info[0]))
        return written.append

    environ = environ_of(path, query=query.format(token), token=token if in_header else None)
    answer = protected(environ, start_response)
    assert written == [b"written"]
    assert list(answer) == [b" and returned"]
    assert told == [("200 OK", None), ("500 Trouble", KeyError)]


@pytest.mark.promise(14)
@pytest.mark.parametrize(("path", "query", "in_header"), WAYS)
@pytest.mark.parametrize("error", [KeyError("bug"), oauth_filter.OAuthError("invalid_token", "the application's own")])
def test_what_the_application_raises_is_its_own_affair(protect, path, query, in_header, error):
    def application(environ, start_response):
        raise error

    protected = protect(application)
    token = issue(protected)
    for _ in range(2):
        environ = environ_of(path, query=query.format(token), token=token if in_header else None)
        with pytest.raises(type(error)) as caught:
            protected(environ, lambda *arguments: None)
        assert caught.value is error


@pytest.mark.promise(14)
def test_a_public_request_is_handed_on_as_it_came(protect):
    came = []

    def application(environ, start_response):
        came.append((environ, start_response))
        return []

    protected = protect(application)
    environ = environ_of("/public/x", query="access_token=a&b=c", token="anything", HTTP_COOKIE="a=b")
    before = dict(environ)

    def start_response(status, headers, exc_info=None):
        raise AssertionError("not called")

    protected(environ, start_response)
    ((environ_inside, start_response_inside),) = came
    assert environ_inside is environ
    assert environ == before
    assert start_response_inside is start_response


def test_two_filters_in_one_process_know_nothing_of_each_other(protect):
    def application(environ, start_response):
        start_response("200 OK", [])
        return [environ["oauth_filter.client_id"].encode()]

    one, other = protect(application, realm="one"), protect(application, realm="other")
    token = issue(one)

    def status(protected):
        told = []
        protected(environ_of("/api", token=token), lambda status, headers: told.append((status, dict(headers))))
        return told[0]

    for _ in range(2):
        assert status(one)[0] == "200 OK"
        refused, headers = status(other)
        assert refused == "401 Unauthorized"
        assert 'realm="other"' in headers["WWW-Authenticate"]


def test_a_filter_within_a_filter_believes_its_own_tokens_only(protect):
    def application(environ, start_response):
        start_response("200 OK", [])
        return [environ.get("REMOTE_USER", "nobody").encode()]

    inner = protect(application)
    outer = protect(inner)
    token = issue(outer)
    told = []
    assert outer(environ_of("/api", token=token), lambda status, headers: told.append(status))
    assert told == ["401 Unauthorized"]
    assert outer(environ_of("/public/", token=token), lambda status, headers: told.append(status)) == [b"nobody"]


@pytest.mark.parametrize("script_name", ["", "/app", "/oauth2"])
def test_it_works_wherever_it_is_mounted(protect, script_name):
    seen = []

    def application(environ, start_response):
        seen.append((environ["SCRIPT_NAME"], environ["PATH_INFO"]))
        start_response("200 OK", [])
        return []

    protected = protect(application, issuer=f"http://localhost{script_name}")

    def status(path):
        told = []
        protected(environ_of(path, SCRIPT_NAME=script_name), lambda status, headers, *exc: told.append(status[:3]))
        return told[0]

    assert status("/public/x") == "200"
    assert status("/api") == "401"
    assert status("/oauth2/nothing") == "404"
    assert status("/.well-known/oauth-authorization-server") == "200"
    assert seen == [(script_name, "/public/x")]


@pytest.mark.parametrize("as_path", [str, os.fspath, lambda path: path])
def test_the_settings_may_be_the_path_of_an_ini_file(tmp_path, as_path):
    ini = tmp_path / "oauth.ini"
    ini.write_text(f"[oauth_filter]\nstore = memory:\nsecret = {'x' * 40}\nrealm = here\n[protect]\n/open/ = public\n")
    protected = OAuthFilter(lambda environ, start_response: [b"in"], as_path(ini))
    assert protected.settings.realm == "here"
    assert protected(environ_of("/open/"), None) == [b"in"]
    told = []
    protected(environ_of("/shut/"), lambda status, headers: told.append(status))
    assert told == ["401 Unauthorized"]


def test_a_store_that_is_given_is_used_even_if_it_is_empty(settings, clock):
    class Sized(MemoryStore):
        def __len__(self):
            return 0

    store = Sized(now=clock)
    protected = OAuthFilter(None, settings(), store=store, now=clock)
    assert protected.store is store


@pytest.mark.parametrize("name", oauth_filter.__all__)
def test_every_public_name_is_there(name):
    assert getattr(oauth_filter, name).__name__ == name


def test_other_names_are_not():
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        oauth_filter.Nothing  # noqa: B018


def test_importing_the_package_or_the_guard_loads_no_other_library():
    """Who speaks OAuth as a client, or only guards requests, pays for nothing else."""
    code = (
        "import sys, oauth_filter, oauth_filter.messages, oauth_filter.resource_server.guard\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names))"
    )
    run = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=False, cwd=_root())
    assert run.stderr == ""
    assert set(run.stdout.split()) <= {"oauth_filter", "__main__", "__mp_main__"}


def _root():
    return os.path.dirname(os.path.dirname(oauth_filter.__file__))
