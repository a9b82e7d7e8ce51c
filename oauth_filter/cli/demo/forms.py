"""Pages as somebody with a keyboard uses them: a form is found by what its button says."""

from dataclasses import dataclass
from dataclasses import field
from html.parser import HTMLParser

from oauth_filter.cli.demo.fetch import Answer


class StepFailed(Exception):
    """What was expected of a step of the walk, and what came instead; holds no token and no password."""


@dataclass(slots=True, kw_only=True)
class Form:
    """Where a form goes, and what it sends when the button that was looked for is pressed."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, dict[str, str]] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._button: dict[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(action=said.get("action", "")))
        elif tag == "input" and "name" in said and self.forms:
            self.forms[-1].fields[said["name"]] = said.get("value", "")
        elif tag == "button":
            self._button = {said["name"]: said.get("value", "")} if "name" in said else {}

    def handle_data(self, data: str) -> None:
        if self._button is not None and data.strip() and self.forms:
            self.forms[-1].buttons[data.strip()] = self._button
            self._button = None


def find_form(page: Answer, button: str) -> Form:
    """The form of a page that has this button, with its fields filled in as the page has them.

    Raise StepFailed when the page has none, or is no page.
    """
    parser = _Forms()
    parser.feed(page.text)
    for form in parser.forms:
        if page.status == 200 and button in form.buttons:
            return Form(action=form.action, fields=form.fields | form.buttons[button])
    raise StepFailed(f"expected: a page with the button {button!r} (status {page.status})")
