"""A real server: the filter around a small API, in several worker processes, on a loopback port.

Other people's clients and browsers talk to it over HTTP. `walk` is what a person does with our pages, without a
browser.
"""

import json
import logging
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qsl
from urllib.parse import urljoin
from urllib.parse import urlsplit

import requests
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from oauth_filter import OAuthFilter
from oauth_filter import credentials
from oauth_filter import passwords
from oauth_filter.records import Client
from oauth_filter.records import User
from oauth_filter.registration import with_secret
from oauth_filter.stores import open_store
from tests.client_page import client_application

ROOT = Path(__file__).parent.parent
WORKERS = 3
TIMEOUT = 30
"""Seconds after which a request that nobody answers fails the test."""

CALLBACK = "https://client.example/cb"
"""Where a client that is no server of its own has the browser sent; nobody goes there."""

SCOPES = {"reports:read": "Read your reports", "reports:write": "Change and delete your reports"}

INI = """\
[oauth_filter]
issuer = {issuer}
store = sqlite:///%(here)s/oauth.db
secret = {secret}
{options}

[protect]
/public/ = public
GET /reports/ = reports:read
/reports/ = reports:write
/ = authenticated

[scopes]
{scopes}
"""


def application(environ, start_response):
    """The API: who is asking, as JSON; for a path of Nuxeo's repository in the shape of a document."""
    username = environ.get("REMOTE_USER")
    said = {
        "username": username and username.encode("latin-1").decode(),
        "subject": environ.get("oauth_filter.subject"),
        "client_id": environ.get("oauth_filter.client_id"),
        "scope": environ.get("oauth_filter.scope"),
        "method": environ["REQUEST_METHOD"],
        "path": environ["PATH_INFO"],
        "query": environ.get("QUERY_STRING", ""),
        "worker": os.getpid(),
    }
    root, _, path = environ["PATH_INFO"].partition("/path/")
    if root in ("/api/v1", "/api/v1/repo/default"):
        said |= {
            "entity-type": "document",
            "uid": "00000000-0000-0000-0000-000000000001",
            "path": f"/{path}",
            "title": path.rpartition("/")[2],
            "properties": {"dc:lastContributor": username},
        }
    body = json.dumps(said).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def create_app(folder):
    """What gunicorn serves: the filter where its issuer says, on a clock tests can set forward, beside a client.

    RFC 8414 section 3.1 wants the metadata at the root of the host, also of an issuer with a path.
    """
    logging.basicConfig(level=logging.DEBUG)
    ahead = Path(folder, "seconds_ahead")
    guarded = OAuthFilter(application, Path(folder, "oauth.ini"), now=lambda: time.time() + float(ahead.read_text()))
    mounted = DispatcherMiddleware(NotFound(), {guarded.settings.issuer_path: guarded, "/client": client_application})

    def host(environ, start_response):
        answering = guarded if environ["PATH_INFO"].startswith("/.well-known/") else mounted
        return answering(environ, start_response)

    return host


class LiveServer:
    """What a test knows of a running server. `secrets` are those of its clients, None for a public one."""

    def __init__(self, issuer, folder, master_secret):
        self.issuer = issuer
        self.folder = folder
        self._master_secret = master_secret
        self.secrets = {}
        self._passwords = []
        self._store = open_store(f"sqlite:///{folder}/oauth.db", now=time.time)

    def url(self, path):
        return self.issuer + path

    @property
    def authorize(self):
        return self.url("/oauth2/authorize")

    @property
    def token(self):
        return self.url("/oauth2/token")

    @property
    def revoke(self):
        return self.url("/oauth2/revoke")

    @property
    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def add_user(self, username, password, **fields):
        if password != username:
            self._passwords.append(password)
        hashed = passwords.hash_secret(password)
        self._store.put(User(key=username, subject=credentials.new_id(), password_hash=hashed, **fields))

    def add_client(self, client_id, *redirect_uris, secret=None, **fields):
        """A public client, or with `secret=True` a confidential one whose secret is made up."""
        if secret is True:
            secret = credentials.generate(credentials.CLIENT_SECRET)
        self.secrets[client_id] = secret
        client = Client(key=client_id, client_id=client_id, redirect_uris=redirect_uris, **fields)
        self._store.put(with_secret(client, secret, master_secret=self._master_secret) if secret else client)

    @contextmanager
    def later(self, seconds):
        """Within, the server believes that so many seconds have passed."""
        ahead = self.folder / "seconds_ahead"
        try:
            _write(ahead, str(seconds))
            yield
        finally:
            _write(ahead, "0")

    def close(self):
        """What it logged, at every level, is neither an error of ours nor anybody's secret."""
        self._store.close()
        assert "Traceback" not in self.log, self.log
        assert not re.findall(r"of[a-z]_[0-9A-Za-z]{49}", self.log), "a token or generated secret was logged"
        for secret in filter(None, [*self._passwords, *self.secrets.values()]):
            assert not re.search(rf"\b{re.escape(secret)}\b", self.log), f"{secret} was logged"


@contextmanager
def serving(folder, *, mount="", options="", preload=False):
    """Run the server while the block lasts, and look through its log at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "seconds_ahead", "0")
    master_secret = credentials.generate(credentials.CLIENT_SECRET)
    # Workers inherit the listening socket: no port is free and then taken, and no request comes too early.
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        issuer = f"http://127.0.0.1:{listener.getsockname()[1]}{mount}"
        (folder / "oauth.ini").write_text(
            INI.format(
                issuer=issuer,
                secret=master_secret,
                options=options,
                scopes="\n".join(f"{token} = {sentence}" for token, sentence in SCOPES.items()),
            )
        )
        process = _start(folder, listener.fileno(), preload)
    try:
        _await(issuer, folder)
        server = LiveServer(issuer, folder, master_secret)
        yield server
        server.close()
    finally:
        process.terminate()
        try:
            process.wait(TIMEOUT)
        finally:
            process.kill()


def _start(folder, descriptor, preload):
    # The control socket of newer versions would lie in the home directory; older ones do not know the option.
    (folder / "gunicorn.py").write_text("control_socket_disable = True\n")
    command = [sys.executable, "-m", "gunicorn", "--config", str(folder / "gunicorn.py")]
    command += ["--workers", str(WORKERS), "--bind", f"fd://{descriptor}", "--graceful-timeout", "3"]
    command += ["--preload"] if preload else []
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [*command, f"tests.live:create_app({str(folder)!r})"],
            cwd=ROOT,
            pass_fds=[descriptor],
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def _await(issuer, folder):
    try:
        requests.get(f"{issuer}/.well-known/oauth-authorization-server", timeout=TIMEOUT).raise_for_status()
    except requests.RequestException as error:
        raise AssertionError(f"the server did not start: {(folder / 'log').read_text()}") from error


def _write(path, text):
    # Renamed into place, so that a worker never reads half of it.
    beside = path.with_suffix(".new")
    beside.write_text(text)
    beside.replace(path)


class Forms(HTMLParser):
    """The forms of a page: where each goes, its fields, and its buttons by the name they show."""

    def __init__(self, page):
        super().__init__()
        self.forms = []
        self._button = None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        match tag:
            case "form":
                self.forms.append({"action": attrs["action"], "method": attrs["method"], "fields": {}, "buttons": {}})
            case "input" if "name" in attrs:
                self.forms[-1]["fields"][attrs["name"]] = attrs.get("value", "")
            case "button":
                self._button = {attrs["name"]: attrs.get("value", "")} if "name" in attrs else {}

    def handle_data(self, data):
        if self._button is not None and data.strip():
            self.forms[-1]["buttons"][data.strip()] = self._button
            self._button = None

    def with_button(self, name):
        return next(form for form in self.forms if name in form["buttons"])


def press(session, page, button, **typed):
    """Fill in and send the form of a page that has this button; the answer, redirects followed within the server."""
    form = Forms(page.text).with_button(button)
    fields = form["fields"] | typed | form["buttons"][button]
    answer = session.request(form["method"], urljoin(page.url, form["action"]), data=fields, allow_redirects=False)
    return follow(session, answer)


def follow(session, answer):
    """Follow redirects, but not to another server than the one that answered."""
    while answer.is_redirect:
        target = urljoin(answer.url, answer.headers["Location"])
        if urlsplit(target)[:2] != urlsplit(answer.url)[:2]:
            break
        answer = session.get(target, allow_redirects=False)
    return answer


def arrive(session, url, username, password, button="Allow"):
    """Sign in and press a button of the consent page, as far as there is need; the answer that leads to the client."""
    page = follow(session, session.get(url, allow_redirects=False))
    for step, typed in (("Sign in", {"username": username, "password": password}), (button, {})):
        if page.status_code == 200 and any(step in form["buttons"] for form in Forms(page.text).forms):
            page = press(session, page, step, **typed)
    return page


def walk(url, username, password, button="Allow"):
    """Do that in a browser of its own; the URL it is sent back to."""
    with requests.Session() as session:
        page = arrive(session, url, username, password, button)
    assert page.is_redirect, page.text
    return page.headers["Location"]


def parameters(url):
    """The query of a URL, or its fragment where it has one."""
    parts = urlsplit(url)
    return dict(parse_qsl(parts.fragment or parts.query, keep_blank_values=True, strict_parsing=True))
