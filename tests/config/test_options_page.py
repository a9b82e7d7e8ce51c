"""docs/options.md is what docs/generate.py writes, and has every option."""

import importlib.util
from pathlib import Path

import pytest

from oauth_filter.ini import ClientSection
from oauth_filter.settings import JWTIssuer
from oauth_filter.settings import Settings
from oauth_filter.settings import options

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def generate():
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(generate):
    committed = (DOCS / "options.md").read_text(encoding="utf-8")
    assert committed == generate.options_page(), "run `python docs/generate.py`: docs/options.md is out of date"


@pytest.mark.parametrize("of", [Settings, ClientSection, JWTIssuer])
def test_every_option_is_on_the_page(of):
    page = (DOCS / "options.md").read_text(encoding="utf-8")
    for name, metadata, _ in options(of):
        (row, *_) = [
            line for line in page.splitlines() if line.startswith(f"| `{name}` |") and metadata["meaning"] in line
        ]
        assert row.count("|") == 6


@pytest.mark.parametrize(
    ("value", "kind", "written"),
    [
        (60, "duration", "`1m`"),
        (90, "duration", "`90s`"),
        (31536000, "duration", "`365d`"),
        (False, "flag", "`false`"),
        ("", "text", ""),
    ],
)
def test_defaults_are_written_as_in_an_ini(generate, value, kind, written):
    assert generate.written(value, kind) == written
