"""The pages of the project: links lead somewhere, files that are named exist, generated pages are as generated."""

import ast
import importlib.util
import re
from functools import cache
from pathlib import Path

import pytest

from oauth_filter.settings import Settings
from oauth_filter.settings import options

TOP = Path(__file__).resolve().parents[1]
IGNORED = {"build", "dist", "demo-data", "node_modules"}


def is_ours(path):
    parts = path.relative_to(TOP).parts
    return not any(part in IGNORED or part.startswith(".") or part.endswith(".egg-info") for part in parts)


PAGES = sorted(path.relative_to(TOP).as_posix() for path in TOP.rglob("*.md") if is_ours(path))
AT_THE_TOP = ["README.md", "CHANGES.md", "CONTRIBUTING.md", "SECURITY.md"]
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = {"oauth.ini", "oauth.db", "oauth.secret", "development.ini", "docs/rfc1234.md"}
"""Names of files that are the reader's, not ours."""


@pytest.fixture(scope="module")
def generate():
    spec = importlib.util.spec_from_file_location("docs_generate", TOP / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def prose(page):
    """A page without its blocks of code."""
    return FENCED.sub("", (TOP / page).read_text(encoding="utf-8"))


@cache
def anchors(page):
    """What `#...` can name in a page, as web sites make it of headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    plain = [re.sub(r"[`*]|\[([^]]*)\]\([^)]*\)", r"\1", heading) for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}


def targets(page):
    text = prose(page)
    yield from re.findall(r"\]\(([^)\s]+)\)", text)
    yield from re.findall(r'(?:src|srcset|href)="([^"]+)"', text)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for target in targets(page):
        if re.match(r"[a-z]+:", target):
            assert target.startswith("https://"), target
            continue
        name, _, anchor = target.partition("#")
        file = (TOP / page).parent / name if name else TOP / page
        assert file.exists(), target
        assert is_ours(file.resolve()), target
        if anchor and file.suffix == ".md":
            assert anchor in anchors(file.resolve().relative_to(TOP).as_posix()), target


@pytest.mark.parametrize("page", [*AT_THE_TOP, "docs/README.md"])
def test_files_that_are_named_exist(page):
    """`docs/options.md`, `messages/form.py`, `tests/`: from the top, from the package, or beside the page."""
    server = TOP / "oauth_filter" / "authorization_server"
    roots = [TOP, TOP / "oauth_filter", server, server / "templates", (TOP / page).parent]
    named = re.findall(r"`([\w./-]+(?:\.(?:md|py|ini|toml|cfg|html|css|png|jsonl)|/))`", prose(page))
    for name in set(named) - EXAMPLES:
        if not name.startswith("/"):
            assert any((root / name).exists() for root in roots), name


@pytest.mark.parametrize("page", PAGES)
def test_a_page_keeps_to_itself(page):
    text = (TOP / page).read_text(encoding="utf-8")
    assert not re.search(r"/(?:home|root|work|Users|tmp)/\w|(?<![\w&])#\d+\b(?!;)", text)
    assert not re.search(r"\bTODO\b|\bFIXME\b|\bXXX\b", text)


@pytest.mark.parametrize("page", AT_THE_TOP)
def test_options_that_are_named_exist(page):
    known = {name for name, _, _ in options(Settings)}
    named = re.findall(r"`(\w+) = ", prose(page))
    of_clients = "secret client_authentication pkce grant_types auto_grant redirect_uri_matching consent"
    assert set(named) <= known | {*of_clients.split()} | {"skip"}


def test_every_page_of_the_documentation_is_in_its_index():
    linked = set(targets("docs/README.md"))
    assert {page.removeprefix("docs/") for page in PAGES if page.startswith("docs/")} - {"README.md"} <= linked


@pytest.mark.parametrize("name", ["endpoints.md", "compliance.md"])
def test_a_generated_page_is_up_to_date(generate, name):
    committed = (TOP / "docs" / name).read_text(encoding="utf-8")
    assert committed == generate.PAGES[name](), f"run `python docs/generate.py`: docs/{name} is out of date"


def test_every_endpoint_and_grant_type_is_on_its_page(generate):
    page = (TOP / "docs" / "endpoints.md").read_text(encoding="utf-8")
    server = generate.server_with()
    for endpoint in server.endpoints:
        assert f"`{endpoint.path}`" in page or endpoint.path.startswith("/oauth2/static/")
    assert all(f"`{name}`" in page for name in server.grant_types)


def calls(name):
    """Every such marker, wherever it stands, and the file it stands in."""
    for file in (TOP / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == f"pytest.mark.{name}":
                yield node, file.relative_to(TOP).as_posix()


def test_every_promise_has_a_test_and_every_test_a_promise():
    promised = re.findall(r"^### (\d+)\. ", (TOP / "SECURITY.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert promised == [str(number) for number in range(1, len(promised) + 1)]
    assert {ast.unparse(call.args[0]) for call, _ in calls("promise")} == set(promised)


def test_no_marker_is_lost_on_the_way_to_the_page():
    """A marker that stands where the generator does not look would be missing."""
    specifications, _, promises = (TOP / "docs" / "compliance.md").read_text(encoding="utf-8").partition("## Promises")
    for name, part in (("rfc", specifications), ("promise", promises)):
        linked = set(re.findall(r"\]\(\.\./(tests/[^)]+)\)", part))
        assert linked == {file for _, file in calls(name)}
