"""Registering clients as Nuxeo's guide does: POST /api/v1/directory/oauth2Clients."""

import base64
import json

import pytest

from oauth_filter.records import Client
from tests.provider import PASSWORD

PATH = "/api/v1/directory/oauth2Clients"
ENTRY = {
    "entity-type": "directoryEntry",
    "directoryName": "oauth2Clients",
    "properties": {
        "name": "My App",
        "clientId": "myApp",
        "clientSecret": "secret",
        "redirectURIs": "https://myapp.mydomain.com/nuxeo-auth-done",
        "autoGrant": "true",
        "enabled": "true",
    },
}


@pytest.fixture
def nuxeo(make_provider):
    provider = make_provider(nuxeo_directory_api=True, administrators=("carol",))
    provider.add_user("Administrator", administrator=True)
    provider.add_user("carol")
    return provider


def post(provider, entry=ENTRY, username="Administrator", password=PASSWORD, **properties):
    if properties:
        entry = entry | {"properties": entry["properties"] | properties}
    pair = base64.b64encode(f"{username}:{password}".encode()).decode()
    return provider.browser().post(PATH, json=entry, headers={"Authorization": f"Basic {pair}"})


def test_the_guides_request_registers_a_client(nuxeo):
    answer = post(nuxeo)
    assert answer.status_code == 201
    assert answer.json == {
        "entity-type": "directoryEntry",
        "directoryName": "oauth2Clients",
        "id": "myApp",
        "properties": {
            "id": "myApp",
            "name": "My App",
            "clientId": "myApp",
            "redirectURIs": "https://myapp.mydomain.com/nuxeo-auth-done",
            "autoGrant": True,
            "enabled": True,
        },
    }
    client = nuxeo.store.get(Client, "myApp")
    assert client.auto_grant
    assert "secret" not in (client.secret_hash or "")
    token = nuxeo.browser().post(
        "/oauth2/token", data={"grant_type": "client_credentials"}, headers=nuxeo.basic("myApp", "secret")
    )
    assert token.status_code == 200


def test_several_redirect_uris_and_real_booleans(nuxeo):
    answer = post(nuxeo, redirectURIs="https://a.example/cb, nuxeo://authorize", autoGrant=False, enabled=False)
    assert answer.status_code == 201
    client = nuxeo.store.get(Client, "myApp")
    assert client.redirect_uris == ("https://a.example/cb", "nuxeo://authorize")
    assert not client.auto_grant
    assert not client.enabled


def test_an_id_that_is_taken_is_refused(nuxeo):
    assert post(nuxeo).status_code == 201
    assert post(nuxeo, name="Another").status_code == 409
    assert nuxeo.store.get(Client, "myApp").name == "My App"


def test_who_may(nuxeo):
    assert post(nuxeo, username="carol").status_code == 201, "the ini makes her an administrator"
    assert post(nuxeo, username="alice").status_code == 403
    wrong = post(nuxeo, password="wrong")
    assert wrong.status_code == 401
    assert wrong.headers["WWW-Authenticate"].startswith("Basic ")
    assert wrong.json == post(nuxeo, username="nobody").json
    assert nuxeo.browser().post(PATH, json=ENTRY).status_code == 401


def test_a_bearer_token_is_no_password(nuxeo):
    token = nuxeo.tokens()["access_token"]
    answer = nuxeo.browser().post(PATH, json=ENTRY, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403, "it lacks the scope oauth2:admin"


@pytest.mark.parametrize(
    "properties",
    [
        {"name": ""},
        {"name": None},
        {"clientId": ""},
        {"clientId": "é"},
        {"clientId": ["a"]},
        {"clientId": "x" * 256},
        {"redirectURIs": ""},
        {"redirectURIs": "http://myapp.example/cb"},
        {"redirectURIs": "javascript:alert(1)"},
        {"redirectURIs": "https://a.example/#x"},
        {"redirectURIs": "//a.example/"},
        {"redirectURIs": ["https://a.example/"]},
        {"autoGrant": "yes"},
        {"enabled": 1.5},
        {"clientSecret": 5},
        {"clientSecret": "x" * 2000},
        {"surprise": "x"},
    ],
)
def test_what_is_invalid_is_refused_and_not_repeated(nuxeo, properties):
    answer = post(nuxeo, **properties)
    assert answer.status_code == 400
    assert answer.json["entity-type"] == "exception"
    assert "alert" not in answer.text
    assert nuxeo.store.get(Client, "myApp") is None


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"1", b"\xff", b"[" * 100000, b'{"entity-type":"x","properties":{}}', b'"\\ud800"']
)
def test_what_is_no_entry_is_refused(nuxeo, body):
    pair = base64.b64encode(f"Administrator:{PASSWORD}".encode()).decode()
    headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/json"}
    answer = nuxeo.browser().post(PATH, data=body, headers=headers)
    assert answer.status_code in (400, 413)


def test_a_form_is_refused(nuxeo):
    pair = base64.b64encode(f"Administrator:{PASSWORD}".encode()).decode()
    answer = nuxeo.browser().post(PATH, data={"a": "b"}, headers={"Authorization": f"Basic {pair}"})
    assert answer.status_code == 415


def test_without_the_setting_the_path_is_the_applications(provider):
    assert provider.browser().post(PATH, data=json.dumps(ENTRY)).status_code == 401
    token = provider.tokens()["access_token"]
    answer = provider.browser().post(PATH, headers={"Authorization": f"Bearer {token}"})
    assert answer.json["REMOTE_USER"] == "alice"
