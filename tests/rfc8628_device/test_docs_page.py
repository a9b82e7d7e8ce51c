"""docs/device.md: its tool runs as it stands, and what it says of numbers and answers is so."""

import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from werkzeug.serving import WSGIRequestHandler
from werkzeug.serving import make_server

from oauth_filter import ini
from oauth_filter.authorization_server import user_codes
from oauth_filter.settings import Settings
from tests.provider import Provider
from tests.rfc8628_device.conftest import Person

PAGE = Path(__file__).parents[2] / "docs" / "device.md"


class Silent(WSGIRequestHandler):
    def log(self, *arguments):
        pass


@pytest.fixture
def provider():
    """A provider that listens, with the tool of the page as a client."""
    server = make_server("127.0.0.1", 0, lambda *request: provider.filter(*request), request_handler=Silent)
    provider = Provider(time.time, issuer=f"http://127.0.0.1:{server.port}", device_poll_interval=1)
    provider.add_client("backup-tool", name="Backup")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield provider
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def tool(provider, tmp_path):
    """The running tool of the page, and the code it shows."""
    [source] = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    file = tmp_path / "device.py"
    file.write_text(source)
    command = [sys.executable, str(file), provider.settings.issuer, "backup-tool"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        told = re.fullmatch(rf"Open {provider.settings.issuer}/oauth2/device and enter ([A-Z]{{4}}-[A-Z]{{4}})\n", line)
        assert told, line + process.stderr.read()
        process.user_code = told[1]
        yield process
        process.kill()


@pytest.mark.rfc("8628", "3")
def test_the_tool_gets_its_tokens(provider, tool):
    Person(provider).allow(tool.user_code)
    assert tool.communicate(timeout=60) == ("Connected.\n", "")
    assert tool.returncode == 0


def test_the_tool_is_refused(provider, tool):
    person = Person(provider)
    person.enter(tool.user_code)
    person.decide("deny")
    assert tool.communicate(timeout=60) == ("", "The user refused.\n")
    assert tool.returncode == 1


def test_the_client_of_the_page_can_be_configured(tmp_path):
    [example] = re.findall(r"^```ini\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    file = tmp_path / "oauth.ini"
    file.write_text(f"[oauth_filter]\nissuer = http://localhost\nsecret = {'s' * 32}\n{example}")
    [client] = ini.load(file).clients
    assert (client.key, client.is_public) == ("backup-tool", True)
    assert "urn:ietf:params:oauth:grant-type:device_code" in client.grant_types


def test_the_settings_of_the_page_are_the_defaults():
    settings = Settings(secret="s" * 32)
    rows = dict(re.findall(r"^\| `(device_\w+)` \| `(\w+)` \|", PAGE.read_text(), re.MULTILINE))
    assert rows == {
        "device_code_lifetime": f"{settings.device_code_lifetime // 60}m",
        "device_poll_interval": f"{settings.device_poll_interval}s",
    }


def test_the_numbers_of_the_page_are_those_of_the_code():
    # Who changes one of these changes the page, and this.
    assert len(user_codes.ALPHABET) == 20
    assert user_codes.LENGTH == 8
    assert user_codes.OF_SUBJECT.rates == ((10, 600), (50, 86400))
    assert user_codes.FIRST_OF_SUBJECT.rates == ((3, 600),)
    assert user_codes.OF_ADDRESS.rates == ((100, 600),)
    assert user_codes.OF_STRANGER.rates == ((20, 600),)
    assert user_codes.OF_CLIENT.rates == ((100, 60),)


def test_the_links_and_images_of_the_page_are_there():
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE.read_text()):
        assert (PAGE.parent / target).is_file(), target
