"""Signing out -- OpenID Connect RP-Initiated Logout 1.0."""

from urllib.parse import parse_qsl
from urllib.parse import urlsplit

import jwt
import pytest

from oauth_filter.errors import ConfigError
from oauth_filter.records import Client
from oauth_filter.records import EndedSession
from oauth_filter.records import SigningKey
from oauth_filter.records import User
from tests.openid_logout.conftest import GOODBYE
from tests.openid_logout.conftest import Visitor
from tests.provider import CALLBACK
from tests.provider import ISSUER
from tests.provider import ticket

SPEC = "OpenID RP-Initiated Logout"


def asks(answer):
    """Whether the answer is our page that asks for confirmation."""
    return answer.status_code == 200 and 'value="sign_out"' in answer.text


def press(visitor, page, decision="sign_out", **headers):
    form = {"ticket": ticket(page), "decision": decision}
    return visitor.browser.post("/oauth2/logout", data=form, headers=headers)


def refusal(provider, answer):
    """The reason of an error page, which the log knows and the page does not."""
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    return provider.events[-1].reason


# With an ID token


@pytest.mark.rfc(SPEC, "2", "MUST support the HTTP GET and POST methods")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_with_an_id_token_of_the_session_the_user_is_signed_out_at_once(provider, alice, method):
    asked = {"id_token_hint": alice.id_tokens["app"], "post_logout_redirect_uri": GOODBYE, "state": "a b&c"}
    where = {"query_string": asked} if method == "GET" else {"data": asked}
    answer = alice.browser.open("/oauth2/logout", method=method, **where)
    assert answer.status_code == 303
    assert answer.location == f"{GOODBYE}?state=a+b%26c"
    assert not alice.is_signed_in
    assert [event.username for event in provider.events if event.name == "signed_out"] == ["alice"]


@pytest.mark.rfc(SPEC, "2", "the OP SHOULD accept ID Tokens when the exp time has passed")
def test_an_expired_id_token_will_do(provider, alice):
    provider.clock.advance(provider.settings.id_token_lifetime + 60)
    assert alice.logout(id_token_hint=alice.id_tokens["app"]).status_code == 303
    assert not alice.is_signed_in


def test_so_does_one_signed_before_the_keys_were_rotated(provider, alice):
    provider.filter._server.server.keys.rotate("RS256")
    provider.clock.advance(provider.settings.session_lifetime - 1)
    assert alice.logout(id_token_hint=alice.id_tokens["app"]).status_code == 303
    assert not alice.is_signed_in


def test_one_of_a_refresh_will_do(provider, alice):
    id_token = provider.refresh(alice.tokens["app"]["refresh_token"]).json["id_token"]
    assert alice.logout(id_token_hint=id_token).status_code == 303
    assert not alice.is_signed_in


def test_one_from_before_a_second_sign_in_will_do(provider, alice):
    """Who proves again who they are is in the same session, or signing out would miss half of it."""
    first = alice.id_tokens["app"]
    page = provider.authorize(alice.browser, scope="openid", prompt="login")
    provider.sign_in(alice.browser, page)
    second = alice.sign_in_to("app")
    sids = {jwt.decode(token, options={"verify_signature": False})["sid"] for token in (first, second)}
    assert len(sids) == 1
    assert alice.logout(id_token_hint=first).status_code == 303
    assert not alice.is_signed_in


@pytest.mark.rfc("OpenID Core", "8.1")
def test_a_client_with_pairwise_subjects(provider):
    provider.add_client("app", secret=provider.secret, subject_type="pairwise")
    alice = Visitor(provider)
    alice.sign_in_to("app")
    assert alice.logout(id_token_hint=alice.id_tokens["app"]).status_code == 303
    assert not alice.is_signed_in


# Without one that fits


@pytest.mark.promise(10)
@pytest.mark.rfc(SPEC, "2", "MUST ask the End-User this question if an id_token_hint was not provided")
@pytest.mark.parametrize("asked", [{}, {"client_id": "app"}, {"client_id": "app", "post_logout_redirect_uri": GOODBYE}])
def test_without_an_id_token_the_user_is_asked(alice, asked):
    answer = alice.logout(**asked)
    assert asks(answer)
    assert "alice" in answer.text
    assert ("My App" in answer.text) is ("client_id" in asked)
    assert alice.is_signed_in


def expired_session(provider, alice):
    """An ID token of a session of alice's that is over."""
    provider.clock.advance(provider.settings.session_lifetime)
    old = alice.id_tokens["app"]
    alice.sign_in_to("app")
    return old


def other_browser(provider, alice):
    """An ID token of alice's session on another machine."""
    return Visitor(provider).sign_in_to("app")


def other_user(provider, alice):
    provider.add_user("bob")
    return Visitor(provider, "bob").sign_in_to("app")


def without_session(provider, alice):
    """One that says nothing of a session, as of a grant without a browser."""
    claims = jwt.decode(alice.id_tokens["app"], options={"verify_signature": False})
    return provider.filter._server.server.keys.sign({k: v for k, v in claims.items() if k != "sid"})


def other_subject(provider, alice):
    claims = jwt.decode(alice.id_tokens["app"], options={"verify_signature": False})
    return provider.filter._server.server.keys.sign(claims | {"sub": "somebody else"})


@pytest.mark.promise(10)
@pytest.mark.rfc(SPEC, "2", "MUST ask if the supplied ID Token does not belong to the current OP session")
@pytest.mark.parametrize(
    "hint", [expired_session, other_browser, other_user, without_session, other_subject], ids=lambda hint: hint.__name__
)
def test_with_an_id_token_of_something_else_the_user_is_asked(provider, alice, hint):
    answer = alice.logout(id_token_hint=hint(provider, alice))
    assert asks(answer)
    assert alice.is_signed_in


@pytest.mark.rfc(SPEC, "2", 'If the End-User says "yes", then the OP MUST log out the End-User')
def test_who_confirms_is_signed_out(alice):
    page = alice.logout(client_id="app", post_logout_redirect_uri=GOODBYE, state="s")
    answer = press(alice, page)
    assert (answer.status_code, answer.location) == (303, f"{GOODBYE}?state=s")
    assert not alice.is_signed_in


def test_who_says_no_is_not(alice):
    page = alice.logout(client_id="app", post_logout_redirect_uri=GOODBYE, state="s")
    answer = press(alice, page, "stay")
    assert (answer.status_code, answer.location) == (303, f"{GOODBYE}?state=s")
    assert alice.is_signed_in


def test_who_says_no_is_not_sent_where_a_page_may_sign_out(provider, alice):
    client = provider.store.get(Client, "app")
    provider.add_client("app", secret=provider.secret, logout_uri="https://client.example/sign-out", name=client.name)
    answer = press(alice, alice.logout(client_id="app"), "stay")
    assert (answer.status_code, answer.location) == (303, "/")


def test_pressing_twice_is_no_forgery(alice):
    page = alice.logout(client_id="app", post_logout_redirect_uri=GOODBYE)
    assert press(alice, page).location == press(alice, page).location == GOODBYE


@pytest.mark.promise(10)
def test_the_page_cannot_be_forged(provider, alice):
    page = alice.logout(client_id="app")
    mallory = Visitor(provider)
    theirs = mallory.browser.post("/oauth2/logout", data={"ticket": ticket(page), "decision": "sign_out"})
    assert theirs.status_code == 403
    stranger = mallory.browser.get("/oauth2/authorize", query_string=provider.request("app"))
    for forged in (ticket(stranger), ticket(page)[:-1] + "A", "nonsense"):
        answer = alice.browser.post("/oauth2/logout", data={"ticket": forged, "decision": "sign_out"})
        assert answer.status_code == 403
    for site in ("cross-site", "same-site"):
        assert press(alice, page, **{"Sec-Fetch-Site": site}).status_code == 403
    assert alice.is_signed_in
    provider.clock.advance(3600)
    assert press(alice, page).status_code == 403
    assert alice.is_signed_in


@pytest.mark.promise(10)
def test_the_page_cannot_be_framed_or_kept(alice):
    headers = alice.logout(client_id="app").headers
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_a_form_of_another_site_comes_without_the_cookie_and_works(alice):
    """`SameSite=Lax` keeps the cookie back from it, and not from the GET that follows."""
    asked = {"id_token_hint": alice.id_tokens["app"], "post_logout_redirect_uri": GOODBYE, "state": "s", "x": "y"}
    answer = alice.provider.browser().post("/oauth2/logout", data=asked)
    assert answer.status_code == 303
    assert urlsplit(answer.location).path == "/oauth2/logout"
    del asked["x"]
    assert dict(parse_qsl(urlsplit(answer.location).query)) == asked
    assert alice.browser.get(answer.location).location == f"{GOODBYE}?state=s"
    assert not alice.is_signed_in


# What an ended session is


@pytest.mark.promise(4)
def test_a_copy_of_the_cookie_is_dead(provider, alice):
    copied = alice.cookie()
    thief = Visitor(provider)
    thief.browser.set_cookie("oauth_filter", copied, path="/oauth2")
    assert thief.is_signed_in
    alice.logout(id_token_hint=alice.id_tokens["app"])
    assert alice.cookie() != copied
    assert not thief.is_signed_in
    provider.store.revoke("subject", provider.store.get(User, "alice").subject)
    while provider.store.purge():
        pass
    assert not thief.is_signed_in
    provider.clock.advance(provider.settings.session_lifetime - 1)
    assert not thief.is_signed_in


def test_the_thief_does_not_come_back_with_it(provider, alice):
    """Signing in over a dead cookie begins another session, not the ended one again."""
    copied = alice.cookie()
    alice.logout(id_token_hint=alice.id_tokens["app"])
    alice.browser.set_cookie("oauth_filter", copied, path="/oauth2")
    alice.sign_in_to("app")
    assert alice.is_signed_in


def test_an_ended_session_is_remembered_no_longer_than_its_cookie_works(provider, alice):
    alice.logout(id_token_hint=alice.id_tokens["app"])
    (ended,) = provider.store.find(EndedSession)
    assert ended.expires_at == provider.clock() + provider.settings.session_lifetime


def test_other_sessions_of_the_user_go_on(provider, alice):
    elsewhere = Visitor(provider)
    elsewhere.sign_in_to("app")
    alice.logout(id_token_hint=alice.id_tokens["app"])
    assert elsewhere.is_signed_in


@pytest.mark.promise(4)
@pytest.mark.parametrize("token_format", ["opaque", "jwt"])
def test_what_clients_got_ends_with_the_session_where_that_is_set(with_logout, token_format):
    provider = with_logout(logout_revokes_refresh_tokens=True, access_token_format=token_format)
    provider.add_client("phone")
    alice, elsewhere = Visitor(provider), Visitor(provider)
    for client_id in ("app", "phone"):
        alice.sign_in_to(client_id)
    elsewhere.sign_in_to("app")
    unredeemed = provider.code(browser=alice.browser, scope="openid")
    alice.logout(id_token_hint=alice.id_tokens["app"])
    for client_id in ("app", "phone"):
        tokens = alice.tokens[client_id]
        assert provider.refresh(tokens["refresh_token"], client_id).json["error"] == "invalid_grant"
        assert provider.call(tokens["access_token"]).status_code == 401
    assert provider.redeem(unredeemed).json["error"] == "invalid_grant"
    assert provider.call(elsewhere.tokens["app"]["access_token"]).status_code == 200
    assert provider.refresh(elsewhere.tokens["app"]["refresh_token"]).status_code == 200


def test_a_session_of_many_grants_ends_all_of_them(with_logout):
    provider = with_logout(logout_revokes_refresh_tokens=True)
    alice = Visitor(provider)
    first = alice.sign_in_to("app")
    codes = [provider.code(browser=alice.browser, scope="openid") for _ in range(120)]
    alice.logout(id_token_hint=first)
    assert {provider.redeem(code).json["error"] for code in codes} == {"invalid_grant"}


def test_tokens_go_on_by_default(provider, alice):
    alice.logout(id_token_hint=alice.id_tokens["app"])
    assert provider.refresh(alice.tokens["app"]["refresh_token"]).status_code == 200


# Where the browser goes


@pytest.mark.promise(3)
def test_the_first_destination_that_exists(with_logout):
    provider = with_logout(logout_uri="/goodbye", issuer="http://localhost:8080/base")

    def after(**asked):
        return provider.browser().get("/oauth2/logout", query_string=asked).location

    assert after() == "/base/goodbye"
    assert after(client_id="app") == "/base/goodbye"
    assert after(client_id="app", post_logout_redirect_uri=GOODBYE) == GOODBYE
    provider.add_client("app", logout_uri="https://client.example/out", post_logout_redirect_uris=(GOODBYE,))
    assert after(client_id="app") == "https://client.example/out"
    assert after(client_id="app", state="s") == "https://client.example/out"
    assert after(client_id="app", post_logout_redirect_uri=GOODBYE) == GOODBYE


def test_a_query_of_the_registered_uri_is_kept(provider):
    provider.add_client("app", post_logout_redirect_uris=(f"{GOODBYE}?lang=de",))
    asked = {"client_id": "app", "post_logout_redirect_uri": f"{GOODBYE}?lang=de", "state": "s"}
    answer = provider.browser().get("/oauth2/logout", query_string=asked)
    assert answer.location == f"{GOODBYE}?lang=de&state=s"


@pytest.mark.promise(3)
@pytest.mark.rfc(SPEC, "3", "MUST NOT perform post-logout redirection if it does not exactly match a registered value")
@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/",
        f"{GOODBYE}/",
        f"{GOODBYE}?x=1",
        f"{GOODBYE}#",
        GOODBYE.upper(),
        CALLBACK,
        "//client.example/goodbye",
        "/goodbye",
        "javascript:alert(1)",
        f"{GOODBYE}\r\nX: y",
    ],
)
def test_one_that_is_not_registered_is_refused(provider, alice, uri):
    for asked in ({"client_id": "app"}, {"id_token_hint": alice.id_tokens["app"]}):
        answer = alice.logout(post_logout_redirect_uri=uri, **asked)
        assert refusal(provider, answer) == "invalid_post_logout_redirect_uri"
        assert uri not in answer.text
    assert alice.is_signed_in


@pytest.mark.promise(3)
@pytest.mark.rfc(SPEC, "3", "MUST NOT unless the OP has other means of confirming the legitimacy of the target")
def test_one_of_nobody_is_refused(provider, alice):
    assert refusal(provider, alice.logout(post_logout_redirect_uri=GOODBYE)) == "invalid_post_logout_redirect_uri"
    assert alice.is_signed_in


def test_one_of_another_client_is_refused(provider, alice):
    provider.add_client("other", post_logout_redirect_uris=("https://other.example/",))
    answer = alice.logout(client_id="app", post_logout_redirect_uri="https://other.example/")
    assert refusal(provider, answer) == "invalid_post_logout_redirect_uri"


def test_one_that_was_removed_while_the_page_was_open_is_refused(provider, alice):
    page = alice.logout(client_id="app", post_logout_redirect_uri=GOODBYE)
    provider.add_client("app", secret=provider.secret)
    assert refusal(provider, press(alice, page)) == "invalid_post_logout_redirect_uri"


@pytest.mark.parametrize("parameters", [False, True])
def test_redirect_uris_will_do_where_fusionauths_requests_do(with_logout, parameters):
    provider = with_logout(fusionauth_parameters=parameters)
    asked = {"client_id": "app", "post_logout_redirect_uri": CALLBACK, "tenantId": "t"}
    answer = provider.browser().get("/oauth2/logout", query_string=asked)
    if parameters:
        assert (answer.status_code, answer.location) == (303, CALLBACK)
    else:
        assert refusal(provider, answer) == "invalid_post_logout_redirect_uri"


@pytest.mark.parametrize("uri", ["", "goodbye", "//evil.example/", "/\\evil.example", "https:///x", "/a b", "mailto:x"])
def test_a_default_that_leads_elsewhere_by_accident_is_refused_at_start(settings, uri):
    with pytest.raises(ConfigError, match="one slash"):
        settings(logout_uri=uri)


@pytest.mark.parametrize("uri", ["/", "/out?x=1", "https://www.example.com/out"])
def test_a_default_may_be_a_path_or_a_url(settings, uri):
    assert settings(logout_uri=uri).logout_uri == uri


# What is wrong with a request


@pytest.mark.rfc(SPEC, "2", "the OP MUST verify that it was the issuer of the ID Token")
@pytest.mark.rfc(SPEC, "4", "the information that failed to validate MUST NOT be used")
def test_an_id_token_that_is_not_ours(provider, alice, make_provider):
    stranger = make_provider(issuer="http://localhost:9090")
    theirs = Visitor(stranger).sign_in_to("app")
    mine = alice.id_tokens["app"]
    forged = jwt.encode(jwt.decode(mine, options={"verify_signature": False}), "k" * 64, algorithm="HS256")
    unsigned = jwt.encode({"sub": "x", "aud": "app"}, None, algorithm="none")
    for hint in (theirs, forged, unsigned, mine[:-4], "nonsense", "a.b.c", "\N{SNOWMAN}", alice.tokens["app"]):
        answer = alice.logout(id_token_hint=hint)
        assert refusal(provider, answer) == "invalid_id_token_hint"
    assert alice.is_signed_in


def test_an_id_token_of_another_issuer_that_shares_our_store(provider, alice):
    (key,) = provider.store.find(SigningKey)
    claims = jwt.decode(alice.id_tokens["app"], options={"verify_signature": False})
    elsewhere = provider.filter._server.server.keys.sign(claims | {"iss": f"{ISSUER}/other"})
    assert jwt.get_unverified_header(elsewhere)["kid"] == key.key
    assert refusal(provider, alice.logout(id_token_hint=elsewhere)) == "invalid_id_token_hint"


@pytest.mark.promise(11)
def test_a_jwt_of_ours_that_is_no_id_token(with_logout):
    provider = with_logout(access_token_format="jwt")
    alice = Visitor(provider)
    alice.sign_in_to("app")
    answer = alice.logout(id_token_hint=alice.tokens["app"]["access_token"])
    assert refusal(provider, answer) == "invalid_id_token_hint"
    assert alice.is_signed_in


@pytest.mark.rfc(SPEC, "2", "MUST verify that the Client Identifier matches the one used when issuing the ID Token")
def test_an_id_token_of_another_client(provider, alice):
    answer = alice.logout(id_token_hint=alice.id_tokens["app"], client_id="native")
    assert refusal(provider, answer) == "client_id_mismatch"
    assert alice.is_signed_in


def test_a_client_that_is_not_there(provider, alice):
    assert refusal(provider, alice.logout(client_id="nobody")) == "invalid_client_id"
    provider.add_client("app", enabled=False, post_logout_redirect_uris=(GOODBYE,))
    assert refusal(provider, alice.logout(client_id="app")) == "invalid_client_id"
    answer = alice.logout(id_token_hint=alice.id_tokens["app"], post_logout_redirect_uri=GOODBYE)
    assert refusal(provider, answer) == "invalid_post_logout_redirect_uri"
    assert asks(alice.logout(id_token_hint=alice.id_tokens["app"]))


@pytest.mark.promise(7)
@pytest.mark.parametrize(
    "query",
    [
        "client_id=app&client_id=native",
        "state=a&state=b",
        "post_logout_redirect_uri=a&post_logout_redirect_uri=b",
        "client_id=%zz",
        "client_id=%00",
        "id_token_hint=" + "x" * 40_000,
    ],
    ids=lambda query: query[:30],
)
def test_bad_input(provider, alice, query):
    answer = alice.browser.get(f"/oauth2/logout?{query}")
    assert answer.status_code in (400, 414)
    assert alice.is_signed_in


@pytest.mark.promise(7)
def test_a_body_that_is_no_form(alice):
    assert alice.browser.post("/oauth2/logout", json={"client_id": "app"}).status_code == 400
    assert alice.browser.put("/oauth2/logout").status_code == 405
    # Parameters without a value are none.
    assert alice.browser.get("/oauth2/logout?client_id=&post_logout_redirect_uri=&id_token_hint=").status_code == 200
    assert alice.is_signed_in


@pytest.mark.promise(5)
def test_nothing_secret_is_logged(provider, alice, caplog):
    caplog.set_level(0)
    cookie, hint = alice.cookie(), alice.id_tokens["app"]
    alice.logout(id_token_hint=hint + "x")
    alice.logout(id_token_hint=hint, post_logout_redirect_uri=GOODBYE, state="a state")
    said = caplog.text + repr(provider.events)
    for secret in (cookie, hint, "a state"):
        assert secret not in said


# Who keeps the session


@pytest.mark.promise(15)
def test_a_session_of_somebody_else_is_not_ours_to_end(make_provider):
    provider = make_provider(login="remote_user", logout_uri="/sso/logout")
    provider.add_client("app", post_logout_redirect_uris=(GOODBYE,), logout_uri="https://client.example/out")
    answer = provider.browser().get(
        "/oauth2/logout",
        query_string={"client_id": "app", "post_logout_redirect_uri": GOODBYE},
        environ_overrides={"REMOTE_USER": "alice"},
    )
    assert (answer.status_code, answer.location) == (303, "/sso/logout")
    said = provider.browser().get("/.well-known/openid-configuration").json
    assert said["end_session_endpoint"] == f"{ISSUER}/oauth2/logout"
    for channel in ("front", "back"):
        assert said[f"{channel}channel_logout_supported"] is False
        assert said[f"{channel}channel_logout_session_supported"] is False


@pytest.mark.rfc(SPEC, "2.1", "end_session_endpoint REQUIRED")
@pytest.mark.rfc("OpenID Front-Channel Logout", "3")
@pytest.mark.rfc("OpenID Back-Channel Logout", "2.1")
def test_it_is_advertised(provider):
    said = provider.browser().get("/.well-known/openid-configuration").json
    assert said["end_session_endpoint"] == f"{ISSUER}/oauth2/logout"
    for channel in ("front", "back"):
        assert said[f"{channel}channel_logout_supported"] is True
        assert said[f"{channel}channel_logout_session_supported"] is True
