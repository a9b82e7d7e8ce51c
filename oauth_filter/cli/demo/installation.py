"""What the demo runs on: an ini, a secret, a database, a user and two clients."""

import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from oauth_filter import credentials
from oauth_filter.cli.exits import EXISTS
from oauth_filter.cli.exits import UNAVAILABLE
from oauth_filter.cli.exits import Failure
from oauth_filter.messages import AuthorizationRequest
from oauth_filter.messages import ResponseType
from oauth_filter.passwords import hash_secret
from oauth_filter.passwords import verify_secret
from oauth_filter.records import Client
from oauth_filter.records import User
from oauth_filter.scope import Scope
from oauth_filter.stores import open_store

HOST: Final = "127.0.0.1"
USERNAME: Final = "alice"
PASSWORD: Final = "wonderland"
SCOPES: Final = {"profile": "See who you are", "reports:read": "Read your reports"}
CALLBACK: Final = "/client/callback"
CODE_PAGE: Final = "/client/code"

_MARK: Final = "# Written by `oauth-filter demo` at each start: changes here are lost.\n"

_INI: Final = (
    _MARK
    + """
[protect]
GET /api/reports = reports:read
/api/ = authenticated
# What is left are the pages of the demo. An application of your own had better end with / = authenticated.
/ = public

[scopes]
{scopes}

[client:demo-app]
name = Demo Client
redirect_uris = {issuer}/client/callback
grant_types = authorization_code refresh_token

[oauth_filter]
issuer = {issuer}
store = sqlite:///%(here)s/oauth.db
secret = file:%(here)s/oauth.secret
"""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """One running demo: where it is, and who can do what there."""

    ini: Path
    issuer: str
    service_secret: str
    username: str = USERNAME
    password: str = PASSWORD
    app: str = "demo-app"
    service: str = "demo-service"

    def url(self, path: str) -> str:
        return self.issuer + path

    @property
    def service_authorize_url(self) -> str:
        """Where a person begins to walk through the code flow of the confidential client by hand."""
        return AuthorizationRequest(
            response_type=ResponseType.CODE,
            client_id=self.service,
            redirect_uri=self.url(CODE_PAGE),
            scope=Scope(*SCOPES),
            state="by-hand",
        ).to_uri(self.url("/oauth2/authorize"))


def install(folder: Path, *, port: int) -> Demo:
    """Make what is missing in `folder` and bring the rest up to date. Raise Failure if it is not the demo's own."""
    demo = Demo(
        ini=folder / "oauth.ini",
        issuer=f"http://{HOST}:{port}",
        service_secret=credentials.generate(credentials.CLIENT_SECRET),
    )
    if demo.ini.exists() and not demo.ini.read_text(encoding="utf-8", errors="replace").startswith(_MARK):
        raise Failure(f"{demo.ini} is not the demo's; name another folder with --data", EXISTS)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make_secret(folder / "oauth.secret")
        scopes = "\n".join(f"{token} = {sentence}" for token, sentence in SCOPES.items())
        demo.ini.write_text(_INI.format(issuer=demo.issuer, scopes=scopes), encoding="utf-8")
    except OSError as error:
        raise Failure(f"{error.filename or folder}: {error.strerror}", UNAVAILABLE) from None
    _fill(folder / "oauth.db", demo)
    return demo


def _make_secret(file: Path) -> None:
    if not file.exists():
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            opened.write(secrets.token_urlsafe(32) + "\n")


def _fill(database: Path, demo: Demo) -> None:
    store = open_store(f"sqlite:///{database.absolute()}", now=time.time)
    try:
        user = store.get(User, demo.username)
        if user is None or not user.enabled or not verify_secret(demo.password, user.password_hash):
            # A session and its tokens outlive a restart only as long as nothing about the user changes.
            subject = credentials.new_id() if user is None else user.subject
            hashed = hash_secret(demo.password)
            store.put(
                User(key=demo.username, subject=subject, name="Alice", password_hash=hashed, issued_at=time.time())
            )
        # The secret is printed at each start and kept nowhere, so each start needs a new one.
        store.put(
            Client(
                key=demo.service,
                client_id=demo.service,
                name="Demo Service",
                secret_hash=hash_secret(demo.service_secret),
                redirect_uris=(demo.url(CODE_PAGE),),
                grant_types=("authorization_code", "refresh_token", "client_credentials"),
                issued_at=time.time(),
            )
        )
    finally:
        store.close()
