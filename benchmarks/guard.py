"""The microseconds a protected request costs beyond the application itself, beside what others take for it."""

import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from itertools import islice
from itertools import repeat
from pathlib import Path
from typing import Any

from oauth_filter import Client
from oauth_filter import OAuthFilter
from oauth_filter import Rule
from oauth_filter import Settings
from oauth_filter import User
from oauth_filter import credentials
from oauth_filter.records import AccessToken

RULES = 50
TOKENS = 1000
MORE_TOKENS = 20_000
"""More than the guard remembers: taken in turn, each of them is one it has forgotten."""

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A way to answer a request. `environs` has what a server would pass, without end; each call gets a copy."""

    name: str
    call: Callable[[Environ], Any]
    environs: Iterator[Environ]
    calls: int
    """How many calls make a round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    name: str
    median: float
    """Microseconds a call, beyond the bare application."""
    lowest: float
    highest: float


def measure(cases: list[Case], *, rounds: int) -> list[Result]:
    """Rounds of all cases in turn, so that what else the machine does falls on all of them alike.

    The first case is the bare application; its own time stands in its result, and is taken off the others'.
    """
    times: dict[str, list[float]] = {case.name: [] for case in cases}
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            bare = 0.0
            for case in cases:
                took = _round(case)
                times[case.name].append(took - bare)
                bare = bare or took
            gc.collect()
    finally:
        gc.enable()
    return [
        Result(name=name, median=statistics.median(took), lowest=min(took), highest=max(took))
        for name, took in times.items()
    ]


def _round(case: Case) -> float:
    call = case.call
    # A server makes a new environ for every request; making them is not what is measured. Processor time is what
    # a request costs, and what other programs of this machine can do least to.
    fresh = [environ.copy() for environ in islice(case.environs, case.calls)]
    start = time.process_time()
    for environ in fresh:
        call(environ)
    return (time.process_time() - start) / case.calls * 1e6


def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


def request(path: str = "/api/things/1", token: str | None = None) -> Environ:
    """About what gunicorn passes for a request of a browser."""
    environ: Environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "RAW_URI": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "gunicorn",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "40000",
        "HTTP_HOST": "api.example.com",
        "HTTP_ACCEPT": "application/json",
        "HTTP_ACCEPT_ENCODING": "gzip, br",
        "HTTP_ACCEPT_LANGUAGE": "en",
        "HTTP_CONNECTION": "keep-alive",
        "HTTP_COOKIE": "session=0123456789",
        "HTTP_USER_AGENT": "Mozilla/5.0",
        "HTTP_REFERER": "https://app.example.com/",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input": None,
        "wsgi.errors": None,
        "wsgi.file_wrapper": None,
        "wsgi.input_terminated": True,
    }
    if token is not None:
        environ["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return environ


def _ignore(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
    pass


def _wsgi(wsgi: Application) -> Callable[[Environ], Any]:
    return lambda environ: wsgi(environ, _ignore)


@contextmanager
def cases(*, calls: int) -> Iterator[list[Case]]:
    """The bare application, ours, and others; with a store in a temporary file while it lasts."""
    tokens = [credentials.generate(credentials.ACCESS_TOKEN) for _ in range(MORE_TOKENS)]
    few = tokens[:TOKENS]
    floor, authlib, oauthlib = _floor(few), _authlib(few), _oauthlib(few)
    with tempfile.TemporaryDirectory() as folder:
        ours, forgetful = _filter(Path(folder) / "few.db", few), _filter(Path(folder) / "many.db", tokens)
        seen = request(token=few[0])
        public = request("/static/logo.png")
        refused = request(token=_garbage(few[0]))
        for wsgi, environ, allowed in (
            (floor, seen, True),
            (ours, seen, True),
            (ours, public, True),
            (ours, refused, False),
        ):
            assert _is_allowed(wsgi, environ) == allowed
        assert authlib(seen.copy())
        assert oauthlib(seen.copy())
        yield [
            Case(name="bare application", call=_wsgi(application), environs=repeat(seen), calls=calls),
            Case(name="floor written by hand", call=_wsgi(floor), environs=repeat(seen), calls=calls),
            Case(name="oauth_filter: a token seen before", call=_wsgi(ours), environs=repeat(seen), calls=calls),
            Case(
                name=f"oauth_filter: {len(few)} tokens seen before, in turn",
                call=_wsgi(ours),
                environs=cycle([request(token=token) for token in few]),
                calls=calls,
            ),
            Case(name="oauth_filter: public path, no token", call=_wsgi(ours), environs=repeat(public), calls=calls),
            Case(name="oauth_filter: refused, bad checksum", call=_wsgi(ours), environs=repeat(refused), calls=calls),
            Case(
                name="oauth_filter: unseen token, from SQLite",
                call=_wsgi(forgetful),
                environs=cycle([request(token=token) for token in tokens]),
                calls=max(calls // 20, 1),
            ),
            Case(
                name="Authlib: Flask ResourceProtector, from a dict",
                call=authlib,
                environs=repeat(seen),
                calls=max(calls // 20, 1),
            ),
            Case(
                name="oauthlib: verify_request, from a dict",
                call=oauthlib,
                environs=repeat(seen),
                calls=max(calls // 20, 1),
            ),
        ]
        ours.store.close()
        forgetful.store.close()


def _is_allowed(wsgi: Application, environ: Environ) -> bool:
    told: list[str] = []
    wsgi(environ.copy(), lambda status, *_: told.append(status))
    return told == ["200 OK"]


def _garbage(token: str) -> str:
    return token[:-1] + ("A" if token[-1] != "A" else "B")


def _filter(file: Path, tokens: list[str]) -> OAuthFilter:
    rules = [Rule.parse("/static/", "public"), Rule.parse("/api/", "api:read")]
    rules += [Rule.parse(f"/section-{number}/", "public") for number in range(RULES - len(rules))]
    settings = Settings(
        issuer="https://api.example.com", store=f"sqlite:///{file}", secret="s" * 64, protect=tuple(rules)
    )
    ours = OAuthFilter(application, settings)
    ours.store.put(Client(key="app", name="App"), User(key="alice", subject="subject"), *map(_record, tokens))
    return ours


def _record(token: str) -> AccessToken:
    return AccessToken(
        key=credentials.digest(token),
        client_id="app",
        subject="subject",
        username="alice",
        scope="api:read api:write",
        grant_id="grant",
        expires_at=time.time() + 24 * 60 * 60,
    )


def _floor(tokens: list[str]) -> Application:
    """What nobody can do without: read the header, look the token up, tell the application."""
    users = dict.fromkeys(tokens, ("alice", "app", "api:read api:write"))

    def wsgi(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        found = users.get(token) if scheme.lower() == "bearer" else None
        if found is None:
            start_response("401 Unauthorized", [("WWW-Authenticate", "Bearer")])
            return []
        environ["REMOTE_USER"], environ["client_id"], environ["scope"] = found
        environ["AUTH_TYPE"] = "Bearer"
        return application(environ, start_response)

    return wsgi


def _authlib(tokens: list[str]) -> Callable[[Environ], Any]:
    """Authlib's decorator inside a Flask request context, which is made beforehand and not measured."""
    from authlib.integrations.flask_oauth2 import ResourceProtector
    from authlib.oauth2.rfc6750 import BearerTokenValidator
    from flask import Flask

    class Token(dict[str, Any]):
        def get_scope(self) -> str:
            return str(self["scope"])

        def is_expired(self) -> bool:
            return bool(self["expires_at"] <= time.time())

        def is_revoked(self) -> bool:
            return False

    stored = {
        token: Token(scope="api:read api:write", user="alice", expires_at=time.time() + 24 * 60 * 60)
        for token in tokens
    }

    class Validator(BearerTokenValidator):
        def authenticate_token(self, token_string: str) -> Token | None:
            return stored.get(token_string)

    protect = ResourceProtector()
    protect.register_token_validator(Validator())
    flask = Flask("benchmark")

    @protect("api:read")
    def view() -> str:
        return "hello"

    def call(environ: Environ) -> Any:
        with flask.request_context(environ):
            return view()

    return call


def _oauthlib(tokens: list[str]) -> Callable[[Environ], Any]:
    """oauthlib's check of a request, with a dict for a store."""
    from oauthlib.oauth2 import RequestValidator
    from oauthlib.oauth2 import ResourceEndpoint
    from oauthlib.oauth2.rfc6749.tokens import BearerToken

    stored = {token: ({"api:read", "api:write"}, "alice", time.time() + 24 * 60 * 60) for token in tokens}

    class Validator(RequestValidator):
        def validate_bearer_token(self, token: str, scopes: list[str], request: Any) -> bool:
            scope, user, expires_at = stored.get(token, (set(), None, 0.0))
            request.user = user
            return expires_at > time.time() and scope.issuperset(scopes)

    endpoint = ResourceEndpoint("Bearer", {"Bearer": BearerToken(Validator())})

    def call(environ: Environ) -> Any:
        valid, _ = endpoint.verify_request(
            f"http://api.example.com{environ['PATH_INFO']}",
            "GET",
            None,
            {"Authorization": environ["HTTP_AUTHORIZATION"]},
            ["api:read"],
        )
        return valid and application(environ, _ignore)

    return call
