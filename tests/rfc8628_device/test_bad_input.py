"""Bad input to every endpoint of the device grant: a clear 4xx, never a 5xx, and never an echo."""

import pytest

from tests.provider import Provider
from tests.provider import ticket
from tests.rfc8628_device.conftest import GRANT
from tests.rfc8628_device.conftest import Device
from tests.rfc8628_device.conftest import Person

pytestmark = pytest.mark.promise(7)

FORM = "application/x-www-form-urlencoded"
PARAMETERS = {
    "/oauth2/device_authorize": ("client_id", "scope", "metaData.device.name", "metaData.device.description"),
    "/oauth2/device/validate": ("client_id", "user_code"),
    "/oauth2/device/user-code": ("client_id", "user_code"),
    "/oauth2/device/approve": ("client_id", "user_code", "token"),
    "/oauth2/device": ("ticket", "user_code", "decision"),
    "/oauth2/token": ("client_id", "device_code", "username", "password"),
}
EVERY = [(path, name) for path, names in PARAMETERS.items() for name in names]


@pytest.fixture(scope="module")
def person():
    """Signing in takes its time, and bad requests leave the person as they are."""
    return Person(Provider(lambda: 1_700_000_000.25))


@pytest.fixture(scope="module")
def token(person):
    return person.provider.tokens()["access_token"]


@pytest.fixture
def good(person, token):
    """The fields of a good request to each of the endpoints."""
    device = Device(person.provider, "app")
    client = {"client_id": "app", "client_secret": person.provider.secret}
    user_code = {"user_code": device.user_code}
    return {
        "/oauth2/device_authorize": client,
        "/oauth2/device/validate": {"client_id": "app"} | user_code,
        "/oauth2/device/user-code": client | user_code,
        "/oauth2/device/approve": client | user_code | {"token": token},
        "/oauth2/device": {"ticket": ticket(person.page)} | user_code,
        "/oauth2/token": client | {"grant_type": GRANT, "device_code": device.device_code},
    }


def checked(answer):
    assert 400 <= answer.status_code < 500, answer.text
    assert "MARK" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return answer


@pytest.mark.parametrize("path", [path for path in PARAMETERS if path != "/oauth2/token"])
def test_the_good_request_is_good(person, good, path):
    assert person.browser.post(path, data=good[path]).status_code in (200, 303)


@pytest.mark.rfc("8628", "3.1", "parameters MUST NOT be included more than once")
@pytest.mark.parametrize(("path", "name"), EVERY)
def test_a_parameter_that_is_there_twice(person, good, path, name):
    fields = [*good[path].items(), (name, "MARK 1"), (name, "MARK 2")]
    data = {n: [v for m, v in fields if m == n] for n, _ in fields}
    answer = checked(person.browser.post(path, data=data))
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "value",
    [
        "",
        "MARK",
        "<script>MARK",
        "MARK%00",
        "%ff%feMARK",
        "MARK%zz",
        "MARK" * 10000,
        "%F0%9F%A4%B7MARK",
        "MARK%0d%0aX: y",
    ],
    ids=["empty", "text", "markup", "NUL", "no UTF-8", "no escape", "long", "emoji", "line end"],
)
@pytest.mark.parametrize(("path", "name"), [pair for pair in EVERY if "metaData" not in pair[1]])
def test_a_value_of_no_use(person, good, path, name, value):
    fields = {n: v for n, v in good[path].items() if n != name}
    body = "&".join([*(f"{n}={v}" for n, v in fields.items()), f"{name}={value}"])
    answer = person.browser.post(path, data=body, content_type=FORM)
    assert answer.status_code < 500
    assert "MARK" not in answer.text
    if answer.status_code == 303:
        assert "MARK" not in answer.location
        assert "MARK" not in person.browser.get(answer.location).text


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain"])
@pytest.mark.parametrize("path", PARAMETERS)
def test_another_content_type(person, path, content_type):
    checked(person.browser.post(path, data=b'{"client_id": "MARK"}', content_type=content_type))


@pytest.mark.parametrize("path", PARAMETERS)
def test_a_body_that_is_too_large(person, path):
    answer = checked(person.browser.post(path, data=b"x=" + b"MARK" * 20000, content_type=FORM))
    assert answer.status_code == 413


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", sorted(set(PARAMETERS) - {"/oauth2/device", "/oauth2/device/validate"}))
def test_another_method(person, path, method):
    answer = checked(person.browser.open(path, method=method))
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize("path", ["/oauth2/device", "/oauth2/device/validate"])
@pytest.mark.parametrize("query", ["%zz", "user_code=%00", "user_code=%ff", "user_code=B&user_code=C", "x=" * 20000])
def test_a_query_of_no_use(person, path, query):
    checked(person.browser.get(path, query_string=query))


@pytest.mark.promise(5)
def test_nothing_secret_is_logged(person, caplog):
    caplog.set_level("DEBUG")
    device = Device(person.provider)
    device.error()
    Person(person.provider).allow(device.user_code)
    tokens = device.poll().json
    device.poll()
    for secret in (device.device_code, device.user_code, device.user_code.replace("-", ""), tokens["access_token"]):
        assert secret not in caplog.text
