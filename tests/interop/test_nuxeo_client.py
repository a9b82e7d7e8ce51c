"""Nuxeo's own Python client against a live server of profile nuxeo."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests import prepare
from tests.live import CALLBACK
from tests.live import walk

pytestmark = pytest.mark.interop

PROGRAM = Path(__file__).with_name("nuxeo_client.py")


@pytest.fixture(scope="module")
def python():
    try:
        return prepare.nuxeo_client()
    except OSError as error:
        pytest.skip(prepare.no_nuxeo_client(error))


@pytest.mark.parametrize("is_confidential", [False, True], ids=["public", "confidential"])
def test_signs_in_calls_the_api_and_refreshes_when_the_token_has_expired(nuxeo, python, is_confidential):
    client_id = f"drive-{is_confidential}"
    nuxeo.add_client(client_id, CALLBACK, secret=is_confidential or None, access_token_lifetime=2)
    arguments = [nuxeo.issuer, client_id, nuxeo.secrets[client_id] or "", CALLBACK]
    with subprocess.Popen(
        [python, str(PROGRAM), *arguments],
        env=os.environ | {"AUTHLIB_INSECURE_TRANSPORT": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        url = program.stdout.readline().strip()
        try:
            assert url, program.communicate(timeout=60)
            back = walk(url, "alice", "wonder land")
            output, errors = program.communicate(back + "\n", timeout=60)
        finally:
            program.kill()
    assert program.returncode == 0, errors
    saw = json.loads(output)
    assert saw["first"] == saw["refreshed"] == ["/default-domain", "alice"]
    assert saw["expired"] == 401
    first, second = saw["tokens"]
    assert first["access_token"] != second["access_token"]
    assert first["refresh_token"] != second["refresh_token"]
    assert second["expires_in"] == 2
