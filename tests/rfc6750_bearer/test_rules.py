"""The rules of `[protect]`, without the many spellings of a path."""

import pytest

from oauth_filter import Client
from oauth_filter import Rule
from oauth_filter.resource_server.rules import Requirement
from oauth_filter.resource_server.rules import Rules
from oauth_filter.scope import Scope

PUBLIC = Requirement(token="none")
OPTIONAL = Requirement(token="optional")
AUTHENTICATED = Requirement()


def scope(*tokens):
    return Requirement(scope=frozenset(tokens))


def requirement(lines, method, path, *, refuse=True):
    rules = [Rule.parse(*line.split(" = ")) for line in lines]
    return Rules(rules, refuse_ambiguous_paths=refuse).requirement(method, path)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/static", PUBLIC),
        ("/static/", PUBLIC),
        ("/static/a/b", PUBLIC),
        ("/static/a;v=1", PUBLIC),
        ("/statics", AUTHENTICATED),
        ("/Static/", AUTHENTICATED),
        ("/static;x", AUTHENTICATED),
        ("/login", PUBLIC),
        ("/login/", AUTHENTICATED),
        ("/login/x", AUTHENTICATED),
        ("/login;x=/", AUTHENTICATED),
        ("/Upload/Public/x", PUBLIC),
        ("/upload/public/x", AUTHENTICATED),
        ("/maybe", OPTIONAL),
        ("/b\xc3\xbccher/1", scope("lesen")),
        ("/B\xc3\x9cCHER/1", scope("lesen")),
        ("/b\xfccher/1", scope("lesen")),
        ("/", AUTHENTICATED),
    ],
)
def test_a_folder_is_all_below_it_and_another_path_is_itself(path, expected):
    lines = ["/static/ = public", "/login = public", "/Upload/Public/ = public", "/maybe = optional"]
    assert requirement([*lines, "/bücher/ = lesen"], "GET", path) == expected


def test_the_first_rule_that_matches_wins():
    lines = ["/a/open/ = public", "/a/ = a", "/a/late/ = public", "/ = public"]
    assert requirement(lines, "GET", "/a/open/x") == PUBLIC
    assert requirement(lines, "GET", "/a/late/x") == scope("a")
    assert requirement(lines, "GET", "/b") == PUBLIC


@pytest.mark.parametrize("lines", [[], ["/elsewhere/ = public"], ["POST / = public"]])
def test_without_a_rule_a_token_is_needed(lines):
    assert requirement(lines, "GET", "/x") == AUTHENTICATED


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("GET", PUBLIC),
        ("get", PUBLIC),
        ("HEAD", PUBLIC),
        ("Head", PUBLIC),
        ("POST", scope("write")),
        ("post", scope("write")),
        ("PUT", AUTHENTICATED),
        ("GETTER", AUTHENTICATED),
        ("", AUTHENTICATED),
    ],
)
def test_methods_are_compared_in_upper_case_and_get_covers_head(method, expected):
    assert requirement(["GET /x/ = public", "POST /x/ = write"], method, "/x/1") == expected


def test_a_rule_for_head_does_not_cover_get():
    assert requirement(["HEAD / = public"], "GET", "/") == AUTHENTICATED
    assert requirement(["HEAD / = public"], "HEAD", "/") == PUBLIC


def test_the_needs_of_all_readings_add_up():
    lines = ["/Admin/ = upper", "/admin/ = lower", "/x = exactly", "/x/ = folder", "/ = optional"]
    # Exactly spelled it is the second rule, for an application that does not mind case it is the first.
    assert requirement(lines, "GET", "/admin/1") == scope("lower", "upper")
    assert requirement(lines, "GET", "/x/") == scope("exactly", "folder")
    assert requirement(lines, "GET", "/y") == OPTIONAL


def test_options_asterisk_is_held_to_the_rule_of_the_root_folder():
    assert requirement([], "OPTIONS", "*") == AUTHENTICATED
    assert requirement(["OPTIONS / = public"], "OPTIONS", "*") == PUBLIC
    assert requirement(["/ = public"], "GET", "*") is None


def test_a_preflight_request_passes_where_a_rule_says_so(site_of):
    site = site_of("OPTIONS / = public")
    assert site.request(method="OPTIONS").status == 200
    assert site.request(method="GET").status == 401


def test_what_was_judged_is_remembered_with_its_method(site_of):
    site = site_of("GET /x = public")
    for _ in range(3):
        assert site.request("/x").status == 200
        assert site.request("/x", method="POST").status == 401
        assert site.request("/x/").status == 401


def test_the_answers_stay_right_however_many_paths_are_asked_for():
    rules = Rules([Rule.parse("/open/", "public")], refuse_ambiguous_paths=True)
    for number in range(10_000):
        assert rules.requirement("GET", f"/open/{number}") == PUBLIC
        assert rules.requirement("GET", f"/shut/{number}") == AUTHENTICATED
    assert rules.requirement("GET", "/open/" + "x" * 60_000) == PUBLIC
    assert rules.requirement("X" * 60_000, "/shut") == AUTHENTICATED


@pytest.mark.parametrize("access", ["public", "optional"])
def test_scopes_need_a_token_whatever_the_rule_says_beside(access):
    rule = Rule(path="/", access=access, scope=Scope("a"))
    assert Rules([rule], refuse_ambiguous_paths=True).requirement("GET", "/") == scope("a")


def test_disabled_clients_and_users_are_refused_at_the_next_request(site):
    token = site.issue()
    assert site.request(token=token).status == 200
    site.store.put(Client(key="app", name="App", enabled=False))
    assert site.request(token=token).status == 401
