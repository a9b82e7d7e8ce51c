"""Who may import whom. The tables are the architecture; this file only reads imports."""

import ast
import sys
from graphlib import CycleError
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import oauth_filter

ROOT = Path(oauth_filter.__file__).parent

LAYERS = [
    {"errors", "scope", "messages"},
    {"records", "events", "settings", "credentials", "passwords", "sealing", "uri_pattern"},
    {"entity_grants", "ini", "registration", "signing", "stores"},
    {"resource_server", "authorization_server"},
    {"middleware", "hosting", "cli"},
]
"""What stands higher in this list is not to know what stands below it."""

STRANGERS = [("resource_server", "authorization_server"), ("authorization_server", "resource_server")]
"""Whoever only guards requests, or only answers them, needs nothing of the other."""

SERVER_LAYERS = ["authorization_server.grant_types", "authorization_server.endpoints", "authorization_server.app"]
"""Within the authorization server, after everything not named here: a grant type never sees HTTP, nor an endpoint."""

LIBRARIES = {
    "werkzeug": {
        "authorization_server.app",
        "authorization_server.http",
        "authorization_server.pages",
        "authorization_server.sessions",
        "authorization_server.endpoints",
        "passwords",
        "cli",
    },
    "jwt": {"signing"},
    "cryptography": {"signing", "sealing"},
    "itsdangerous": {"authorization_server.sessions"},
    "jinja2": {"authorization_server.pages"},
    "markupsafe": {"authorization_server.pages", "cli"},
    "click": {"cli"},
    "sqlalchemy": {"stores"},
    "redis": {"stores.redis_server"},
    "flask": {"hosting.flask"},
    "pyramid": {"hosting.pyramid"},
}
"""The only places where a library is imported."""

TELL_NOTHING = {"utils", "helpers", "base", "common", "mixins", "manager"}


def _name(path):
    """The module of a file, without `oauth_filter.` before it; "" for the package itself."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix("__init__").rstrip(".")


MODULES = {_name(path): path for path in ROOT.rglob("*.py")}


def _is_in(module, places):
    return any(module == place or module.startswith(f"{place}.") for place in places)


def _is_type_checking(node):
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _imports(module):
    """What a module imports, as (full name, when): "at once", "later" in a function, or "for types"."""
    tree = ast.parse(MODULES[module].read_text())
    when = {}
    for node in ast.walk(tree):
        if _is_type_checking(node) or isinstance(node, ast.FunctionDef):
            for inner in ast.walk(node):
                when.setdefault(id(inner), "later" if isinstance(node, ast.FunctionDef) else "for types")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            deeper = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name.removeprefix("oauth_filter.") in MODULES else node.module for name in deeper]
        else:
            continue
        for name in names:
            yield name, when.get(id(node), "at once")


def _imports_of_ours(module, when=("at once", "later", "for types")):
    for name, imported_when in _imports(module):
        if name.partition(".")[0] == "oauth_filter" and imported_when in when:
            yield name.removeprefix("oauth_filter").removeprefix(".")


def _layer(module):
    return next((number for number, names in enumerate(LAYERS) if module.partition(".")[0] in names), None)


def _server_layer(module):
    return next((number for number, place in enumerate(SERVER_LAYERS, 1) if _is_in(module, [place])), 0)


@pytest.mark.parametrize("module", sorted(filter(None, MODULES)))
def test_a_module_imports_only_what_stands_above_it(module):
    assert _layer(module) is not None, "give it a place in LAYERS"
    for imported in _imports_of_ours(module):
        assert imported, f"{module} imports from the package itself, which stands above everything"
        assert _layer(imported) <= _layer(module), f"{module} imports {imported}"
        assert (module.partition(".")[0], imported.partition(".")[0]) not in STRANGERS, f"{module} imports {imported}"


@pytest.mark.parametrize("module", sorted(name for name in MODULES if _is_in(name, ["authorization_server"])))
def test_the_authorization_server_has_layers_of_its_own(module):
    for imported in _imports_of_ours(module, ("at once", "later")):
        assert _server_layer(imported) <= _server_layer(module), f"{module} imports {imported}"


def test_no_import_goes_in_a_circle():
    graph = {module: set(_imports_of_ours(module, ("at once",))) for module in MODULES if module}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_library_is_imported_where_it_belongs(module):
    for name, when in _imports(module):
        library = name.partition(".")[0]
        if library == "_typeshed":
            assert when == "for types", f"{module} imports what exists for the type checker only"
        elif library != "oauth_filter" and library not in sys.stdlib_module_names:
            assert _is_in(module, LIBRARIES.get(library, ())), f"{module} imports {name}"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_says_what_it_is(module):
    assert ast.get_docstring(ast.parse(MODULES[module].read_text()))
    assert not TELL_NOTHING & set(module.split("."))


def test_the_tables_name_nothing_that_is_gone():
    named = set().union(*LAYERS, *LIBRARIES.values(), SERVER_LAYERS)
    assert sorted(place for place in named if not any(_is_in(module, [place]) for module in MODULES)) == []
