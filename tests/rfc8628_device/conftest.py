"""A device that starts the flow, and a person who enters its code in a browser."""

import pytest

from tests.provider import ticket

GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class Device:
    """A device of a public client, with what the device authorization endpoint gave it."""

    def __init__(self, provider, client_id="native", **form):
        self.provider, self.client_id = provider, client_id
        headers = provider.basic() if client_id == "app" else {}
        self.answer = provider.browser().post(
            "/oauth2/device_authorize", data={"client_id": client_id} | form, headers=headers
        )
        assert self.answer.status_code == 200, self.answer.text
        self.device_code = self.answer.json["device_code"]
        self.user_code = self.answer.json["user_code"]

    def poll(self, **form):
        form = {"grant_type": GRANT, "device_code": self.device_code} | form
        return self.provider.token(self.client_id, **form)

    def error(self, **form):
        answer = self.poll(**form)
        assert answer.status_code == 400, answer.text
        return answer.json["error"]


class Person:
    """Somebody at the page for devices."""

    def __init__(self, provider, username="alice", browser=None):
        self.provider = provider
        self.browser = browser or provider.browser()
        self.page = self.browser.get("/oauth2/device")
        if 'name="password"' in self.page.text:
            self.page = provider.sign_in(self.browser, self.page, username)

    def enter(self, user_code):
        """Type a code and press Continue; what is shown then."""
        answer = self.browser.post("/oauth2/device", data={"ticket": ticket(self.page), "user_code": user_code})
        return self.follow(answer)

    def decide(self, decision, page=None):
        """Press a button of the confirmation page; what is shown then."""
        fields = {"ticket": ticket(page or self.page), "decision": decision}
        return self.follow(self.browser.post("/oauth2/device", data=fields))

    def allow(self, user_code):
        """All the way."""
        self.enter(user_code)
        return self.decide("allow")

    def follow(self, answer):
        if answer.status_code == 303:
            assert answer.location.startswith("/oauth2/device"), answer.location
            answer = self.browser.get(answer.location)
        self.page = answer
        return answer


@pytest.fixture
def start(provider):
    """Start a device of the provider."""

    def start(client_id="native", **form):
        return Device(provider, client_id, **form)

    return start


@pytest.fixture
def person(provider):
    """Somebody who has signed in and is asked for a code."""
    return Person(provider)


@pytest.fixture
def make_person(provider):
    def make(username="alice", browser=None):
        return Person(provider, username, browser)

    return make
