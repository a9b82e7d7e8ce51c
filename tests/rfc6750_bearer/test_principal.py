"""What the application is told about the bearer, and that it is told by nobody else."""

import pytest

from oauth_filter import Principal
from oauth_filter import User
from oauth_filter.scope import Scope

FORGED = {
    "REMOTE_USER": "mallory",
    "AUTH_TYPE": "Bearer",
    "HTTP_REMOTE_USER": "mallory",
    "HTTP_AUTH_TYPE": "Bearer",
    "HTTP_X_REMOTE_USER": "mallory",
    "oauth_filter.principal": "mallory",
    "oauth_filter.subject": "mallory",
    "oauth_filter.client_id": "mallory",
    "oauth_filter.scope": "everything",
}


def test_a_user_is_named_in_every_way_an_application_may_ask(site, clock):
    for _ in range(2):
        site.request(token=site.issue("read write"))
        told = site.environ
        assert told["REMOTE_USER"] == "alice"
        assert told["AUTH_TYPE"] == "Bearer"
        assert told["oauth_filter.subject"] == "subject-of-alice"
        assert told["oauth_filter.client_id"] == "app"
        assert told["oauth_filter.scope"] == "read write"
        assert told["oauth_filter.principal"] == Principal(
            subject="subject-of-alice",
            username="alice",
            client_id="app",
            scope=Scope("read", "write"),
            expires_at=clock() + 3600,
            claims={},
            grant_id="grant",
        )
        assert "HTTP_X_REMOTE_USER" not in told


@pytest.mark.rfc("6749", "4.4")
def test_a_client_acting_for_itself_is_no_user(site_of):
    site = site_of(user_header="X-Remote-User")
    token = site.issue(client_id="robot", username=None)
    for _ in range(2):
        assert site.request(token=token, **FORGED).status == 200
        told = site.environ
        assert told["oauth_filter.client_id"] == "robot"
        assert told["oauth_filter.principal"].username is None
        for key in ("REMOTE_USER", "HTTP_X_REMOTE_USER", "oauth_filter.subject"):
            assert key not in told


def test_the_user_header_tells_a_legacy_application(site_of):
    site = site_of(user_header="X-Remote-User")
    token = site.issue()
    for _ in range(2):
        site.request(token=token, HTTP_X_REMOTE_USER="mallory")
        assert site.environ["HTTP_X_REMOTE_USER"] == "alice"


def test_names_beyond_ascii_come_as_cgi_has_them(site):
    site.store.put(User(key="Łukasz", subject="subject-of-Łukasz"))
    site.request(token=site.issue(username="Łukasz"))
    assert site.environ["REMOTE_USER"].encode("latin-1").decode() == "Łukasz"
    assert site.environ["oauth_filter.principal"].username == "Łukasz"
    assert site.environ["oauth_filter.subject"] == "subject-of-Łukasz"


@pytest.mark.promise(8)
@pytest.mark.parametrize("key", FORGED)
@pytest.mark.parametrize("with_token", [False, True])
@pytest.mark.parametrize("path", ["/public/", "/optional/", "/api"])
def test_a_client_cannot_say_who_it_is(site_of, path, with_token, key):
    site = site_of("/public/ = public", "/optional/ = optional", user_header="X-Remote-User")
    token = site.issue(client_id="robot", username=None) if with_token else None
    for _ in range(2):
        site.request(path, token=token, **{key: FORGED[key]})
        for environ in site.seen:
            assert "mallory" not in environ.values()
            assert environ.get("oauth_filter.scope") in (None, "read")
        assert bool(site.seen) == (path != "/api" or with_token)


@pytest.mark.promise(8)
@pytest.mark.parametrize(("path", "expected"), [("/public/", "alice"), ("/optional/", "alice")])
def test_the_user_the_server_in_front_signed_in_reaches_the_application(site_of, path, expected):
    site = site_of("/public/ = public", "/optional/ = optional", login="remote_user")
    site.request(path, REMOTE_USER="alice", AUTH_TYPE="Negotiate", HTTP_REMOTE_USER="mallory")
    assert site.environ["REMOTE_USER"] == expected
    assert site.environ["AUTH_TYPE"] == "Negotiate"
    assert "HTTP_REMOTE_USER" not in site.environ


def test_the_user_of_the_server_in_front_is_neither_the_token_nor_its_user(site_of):
    site = site_of("/optional/ = optional", login="remote_user")
    assert site.request("/api", REMOTE_USER="alice").status == 401
    token = site.issue(client_id="robot", username=None)
    for _ in range(2):
        site.request("/optional/", token=token, REMOTE_USER="alice", AUTH_TYPE="Negotiate")
        assert "REMOTE_USER" not in site.environ
        assert site.environ["AUTH_TYPE"] == "Bearer"


def test_the_principal_cannot_be_changed(site):
    site.request(token=site.issue())
    principal = site.environ["oauth_filter.principal"]
    with pytest.raises(AttributeError):
        principal.username = "mallory"
    with pytest.raises(TypeError):
        principal.claims["admin"] = True


def test_what_one_request_changes_in_its_environ_is_not_seen_by_the_next(site):
    token = site.issue()
    for _ in range(3):
        site.request(token=token)
        assert site.environ["REMOTE_USER"] == "alice"
        site.environ["REMOTE_USER"] = "mallory"
        site.environ["oauth_filter.scope"] = "everything"
