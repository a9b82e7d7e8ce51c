"""The wheel, not the tree: it is built, installed with what it needs into an environment of its own, and works there.

Both need a package index, as `make test` does; where there is none, this says so loudly.
"""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[1]
NO_INDEX = ("Retrying (", "No matching distribution found for setuptools")
SOURCES = ("pyproject.toml", "setup.cfg", "README.md", "LICENSE")
PIP = ("-m", "pip", "--disable-pip-version-check", "--retries", "1")


def run(*command, folder=None):
    """What it printed; whatever of this process's environment could lead it back to the tree stays behind."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE"))}
    done = subprocess.run(
        [str(word) for word in command],
        env=environ,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode and any(words in done.stdout for words in NO_INDEX):
        pytest.skip("THE WHEEL WAS NOT TESTED: there is no package index to build and install it with")
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    # Built from a copy: what earlier builds left in the tree would be packed as well.
    source = tmp_path_factory.mktemp("source")
    shutil.copytree(TOP / "oauth_filter", source / "oauth_filter", ignore=shutil.ignore_patterns("__pycache__"))
    for name in SOURCES:
        shutil.copy(TOP / name, source)
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, *PIP, "wheel", "--no-deps", "--wheel-dir", folder, source)
    [wheel] = folder.iterdir()
    return wheel


@pytest.fixture(scope="module")
def contents(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return archive.read(name).decode()


def test_it_has_every_file_of_the_package_and_nothing_else(contents):
    files = {
        path.relative_to(TOP).as_posix()
        for path in (TOP / "oauth_filter").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    packed = {name for name in contents if ".dist-info/" not in name}
    assert packed == files
    assert {"oauth_filter/py.typed", "oauth_filter/authorization_server/templates/login.html"} <= packed
    assert "oauth_filter/authorization_server/static/style.css" in packed


def test_it_says_what_it_is(metadata, contents):
    assert "\nName: oauth-filter\n" in metadata
    assert "\nLicense-Expression: Apache-2.0\n" in metadata
    assert "\nRequires-Python: >=3.11\n" in metadata
    assert "# oauth_filter\n" in metadata
    assert any(name.endswith("/licenses/LICENSE") for name in contents)


def test_it_works_in_an_environment_of_its_own(wheel, tmp_path):
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv")
    bin = tmp_path / "venv" / "bin"
    run(sys.executable, *PIP, "--python", bin / "python", "install", "--quiet", "--no-compile", f"{wheel}[paste]")
    # Started elsewhere, or Python would find the tree first.
    where = run(bin / "python", "-c", "import oauth_filter; print(oauth_filter.__file__)", folder=tmp_path)
    assert Path(where.strip()).is_relative_to(tmp_path)
    version = run(bin / "oauth-filter", "--version", folder=tmp_path)
    assert version.strip() == f"oauth-filter {wheel.name.split('-')[1]}"
    walk = run(bin / "oauth-filter", "demo", "--check", folder=tmp_path)
    assert walk.splitlines()[-1] == "Everything works."
    load = (
        "from paste.deploy.loadwsgi import FILTER, loadcontext; print(loadcontext(FILTER, 'egg:oauth-filter').object)"
    )
    assert "filter_factory" in run(bin / "python", "-c", load, folder=tmp_path)
