"""Revocation reaches every process at its next request."""

import json
import subprocess
import sys
from contextlib import contextmanager

import pytest

from oauth_filter import Client
from oauth_filter import OAuthFilter
from oauth_filter import User
from oauth_filter import credentials
from oauth_filter.records import AccessToken

WORKER = """
import json, os, sys
from oauth_filter import OAuthFilter, Settings

def application(environ, start_response):
    start_response("200 OK", [])
    return []

protected = OAuthFilter(application, Settings(**json.loads(sys.argv[1])))

def status(token):
    told = []
    environ = {"PATH_INFO": "/api", "REQUEST_METHOD": "GET", "HTTP_AUTHORIZATION": "Bearer " + token}
    protected(environ, lambda status, headers: told.append(status[:3]))
    return told[0]

if "fork" in sys.argv:
    # Like a server that loads the application first, has even answered with it, and then forks its workers.
    status(sys.argv[3])
    child = os.fork()
    if child:
        os._exit(os.waitpid(child, 0)[1] and 1)

for line in sys.stdin:
    print(status(line.strip()), flush=True)
"""


@contextmanager
def worker(options, *arguments):
    """A function that has another process answer a request."""
    command = [sys.executable, "-c", WORKER, json.dumps(options), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def ask(token):
            process.stdin.write(token + "\n")
            process.stdin.flush()
            return process.stdout.readline().strip()

        yield ask
        process.stdin.close()
        assert process.wait(20) == 0


@pytest.mark.promise(4)
@pytest.mark.parametrize("forked", [False, True])
def test_another_process_refuses_what_was_revoked_here(tmp_path, settings, forked):
    options = {"store": f"sqlite:///{tmp_path}/oauth.db", "secret": "x" * 64, "issuer": "http://localhost:8080"}
    store = OAuthFilter(None, settings(**options)).store
    alice = User(key="alice", subject="subject")
    app = Client(key="app", name="App")
    store.put(app, alice)
    token = credentials.generate("ofa")

    def issue():
        record = AccessToken(
            key=credentials.digest(token), client_id="app", subject="subject", username="alice", grant_id="grant"
        )
        store.put(record)

    issue()
    with worker(options, *(["fork", token] if forked else [])) as ask, worker(options) as ask_another:
        for end in (
            lambda: store.put(Client(key="app", name="App", enabled=False)),
            lambda: store.put(User(key="alice", subject="subject", enabled=False)),
            lambda: store.delete(AccessToken, credentials.digest(token)),
            lambda: store.revoke("subject", "subject"),
            lambda: store.revoke("grant", "grant"),
        ):
            assert [ask(token), ask(token), ask_another(token), ask_another(token)] == ["200"] * 4
            end()
            assert [ask(token), ask_another(token)] == ["401"] * 2
            store.put(app, alice)
            issue()
        assert [ask(token), ask_another(token)] == ["401"] * 2, "nothing lives under a revoked grant"
    store.close()
