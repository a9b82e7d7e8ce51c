"""A protected path cannot be reached by spelling it differently, however generously an application reads paths."""

import posixpath
import re
import urllib.parse

import pytest
from hypothesis import HealthCheck
from hypothesis import example
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from oauth_filter import Rule
from oauth_filter.resource_server.rules import Rules

OPEN_SITE = ["/public/ = public", "/admin/ = admin", "/exact = admin", "/ = public"]
"""The worst case: everything is open but for two paths."""

SPELLINGS = {
    "//": ["//admin/x", "/admin//x", "///admin", "/public//../admin/", "/public/;/x"],
    "dots": ["/./admin/x", "/public/../admin", "/admin/.", "/public/..", "/public/../admin/x", "/x/y/../../admin/"],
    "%2e": ["/public/%2e%2e/admin/x", "/%2E/admin", "/public/.%2e/admin", "/%252e%252e/admin", "/a%2e/b"],
    "%2f": ["/public%2f..%2fadmin/x", "/%2fadmin", "/admin%2Fx", "/admin%252fx", "/public/..%2fadmin"],
    "\\": ["/\\admin", "\\admin", "/public\\..\\admin", "/admin\\x", "/public/..%5cadmin", "/%255Cadmin"],
    "controls": ["/admin\0", "/admin\0.js", "/adm\nin", "/admin\r\n", "/\tadmin", "/admin%00.js", "/x\x7f"],
    "no slash": ["admin", "admin/x", "*", "http://localhost/admin", "?"],
    ";": ["/public/..;/admin", "/public/..;x=y/admin/", "/.;/admin"],
}


@pytest.mark.promise(8)
@pytest.mark.parametrize("path", [path for paths in SPELLINGS.values() for path in paths])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_an_ambiguous_path_is_refused_before_anything_else(site_of, path, method):
    site = site_of(*OPEN_SITE)
    for token in (None, site.issue("admin")):
        answer = site.request(path, method=method, token=token)
        assert answer.status == 400
        assert answer.challenge is None
        assert site.seen == []
        assert answer.body.startswith(b"The path is ambiguous") or method == "HEAD"


@pytest.mark.promise(8)
@pytest.mark.parametrize("refuse", [True, False])
@pytest.mark.parametrize(
    "path",
    [
        "/admin",
        "/admin/",
        "/admin/x",
        "/ADMIN/x",
        "/Admin",
        "/admin;v=1/x",
        "/admin;/x",
        "/Admin;v=1",
        "/adm\xffin/x",
        "/admin\xc3/",
        "/adm%69n/x",
        "/%61dmin",
        "/%2561dmin",
        "/admin?x",
        "/admin%23/x",
        "/exact",
        "/exact#x",
        "/exact/",
        "/exact ",
        "/EXACT;x/",
    ],
)
def test_another_spelling_of_a_protected_path_needs_the_token_as_well(site_of, path, refuse):
    site = site_of(*OPEN_SITE, refuse_ambiguous_paths=refuse)
    assert site.request(path).status == 401
    assert site.request(path, token=site.issue("other")).status == 403
    assert site.request(path, token=site.issue("admin")).status == 200
    # What is judged is not what is handed on: the application gets its path as the client wrote it.
    assert site.environ["PATH_INFO"] == path


@pytest.mark.promise(8)
@pytest.mark.parametrize(
    "path", ["//admin/x", "/public/../admin", "/public%2f..%2fadmin", "/\\admin", "/admin\0.js", "/adm\nin"]
)
def test_where_ambiguous_paths_are_let_through_both_readings_count(site_of, path):
    site = site_of(*OPEN_SITE, refuse_ambiguous_paths=False)
    assert site.request(path).status == 401
    assert site.request(path, token=site.issue("other")).status == 403
    assert site.request(path, token=site.issue("admin")).status == 200
    assert site.environ["PATH_INFO"] == path


@pytest.mark.promise(8)
@pytest.mark.parametrize("path", ["admin", "http://localhost/admin", " /admin", "*"])
def test_a_path_without_a_slash_at_its_start_is_never_let_through(site_of, path):
    site = site_of(*OPEN_SITE, refuse_ambiguous_paths=False)
    assert site.request(path, token=site.issue("admin")).status == 400


def test_where_ambiguous_paths_are_let_through_harmless_ones_are(site_of):
    site = site_of(*OPEN_SITE, refuse_ambiguous_paths=False)
    for path in ("//x", "/public/./x", "/a\\b", "/a%2fb", "/public/\x85"):
        assert site.request(path).status == 200


@pytest.mark.promise(8)
@pytest.mark.parametrize("path", ["/Public/x", "/public;x/y", "/publi%63/x", "/pub\xfflic/x", "/PUBLIC"])
def test_a_public_rule_opens_what_it_spells_and_nothing_else(site_of, path):
    site = site_of("/public/ = public")
    assert site.request("/public/x").status == 200
    assert site.request(path).status == 401


@pytest.mark.promise(8)
@pytest.mark.promise(9)
@pytest.mark.parametrize("script_name", ["", "/app", "/public", "/admin", "/public/..", "//"])
def test_script_name_opens_and_shuts_nothing(site_of, script_name):
    # gunicorn takes it from a header of that name when a proxy on the same machine forwards it.
    site = site_of(*OPEN_SITE)
    assert site.request("/admin/x", SCRIPT_NAME=script_name).status == 401
    assert site.request("/x", SCRIPT_NAME=script_name).status == 200


def test_an_empty_path_is_the_root_of_a_mount_and_nothing_else(site_of):
    site = site_of("/ = public")
    assert site.request("", SCRIPT_NAME="/app").status == 200
    assert site.environ["PATH_INFO"] == ""
    assert site.request("", SCRIPT_NAME="").status == 400
    assert site_of("/x/ = public").request("", SCRIPT_NAME="/app").status == 401


def _drop_undecodable(path):
    return path.encode("latin-1").decode("utf-8", "ignore")


def _drop_parameters(path):
    return re.sub(";[^/]*", "", path)


READERS = [
    str.lower,
    urllib.parse.unquote,
    posixpath.normpath,
    _drop_parameters,
    lambda path: re.sub("/+", "/", path),
    lambda path: path.replace("\\", "/"),
    lambda path: path.split("\0")[0],
    lambda path: re.sub("[\0-\x1f\x7f]", "", path),
    lambda path: path.rstrip("/"),
    lambda path: "/" + path.lstrip("/"),
    lambda path: urllib.parse.urljoin("http://h/", path).removeprefix("http://h"),
    lambda path: urllib.parse.urlsplit(path).path if path.startswith("http") else path,
]
"""What applications, frameworks and file systems do to a path; each application does some of it in some order."""

PIECES = st.sampled_from(
    [
        *("/", "//", "/./", "/../", "/..", ".", "\\", ";", ";x=y", "?", "#", " ", "%", "%6", "http://h"),
        *("%2e", "%2E", "%2f", "%5c", "%00", "%25", "%252f", "%61", "%c3%a9"),
        *("admin", "Admin", "ADMIN", "public", "exact", "adm", "in", "a", "x"),
        *("\0", "\n", "\x7f", "\xff", "\xc3", "\xc3\xa9"),
    ]
)


@pytest.mark.promise(8)
@pytest.mark.parametrize("refuse", [True, False])
@limits(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.lists(PIECES, max_size=9).map("".join),
    first=st.sampled_from([str, _drop_undecodable]),
    readers=st.lists(st.sampled_from(READERS), max_size=4),
)
@example(path="/public/..;/admin/x", first=str, readers=[_drop_parameters, posixpath.normpath])
@example(path="/adm\xffin", first=_drop_undecodable, readers=[])
def test_however_an_application_reads_a_path_the_rule_of_what_it_reads_holds(refuse, path, first, readers):
    rules = Rules([Rule.parse(*line.split(" = ")) for line in OPEN_SITE], refuse_ambiguous_paths=refuse)
    requirement = rules.requirement("GET", path)
    read = first(path)
    for reader in readers:
        read = reader(read)
    if re.match(r"/admin(/|\Z)|/exact\Z", read):
        assert requirement is None or "admin" in requirement.scope


@limits(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.text(max_size=40), method=st.text(max_size=8), refuse=st.booleans())
def test_no_path_and_no_method_is_too_much(path, method, refuse):
    rules = Rules([Rule.parse("/a/", "a")], refuse_ambiguous_paths=refuse)
    requirement = rules.requirement(method, path)
    assert requirement is None or requirement.token == "required"


@pytest.mark.promise(7)
@pytest.mark.parametrize("refuse", [True, False])
@pytest.mark.parametrize("piece", ["%25", "%2525", "/..", "//", ";/", "\\", "\xff", "/a%2f", "/./", "%", "\0"])
def test_long_paths_are_judged_or_refused(refuse, piece):
    rules = Rules([], refuse_ambiguous_paths=refuse)
    for count in (100, 60_000 // len(piece)):
        requirement = rules.requirement("GET", "/" + piece * count)
        assert requirement is None or requirement.token == "required"
