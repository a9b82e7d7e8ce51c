"""The function of reports.py behind the filter. Any WSGI server can serve `application`."""

from pathlib import Path

import reports
from werkzeug.serving import run_simple

from oauth_filter import OAuthFilter
from oauth_filter import User
from oauth_filter import credentials
from oauth_filter import passwords

application = OAuthFilter(reports.application, Path(__file__).with_name("oauth.ini"))

if __name__ == "__main__":
    # Somebody to try it as. This is what `oauth-filter user add alice` does.
    hashed = passwords.hash_secret("wonderland")
    application.store.add(User(key="alice", subject=credentials.new_id(), password_hash=hashed))
    run_simple("127.0.0.1", 8003, application, threaded=True)
