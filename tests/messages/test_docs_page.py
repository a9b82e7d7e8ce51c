"""docs/messages.md is a program: every python block runs, in order, and prints what the page says it prints."""

import contextlib
import io
import re
from pathlib import Path

from oauth_filter import messages
from oauth_filter.messages import AuthorizationRequest

PAGE = Path(__file__).parents[2] / "docs" / "messages.md"
BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_page_runs_from_top_to_bottom():
    page = PAGE.read_text()
    blocks = [(found[1], found[2], page.count("\n", 0, found.start()) + 1) for found in BLOCK.finditer(page)]
    assert len(blocks) > 15
    namespace = {"__name__": "docs.messages"}
    printed = ""
    for language, block, line in blocks:
        if language == "text":
            assert printed == block, f"docs/messages.md:{line}"
            printed = ""
            continue
        assert printed == "", f"docs/messages.md:{line}: the block before this one prints {printed!r}"
        with contextlib.redirect_stdout(io.StringIO()) as output:
            exec(compile("\n" * line + block, str(PAGE), "exec"), namespace)
        printed = output.getvalue()
    assert printed == ""

    sent = AuthorizationRequest.from_uri(namespace["request_uri"])
    assert sent == namespace["implicit"]
    assert namespace["code"] == "SplxlOBeZQQYbYS6WxSbIA"
    assert namespace["token"] == "2YotnFZFEjr1zCsicMWpAA"
    assert namespace["refresh"].grant.refresh_token == "1//0g"


def test_the_links_of_the_page_lead_somewhere():
    page = PAGE.read_text()
    headings = {heading.lower().replace(" ", "-") for heading in re.findall(r"^## (.+)$", page, re.MULTILINE)}
    assert set(re.findall(r"\(#([^)]+)\)", page)) == headings


def test_what_the_page_speaks_of_exists():
    for name in re.findall(r"^from oauth_filter\.messages import (\w+)$", PAGE.read_text(), re.MULTILINE):
        assert name in messages.__all__
    assert all(hasattr(messages, name) for name in messages.__all__)
