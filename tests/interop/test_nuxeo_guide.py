"""The requests of Nuxeo's OAuth 2 guide, by curl, against a live server of profile nuxeo.

Each is written as the guide has it, https and NUXEO_SERVER aside; values take the place of the guide's.
"""

import base64
import hashlib
import hmac
import json
import re
import shutil
import subprocess
import time
from urllib.parse import urlsplit

import pytest

from oauth_filter.messages import code_challenge
from oauth_filter.messages import new_code_verifier
from tests.live import Forms
from tests.live import parameters
from tests.live import walk

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(shutil.which("curl") is None, reason="NUXEO'S GUIDE WAS NOT TESTED: there is no curl"),
]

REGISTER = r"""curl -u Administrator:Administrator \
  -H 'Content-Type: application/json' \
  -X POST http://NUXEO_SERVER/nuxeo/api/v1/directory/oauth2Clients \
  -d @- << EOF
  {
    "entity-type": "directoryEntry",
    "directoryName": "oauth2Clients",
    "properties": {
      "name": "My App",
      "clientId": "myApp",
      "clientSecret": "secret",
      "redirectURIs": "https://myapp.mydomain.com/nuxeo-auth-done",
      "autoGrant": "true",
      "enabled": "true"
    }
  }
EOF
"""
AUTHORIZE = "https://NUXEO_SERVER/nuxeo/oauth2/authorize?response_type=code&client_id=myApp"
REDEEM = "https://NUXEO_SERVER/nuxeo/oauth2/token?grant_type=authorization_code&client_id=myApp&code=authorizationCode"
REFRESH = "https://NUXEO_SERVER/nuxeo/oauth2/token?grant_type=refresh_token&client_id=myApp&refresh_token=refreshToken"
ASSERT = """\
POST /nuxeo/oauth2/token HTTP/1.1
Host: NUXEO_SERVER/nuxeo
Accept: application/json
Content-Type: application/x-www-form-urlencoded

grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&client_id=myApp&client_secret=secret&assertion=eyJhbGci...
"""
CALL_BY_HEADER = 'curl -H "Authorization: Bearer ACCESS_TOKEN" https://NUXEO_SERVER/nuxeo/api/v1/path/default-domain'
CALL_BY_QUERY = "curl https://NUXEO_SERVER/nuxeo/api/v1/path/default-domain?access_token=ACCESS_TOKEN"

REDIRECT_URI = "https://myapp.mydomain.com/nuxeo-auth-done"
EXAMPLE_ASSERTION = (
    "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJudXhlbyIsInN1YiI6IkFkbWluaXN0cmF0b3IiLCJpYXQiOjE1ODA0MDEyODB9"
)
"""The guide's, without its signature, which is not one of the secret the guide shows."""


@pytest.fixture
def shell(nuxeo):
    """Run a command of the guide; the status, headers and body it showed."""
    host = urlsplit(nuxeo.issuer).netloc

    def run(command):
        command = command.replace("https://NUXEO_SERVER", "http://NUXEO_SERVER").replace("NUXEO_SERVER", host)
        # The command stays as it is; what it prints gets the status line and the headers in front.
        script = 'curl() { command curl --silent --show-error --include --max-time 30 "$@"; }\n' + command
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=60, check=True)
        head, _, body = done.stdout.replace("\r\n", "\n").partition("\n\n")
        status, *lines = head.split("\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        return int(status.split()[1]), headers, body

    return run


@pytest.fixture(scope="module")
def my_app(nuxeo):
    """The guide's client is registered, with its secret, by the guide's command."""
    command = REGISTER.replace("NUXEO_SERVER", urlsplit(nuxeo.issuer).netloc)
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout)


def posting(url, **values):
    """The guide's POST of a URL, as a command."""
    for name, value in values.items():
        assert name in url
        url = url.replace(name, value)
    return f"curl -X POST '{url}'"


def code_of(nuxeo, url=AUTHORIZE):
    url = url.replace("https://NUXEO_SERVER/nuxeo", nuxeo.issuer)
    back = walk(url, "Administrator", "Administrator")
    assert back.startswith(REDIRECT_URI + "?")
    return parameters(back)["code"]


def assert_like_the_guide(answer):
    status, headers, body = answer
    assert status == 200, body
    assert headers["content-type"].startswith("application/json")
    assert "no-store" in headers["cache-control"]
    said = json.loads(body)
    assert said.keys() == {"access_token", "expires_in", "refresh_token", "token_type"}
    assert said["token_type"].lower() == "bearer"
    assert type(said["expires_in"]) is int
    assert 3599 <= said["expires_in"] <= 3600
    return said


def test_registering_a_client(nuxeo, shell, my_app):
    assert my_app["entity-type"] == "directoryEntry"
    assert my_app["directoryName"] == "oauth2Clients"
    assert my_app["properties"]["clientId"] == "myApp"
    assert my_app["properties"]["redirectURIs"] == REDIRECT_URI
    assert "clientSecret" not in my_app["properties"]
    status, _, body = shell(REGISTER)
    assert status == 409, body


def test_registering_a_client_is_for_administrators(shell):
    status, headers, _ = shell(REGISTER.replace("Administrator:Administrator", "alice:'wonder land'"))
    assert status == 403
    status, headers, _ = shell(REGISTER.replace("Administrator:Administrator", "Administrator:wrong"))
    assert status == 401
    assert headers["www-authenticate"].startswith("Basic ")


def test_authorizing(nuxeo, shell, my_app):
    status, headers, body = shell(f"curl '{AUTHORIZE}'")
    assert status == 200
    assert headers["content-type"].startswith("text/html")
    # The client was registered with autoGrant, so nothing is asked beyond the password.
    assert Forms(body).with_button("Sign in")["action"].startswith("/nuxeo/oauth2/")
    assert code_of(nuxeo)


def test_redeeming_a_code_of_a_client_with_a_secret(nuxeo, shell, my_app):
    code = code_of(nuxeo)
    # The guide's "No" at client_secret is for clients that were registered without one.
    status, _, body = shell(posting(REDEEM, authorizationCode=code))
    assert (status, json.loads(body)["error"]) == (401, "invalid_client")
    assert_like_the_guide(shell(posting(REDEEM + "&client_secret=secret", authorizationCode=code)))


def test_public_client_all_the_way(nuxeo, shell):
    register = REGISTER.replace('"myApp"', '"myPhone"').replace('"secret"', '""')
    assert shell(register)[0] == 201
    verifier = new_code_verifier()
    asked = f"{AUTHORIZE}&code_challenge={code_challenge(verifier)}&code_challenge_method=S256&state=af0ifjsldkj"
    code = code_of(nuxeo, asked.replace("myApp", "myPhone"))
    redeem = posting(REDEEM + f"&code_verifier={verifier}", authorizationCode=code).replace("myApp", "myPhone")
    first = assert_like_the_guide(shell(redeem))

    refresh = posting(REFRESH, refreshToken=first["refresh_token"]).replace("myApp", "myPhone")
    second = assert_like_the_guide(shell(refresh))
    assert second["access_token"] != first["access_token"]
    assert second["refresh_token"] != first["refresh_token"]
    assert shell(CALL_BY_HEADER.replace("ACCESS_TOKEN", second["access_token"]))[0] == 200
    # A refresh ends the token before it, as it does in Nuxeo.
    assert shell(CALL_BY_HEADER.replace("ACCESS_TOKEN", first["access_token"]))[0] == 401


def test_plain_code_challenge(nuxeo, shell, my_app):
    verifier = new_code_verifier()
    code = code_of(nuxeo, f"{AUTHORIZE}&code_challenge={verifier}&code_challenge_method=plain")
    redeem = posting(f"{REDEEM}&client_secret=secret&code_verifier={verifier}", authorizationCode=code)
    assert_like_the_guide(shell(redeem))


def test_refreshing_a_client_with_a_secret(nuxeo, shell, my_app):
    redeem = posting(REDEEM + "&client_secret=secret", authorizationCode=code_of(nuxeo))
    first = assert_like_the_guide(shell(redeem))
    refresh = posting(REFRESH + "&client_secret=secret", refreshToken=first["refresh_token"])
    assert_like_the_guide(shell(refresh))


def assertion(secret, issued_at):
    """What `echo '{"iss":"nuxeo","sub":"Administrator"}' | jwt -s SECRET -e --algorithm HS512 -t` prints."""
    header, payload = '{"alg":"HS512","typ":"JWT"}', f'{{"iss":"nuxeo","sub":"Administrator","iat":{issued_at}}}'
    signed = f"{base64url(header.encode())}.{base64url(payload.encode())}"
    return f"{signed}.{base64url(hmac.digest(secret.encode(), signed.encode(), hashlib.sha512))}"


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def test_our_assertion_is_made_like_the_guides():
    assert assertion("yourSecretValueGoesHere", 1580401280).rpartition(".")[0] == EXAMPLE_ASSERTION


def jwt_form(jwt_secret):
    made = assertion(jwt_secret, int(time.time()))
    return ASSERT.partition("\n\n")[2].strip().replace("eyJhbGci...", made)


def test_redeeming_an_assertion(nuxeo, shell, my_app, jwt_secret):
    # Also the guide's Host, which has the path in it.
    headers = re.findall(r"^[A-Za-z-]+: .*$", ASSERT, re.MULTILINE)
    command = " ".join(["curl", *(f"-H '{header}'" for header in headers), f"-d '{jwt_form(jwt_secret)}'"])
    said = assert_like_the_guide(shell(f"{command} https://NUXEO_SERVER/nuxeo/oauth2/token"))
    _, _, body = shell(CALL_BY_HEADER.replace("ACCESS_TOKEN", said["access_token"]))
    assert json.loads(body)["username"] == "Administrator"


def test_assertion_of_another_secret_is_refused(nuxeo, shell, my_app):
    form = jwt_form("yourSecretValueGoesHere")
    status, _, body = shell(f"curl -d '{form}' https://NUXEO_SERVER/nuxeo/oauth2/token")
    assert (status, json.loads(body)["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("call", [CALL_BY_HEADER, CALL_BY_QUERY], ids=["header", "query"])
def test_calling_the_api(nuxeo, shell, my_app, call):
    redeem = posting(REDEEM + "&client_secret=secret", authorizationCode=code_of(nuxeo))
    token = assert_like_the_guide(shell(redeem))["access_token"]
    status, _, body = shell(call.replace("ACCESS_TOKEN", token))
    said = json.loads(body)
    assert (status, said["username"], said["client_id"]) == (200, "Administrator", "myApp")
    assert said["query"] == ""
    status, headers, _ = shell(call.replace("ACCESS_TOKEN", token[:-1] + ("0" if token[-1] != "0" else "1")))
    assert status == 401
    assert headers["www-authenticate"].startswith("Bearer ")
