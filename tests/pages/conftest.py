"""The pages of a provider, and what a visitor of each template would be shown."""

import pytest

from oauth_filter.authorization_server.pages import Pages
from oauth_filter.settings import Settings

HOSTILE = (
    "<script>alert(1)</script> \"double\" 'single' & &amp; {{ 7 * 7 }} %(x)s "
    "\N{RIGHT-TO-LEFT OVERRIDE}gnol\N{POP DIRECTIONAL FORMATTING} \N{HEBREW LETTER ALEF} " + "long" * 200
)


@pytest.fixture
def settings(tmp_path):
    """Settings with a folder of templates, which stays empty unless a test writes into it."""
    folder = tmp_path / "templates"
    folder.mkdir()
    return Settings(secret="s" * 32, issuer="https://id.example.com/base", templates=str(folder))


@pytest.fixture
def pages(settings):
    return Pages(settings)


def values(text):
    """Every variable of every template, each with `text` where a person's or a client's words go."""
    return {
        "login.html": {"action": text, "ticket": text, "username": text, "error": text, "client_name": text},
        "consent.html": {
            "action": text,
            "ticket": text,
            "client_name": text,
            "username": text,
            "scopes": [("reports:read", text), (text, None)],
            "redirect_host": text,
            "consent_days": 365,
        },
        "device.html": {"action": text, "ticket": text, "user_code": text, "error": text, "username": text},
        "device_confirm.html": {
            "action": text,
            "ticket": text,
            "client_name": text,
            "device": text,
            "user_code": text,
            "username": text,
            "scopes": [("reports:read", text), (text, None)],
        },
        "device_done.html": {"is_allowed": True, "client_name": text},
        "logout.html": {"action": text, "ticket": text, "client_name": text, "username": text},
        "signed_out.html": {"client_names": [text], "frames": [text], "destination": text, "delay": 3},
        "error.html": {"heading": text, "description": text, "advice": text, "request_id": text},
        "form_post.html": {"action": text, "client_name": text, "parameters": [(text, text), ("state", text)]},
    }


@pytest.fixture
def plain():
    return values("plain words")


@pytest.fixture
def hostile():
    return values(HOSTILE)


@pytest.fixture
def hostile_text():
    return HOSTILE
