"""Clients that are sent a logout token -- OpenID Connect Back-Channel Logout 1.0."""

import os
import subprocess
import sys
import textwrap
import threading
import time

import jwt
import pytest

from oauth_filter.authorization_server.backchannel import MAX_WAITING
from oauth_filter.authorization_server.backchannel import WORKERS
from oauth_filter.authorization_server.backchannel import Backchannel
from oauth_filter.authorization_server.backchannel import Delivery
from tests.openid_logout.conftest import GOODBYE
from tests.openid_logout.conftest import Visitor
from tests.provider import ISSUER

SPEC = "OpenID Back-Channel Logout"
EVENT = "http://schemas.openid.net/event/backchannel-logout"


@pytest.fixture
def provider(with_logout, receiver):
    provider = with_logout(insecure_allow_private_fetch=True)
    provider.add_client("mail", backchannel_logout_uri=receiver.url("/logout?tenant=1"))
    provider.add_client("never", backchannel_logout_uri=receiver.url("/never"))
    return provider


@pytest.fixture
def alice(provider):
    visitor = Visitor(provider)
    for client_id in ("app", "mail"):
        visitor.sign_in_to(client_id)
    return visitor


def sign_out(alice, client_id="app"):
    answer = alice.logout(id_token_hint=alice.id_tokens[client_id], post_logout_redirect_uri=GOODBYE)
    assert (answer.status_code, answer.location) == (303, GOODBYE)


def verified(provider, token, audience="mail"):
    """A logout token, judged as section 2.6 says."""
    header = jwt.get_unverified_header(token)
    keys = provider.browser().get("/oauth2/jwks").json["keys"]
    (key,) = [key for key in keys if key["kid"] == header["kid"]]
    options = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(
        token, jwt.PyJWK(key).key, algorithms=[key["alg"]], audience=audience, issuer=ISSUER, options=options
    )
    return header, claims


@pytest.mark.rfc(SPEC, "2.4", "iss, aud, iat, exp, jti, events; a sub or a sid; a nonce MUST NOT be present")
@pytest.mark.rfc(SPEC, "2.5", "an HTTP POST with the parameter logout_token")
@pytest.mark.rfc(SPEC, "4.1", "explicitly typed as logout+jwt")
def test_what_a_client_is_sent(provider, alice, receiver, outcome):
    sign_out(alice)
    (event,) = outcome(provider)
    assert (event.name, event.client_id, event.username) == ("logout_delivered", "mail", "alice")
    ((path, content_type, form),) = receiver.received
    assert path == "/logout?tenant=1"
    assert content_type == "application/x-www-form-urlencoded"
    assert list(form) == ["logout_token"]
    header, claims = verified(provider, receiver.tokens[0])
    assert (header["typ"], header["alg"]) == ("logout+jwt", "RS256")
    told = jwt.decode(alice.id_tokens["mail"], options={"verify_signature": False})
    assert claims.pop("jti")
    now = int(provider.clock())
    assert claims == {
        "iss": ISSUER,
        "aud": "mail",
        "sub": told["sub"],
        "sid": told["sid"],
        "iat": now,
        "exp": now + 120,
        "events": {EVENT: {}},
    }


@pytest.mark.rfc(SPEC, "2.4", "the same keys are used to sign Logout Tokens as are used for ID Tokens")
def test_it_is_signed_as_the_clients_id_tokens_and_names_its_subject(provider, receiver, outcome):
    provider.add_client(
        "mail",
        backchannel_logout_uri=receiver.url(),
        id_token_signed_response_alg="ES256",
        subject_type="pairwise",
    )
    alice = Visitor(provider)
    alice.sign_in_to("app")
    told = jwt.decode(alice.sign_in_to("mail"), options={"verify_signature": False})
    sign_out(alice)
    outcome(provider)
    header, claims = verified(provider, receiver.tokens[0])
    assert header["alg"] == "ES256"
    assert (claims["sub"], claims["sid"]) == (told["sub"], told["sid"])


def test_a_client_is_told_however_long_the_session_goes_on(provider, alice, receiver, outcome):
    alice.sign_in_to("app")
    alice.sign_in_to("mail")
    most = provider.settings.session_lifetime - 60
    provider.clock.advance(most)
    alice.sign_in_to("app", prompt="login")
    provider.clock.advance(most)
    sign_out(alice)
    outcome(provider)
    assert len(receiver.tokens) == 1


@pytest.mark.promise(11)
def test_a_logout_token_is_no_id_token_to_us(provider, alice, receiver, outcome):
    alice.sign_in_to("app")
    sign_out(alice)
    outcome(provider)
    answer = alice.logout(id_token_hint=receiver.tokens[0])
    assert answer.status_code == 400
    assert provider.events[-1].reason == "invalid_id_token_hint"


@pytest.mark.rfc(SPEC, "2.3", "the OP remembers the RPs the End-User is logged in to")
def test_only_clients_of_this_session_and_each_once(provider, alice, receiver, outcome):
    alice.sign_in_to("mail")
    elsewhere = Visitor(provider)
    elsewhere.sign_in_to("never")
    sign_out(alice)
    outcome(provider)
    assert [path for path, _, _ in receiver.received] == ["/logout?tenant=1"]
    assert elsewhere.is_signed_in


def test_every_client_with_a_back_channel_is_told(provider, alice, receiver, outcome):
    alice.sign_in_to("never")
    sign_out(alice)
    assert {event.client_id for event in outcome(provider, 2)} == {"mail", "never"}
    audiences = {jwt.decode(token, options={"verify_signature": False})["aud"] for token in receiver.tokens}
    assert audiences == {"mail", "never"}
    assert len({jwt.decode(token, options={"verify_signature": False})["jti"] for token in receiver.tokens}) == 2


def test_also_where_the_client_that_asks_only_wants_a_redirect(provider, alice, receiver, outcome):
    """It costs the browser nothing."""
    provider.add_client(
        "app", secret=provider.secret, logout_behavior="redirect_only", post_logout_redirect_uris=(GOODBYE,)
    )
    sign_out(alice)
    assert outcome(provider)[0].name == "logout_delivered"


# Deliveries that fail


@pytest.mark.rfc(SPEC, "2.8", "OPs should also be prepared to process a 204 No Content response as indicating success")
@pytest.mark.parametrize("status", [200, 204])
def test_success(provider, alice, receiver, outcome, status):
    receiver.answers = [status]
    sign_out(alice)
    assert outcome(provider)[0].name == "logout_delivered"
    assert len(receiver.received) == 1


def test_it_is_tried_again_until_it_works(provider, alice, receiver, outcome):
    receiver.answers = [500, 503, 200]
    sign_out(alice)
    assert outcome(provider)[0].name == "logout_delivered"
    assert len(receiver.received) == 3
    assert len(set(receiver.tokens)) == 1, "the same jti, so that the client can tell"


@pytest.mark.rfc(SPEC, "2.8", "the RP MUST respond with HTTP 400 if the logout request was invalid or failed")
@pytest.mark.parametrize("status", [400, 404, 501, 302])
def test_what_the_log_is_told_when_it_never_works(provider, alice, receiver, outcome, caplog, status):
    receiver.answers = [status] * 3
    sign_out(alice)
    (event,) = outcome(provider)
    assert (event.name, event.client_id) == ("logout_undelivered", "mail")
    assert event.reason == "backchannel_logout_failed"
    assert event.detail == f"the answer is {status}"
    assert len(receiver.received) == (3 if status > 500 else 1)
    assert {path for path, _, _ in receiver.received} == {"/logout?tenant=1"}, "a redirect leads nowhere"
    assert not alice.is_signed_in
    (warning,) = [record for record in caplog.records if "logout_undelivered" in record.message]
    assert warning.levelname == "WARNING"
    assert receiver.tokens[0] not in caplog.text


def test_private_addresses_are_out_of_reach_unless_allowed(with_logout, receiver, outcome):
    provider = with_logout()
    provider.add_client("mail", backchannel_logout_uri=receiver.url().replace("http:", "https:"))
    provider.add_client("news", backchannel_logout_uri=receiver.url())
    alice = Visitor(provider)
    for client_id in ("app", "mail", "news"):
        alice.sign_in_to(client_id)
    sign_out(alice)
    assert {event.name for event in outcome(provider, 2)} == {"logout_undelivered"}
    assert receiver.received == []


# The threads behind it


@pytest.fixture
def send():
    """Send to a URL with short pauses, and the outcomes by the time that many are there."""
    backchannel = Backchannel(allow_private=True, pauses=(0.01, 0.01))
    outcomes, arrived = [], threading.Semaphore(0)

    def report(problem):
        outcomes.append(problem)
        arrived.release()

    def send(uri, make_token=lambda: "token"):
        backchannel.send(Delivery(uri=uri, make_token=make_token, report=report))

    def wait(number):
        for _ in range(number):
            assert arrived.acquire(timeout=30)
        return outcomes

    send.wait, send.backchannel = wait, backchannel
    yield send
    backchannel.close()


def finish():
    """Wait for the threads of every delivery there is."""
    for thread in threading.enumerate():
        if thread.name == "oauth_filter logout":
            thread.join(30)


def test_a_client_that_is_not_there(send):
    send("http://127.0.0.1:9/")
    (problem,) = send.wait(1)
    assert "refused" in problem


def test_a_client_that_never_answers_holds_up_nobody(send, receiver):
    """Sending returns while the client is silent, and others are told meanwhile."""
    receiver.answers = ["silence"]
    send(receiver.url("/silent"))
    while not receiver.received:
        time.sleep(0.01)
    send(receiver.url("/prompt"))
    assert send.wait(1) == [None]
    receiver.enough.set()
    assert send.wait(1) == [None, None]


def test_a_client_that_never_answers_is_given_up(send, receiver):
    receiver.answers = ["silence"]
    outcomes, backchannel = [], Backchannel(allow_private=True, pauses=())
    backchannel.send(Delivery(uri=receiver.url(), make_token=lambda: "token", report=outcomes.append))
    finish()
    assert outcomes == ["timed out"]


def test_many_at_once(send, receiver):
    for _ in range(10 * WORKERS):
        send(receiver.url())
    assert send.wait(10 * WORKERS) == [None] * 10 * WORKERS
    assert len(receiver.received) == 10 * WORKERS


def test_there_is_an_end_to_the_queue(receiver):
    receiver.answers = ["silence"] * WORKERS
    outcomes, refused, backchannel = [], [], Backchannel(allow_private=True, pauses=())

    def send(uri, report):
        backchannel.send(Delivery(uri=uri, make_token=lambda: "token", report=report))

    for _ in range(WORKERS):
        send(receiver.url(), outcomes.append)
    while len(receiver.received) < WORKERS:
        time.sleep(0.01)
    for _ in range(MAX_WAITING):
        send("not a URL", outcomes.append)
    send(receiver.url(), refused.append)
    assert refused == ["too many others are waiting"]
    receiver.enough.set()
    backchannel.close()
    assert len(outcomes) == WORKERS + MAX_WAITING


def test_a_token_that_cannot_be_made_stops_no_other(send, receiver, caplog):
    def broken():
        raise RuntimeError("no key")

    send(receiver.url(), broken)
    send(receiver.url())
    assert send.wait(1) == [None]
    send.backchannel.close()
    assert "a logout token could not be sent" in caplog.text


def test_the_threads_end_when_there_is_nothing_to_do(send, receiver):
    send(receiver.url())
    send.wait(1)
    finish()
    assert not [thread for thread in threading.enumerate() if thread.name == "oauth_filter logout"]


PROCESS = """
    import os, sys, threading
    from oauth_filter.authorization_server.backchannel import Backchannel, Delivery

    backchannel = Backchannel(allow_private=True, pauses=(3600,))

    arrived = threading.Event()

    def report(problem):
        print(problem, flush=True)
        arrived.set()

    def send(path):
        backchannel.send(Delivery(uri=sys.argv[1] + path, make_token=lambda: "token", report=report))

    send("/first")
    if len(sys.argv) > 2:
        arrived.wait(30)
        if os.fork() == 0:
            send("/child")
"""


def run(*arguments):
    code = textwrap.dedent(PROCESS)
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *arguments], capture_output=True, text=True, timeout=60, check=True
    )


def test_what_is_under_way_when_the_process_ends_is_finished(receiver):
    run(receiver.url(""))
    assert [path for path, _, _ in receiver.received] == ["/first"]


def test_a_process_does_not_wait_to_try_again(receiver):
    receiver.answers = [500]
    assert "the answer is 500" in run(receiver.url("")).stdout
    assert len(receiver.received) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_delivers_its_own(receiver):
    run(receiver.url(""), "fork")
    assert sorted(path for path, _, _ in receiver.received) == ["/child", "/first"]
