"""The servers that other people's clients talk to."""

import json
import re
import subprocess
import time
from contextlib import ExitStack
from itertools import count

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import ECAlgorithm
from jwt.algorithms import OKPAlgorithm
from jwt.algorithms import RSAAlgorithm

from oauth_filter.credentials import new_id
from oauth_filter.records import GRANT_TYPES
from tests import prepare
from tests.interop.advertised import ALL_CLAIMS
from tests.interop.advertised import Client
from tests.live import CALLBACK
from tests.live import Forms
from tests.live import arrive
from tests.live import follow
from tests.live import press
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


ALICE = {
    "given_name": "Alice",
    "family_name": "Liddell",
    "email": "alice@example.com",
    "email_verified": True,
    "phone_number": "+44 20 7946 0000",
    "address": {"locality": "Oxford", "country": "GB"},
}


@pytest.fixture(scope="session")
def openid(tmp_path_factory):
    """A server of OpenID Connect whose issuer has a path; it speaks to this machine, where its clients are."""
    options = f"jwt_secret = {JWT_SECRET}\ninsecure_allow_private_fetch = true\ndevice_poll_interval = 1s"
    with serving(tmp_path_factory.mktemp("openid"), mount="/tenant/one", options=options) as server:
        server.add_user("alice", "wonder land", name="Alice Liddell", claims=ALICE)
        yield server


@pytest.fixture
def relying_party(openid, request):
    """Register a client of that server under an id of its own; what a program of somebody's is configured with."""

    def register(method, *, key_algorithm="ES256", **fields):
        client_id = re.sub(r"\W+", "-", request.node.name)
        fields = {"name": client_id, "token_endpoint_auth_method": method, "grant_types": GRANT_TYPES} | fields
        private_key = None
        if method == "private_key_jwt":
            private_key, public_key = new_key_pair(key_algorithm)
            fields["jwks"] = json.dumps({"keys": [public_key]})
        openid.add_client(client_id, CALLBACK, secret=method.startswith("client_secret_") or None, **fields)
        return {
            "issuer": openid.issuer,
            "api": openid.url("/reports/"),
            "client_id": client_id,
            "client_secret": openid.secrets[client_id],
            "method": method,
            "private_key": private_key,
            "redirect_uri": CALLBACK,
            "scope": "openid profile email reports:read",
        }

    return register


CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}


def new_key_pair(algorithm):
    """A private key and its public half, as JWKs."""
    match algorithm:
        case "ES256" | "ES384" | "ES512":
            private, kind = ec.generate_private_key(CURVES[algorithm]), ECAlgorithm
        case "EdDSA" | "Ed25519":
            private, kind = ed25519.Ed25519PrivateKey.generate(), OKPAlgorithm
        case _:
            private, kind = rsa.generate_private_key(65537, 2048), RSAAlgorithm
    named = {"kid": "first", "alg": algorithm, "use": "sig"}
    made = [kind.to_jwk(key, as_dict=True) for key in (private, private.public_key())]
    return [{name: value for name, value in jwk.items() if name != "key_ops"} | named for jwk in made]


@pytest.fixture(scope="session")
def node_modules():
    """Where the npm packages are."""
    try:
        return prepare.node_modules()
    except OSError as error:
        pytest.skip(prepare.no_node_modules(error))


@pytest.fixture
def node(node_modules):
    """Run a scenario of a program for Node, and do for it what takes a person; what it saw."""

    def run(program, scenario, config):
        command = ["node", str(prepare.NODE_PROGRAMS / program), scenario, json.dumps(config)]
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        with Person() as person, subprocess.Popen(command, text=True, **pipes) as process:
            try:
                for line in process.stdout:
                    ((what, value),) = json.loads(line).items()
                    if what == "saw":
                        return value
                    process.stdin.write(json.dumps(getattr(person, what)(**value)) + "\n")
                    process.stdin.flush()
                raise AssertionError(process.stderr.read())
            finally:
                process.kill()

    return run


class Person(requests.Session):
    """Alice at a browser, doing what a program asks her to."""

    def browse(self, url):
        """Where she is sent back to, and with which form; None for a redirect."""
        answer = arrive(self, url, "alice", "wonder land")
        if answer.is_redirect:
            return {"url": answer.headers["Location"], "form": None}
        form = Forms(answer.text).with_button("Continue")
        return {"url": form["action"], "form": form["fields"]}

    def enter(self, started, button):
        """Enter the code a device shows, and decide; the heading of the page that is then shown."""
        page = follow(self, self.get(started["verification_uri"], allow_redirects=False))
        page = press(self, page, "Sign in", username="alice", password="wonder land")
        page = press(self, page, "Continue", user_code=started["user_code"].lower().replace("-", " "))
        return re.search(r"<h1>(.*?)</h1>", press(self, page, button).text)[1]


@pytest.fixture(scope="session")
def carol(openid):
    openid.add_user("carol", "wonder land", claims=ALL_CLAIMS)


@pytest.fixture
def make_client(openid, carol, request):
    """Make clients that may use every grant type there is."""
    with ExitStack() as stack:
        made = count()

        def make(**fields):
            client_id = re.sub(r"\W+", "-", f"{request.node.name}-{next(made)}")
            client = Client(openid, client_id, grant_types=GRANT_TYPES, **fields)
            stack.callback(client.browser.close)
            return client

        yield make


@pytest.fixture
def client(make_client):
    return make_client()


@pytest.fixture(scope="session")
def every_grant_type():
    return GRANT_TYPES


@pytest.fixture(scope="session")
def key_pair():
    """Make a private key and its public half, as JWKs."""
    return new_key_pair


@pytest.fixture
def assertion_about(openid):
    """Sign an assertion of the jwt-bearer grant about a user."""

    def sign(username):
        now = int(time.time())
        claims = {"iss": "peer", "sub": username, "aud": openid.issuer, "exp": now + 60, "iat": now, "jti": new_id()}
        return jwt.encode(claims, JWT_SECRET, "HS512")

    return sign


@pytest.fixture
def jwt_secret():
    """The `jwt_secret` of the nuxeo server."""
    return JWT_SECRET


@pytest.fixture
def insecure_transport(monkeypatch):
    """Lets client libraries use http, which they refuse even on this machine."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
