"""docs/clients.md has every setting, and what it shows works."""

import re
from pathlib import Path

import pytest

from oauth_filter import ini
from oauth_filter.ini import ClientSection
from oauth_filter.records import GRANT_TYPES
from oauth_filter.registration import AUTHENTICATION_METHODS
from oauth_filter.settings import options
from oauth_filter.uri_pattern import pattern_fault

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "clients.md").read_text(encoding="utf-8")
RECIPES = re.findall(r"^### ([^\n]+)\n((?:(?!^#)[^\n]*\n)*?)```ini\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def recipe(text):
    main = f"[oauth_filter]\nsecret = {'m' * 40}\n[scopes]\nreports:read = Read\n"
    environ = {"INTRANET_SECRET": "i" * 40, "WAREHOUSE_SECRET": "w" * 40}
    return ini.parse(main + text, file="oauth.ini", here=".", environ=environ)


def test_every_setting_has_one_row():
    rows = re.findall(r"^\| `(\w+)` \| [A-Z`]", PAGE.partition("## Every setting")[2], re.MULTILINE)
    of_settings = [row for row in rows if row not in AUTHENTICATION_METHODS]
    assert of_settings == [name for name, _, _ in options(ClientSection)]


def test_every_method_has_one_row():
    rows = re.findall(r"^\| `(\w+)` \|", PAGE.partition("## How a client proves itself")[2], re.MULTILINE)
    assert rows == list(AUTHENTICATION_METHODS)


def test_there_is_a_recipe_for_each_kind():
    assert len(RECIPES) == 6


@pytest.mark.parametrize(("title", "text"), [(title, text) for title, _, text in RECIPES])
def test_a_recipe_is_one_client_that_can_be_registered(title, text):
    (client,) = recipe(text).clients
    assert set(client.grant_types) <= set(GRANT_TYPES)
    assert client.is_public == (not client.secret_hash and not client.jwks_uri)


@pytest.mark.parametrize("column", [4, 5])
def test_the_examples_of_wildcards(column):
    rows = [line.split("|") for line in PAGE.splitlines() if line.count("|") == 6 and "*" in line]
    examples = [example for row in rows for example in re.findall(r"`(https:[^`]+)`", row[column])]
    assert len(examples) >= 5
    for example in examples:
        assert (pattern_fault(example) is None) == (column == 4), example


def test_its_links_lead_somewhere():
    headings = {heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)}
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        if target.startswith("#"):
            assert target[1:] in headings
        else:
            assert (DOCS / target).is_file(), target
