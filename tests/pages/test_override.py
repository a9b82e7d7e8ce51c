"""A host replaces pages file by file, and extends the ones it replaces."""

import os
from pathlib import Path

import pytest
from markupsafe import Markup

from oauth_filter.authorization_server.pages import Pages
from oauth_filter.errors import ConfigError
from oauth_filter.settings import Settings


def write(settings, name, text):
    Path(settings.templates, name).write_text(text, encoding="utf-8")


def test_a_file_replaces_ours_and_leaves_the_others(settings, plain):
    write(settings, "login.html", "<p>ours {{ client_name }}</p>")
    pages = Pages(settings)
    assert pages.render("login.html", **plain["login.html"]) == "<p>ours plain words</p>"
    assert "wants to use your account" in pages.render("consent.html", **plain["consent.html"])


def test_the_hosts_file_is_escaped_too(settings, hostile):
    write(settings, "login.html", "{{ client_name }}")
    assert "<script>" not in Pages(settings).render("login.html", **hostile["login.html"])


def test_markup_is_left_as_it_is(settings, plain):
    write(settings, "login.html", "{{ client_name }}")
    values = plain["login.html"] | {"client_name": Markup("<b>x</b>")}
    assert Pages(settings).render("login.html", **values) == "<b>x</b>"


def test_a_page_can_extend_the_one_it_replaces(settings, plain):
    write(
        settings,
        "consent.html",
        '{% extends "oauth_filter/consent.html" %}{% block consent_extra %}<p>House rules</p>{% endblock %}',
    )
    html = Pages(settings).render("consent.html", **plain["consent.html"])
    assert "<p>House rules</p>" in html
    assert 'value="allow"' in html


def test_a_layout_of_the_host_frames_our_pages(settings, plain):
    write(
        settings,
        "layout.html",
        '{% extends "oauth_filter/layout.html" %}{% block brand %}<b>ACME</b>{% endblock %}'
        "{% block footer %}<footer>Imprint</footer>{% endblock %}",
    )
    pages = Pages(settings)
    for template, values in plain.items():
        html = pages.render(template, **values)
        assert "<b>ACME</b>" in html
        assert "<footer>Imprint</footer>" in html
        assert "brand-mark" not in html


def test_a_stylesheet_of_the_host_stands_beside_the_script_of_form_post(settings, plain):
    link = '<link rel="stylesheet" href="/assets/signin.css">'
    write(
        settings,
        "layout.html",
        '{% extends "oauth_filter/layout.html" %}{% block head %}{{ super() }}' + link + "{% endblock %}",
    )
    html = Pages(settings).render("form_post.html", **plain["form_post.html"])
    assert link in html
    assert "form_post.js" in html


@pytest.mark.parametrize("block", ["title", "head", "brand", "main", "footer"])
def test_every_documented_block_of_the_layout_exists(settings, plain, block):
    write(settings, "error.html", f'{{% extends "layout.html" %}}{{% block {block} %}}HERE{{% endblock %}}')
    assert "HERE" in Pages(settings).render("error.html", **plain["error.html"])


@pytest.mark.parametrize(("template", "block"), [("login.html", "login_extra"), ("consent.html", "consent_extra")])
def test_every_documented_block_of_a_form_exists(settings, plain, template, block):
    write(settings, template, f'{{% extends "oauth_filter/{template}" %}}{{% block {block} %}}HERE{{% endblock %}}')
    assert "HERE" in Pages(settings).render(template, **plain[template])


def test_edits_show_at_the_next_page(settings, plain):
    write(settings, "login.html", "first")
    pages = Pages(settings)
    assert pages.render("login.html", **plain["login.html"]) == "first"
    write(settings, "login.html", "second, and longer")
    # A file system may keep times too coarse to tell two writes apart.
    os.utime(Path(settings.templates, "login.html"), (1, 1))
    assert pages.render("login.html", **plain["login.html"]) == "second, and longer"


def test_every_broken_file_is_reported_at_the_start_with_its_line(settings):
    write(settings, "login.html", "fine\n{% if %}\n")
    write(settings, "error.html", "{{ unclosed")
    Path(settings.templates, "consent.html").write_bytes(b"caf\xe9")
    with pytest.raises(ConfigError) as caught:
        Pages(settings)
    text = str(caught.value)
    assert len(caught.value.problems) == 3
    assert f"{settings.templates}/login.html:2: templates: " in text
    assert f"{settings.templates}/error.html:1: templates: " in text
    assert "consent.html is not UTF-8 text" in text


def test_a_missing_folder_is_reported_at_the_start(tmp_path):
    with pytest.raises(ConfigError, match="templates: there is no such folder"):
        Pages(Settings(secret="s" * 32, templates=str(tmp_path / "nowhere")))


def test_product_and_static_have_defaults_and_can_be_given(settings, plain):
    html = Pages(settings).render("error.html", **plain["error.html"])
    assert 'href="/base/oauth2/static/style.css"' in html
    assert ">id.example.com<" in html
    html = Pages(settings, static="/files", product="ACME & Sons").render("error.html", **plain["error.html"])
    assert 'href="/files/style.css"' in html
    assert ">ACME &amp; Sons<" in html


def test_a_page_can_be_turned_to_another_language_and_direction(pages, plain):
    html = pages.render("error.html", **plain["error.html"], lang="he", direction="rtl")
    assert '<html lang="he" dir="rtl">' in html
