"""The application of app.py behind the filter. Any WSGI server can serve `application`."""

from pathlib import Path

from app import app
from werkzeug.serving import run_simple

from oauth_filter import OAuthFilter

application = OAuthFilter(app, Path(__file__).with_name("oauth.ini"))

if __name__ == "__main__":
    run_simple("127.0.0.1", 8001, application, threaded=True)
