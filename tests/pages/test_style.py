"""The stylesheet: readable contrast in both colour schemes, and no left or right."""

import re
from importlib.resources import files

import pytest

CSS = (files("oauth_filter.authorization_server") / "static" / "style.css").read_text(encoding="utf-8")
BLOCKS = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
LIGHT, DARK = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", block)) for block in BLOCKS)


def luminance(colour):
    digits = colour[1:]
    if len(digits) == 3:
        digits = "".join(d * 2 for d in digits)
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one, other):
    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back", "least"),
    [
        # WCAG 2.2, 1.4.3: text
        ("ink", "surface", 4.5),
        ("ink", "canvas", 4.5),
        ("ink", "accent-soft", 4.5),
        ("muted", "surface", 4.5),
        ("muted", "canvas", 4.5),
        ("accent", "surface", 4.5),
        ("accent", "accent-soft", 4.5),
        ("on-accent", "accent", 4.5),
        ("on-accent", "accent-strong", 4.5),
        ("alert", "alert-soft", 4.5),
        # WCAG 2.2, 1.4.11: the edges of inputs and buttons, and the focus ring
        ("edge", "surface", 3),
        ("alert", "surface", 3),
        ("accent", "canvas", 3),
    ],
)
def test_contrast(scheme, front, back, least):
    assert contrast(scheme[front], scheme[back]) >= least


def test_both_schemes_define_the_same_colours():
    assert LIGHT.keys() == DARK.keys()


def test_every_property_used_is_defined():
    assert set(re.findall(r"var\(--([\w-]+)\)", CSS)) <= set(re.findall(r"--([\w-]+):", CSS))


def test_layout_follows_the_direction_of_the_language():
    for declaration in re.findall(r"[\w-]+: [^;{}]+;", CSS):
        assert not re.match(r"(margin|padding|border)-(left|right)|(left|right|float):", declaration)
        assert not re.match(r"text-align: (left|right)", declaration)
