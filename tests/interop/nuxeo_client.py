"""A program of somebody who uses Nuxeo's Python client. Runs in an environment of its own, without anything of ours.

It prints the URL to open in a browser, reads the URL the browser was sent back to, and prints what it then saw.
"""

import json
import sys
import time

from nuxeo.auth import OAuth2
from nuxeo.client import Nuxeo
from nuxeo.exceptions import Unauthorized

host, client_id, client_secret, redirect_uri = sys.argv[1:]
auth = OAuth2(host, client_id=client_id, client_secret=client_secret or None, redirect_uri=redirect_uri)
nuxeo = Nuxeo(host=host, auth=auth)


def contributor():
    document = nuxeo.documents.get(path="/default-domain")
    return [document.path, document.properties["dc:lastContributor"]]


url, state, code_verifier = auth.create_authorization_url()
print(url, flush=True)
back = sys.stdin.readline().strip()

first = auth.request_token(code_verifier=code_verifier, authorization_response=back, state=state)
saw = {"first": contributor()}

while not auth.token_is_expired():
    time.sleep(0.1)
saw["refreshed"] = contributor()
saw["tokens"] = [first, dict(auth.token)]

# The token before the refresh, now that it has expired.
auth.set_token({**first, "expires_at": time.time() + 3600})
try:
    contributor()
except Unauthorized as error:
    saw["expired"] = error.status
print(json.dumps(saw), flush=True)
