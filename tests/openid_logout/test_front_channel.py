"""Clients that end their session in a frame -- OpenID Connect Front-Channel Logout 1.0."""

import html
import re
from urllib.parse import parse_qs
from urllib.parse import urlsplit

import jwt
import pytest

from tests.openid_logout.conftest import GOODBYE
from tests.openid_logout.conftest import Visitor
from tests.provider import ISSUER
from tests.provider import ticket

SPEC = "OpenID Front-Channel Logout"
LOGOUT = "https://mail.example/logout?theme=dark"


@pytest.fixture
def provider(with_logout):
    """One with a client `mail` that has a logout page, and `never` that has one too and is not signed in to."""
    provider = with_logout()
    provider.add_client("mail", name="Mail & <More>", logout_uri=LOGOUT)
    provider.add_client("never", name="Never Used", logout_uri="https://never.example/logout")
    return provider


@pytest.fixture
def alice(provider):
    visitor = Visitor(provider)
    for client_id in ("app", "mail"):
        visitor.sign_in_to(client_id)
    return visitor


def frames(page):
    return [html.unescape(src) for src in re.findall(r'<iframe src="([^"]*)"', page.text)]


def destination(page):
    """Where the link goes; the page goes there by itself as well."""
    (link,) = re.findall(r'<a class="button primary" href="([^"]*)"', page.text)
    assert f'<meta http-equiv="refresh" content="3; url={link}">' in page.text
    return html.unescape(link)


def policy(page):
    return dict(part.split(" ", 1) for part in page.headers["Content-Security-Policy"].split("; "))


def after(alice, answer):
    """The page that a 303 leads to."""
    assert answer.status_code == 303
    assert urlsplit(answer.location).path == "/oauth2/signed_out"
    page = alice.browser.get(answer.location)
    assert page.status_code == 200
    return page


def sign_out(alice, client_id="app", **asked):
    return alice.logout(id_token_hint=alice.id_tokens[client_id], **asked)


@pytest.mark.rfc(SPEC, "2", "the OP renders an iframe with the registered logout URI as the source")
@pytest.mark.rfc(SPEC, "2", "the query component MUST be retained when adding additional query parameters")
@pytest.mark.rfc(SPEC, "2", "iss, sid: if either is included, both MUST be")
def test_a_frame_for_each_client_of_the_session_that_wants_one(provider, alice):
    page = after(alice, sign_out(alice, post_logout_redirect_uri=GOODBYE, state="s"))
    assert destination(page) == f"{GOODBYE}?state=s"
    (frame,) = frames(page)
    assert frame.startswith(f"{LOGOUT}&")
    sid = jwt.decode(alice.id_tokens["mail"], options={"verify_signature": False})["sid"]
    assert parse_qs(urlsplit(frame).query) == {"theme": ["dark"], "iss": [ISSUER], "sid": [sid]}
    assert "Mail &amp; &lt;More&gt;" in page.text
    assert "Never" not in page.text
    assert not alice.is_signed_in


@pytest.mark.promise(10)
def test_the_page_may_frame_these_and_nobody_else(alice):
    page = after(alice, sign_out(alice))
    assert policy(page)["frame-src"] == "https://mail.example"
    assert policy(page)["default-src"] == "'none'"
    assert policy(page)["frame-ancestors"] == "'none'"
    assert page.headers["X-Frame-Options"] == "DENY"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.rfc(SPEC, "3", "sid values are unique, and every session has its own")
def test_a_client_of_another_session_gets_no_frame(provider, alice):
    elsewhere = Visitor(provider)
    elsewhere.sign_in_to("never")
    assert len(frames(after(alice, sign_out(alice)))) == 1
    assert elsewhere.is_signed_in


def test_who_confirms_gets_the_frames_as_well(provider, alice):
    page = alice.logout(client_id="app", post_logout_redirect_uri=GOODBYE)
    form = {"ticket": ticket(page), "decision": "sign_out"}
    page = after(alice, alice.browser.post("/oauth2/logout", data=form))
    assert len(frames(page)) == 1
    assert destination(page) == GOODBYE


def test_without_such_a_client_the_browser_goes_on_at_once(provider):
    alice = Visitor(provider)
    alice.sign_in_to("app")
    assert sign_out(alice, post_logout_redirect_uri=GOODBYE).location == GOODBYE


def test_a_client_may_want_the_others_left_alone(provider, alice):
    provider.add_client(
        "app", logout_behavior="redirect_only", post_logout_redirect_uris=(GOODBYE,), secret=provider.secret
    )
    assert sign_out(alice, post_logout_redirect_uri=GOODBYE).location == GOODBYE
    assert not alice.is_signed_in


def test_the_client_that_asks_is_told_as_well(provider, alice):
    """Its logout page is where it ends its session, and where the browser goes by default."""
    page = after(alice, sign_out(alice, "mail"))
    assert destination(page) == LOGOUT
    assert len(frames(page)) == 1


@pytest.mark.parametrize("uri", ["nuxeo://logout", "https://mail.example/logout#x", "javascript:alert(1)"])
def test_what_cannot_be_framed_is_not(provider, alice, uri):
    """Registering such a one is refused; settings made in Python are not looked at so closely."""
    provider.add_client("mail", logout_uri=uri)
    assert sign_out(alice, post_logout_redirect_uri=GOODBYE).location == GOODBYE


def test_a_client_whose_tokens_are_revoked_is_told(provider, alice):
    """It has a session of its own all the same."""
    provider.revoke(alice.tokens["mail"]["refresh_token"], "mail")
    assert len(frames(after(alice, sign_out(alice)))) == 1


def test_so_it_is_where_signing_out_revokes_them(with_logout):
    provider = with_logout(logout_revokes_refresh_tokens=True)
    provider.add_client("mail", logout_uri=LOGOUT)
    alice = Visitor(provider)
    alice.sign_in_to("mail")
    assert len(frames(after(alice, sign_out(alice, "mail")))) == 1


def test_a_disabled_client_is_not(provider, alice):
    provider.add_client("mail", logout_uri=LOGOUT, enabled=False)
    assert sign_out(alice, post_logout_redirect_uri=GOODBYE).location == GOODBYE


def test_a_client_told_twice_gets_one_frame(provider, alice):
    alice.sign_in_to("mail")
    assert len(frames(after(alice, sign_out(alice)))) == 1


@pytest.mark.promise(3)
def test_the_page_cannot_be_forged(provider, alice):
    answer = sign_out(alice, post_logout_redirect_uri=GOODBYE)
    stranger = Visitor(provider)
    assert stranger.browser.get(answer.location).status_code == 403
    login = provider.authorize(stranger.browser)
    for forged in ("", "?ticket=nonsense", f"?ticket={ticket(login)}", answer.location[len("/oauth2/signed_out") : -1]):
        assert alice.browser.get(f"/oauth2/signed_out{forged}").status_code == 403
    assert alice.browser.post(answer.location).status_code == 405
    # Coming back to it, also by way of another site, shows the same once more.
    for site in ("cross-site", "same-origin"):
        assert len(frames(alice.browser.get(answer.location, headers={"Sec-Fetch-Site": site}))) == 1
    provider.clock.advance(3600)
    assert alice.browser.get(answer.location).status_code == 403
