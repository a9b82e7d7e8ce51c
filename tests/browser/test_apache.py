"""Apache's mod_auth_openidc in Chromium: what takes a script or a frame."""

import re

import pytest
from playwright.sync_api import expect

from tests import prepare
from tests.interop.apache import apache

pytestmark = [pytest.mark.browser, pytest.mark.apache]


@pytest.fixture
def member_area(server, request):
    """Apache with a client that takes answers in the fragment, and that wants to be told in a frame."""
    client_id = re.sub(r"\W+", "-", request.node.name)
    client = {"logout_uri": "{url}/members/callback?logout=get"}
    try:
        prepare.apache()
    except OSError as error:
        pytest.skip(prepare.no_apache(error))
    with apache(server, client_id, client, {"OIDCResponseType": "code id_token"}) as url:
        yield url


@pytest.mark.rfc("OpenID Core", "3.3.2.5")
@pytest.mark.rfc("OpenID Front-Channel Logout", "3")
def test_answer_in_the_fragment_and_log_out_in_a_frame(server, desk, member_area):
    page = desk.page()
    page.goto(f"{member_area}/members/")
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password").fill("wonder land")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("REMOTE_USER=alice")).to_be_visible()

    page.goto(server.url("/oauth2/logout"))
    # It ends its session, and then refuses to be shown in the frame.
    desk.expect("X-Frame-Options")
    with page.context.expect_event("console", lambda message: "X-Frame-Options" in message.text):
        page.get_by_role("button", name="Sign out", exact=True).click()
    page.goto(f"{member_area}/members/")
    expect(page.get_by_label("Password")).to_be_visible()
