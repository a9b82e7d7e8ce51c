"""An application that says hello, the filter around it, and a middleware in front that asks for a password."""

import base64
import hmac
from pathlib import Path

from werkzeug.serving import run_simple

from oauth_filter import OAuthFilter

PASSWORDS = {"alice": "wonderland"}


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [f"Hello {environ['oauth_filter.subject']}\n".encode()]


class PasswordForPages:
    """HTTP Basic for what a browser wants of the filter; everything else brings a token or needs none."""

    def __init__(self, application, paths=("/oauth2/authorize", "/oauth2/consent")):
        self.application = application
        self.paths = paths

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"] in self.paths:
            user = self.user(environ.get("HTTP_AUTHORIZATION", ""))
            if user is None:
                headers = [("WWW-Authenticate", 'Basic realm="example"'), ("Content-Type", "text/plain")]
                start_response("401 Unauthorized", headers)
                return [b"Who are you?\n"]
            environ["REMOTE_USER"] = user
        return self.application(environ, start_response)

    def user(self, authorization):
        scheme, _, credentials = authorization.partition(" ")
        try:
            user, _, password = base64.b64decode(credentials).decode().partition(":")
        except ValueError:
            return None
        is_right = hmac.compare_digest(PASSWORDS.get(user, "").encode(), password.encode())
        return user if scheme.lower() == "basic" and user in PASSWORDS and is_right else None


application = PasswordForPages(OAuthFilter(hello, Path(__file__).with_name("oauth.ini")))

if __name__ == "__main__":
    run_simple("127.0.0.1", 8004, application, threaded=True)
