"""Get what the tests need and pip cannot give this environment: `python -m tests.prepare`.

Chromium comes from Debian, and Nuxeo's Python client gets an environment of its own, because its dependency `jwt`
takes the place of PyJWT. What cannot be had is said loudly, the tests that need it skip with the same words, and
nothing fails: a laptop without Chromium can run the rest.
"""

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


def no_chromium():
    """What is said when there is no Chromium."""
    return "NO BROWSER TEST RAN: there is no Chromium; `apt-get install chromium`, or set CHROMIUM to the path of one"


def no_nuxeo_client(error):
    """What is said when there is no Nuxeo client."""
    return f"NUXEO'S PYTHON CLIENT WAS NOT TESTED: {error}"


def _install_chromium():
    """By apt-get, where that is possible without asking anybody."""
    is_possible = Path("/etc/debian_version").exists() and os.geteuid() == 0 and shutil.which("apt-get")
    if not is_possible or "CHROMIUM" in os.environ:
        return
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "chromium"]
    print("Installing Debian's chromium for the browser tests ...", flush=True)
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


def main():
    if chromium() is None:
        try:
            _install_chromium()
        except OSError as error:
            _shout(str(error))
        if chromium() is None:
            _shout(no_chromium())
    try:
        nuxeo_client()
    except OSError as error:
        _shout(no_nuxeo_client(error))
    if shutil.which("curl") is None:
        _shout("NUXEO'S GUIDE WAS NOT TESTED: there is no curl")


if __name__ == "__main__":
    main()
