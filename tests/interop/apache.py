"""Apache with mod_auth_openidc: a configuration of its own on a free port, apart from whatever Debian serves."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import NoEncryption
from cryptography.hazmat.primitives.serialization import PrivateFormat
from cryptography.hazmat.primitives.serialization import PublicFormat

from oauth_filter.records import GRANT_TYPES
from tests import prepare
from tests.live import TIMEOUT

USER = "www-data"
"""Who it runs as where we are root."""

MODULES = ("mpm_prefork", "authn_core", "authz_core", "authz_user", "dir", "env", "cgi", "mime", "auth_openidc")

CONFIGURATION = """\
ServerRoot {root}
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile {root}/pid
ErrorLog {root}/error.log
LogLevel warn auth_openidc:debug
Mutex file:{root}
DefaultRuntimeDir {root}
StartServers 2
DocumentRoot {root}/pages
TypesConfig /dev/null
{modules}

{openid}
OIDCRedirectURI http://127.0.0.1:{port}/members/callback
OIDCCryptoPassphrase of-this-run-only

<Directory {root}/pages>
  Options +ExecCGI
  AddHandler cgi-script .cgi
  DirectoryIndex claims.cgi
  Require all granted
</Directory>
<Location /members>
  AuthType openid-connect
  Require valid-user
</Location>
<Location /members/oxford>
  Require claim email:alice@example.com
</Location>
<Location /members/cambridge>
  Require claim email:bob@example.com
</Location>
"""

CLAIMS = """\
#!/bin/sh
printf 'Content-Type: text/plain\\n\\n'
env | grep -E '^(OIDC_|REMOTE_USER=)'
"""
"""Shows what an application behind Apache is told."""


@contextmanager
def apache(server, client_id, client, directives):
    """Run it as a client of the server's while the block lasts; its URL.

    `client` are fields of the registration, in which `{url}` is that URL; `directives` are mod_auth_openidc's, in which
    `{root}` is a folder with a key pair. Raise OSError saying why it cannot be had.
    """
    program, modules = prepare.apache()
    # Not below pytest's folder, which is closed to others: as root it runs as somebody else.
    root = Path(tempfile.mkdtemp(prefix="apache-"))
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    fields = {name: value.format(url=url) for name, value in client.items()}
    server.add_client(
        client_id,
        f"{url}/members/callback",
        secret=True,
        auto_grant=True,
        grant_types=GRANT_TYPES,
        post_logout_redirect_uris=(f"{url}/bye",),
        **fields,
    )
    directives = {
        "OIDCProviderMetadataURL": server.url("/.well-known/openid-configuration"),
        "OIDCClientID": client_id,
        "OIDCClientSecret": server.secrets[client_id],
        "OIDCScope": "openid profile email reports:read",
        "OIDCRemoteUserClaim": "preferred_username",
        "OIDCPKCEMethod": "S256",
        **directives,
    }
    try:
        for folder in ("", "members", "members/oxford", "members/cambridge"):
            (root / "pages" / folder).mkdir(parents=True, exist_ok=True)
            script = root / "pages" / folder / "claims.cgi"
            script.write_text(CLAIMS)
            script.chmod(0o755)
        _write_key_pair(root)
        # Every browser asks for it.
        (root / "pages" / "favicon.ico").touch()
        (root / "httpd.conf").write_text(
            CONFIGURATION.format(
                root=root,
                port=port,
                modules="\n".join(f"LoadModule {name}_module {modules}/mod_{name}.so" for name in MODULES),
                openid="\n".join(f'{name} "{value.format(root=root)}"' for name, value in directives.items()),
            )
        )
        process = _start(program, root)
        try:
            _await(url, process, root)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(TIMEOUT)
            finally:
                process.kill()
    finally:
        shutil.rmtree(root)


def _write_key_pair(root):
    private = rsa.generate_private_key(65537, 2048)
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (root / "public.pem").write_bytes(public)
    (root / "private.pem").write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def _start(program, root):
    who = {}
    if os.geteuid() == 0:
        for path in (root, *root.rglob("*")):
            shutil.chown(path, USER, USER)
        who = {"user": USER, "group": USER, "extra_groups": []}
    with (root / "output").open("wb") as output:
        return subprocess.Popen(
            [program, "-f", str(root / "httpd.conf"), "-DFOREGROUND"],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            **who,
        )


def _await(url, process, root):
    until = time.monotonic() + TIMEOUT
    while True:
        try:
            requests.get(url, timeout=TIMEOUT)
        except requests.ConnectionError:
            if process.poll() is not None or time.monotonic() > until:
                said = [path.read_text() for path in (root / "output", root / "error.log") if path.exists()]
                raise AssertionError(f"Apache did not start: {''.join(said)}") from None
            time.sleep(0.05)
        else:
            return
