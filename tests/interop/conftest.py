"""The servers that other people's clients talk to."""

import pytest

from tests.live import CALLBACK
from tests.live import serving

JWT_SECRET = "a secret of sixty-four bytes or more that the two of them share!"


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The default profile; each worker process has loaded the application itself."""
    with serving(tmp_path_factory.mktemp("default")) as server:
        server.add_user("alice", "wonder land", name="Alice Liddell")
        server.add_client("web", CALLBACK, secret=True, name="Web application")
        server.add_client("native", CALLBACK, name="Native application")
        server.add_client("brief", CALLBACK, secret=True, name="Short-lived", access_token_lifetime=1)
        server.add_client("machine", secret=True, name="Night job", grant_types=("client_credentials",))
        yield server


@pytest.fixture(scope="session")
def nuxeo(tmp_path_factory):
    """The nuxeo profile, mounted at /nuxeo; the application was loaded before the workers were forked."""
    options = f"profile = nuxeo\njwt_secret = {JWT_SECRET}"
    with serving(tmp_path_factory.mktemp("nuxeo"), mount="/nuxeo", options=options, preload=True) as server:
        server.add_user("Administrator", "Administrator", administrator=True)
        server.add_user("alice", "wonder land", name="Alice Liddell")
        yield server


@pytest.fixture
def jwt_secret():
    """The `jwt_secret` of the nuxeo server."""
    return JWT_SECRET


@pytest.fixture
def insecure_transport(monkeypatch):
    """Lets client libraries use http, which they refuse even on this machine."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
