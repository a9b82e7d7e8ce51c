"""Get what the tests need and pip cannot give this environment: `python -m tests.prepare`, or with `interop` behind it.

Chromium comes from Debian, and Nuxeo's Python client gets an environment of its own, because its dependency `jwt`
takes the place of PyJWT. `interop` adds clients of other languages: npm installs those for Node beside the programs
that use them, and Apache with mod_auth_openidc comes from Debian. So do PostgreSQL, MariaDB and Redis, whose services
are not started: the tests start servers of their own. What cannot be had is said loudly, the tests that need it skip
with the same words, and nothing fails: a laptop without Chromium can run the rest.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

# It imports packaging and does not say so in its metadata.
NUXEO_CLIENT = ("nuxeo[oauth2]>=6.1", "packaging")
_ENVIRONMENT = (
    Path(sys.prefix) if sys.prefix != sys.base_prefix else Path(__file__).parent.parent / ".venv"
) / "nuxeo-client"
NODE_PROGRAMS = Path(__file__).parent / "interop" / "node"
_NODE_MODULES = NODE_PROGRAMS / "node_modules"
# By the name of the program: Debian's package, and where else than on the path it may be.
_SERVERS = {
    "postgres": ("postgresql", "/usr/lib/postgresql/*/bin"),
    "mariadbd": ("mariadb-server", "/usr/sbin"),
    "redis-server": ("redis-server", "/usr/bin"),
}
_POLICY = Path("/usr/sbin/policy-rc.d")
_APACHE_MODULES = Path("/usr/lib/apache2/modules")
_CHROMIUMS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


def chromium():
    """The path of a Chromium on this machine, or None."""
    wanted = os.environ.get("CHROMIUM")
    return next(filter(None, map(shutil.which, [wanted] if wanted else _CHROMIUMS)), None)


def nuxeo_client():
    """The Python of an environment that has Nuxeo's client, made if need be. Raise OSError saying why it cannot be."""
    python = _ENVIRONMENT / "bin" / "python"
    ready = _ENVIRONMENT / "ready"
    if not (ready.exists() and ready.read_text().split() == [*NUXEO_CLIENT] and python.exists()):
        _run([sys.executable, "-m", "venv", "--clear", str(_ENVIRONMENT)])
        _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *NUXEO_CLIENT])
        ready.write_text("\n".join(NUXEO_CLIENT))
    return str(python)


def node_modules():
    """Where the npm packages of our programs for Node are. Raise OSError saying why they are not there."""
    if shutil.which("node") is None:
        raise OSError("there is no node, version 20 or newer")
    missing = [name for name in _node_packages() if not (_NODE_MODULES / name / "package.json").exists()]
    if missing:
        raise OSError(f"{', '.join(missing)} not installed; run `make interop`")
    return _NODE_MODULES


def apache():
    """The paths of Apache and of its modules, mod_auth_openidc among them. Raise OSError saying why there are none."""
    program = shutil.which("apache2", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None or not (_APACHE_MODULES / "mod_auth_openidc.so").exists():
        raise OSError("there is none; `apt-get install apache2-bin libapache2-mod-auth-openidc`")
    return program, _APACHE_MODULES


def server_program(name):
    """The path of a database server on this machine, the newest of several, or None."""
    _, elsewhere = _SERVERS[name]
    others = sorted(Path("/").glob(f"{elsewhere[1:]}/{name}"), key=lambda path: (len(str(path)), path))
    return shutil.which(name) or (str(others[-1]) if others else None)


def no_server(name):
    """What is said when there is no such database server."""
    return f"NO STORE WAS TESTED ON {name.upper()}: there is none; `apt-get install {_SERVERS[name][0]}`"


def no_node_modules(error):
    """What is said when there are no clients for Node."""
    return f"NO CLIENT FOR NODE OR BROWSERS WAS TESTED: {error}"


def no_apache(error):
    """What is said when there is no Apache."""
    return f"APACHE'S MOD_AUTH_OPENIDC WAS NOT TESTED: {error}"


def no_chromium():
    """What is said when there is no Chromium."""
    return "NO BROWSER TEST RAN: there is no Chromium; `apt-get install chromium`, or set CHROMIUM to the path of one"


def no_nuxeo_client(error):
    """What is said when there is no Nuxeo client."""
    return f"NUXEO'S PYTHON CLIENT WAS NOT TESTED: {error}"


def _node_packages():
    return json.loads((NODE_PROGRAMS / "package.json").read_text())["dependencies"]


def _install_node_modules():
    if shutil.which("npm") is None:
        raise OSError("there is no npm")
    print("Installing clients for Node ...", flush=True)
    options = ["--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    _run(["npm", "install", "--prefix", str(NODE_PROGRAMS), *options])


def _install_servers(names):
    # A package that starts its service would take the usual port; the answer 101 is Debian's way to say no.
    is_ours = os.geteuid() == 0 and not _POLICY.exists()
    if is_ours:
        _POLICY.write_text("#!/bin/sh\nexit 101\n")
        _POLICY.chmod(0o755)
    try:
        _install(*(_SERVERS[name][0] for name in names))
    finally:
        if is_ours:
            _POLICY.unlink()


def _install(*packages):
    """By apt-get, where that is possible without asking anybody."""
    is_possible = Path("/etc/debian_version").exists() and os.geteuid() == 0 and shutil.which("apt-get")
    if not is_possible:
        return
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages]
    print(f"Installing Debian's {' and '.join(packages)} ...", flush=True)
    try:
        _run(install, environ)
    except OSError:
        # On a fresh machine the lists are not there yet.
        _run(["apt-get", "update", "--quiet"], environ)
        _run(install, environ)


def _run(command, environ=None):
    """Run it quietly. Raise OSError with the last line it printed when it fails."""
    try:
        done = subprocess.run(
            command,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=900,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise OSError(f"{command[0]} took too long") from None
    if done.returncode != 0:
        lines = done.stdout.decode(errors="replace").strip().splitlines() or ["no output"]
        raise OSError(f"{' '.join(command[:4])} ... failed: {lines[-1]}")


def _shout(text):
    print(f"\n{'!' * 79}\n{text}\n{'!' * 79}\n", file=sys.stderr, flush=True)


def main(wanted):
    if chromium() is None:
        try:
            if "CHROMIUM" not in os.environ:
                _install("chromium")
        except OSError as error:
            _shout(str(error))
        if chromium() is None:
            _shout(no_chromium())
    missing = [name for name in _SERVERS if server_program(name) is None]
    if missing:
        try:
            _install_servers(missing)
        except OSError as error:
            _shout(str(error))
    for name in _SERVERS:
        if server_program(name) is None:
            _shout(no_server(name))
    try:
        nuxeo_client()
    except OSError as error:
        _shout(no_nuxeo_client(error))
    if shutil.which("curl") is None:
        _shout("NUXEO'S GUIDE WAS NOT TESTED: there is no curl")
    if "interop" in wanted:
        try:
            _install_node_modules()
            node_modules()
        except OSError as error:
            _shout(no_node_modules(error))
        try:
            if not (_APACHE_MODULES / "mod_auth_openidc.so").exists():
                # The package apache2 itself would start a server of its own.
                _install("apache2-bin", "libapache2-mod-auth-openidc")
            apache()
        except OSError as error:
            _shout(no_apache(error))


if __name__ == "__main__":
    main(sys.argv[1:])
