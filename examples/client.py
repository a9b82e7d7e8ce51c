"""A native application as a client: sign in with the browser, come back to this machine, call the API -- RFC 8252.

    python examples/client.py http://localhost:8001 /api/notes notes:read

asks the authorization server http://localhost:8001 for a token with the scope notes:read, and with it for /api/notes.
"""

import argparse
import json
import sys
import webbrowser
from http.server import BaseHTTPRequestHandler
from http.server import HTTPServer
from urllib.error import HTTPError
from urllib.request import Request
from urllib.request import urlopen

from oauth_filter.messages import AuthorizationCodeGrant
from oauth_filter.messages import AuthorizationDenied
from oauth_filter.messages import AuthorizationRequest
from oauth_filter.messages import CallbackError
from oauth_filter.messages import PublicClient
from oauth_filter.messages import TokenRequest
from oauth_filter.messages import code_challenge
from oauth_filter.messages import new_code_verifier
from oauth_filter.messages import new_state
from oauth_filter.messages import verify_callback
from oauth_filter.scope import Scope

CLIENT_ID = "example-client"


class Callback(BaseHTTPRequestHandler):
    """Answers the browser when it comes back, and notes where it came back to."""

    timeout = 5  # browsers open connections they do not use

    def do_GET(self):
        self.server.came_back_to = self.server.callback.removesuffix("/callback") + self.path
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"Done. You can close this window and go back to the terminal.\n")

    def log_message(self, *ignored):
        pass


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("issuer", help="such as http://localhost:8001")
    arguments.add_argument("path", help="what to ask the API for, such as /api/notes")
    arguments.add_argument("scope", nargs="*", help="scopes to ask for")
    arguments.add_argument("--no-browser", action="store_true", help="print where to go instead of going there")
    options = arguments.parse_args()

    metadata = json.loads(read(Request(options.issuer + "/.well-known/oauth-authorization-server")))

    # Any free port will do: of a registered loopback address the port does not count (RFC 8252 section 7.3).
    server = HTTPServer(("127.0.0.1", 0), Callback)
    server.callback = f"http://127.0.0.1:{server.server_port}/callback"
    server.came_back_to = None
    state, code_verifier = new_state(), new_code_verifier()
    asked = AuthorizationRequest(
        endpoint=metadata["authorization_endpoint"],
        client_id=CLIENT_ID,
        redirect_uri=server.callback,
        scope=Scope(*options.scope) if options.scope else None,
        state=state,
        code_challenge=code_challenge(code_verifier),
        code_challenge_method="S256",
    )
    print("Sign in at", asked.to_uri(), flush=True)
    if not options.no_browser:
        webbrowser.open(asked.to_uri())
    while server.came_back_to is None or not server.came_back_to.startswith(server.callback):
        server.handle_request()
    server.server_close()

    try:
        answer = verify_callback(server.came_back_to, state=state, issuer=metadata["issuer"])
    except AuthorizationDenied as denied:
        sys.exit(f"No token: {denied.response.error}")
    except CallbackError:
        sys.exit("No token: that was no answer to what was asked")

    grant = AuthorizationCodeGrant(code=answer.code, redirect_uri=server.callback, code_verifier=code_verifier)
    form = TokenRequest(grant=grant, client=PublicClient(client_id=CLIENT_ID)).to_form()
    token = json.loads(read(Request(metadata["token_endpoint"], data=form.encode())))
    print("The token is good for", token["expires_in"], "seconds")

    headers = {"Authorization": f"Bearer {token['access_token']}"}
    print(read(Request(options.issuer + options.path, headers=headers)))


def read(request):
    """The text that answers a request."""
    try:
        with urlopen(request) as response:
            return response.read().decode()
    except HTTPError as error:
        sys.exit(f"{request.full_url} answered {error.code}: {error.read().decode(errors='replace')}")


if __name__ == "__main__":
    main()
