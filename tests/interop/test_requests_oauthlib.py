"""requests-oauthlib's session against a live server."""

import time

import pytest
from oauthlib.oauth2 import AccessDeniedError
from oauthlib.oauth2 import BackendApplicationClient
from oauthlib.oauth2 import InvalidClientError
from oauthlib.oauth2 import InvalidGrantError
from oauthlib.oauth2 import MismatchingStateError
from requests_oauthlib import OAuth2Session

from tests.live import CALLBACK
from tests.live import walk

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("insecure_transport")]

READ = ["reports:read"]


@pytest.fixture
def session(server):
    """Make sessions of one of the server's clients; they are closed at the end."""
    made = []

    def make(client_id, **options):
        made.append(OAuth2Session(client_id, redirect_uri=CALLBACK, scope=READ, pkce="S256", **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def sign_in(session, server, button="Allow"):
    url, _ = session.authorization_url(server.authorize)
    return walk(url, "alice", "wonder land", button)


def test_public_client_signs_alice_in_and_calls_the_api(server, session):
    native = session("native")
    token = native.fetch_token(server.token, authorization_response=sign_in(native, server), include_client_id=True)
    assert token["token_type"].lower() == "bearer"
    assert token.scope == "reports:read"
    said = native.get(server.url("/reports/")).json()
    assert (said["username"], said["client_id"], said["scope"]) == ("alice", "native", "reports:read")


def test_public_client_may_send_its_id_by_basic_with_an_empty_secret(server, session):
    native = session("native")
    native.fetch_token(server.token, authorization_response=sign_in(native, server))
    assert native.get(server.url("/reports/")).status_code == 200


@pytest.mark.parametrize("in_body", [False, True], ids=["client_secret_basic", "client_secret_post"])
def test_confidential_client(server, session, in_body):
    web = session("web")
    back = sign_in(web, server)
    web.fetch_token(
        server.token,
        authorization_response=back,
        client_secret=server.secrets["web"],
        include_client_id=in_body,
    )
    assert web.get(server.url("/reports/")).json()["client_id"] == "web"
    assert web.post(server.url("/reports/")).status_code == 403


def test_wrong_secret_is_understood_as_invalid_client(server, session):
    web = session("web")
    back = sign_in(web, server)
    with pytest.raises(InvalidClientError):
        web.fetch_token(server.token, authorization_response=back, client_secret="wrong")


def test_code_of_another_browser_is_refused(server, session):
    mallory, alice = session("native"), session("native")
    back = sign_in(mallory, server)
    sign_in(alice, server)
    with pytest.raises(MismatchingStateError):
        alice.fetch_token(server.token, authorization_response=back, include_client_id=True)
    with pytest.raises(InvalidGrantError):
        alice.fetch_token(server.token, code=alice_code(back), include_client_id=True)


def alice_code(back):
    return back.partition("code=")[2].partition("&")[0]


def test_cancel_is_understood_as_access_denied(server, session):
    server.add_client("unloved", CALLBACK, name="Unloved")
    unloved = session("unloved")
    back = sign_in(unloved, server, button="Cancel")
    with pytest.raises(AccessDeniedError):
        unloved.fetch_token(server.token, authorization_response=back, include_client_id=True)


def test_refreshes_by_itself_when_the_token_has_expired(server, session):
    updated = []
    credentials = {"client_id": "brief", "client_secret": server.secrets["brief"]}
    brief = session(
        "brief", auto_refresh_url=server.token, auto_refresh_kwargs=credentials, token_updater=updated.append
    )
    back = sign_in(brief, server)
    first = brief.fetch_token(server.token, authorization_response=back, client_secret=server.secrets["brief"])
    time.sleep(max(0.0, first["expires_at"] - time.time()) + 0.1)
    assert brief.get(server.url("/reports/")).json()["username"] == "alice"
    assert len(updated) == 1
    assert updated[0]["access_token"] != first["access_token"]
    assert updated[0]["refresh_token"] != first["refresh_token"]
    with server.later(60), pytest.raises(InvalidGrantError):
        brief.refresh_token(server.token, refresh_token=first["refresh_token"])


def test_machine_acts_for_itself(server):
    with OAuth2Session(client=BackendApplicationClient("machine", scope=READ)) as machine:
        token = machine.fetch_token(server.token, client_secret=server.secrets["machine"])
        assert "refresh_token" not in token
        said = machine.get(server.url("/reports/")).json()
        assert (said["username"], said["subject"], said["client_id"]) == (None, None, "machine")
