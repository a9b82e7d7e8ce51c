"""Bad input of every kind, to every endpoint there is: always a clear 4xx, never a 5xx, a hang or an echo."""

import json
import logging
from base64 import b64encode
from dataclasses import replace
from urllib.parse import parse_qsl
from urllib.parse import quote
from urllib.parse import urlencode
from urllib.parse import urlsplit

import pytest

from oauth_filter.authorization_server.http import MAX_BODY
from oauth_filter.errors import ERROR_CODES
from tests.provider import CALLBACK
from tests.registry import ALL_PARAMETERS
from tests.registry import CLIENT_PARAMETERS
from tests.registry import DIRECTORY
from tests.registry import EVERYWHERE
from tests.registry import MARK
from tests.registry import TARGETS
from tests.registry import World
from tests.wire import FORM
from tests.wire import METHODS
from tests.wire import send

pytestmark = pytest.mark.promise(7)


@pytest.fixture(scope="module")
def world():
    return World()


@pytest.fixture(autouse=True)
def log(caplog):
    caplog.set_level(logging.DEBUG)
    return caplog


@pytest.fixture
def ask(world, log):
    """Send a request and check what is true of every answer, whatever was asked."""

    def ask(target, request):
        answer = send(world.provider.filter, request)
        assert 200 <= answer.status < 500, (answer.status, answer.body, request)
        assert not answer.input.asked_beyond
        logged = log.text + answer.errors.text
        assert not [secret for secret in world.secrets if secret in logged]
        assert MARK not in str([(name, value) for name, value in answer.headers if name != "Location"])
        assert MARK.encode() not in answer.body
        check_location(target, answer.header("Location"))
        if answer.status >= 400:
            check_refusal(target, request, answer)
        return answer

    return ask


def check_location(target, location):
    if location is None:
        return
    if target.is_known:
        ours = ("/oauth2/authorize?", "/oauth2/device", "/oauth2/logout?")
        assert location.startswith((f"{CALLBACK}?", *ours)) or location == "/", location
    if location.startswith(CALLBACK):
        location = str(dict(parse_qsl(urlsplit(location).query)) | {"state": "the client's own"})
    assert MARK not in location


def check_refusal(target, request, answer):
    assert answer.header("Cache-Control") == "no-store"
    if request.method == "HEAD":
        return
    content_type = answer.header("Content-Type")
    if content_type == "application/json":
        said = json.loads(answer.body)
        if target.path == DIRECTORY and "error" not in said:
            assert said["status"] == answer.status
            assert said["message"]
        else:
            # A challenge to a request without a token has no error code of OAuth's (RFC 6750 section 3.1).
            assert said["error"] in (*ERROR_CODES, "unauthorized")
            assert said["error_description"].isprintable()
    elif content_type == "text/html; charset=utf-8":
        assert target.answers == "page" or answer.status == 404
        assert "default-src 'none'" in answer.header("Content-Security-Policy")
    else:
        # A path that can be read in two ways is refused before anybody knows who is asked.
        assert (content_type, answer.status) == ("text/plain; charset=utf-8", 400)


def is_refusal(answer):
    """Whether it is a 4xx, or an error that the browser brings to the client."""
    location = answer.header("Location") or ""
    return answer.status >= 400 or "error=" in urlsplit(location).query


def with_field(request, name, value):
    """The request with that parameter instead of the one it has."""
    return replace(request, fields=[*((n, v) for n, v in request.fields if n != name), (name, value)])


def basic(pair):
    return "Basic " + b64encode(pair).decode()


def everywhere(targets=EVERYWHERE):
    return pytest.mark.parametrize("target", targets, ids=str)


@everywhere([target for target in EVERYWHERE if target.is_known])
def test_a_good_request_is_answered(world, ask, target):
    """Or else nothing below would show anything."""
    assert not is_refusal(ask(target, world.good(target)))


@pytest.mark.rfc("6749", "3.1", "parameters MUST NOT be included more than once")
@pytest.mark.rfc("6749", "3.2", "parameters MUST NOT be included more than once")
@everywhere()
def test_a_repeated_parameter(world, ask, target):
    for name in target.parameters:
        request = world.good(target)
        again = [(name, MARK)] if name in dict(request.fields) else [(name, MARK), (name, f"{MARK} again")]
        answer = ask(target, replace(request, fields=[*request.fields, *again]))
        if target.has_parameters:
            assert is_refusal(answer), name
        if target.has_parameters and target.answers == "json":
            assert (answer.status, json.loads(answer.body)["error"]) == (400, "invalid_request"), name


def test_a_member_of_a_json_body_that_is_there_twice(world, ask):
    """Two parsers would take the one for the other's client."""
    (target,) = [target for target in TARGETS if target.path == DIRECTORY]
    request = world.good(target)
    request.body = request.body.replace(b'"clientId":', b'"clientId": "%s", "clientId":' % MARK.encode())
    assert ask(target, request).status == 400


CONTENT_TYPES = {
    "a form": FORM,
    "none": None,
    "empty": "",
    "json": "application/json",
    "multipart": "multipart/form-data; boundary=x",
    "multipart without boundary": "multipart/form-data",
    "text": "text/plain",
    "nonsense": f"{MARK}",
    "half": "application/",
    "only parameters": f"; charset={MARK}",
    "look-alike": f"{FORM}x",
    "NUL": f"{FORM}\0",
    "not ASCII": f"{FORM}\xff",
    "two": f"application/json, {FORM}",
    "broken parameters": 'application/json; charset="',
    "endless": "a/b" + f";{MARK}=b" * 6000,
}


@everywhere([target for target in EVERYWHERE if target.method == "POST"])
@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_a_wrong_content_type(world, ask, target, content_type):
    for body in ("a form", "JSON", "multipart"):
        request = world.good(target)
        request.content_type = CONTENT_TYPES[content_type]
        request.body = body_of(request, body)
        if not content_type == "a form" == body:
            answer = ask(target, request)
            assert is_refusal(answer) or not target.needs_a_body, body


def body_of(request, what):
    """The fields of the request as a body of that type."""
    fields = request.fields or [("clientId", MARK), ("name", MARK)]
    match what:
        case "JSON":
            return json.dumps(dict(fields)).encode()
        case "multipart":
            parts = [f'--x\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields]
            return "".join([*parts, "--x--\r\n"]).encode()
    return urlencode(fields).encode()


BAD_BYTES = [
    b"\0",  # NUL
    b"%00",  # NUL, escaped
    b"\xff\xfe",  # no UTF-8
    b"%ff%fe",  # no UTF-8, escaped
    b"\xc0\x80",  # overlong
    b"%c0%80",  # overlong, escaped
    b"\xe2\x82",  # half a character
    b"%e2%82",  # half a character, escaped
    b"\xed\xa0\x80",  # surrogate
    b"%ed%a0%80",  # surrogate, escaped
    b"%f5%80%80%80",  # beyond Unicode, escaped
    b"%",  # no escape
    b"%4",  # half an escape
    b"%zz",  # no hexadecimal
    b"%\xd9\xa1\xd9\xa2",  # no ASCII digits
    b"%u0041",  # JavaScript's escape
    b"%+1",  # sign in an escape
]


@everywhere()
@pytest.mark.parametrize("place", ["a value", "a name", "the value of another", "the query", "the path"])
def test_bad_bytes(world, ask, target, place):
    for octets in BAD_BYTES:
        answer = ask(target, spoilt(world.good(target), place, octets))
        if place == "the path":
            assert is_refusal(answer) or target.path == "/api", octets
        elif place != "the query" and (target.has_parameters or target.takes_json):
            assert is_refusal(answer), octets


def spoilt(request, place, octets):
    """The request with these bytes somewhere, and otherwise as good as it was."""
    encoded = "&".join(f"{name}={quote(value, safe='')}" for name, value in request.fields).encode()
    match place:
        case "a value":
            encoded = encoded + octets
        case "a name":
            encoded += b"&" + MARK.encode() + octets + b"=1"
        case "the value of another":
            encoded += b"&unknown=" + MARK.encode() + octets
        case "the query":
            request.query = f"{MARK}=" + octets.decode("latin-1")
        case "the path":
            request.path += MARK + octets.decode("latin-1")
    if place in ("a value", "a name", "the value of another"):
        if request.has_form or request.body is not None:
            request = replace(request, body=(request.body or b"") + encoded)
        else:
            request = replace(request, query=encoded.decode("latin-1"))
    return request


HEADERS = [
    "HTTP_AUTHORIZATION",
    "HTTP_COOKIE",
    "HTTP_HOST",
    "HTTP_SEC_FETCH_SITE",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_IF_NONE_MATCH",
    "HTTP_IF_MODIFIED_SINCE",
    "HTTP_RANGE",
    "HTTP_USER_AGENT",
    "REMOTE_ADDR",
]


@everywhere()
@pytest.mark.parametrize("header", HEADERS)
def test_bad_bytes_in_a_header(world, ask, target, header):
    for octets in BAD_BYTES:
        text = MARK + octets.decode("latin-1")
        values = [text]
        if header == "HTTP_AUTHORIZATION":
            values += [f"Basic {text}", f"Bearer {text}", f"Digest {text}", basic(octets + b":" + octets)]
        elif header == "HTTP_COOKIE":
            values += [f"oauth_filter={text}", f'oauth_filter="{text}', f"{text}=1;="]
        for value in values:
            # Another one each time: what it has may be good for once, and wrong codes are counted.
            request = world.good(target)
            ask(target, replace(request, headers=request.headers | {header: value}))


MEGABYTE = b"a" * 1_000_000


def oversize(request, how):
    match how:
        case "100 MB are announced":
            return replace(request, body=MEGABYTE, content_length="100000000")
        case "1 MB":
            return replace(request, body=MEGABYTE)
        case "1 MB in chunks":
            chunked = request.headers | {"HTTP_TRANSFER_ENCODING": "chunked"}
            return replace(request, body=MEGABYTE, content_length=None, ends=True, headers=chunked)
        case "a parameter of 1 MB":
            return replace(request, body=b"client_id=" + MEGABYTE)
        case "5,000 parameters":
            return replace(request, body=b"&".join(b"p%d=" % n for n in range(5000)))
        case "one parameter 5,000 times":
            return replace(request, body=b"&".join([b"code="] * 5000))
        case "5,000 separators":
            return replace(request, body=b"&" * 5000)
    raise AssertionError(how)


@everywhere()
@pytest.mark.parametrize(
    ("how", "status"),
    [
        ("100 MB are announced", 413),
        ("1 MB", 413),
        ("1 MB in chunks", 413),
        ("a parameter of 1 MB", 413),
        ("5,000 parameters", 400),
        ("one parameter 5,000 times", 400),
        ("5,000 separators", 400),
    ],
)
def test_an_oversize_body(world, ask, target, how, status):
    answer = ask(target, oversize(world.good(target), how))
    assert answer.input.taken <= MAX_BODY + 1
    if target.takes_a_form:
        assert answer.status == status
    elif target.takes_json:
        assert answer.status in (400, 413)


@everywhere()
@pytest.mark.parametrize("query", ["a" * 1_000_000, "&" * 5000, "p=&" * 5000, f"client_id={MARK * 100_000}"], ids=len)
def test_an_oversize_query(world, ask, target, query):
    answer = ask(target, replace(world.good(target), query=query))
    if target.path == "/oauth2/token" or (target.method == "GET" and target.has_parameters):
        assert answer.status in (400, 414)


LONG = MARK * 8192
LONG_VALUES = [LONG, f"Basic {LONG}", f"Bearer {LONG}", "," * 65536, " " * 65536, "bearer ," * 8192, "a=b;" * 16384]


@everywhere()
@pytest.mark.parametrize("header", HEADERS)
def test_a_header_of_64_kilobytes(world, ask, target, header):
    for value in LONG_VALUES:
        ask(target, replace(world.good(target), headers={header: value}))


@everywhere()
@pytest.mark.parametrize("path", ["/" * 65536, "/x" * 32768, "/.." * 20000, ";x" * 32768, "%" * 65536], ids=len)
def test_a_path_of_64_kilobytes(world, ask, target, path):
    assert ask(target, replace(world.good(target), path=target.path + path)).status in (200, 400, 401, 404)


@everywhere()
def test_an_absurdly_long_parameter(world, ask, target):
    length = 30_000 if target.method == "GET" else 60_000
    # A login_hint is there to be shown on the login page.
    for name in sorted({*ALL_PARAMETERS} - {"login_hint"}):
        request = world.good(target)
        answer = ask(target, with_field(request, name, (MARK * length)[: length - 2000]))
        # A state of any length is the client's own business, and whatever is no token is as good as revoked.
        if target.has_parameters and name in dict(request.fields).keys() - {"state", "token"}:
            asks_again = target.path in ("/oauth2/login", "/oauth2/device") and answer.header("Set-Cookie")
            asks_again = asks_again or (answer.header("Location") or "").startswith("/oauth2/device?step=")
            assert is_refusal(answer) or asks_again, name


FULLWIDTH_ONE = "\uff11".encode().decode("latin-1")
BAD_LENGTHS = ["", "-1", "-0", "+3", "abc", FULLWIDTH_ONE, "\uff11", "1e3", "0x10", "1_0", "5,5", "9" * 5000]


@everywhere()
def test_a_content_length_that_is_no_number(world, ask, target):
    for length in BAD_LENGTHS:
        answer = ask(target, replace(world.good(target), content_length=length))
        assert answer.input.taken == 0, length
        if target.needs_a_body:
            assert is_refusal(answer), length


@everywhere()
@pytest.mark.parametrize("how", ["the other side is done", "the connection breaks", "nothing comes"])
def test_less_is_sent_than_announced(world, ask, target, how):
    request = world.good(target)
    environ = request.environ()
    length = int(environ["CONTENT_LENGTH"]) + 1000
    request = replace(request, content_length=str(length), breaks=how == "the connection breaks")
    if how == "nothing comes":
        request.body = b""
    answer = ask(target, request)
    if target.needs_a_body:
        assert is_refusal(answer)


@everywhere()
@pytest.mark.parametrize("length", [0, 1, 10])
def test_more_is_sent_than_announced(world, ask, target, length):
    answer = ask(target, replace(world.good(target), content_length=str(length)))
    assert answer.input.taken <= length
    if target.needs_a_body:
        assert is_refusal(answer)


@everywhere()
@pytest.mark.parametrize("length", [None, "5", "0"])
def test_chunks_without_an_end_that_the_server_knows(world, ask, target, length):
    request = world.good(target)
    chunked = request.headers | {"HTTP_TRANSFER_ENCODING": "chunked"}
    answer = ask(target, replace(request, content_length=length, headers=chunked))
    assert answer.input.taken == 0
    if target.needs_a_body:
        assert is_refusal(answer)


@everywhere()
def test_chunks_of_which_the_server_knows_the_end(world, ask, target):
    request = world.good(target)
    chunked = request.headers | {"HTTP_TRANSFER_ENCODING": "chunked"}
    answer = ask(target, replace(request, content_length=None, ends=True, headers=chunked))
    if target.is_known:
        assert not is_refusal(answer)


BAD_AUTHORIZATIONS = [
    " ",
    ":",
    "\0",
    MARK,
    "Basic",
    "Basic ",
    "Basic !!!",
    "Basic YQ",
    "Basic YTpi=",
    "Basic YTpi YTpi",
    "Basic YTpi, Basic YTpi",
    f"Basic {MARK}, Bearer {MARK}",
    basic(b"no colon " + MARK.encode()),
    basic(b":"),
    basic(b":" + MARK.encode()),
    basic(MARK.encode() + b":"),
    basic(b"app:" + MARK.encode()),
    basic(b"\xff:\xff"),
    basic(b"app\0:x"),
    basic(b"app:%zz"),
    basic(b"app:%00"),
    basic(b"%:x"),
    "basic",
    "Bearer",
    "Bearer ",
    "bearer\t",
    f"Bearer {MARK} {MARK}",
    f"Bearer {MARK},{MARK}",
    f"Bearer {MARK}, Bearer {MARK}",
    "Bearer \xe9",
    "Bearer =",
    f"Bearer={MARK}",
    f"Bearer\t{MARK}",
    f'Digest username="{MARK}", response="',
    f"Negotiate {MARK}",
    f"{MARK} a=b, c",
]


@everywhere()
def test_a_malformed_authorization(world, ask, target):
    for authorization in BAD_AUTHORIZATIONS:
        request = world.good(target)
        if target.authenticates_clients:
            request.fields = [(name, value) for name, value in request.fields if name not in CLIENT_PARAMETERS]
        answer = ask(target, replace(request, headers=request.headers | {"HTTP_AUTHORIZATION": authorization}))
        if target.needs_authorization:
            assert answer.status in (400, 401), authorization
            assert answer.status == 400 or answer.header("WWW-Authenticate"), authorization
        elif target.is_known:
            assert not is_refusal(answer), authorization


NO_METHODS = ["FOO", "get", "post", "Post", "G ET", "GET\0", "\xc9", MARK, "", "G" * 65536]


@everywhere()
def test_every_method(world, ask, target):
    allowed = {*target.methods, *(["HEAD"] if "GET" in target.methods else [])}
    for method in (*METHODS, *NO_METHODS):
        answer = ask(target, replace(world.good(target), method=method))
        if method == "OPTIONS" and answer.status == 204:
            # What scripts of other sites may call says so before it is called.
            assert answer.header("Access-Control-Allow-Methods") == ", ".join(target.methods)
        elif target.methods and method.upper() not in allowed:
            assert answer.status == 405, method
            assert answer.header("Allow") == ", ".join(target.methods)
        assert method != "HEAD" or answer.body == b""


LAX = ["QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH", "REMOTE_ADDR", "HTTP_HOST", "SCRIPT_NAME", "SERVER_NAME"]


@everywhere()
@pytest.mark.parametrize("without", [*((key,) for key in LAX), tuple(LAX), ("PATH_INFO",)], ids="+".join)
def test_a_server_that_leaves_something_out(world, ask, target, without):
    answer = ask(target, replace(world.good(target), without=without))
    needed = {"PATH_INFO"}
    if target.takes_a_form or target.takes_json:
        needed |= {"CONTENT_TYPE", "CONTENT_LENGTH"}
    elif target.has_parameters or target.method == "DELETE":
        needed |= {"QUERY_STRING"}
    if target.is_known and needed.isdisjoint(without):
        assert not is_refusal(answer)
