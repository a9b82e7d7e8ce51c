"""docs/compliance.md: which test holds us to which section, read off the markers of the tests."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path

from markdown_table import table

TOP = Path(__file__).resolve().parents[1]

COMPLIANCE_PAGE = """\
# What is held to which specification

<!-- Written by docs/generate.py from the markers of the tests. Mark a test, then run it again. -->

A requirement stands here because a test has its section: `@pytest.mark.rfc("7636", "4.6")`. What does not stand here
may be done as well, and usually is; but no test says so by number.

{specifications}

## Promises

The promises of [SECURITY.md](../SECURITY.md#promises), and the tests that could refute them.

{promises}
"""

TITLES = {
    "6749": "The OAuth 2.0 Authorization Framework",
    "6750": "Bearer Token Usage",
    "7009": "Token Revocation",
    "7515": "JSON Web Signature",
    "7517": "JSON Web Key",
    "7519": "JSON Web Token",
    "7521": "Assertion Framework",
    "7523": "JWT Profile for Client Authentication and Authorization Grants",
    "7636": "Proof Key for Code Exchange",
    "7662": "Token Introspection",
    "8252": "OAuth 2.0 for Native Apps",
    "8414": "Authorization Server Metadata",
    "8628": "Device Authorization Grant",
    "8725": "JSON Web Token Best Current Practices",
    "9068": "JWT Profile for Access Tokens",
    "9110": "HTTP Semantics",
    "9207": "Authorization Server Issuer Identification",
    "9700": "Best Current Practice for OAuth 2.0 Security",
}


OTHERS = {
    "OpenID Core": "openid-connect-core-1_0",
    "OpenID Discovery": "openid-connect-discovery-1_0",
    "OpenID RP-Initiated Logout": "openid-connect-rpinitiated-1_0",
    "OpenID Front-Channel Logout": "openid-connect-frontchannel-1_0",
    "OpenID Back-Channel Logout": "openid-connect-backchannel-1_0",
    "OAuth form_post": "oauth-v2-form-post-response-mode-1_0",
}
"""Specifications that are no RFCs, and where they stand below https://openid.net/specs/."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A marker and the test it stands at."""

    call: ast.Call
    group: str
    """The class it is in, with a dot behind it, if it is in one."""
    test: str
    arguments: tuple[str, ...] = ()
    file: str = ""


def compliance_page() -> str:
    marks = list(marks_of("rfc"))
    numbers = sorted({mark.arguments[0] for mark in marks}, key=natural)
    parts = [
        f"## {heading(number)}\n\n" + requirements([mark for mark in marks if mark.arguments[0] == number])
        for number in numbers
    ]
    return COMPLIANCE_PAGE.format(specifications="\n\n".join(parts), promises=promises_table())


def marks_of(name: str) -> Iterator[Mark]:
    """Every marker of that name in the tests: at a test, at its class, or at the whole file."""
    for file in sorted((TOP / "tests").rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        # A name that a file gives to a specification it writes often.
        named = {
            target.id: child.value
            for child in tree.body
            if isinstance(child, ast.Assign)
            for target in child.targets
            if isinstance(target, ast.Name)
        }
        for mark in marks_in(tree, name, []):
            arguments = tuple(str(ast.literal_eval(named.get(ast.unparse(a), a))) for a in mark.call.args)
            yield replace(mark, arguments=arguments, file=file.relative_to(TOP).as_posix())


def marks_in(node: ast.Module | ast.ClassDef, name: str, above: list[ast.expr]) -> Iterator[Mark]:
    for child in node.body:
        if isinstance(child, ast.Assign) and any(getattr(t, "id", "") == "pytestmark" for t in child.targets):
            above = [*above, child.value]
    for child in node.body:
        if isinstance(child, ast.ClassDef):
            yield from marks_in(child, name, [*above, *child.decorator_list])
        elif isinstance(child, ast.FunctionDef) and child.name.startswith("test"):
            for marked in [*above, *child.decorator_list]:
                for call in ast.walk(marked):
                    if isinstance(call, ast.Call) and ast.unparse(call.func) == f"pytest.mark.{name}":
                        group = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
                        yield Mark(call=call, group=group, test=child.name)


def requirements(marks: list[Mark]) -> str:
    rows = [
        (section_link(mark.arguments[0], mark.arguments[1]), mark.arguments[2:], mark)
        for mark in sorted(marks, key=lambda mark: (natural(mark.arguments[1]), mark.file, mark.group, mark.test))
    ]
    return table(
        ("section", "requirement", "test"),
        [(where, what[0] if what else in_words(mark.test), test_link(mark)) for where, what, mark in rows],
    )


def promises_table() -> str:
    promised = re.findall(r"(?m)^### (\d+)\. (.+)$", (TOP / "SECURITY.md").read_text(encoding="utf-8"))
    marks = list(marks_of("promise"))
    rows = [
        (number, words, "<br>".join(dict.fromkeys(test_link(m) for m in marks if m.arguments[0] == number)))
        for number, words in promised
    ]
    return table(("", "promise", "tests"), rows)


def heading(number: str) -> str:
    return f"RFC {number}: {TITLES[number]}" if number in TITLES else f"RFC {number}" if number.isdigit() else number


def section_link(number: str, section: str) -> str:
    if not number.isdigit():
        return f"[{section}](https://openid.net/specs/{OTHERS[number]}.html)" if number in OTHERS else section
    kind = "section" if section[0].isdigit() else "appendix"
    return f"[{section}](https://www.rfc-editor.org/rfc/rfc{number}#{kind}-{section})"


def in_words(test: str) -> str:
    return test.removeprefix("test_").replace("_", " ")


def test_link(mark: Mark) -> str:
    return f"[`{mark.group}{mark.test}`](../{mark.file})"


def natural(text: str) -> list[tuple[int, str]]:
    """For sorting 4.9 before 4.10, and numbers before names."""
    return [(int(part), "") if part.isdigit() else (10**6, part) for part in re.split(r"[. ]", text)]
