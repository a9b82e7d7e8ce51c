"""A client that has read the metadata and may do all it says, and a user of whom everything is known."""

from urllib.parse import urlencode

import jwt
import requests

from tests.live import CALLBACK
from tests.live import arrive
from tests.live import parameters

ALL_CLAIMS = {
    "name": "Carol Carroll",
    "family_name": "Carroll",
    "given_name": "Carol",
    "middle_name": "L.",
    "nickname": "caz",
    "preferred_username": "carol",
    "profile": "https://carol.example/",
    "picture": "https://carol.example/me.jpg",
    "website": "https://carol.example/blog",
    "gender": "female",
    "birthdate": "1990-05-04",
    "zoneinfo": "Europe/London",
    "locale": "en-GB",
    "updated_at": 1_700_000_000,
    "email": "carol@example.com",
    "email_verified": True,
    "address": {"country": "GB"},
    "phone_number": "+44 20 7946 0001",
    "phone_number_verified": False,
}


class Client:
    """A client of the server that may do everything, and Carol at its browser."""

    def __init__(self, server, client_id, **fields):
        self.server, self.client_id = server, client_id
        self.metadata = requests.get(server.url("/.well-known/openid-configuration"), timeout=30).json()
        fields = {"auto_grant": True, "post_logout_redirect_uris": (CALLBACK,)} | fields
        server.add_client(client_id, CALLBACK, secret=True, **fields)
        self.auth = (client_id, server.secrets[client_id])
        self.browser = requests.Session()

    def post(self, name, **form):
        return requests.post(self.metadata[name], data=form, auth=self.auth, timeout=30)

    def authorize(self, **changes):
        """What comes back from the authorization endpoint."""
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "scope": "openid",
            "nonce": "n-0S6_WzA2Mj",
            "state": "s",
        }
        url = f"{self.metadata['authorization_endpoint']}?{urlencode(asked | changes)}"
        return arrive(self.browser, url, "carol", "wonder land")

    def tokens(self, **changes):
        code = parameters(self.authorize(**changes).headers["Location"])["code"]
        answer = self.post("token_endpoint", grant_type="authorization_code", code=code, redirect_uri=CALLBACK)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def believed(self, id_token):
        """What an ID token says, by the published keys."""
        keys = jwt.PyJWKSet.from_dict(requests.get(self.metadata["jwks_uri"], timeout=30).json())
        header = jwt.get_unverified_header(id_token)
        (key,) = [key for key in keys.keys if key.key_id == header["kid"]]
        issuer = self.metadata["issuer"]
        return header["alg"], jwt.decode(id_token, key, [header["alg"]], audience=self.client_id, issuer=issuer)

    def userinfo(self, tokens):
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        return requests.get(self.metadata["userinfo_endpoint"], headers=bearer, timeout=30).json()
