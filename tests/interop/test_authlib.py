"""Authlib's session against a live server."""

import base64
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote_plus

import pytest
import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc6749.errors import MismatchingStateException

from tests.live import CALLBACK
from tests.live import walk

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("insecure_transport")]


@pytest.fixture
def session(server):
    """Make sessions of one of the server's clients, set up from its metadata; they are closed at the end."""
    metadata = requests.get(server.url("/.well-known/oauth-authorization-server"), timeout=30).json()
    made = []

    def make(client_id, **options):
        options = {"redirect_uri": CALLBACK, "scope": "reports:read", "code_challenge_method": "S256"} | options
        made.append(OAuth2Session(client_id, server.secrets[client_id], **metadata | options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def sign_in(session, **options):
    verifier = generate_token(48)
    url, session.state = session.create_authorization_url(
        session.metadata["authorization_endpoint"], code_verifier=verifier
    )
    back = walk(url, "alice", "wonder land")
    return session.fetch_token(authorization_response=back, code_verifier=verifier, **options)


@pytest.mark.parametrize(
    ("client_id", "method"),
    [("native", "none"), ("web", "client_secret_basic"), ("web", "client_secret_post")],
)
def test_signs_alice_in_and_calls_the_api(server, session, client_id, method):
    client = session(client_id, token_endpoint_auth_method=method)
    token = sign_in(client)
    assert token["expires_in"] == 3600
    said = client.get(server.url("/reports/7")).json()
    assert (said["username"], said["client_id"], said["path"]) == ("alice", client_id, "/reports/7")


def test_token_in_the_query_is_taken_out_of_it(server, session):
    client = session("native", token_placement="uri")
    sign_in(client)
    answer = client.get(server.url("/reports/?year=2026&note=a+b"))
    assert (answer.json()["username"], answer.json()["query"]) == ("alice", "year=2026&note=a+b")
    assert answer.headers["Cache-Control"] == "no-store"


def test_answer_to_another_request_is_refused_by_its_state(server, session):
    client = session("native")
    url, _ = client.create_authorization_url(server.authorize, code_verifier=generate_token(48))
    with pytest.raises(MismatchingStateException):
        client.fetch_token(authorization_response=walk(url, "alice", "wonder land"), state="another")


def test_wrong_verifier_burns_the_code(server, session):
    client = session("native")
    verifier = generate_token(48)
    url, state = client.create_authorization_url(server.authorize, code_verifier=verifier)
    back = walk(url, "alice", "wonder land")
    for tried in (generate_token(48), verifier):
        with pytest.raises(OAuthError, match="invalid_grant"):
            client.fetch_token(authorization_response=back, state=state, code_verifier=tried)


def test_refreshes_by_itself_before_the_token_expires(server, session):
    updated = []
    # The lifetime is within Authlib's leeway, so that the token counts as expired at once.
    client = session("brief", update_token=lambda token, **old: updated.append((token["access_token"], old)))
    first = sign_in(client)
    assert client.get(server.url("/reports/")).json()["username"] == "alice"
    assert len(updated) == 1
    assert updated[0][0] != first["access_token"]
    assert updated[0][1] == {"refresh_token": first["refresh_token"]}


def test_reused_refresh_token_ends_the_family(server, session):
    client = session("web")
    first = sign_in(client)
    second = client.refresh_token(refresh_token=first["refresh_token"])
    assert client.get(server.url("/reports/")).status_code == 200
    # A moment later it could be a client that did not get the answer.
    with server.later(60), pytest.raises(OAuthError, match="invalid_grant"):
        client.refresh_token(refresh_token=first["refresh_token"])
    with pytest.raises(OAuthError, match="invalid_grant"):
        client.refresh_token(refresh_token=second["refresh_token"])
    client.token = second
    assert client.get(server.url("/reports/")).status_code == 401


@pytest.mark.promise(4)
@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_revoked_token_is_refused_by_every_worker(server, session, kind):
    client = session("web")
    token = sign_in(client)
    assert len({answer.json()["worker"] for answer in calls(server, token)}) > 1, "only one worker ever answered"
    assert client.revoke_token(server.revoke, token[kind], kind).status_code == 200
    assert {answer.status_code for answer in calls(server, token)} == {401}


def calls(server, token):
    """Many at a time, with a connection each, so that every worker gets its share."""
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda _: requests.get(server.url("/reports/"), headers=headers, timeout=30), range(60)))


def test_machine_acts_for_itself(server, session):
    client = session("machine", token_endpoint_auth_method="client_secret_post")
    token = client.fetch_token(grant_type="client_credentials")
    assert "refresh_token" not in token
    assert client.get(server.url("/reports/")).json()["client_id"] == "machine"
    with pytest.raises(OAuthError, match="invalid_scope"):
        session("machine", scope="everything").fetch_token(grant_type="client_credentials")


@pytest.mark.rfc("6749", "2.3.1")
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_id_and_secret_of_any_characters(server, session, method):
    client_id = "job: 50% + / & = ~"
    server.add_client(client_id, secret="sécret: 100% + ∞/&=", grant_types=("client_credentials",))
    client = session(client_id, token_endpoint_auth_method=method)
    # Authlib's own client_secret_basic leaves out the form-encoding that the RFC demands.
    client.register_client_auth_method(("client_secret_basic", form_encoded_basic))
    client.fetch_token(grant_type="client_credentials")
    assert client.get(server.url("/reports/")).json()["client_id"] == client_id


def form_encoded_basic(client, method, uri, headers, body):
    pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
    headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    return uri, headers, body


@pytest.mark.parametrize(
    ("client_id", "secret"),
    [("job one", "it's (a) secret: /&=~!*"), ("job two", "one+one"), ("job+three", "100%25 sure")],
)
def test_basic_that_is_not_form_encoded_works(server, session, client_id, secret):
    server.add_client(client_id, secret=secret, grant_types=("client_credentials",))
    session(client_id).fetch_token(grant_type="client_credentials")
