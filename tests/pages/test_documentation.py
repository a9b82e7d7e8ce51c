"""What docs/pages.md promises to a host, held against the templates."""

import re
from pathlib import Path

import jinja2
import pytest
from jinja2 import meta

from oauth_filter.authorization_server.pages import TEMPLATES
from oauth_filter.authorization_server.pages import Pages

DOCUMENT = Path(__file__).parents[2] / "docs" / "pages.md"
EVERYWHERE = {"lang", "direction", "product", "static"}


def sections():
    """Template name to its section, from the headings."""
    parts = re.split(r"^### `([\w.]+)`\n", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {name: text.partition("\n## ")[0] for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def parsed(template):
    loader = jinja2.PackageLoader("oauth_filter.authorization_server", "templates")
    environment = jinja2.Environment(loader=loader, autoescape=True, extensions=["jinja2.ext.i18n"])
    environment.filters |= {"monogram": str, "input_value": str}
    source, _, _ = loader.get_source(environment, template)
    return environment.parse(source)


def test_every_template_has_a_section():
    assert set(sections()) == set(TEMPLATES)


@pytest.mark.parametrize("template", TEMPLATES)
def test_variables_are_documented_and_exist(template):
    used = meta.find_undeclared_variables(parsed(template)) - EVERYWHERE - {"gettext", "ngettext"}
    rows = re.findall(r"^\| (`.*?) \|", sections()[template], flags=re.MULTILINE)
    assert used == {name for row in rows for name in re.findall(r"`(\w+)`", row)}


@pytest.mark.parametrize("template", TEMPLATES)
def test_blocks_are_documented(template):
    blocks = {block.name for block in parsed(template).find_all(jinja2.nodes.Block)}
    documented = sections()["layout.html"] + sections()[template]
    assert all(f"`{block}`" in documented for block in blocks)


def test_examples_of_a_layout_work(settings, plain):
    examples = re.findall(r"```html\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        Path(settings.templates, "layout.html").write_text(example, encoding="utf-8")
        html = Pages(settings).render("consent.html", **plain["consent.html"])
        assert "/assets/" in html
        assert 'value="allow"' in html
