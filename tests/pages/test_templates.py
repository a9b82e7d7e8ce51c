"""What stands in the pages: escaped, labelled, balanced, and nothing that a strict policy would block."""

import re
from html.parser import HTMLParser
from importlib.resources import files

import jinja2
import pytest

from oauth_filter.authorization_server.pages import TEMPLATES

PAGES = [name for name in TEMPLATES if name != "layout.html"]
VOID = {"meta", "link", "input", "img", "br", "hr"}
OURS = files("oauth_filter.authorization_server")


class Page(HTMLParser):
    """A page read the way a browser reads it, except that an unbalanced tag is an error."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.elements = []
        self.open = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        assert len({name for name, _ in attributes}) == len(attributes), f"an attribute of <{tag}> stands twice"
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, *tags):
        return [attributes for tag, attributes in self.elements if tag in tags]

    def hidden(self):
        return [(i["name"], i["value"]) for i in self.all("input") if i["type"] == "hidden"]

    def words(self):
        return " ".join(self.text.split())


@pytest.mark.parametrize("template", PAGES)
def test_tags_are_balanced_whatever_the_values(pages, plain, hostile, template):
    # The same elements in both: no value can add one, or add an attribute to one.
    read = [Page(pages.render(template, **values[template])) for values in (plain, hostile)]
    shapes = [[(tag, set(attributes)) for tag, attributes in page.elements] for page in read]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("template", PAGES)
def test_values_are_shown_to_the_letter(pages, hostile, hostile_text, template):
    html = pages.render(template, **hostile[template])
    page = Page(html)
    assert hostile_text in page.text
    assert "<script>alert" not in html
    assert "49" not in page.text  # a value is never read as a template
    for form in page.all("form"):
        assert form["action"] == hostile_text


@pytest.mark.promise(10)
@pytest.mark.parametrize("template", PAGES)
def test_nothing_inline_and_nothing_from_elsewhere(pages, plain, template):
    page = Page(pages.render(template, **plain[template]))
    for tag, attributes in page.elements:
        assert tag != "style"
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
        for name in ("src", "href", "srcset"):
            if name in attributes and tag not in ("a", "iframe"):  # those lead to clients
                assert attributes[name].startswith("/base/oauth2/static/")
    scripts = page.all("script")
    assert [script["src"] for script in scripts] == (
        ["/base/oauth2/static/form_post.js"] if template == "form_post.html" else []
    )


def test_sources_name_no_other_server():
    for folder in ("templates", "static"):
        for file in (OURS / folder).iterdir():
            text = file.read_text(encoding="utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
            assert not re.search(r"https?:|url\(|@import|@font-face|\sstyle\s*=|\son\w+\s*=|//\w+\.", text), file.name


@pytest.mark.parametrize("template", PAGES)
def test_every_file_a_page_asks_for_is_there(pages, plain, template):
    page = Page(pages.render(template, **plain[template]))
    for attributes in page.all("link", "img", "script"):
        url = attributes.get("src") or attributes.get("href")
        assert (OURS / "static" / url.rpartition("/")[2]).is_file()


@pytest.mark.parametrize("template", PAGES)
def test_pages_say_their_language_and_title(pages, plain, template):
    page = Page(pages.render(template, **plain[template]))
    assert page.all("html") == [{"lang": "en", "dir": "ltr"}]
    assert len(page.all("title")) == len(page.all("main")) == len(page.all("h1")) == 1
    assert "id.example.com" in page.text
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all("meta")


@pytest.mark.parametrize("template", PAGES)
def test_every_input_has_a_label(pages, plain, template):
    page = Page(pages.render(template, **plain[template]))
    labels = [label["for"] for label in page.all("label")]
    shown = [i for i in page.all("input") if i["type"] != "hidden"]
    assert sorted(labels) == sorted(i["id"] for i in shown)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        for name in ("aria-describedby", "aria-labelledby"):
            assert name not in attributes or attributes[name] in ids


@pytest.mark.parametrize("template", PAGES)
def test_a_forgotten_variable_is_an_error_and_not_a_gap(pages, plain, template):
    for forgotten in plain[template]:
        rest = {name: value for name, value in plain[template].items() if name != forgotten}
        with pytest.raises(jinja2.UndefinedError, match=forgotten):
            pages.render(template, **rest)


class TestLogin:
    def page(self, pages, plain, **values):
        return Page(pages.render("login.html", **plain["login.html"] | values))

    def inputs(self, page):
        return {i["id"]: i for i in page.all("input") if "id" in i}

    def test_password_managers_find_their_fields(self, pages, plain):
        inputs = self.inputs(self.page(pages, plain))
        assert inputs["username"]["autocomplete"] == "username"
        assert inputs["password"]["autocomplete"] == "current-password"
        assert inputs["password"]["type"] == "password"
        assert "value" not in inputs["password"]

    def test_form_posts_the_ticket(self, pages, plain):
        page = self.page(pages, plain, action="/base/oauth2/login", ticket="the.ticket")
        assert page.all("form") == [{"class": "stack", "method": "post", "action": "/base/oauth2/login"}]
        assert page.hidden() == [("ticket", "the.ticket")]

    @pytest.mark.parametrize(("username", "focus"), [("", "username"), ("alice", "password")])
    def test_cursor_stands_in_the_first_empty_field(self, pages, plain, username, focus):
        page = self.page(pages, plain, username=username)
        assert [name for name, i in self.inputs(page).items() if "autofocus" in i] == [focus]
        assert self.inputs(page)["username"]["value"] == username

    def test_error_is_announced_and_described(self, pages, plain):
        page = self.page(pages, plain, error="That is not right.")
        [alert] = [e for e in page.all("p") if e.get("role") == "alert"]
        for field in self.inputs(page).values():
            assert field["aria-describedby"] == alert["id"]
            assert field["aria-invalid"] == "true"
        assert "Error: sign in" in page.text

    def test_without_an_error_nothing_is_announced(self, pages, plain):
        page = self.page(pages, plain, error=None)
        assert not [e for _, e in page.elements if e.get("role") == "alert" or "aria-invalid" in e]

    def test_without_a_client_it_names_none(self, pages, plain):
        assert "continue to" not in self.page(pages, plain, client_name=None).text
        assert "continue to Paperwork" in self.page(pages, plain, client_name="Paperwork").words()


class TestConsent:
    def page(self, pages, plain, **values):
        return Page(pages.render("consent.html", **plain["consent.html"] | values))

    def test_names_client_user_and_each_scope(self, pages, plain):
        scopes = [("reports:read", "Read your reports"), ("urn:x:admin", None), ("odd", "")]
        page = self.page(pages, plain, client_name="Paperwork", username="alice", scopes=scopes)
        words = page.words()
        assert "Paperwork wants to use your account" in words
        assert "Signed in as alice" in words
        assert "Read your reports urn:x:admin odd" in words
        assert "reports:read" not in words
        assert len(page.all("li")) == 3
        assert len(page.all("code")) == 2

    def test_without_scopes_it_says_what_that_means(self, pages, plain):
        page = self.page(pages, plain, scopes=[])
        assert "Access your account and data as you" in page.words()
        assert len(page.all("li")) == 1

    def test_buttons_post_the_decision_or_the_switch(self, pages, plain):
        page = self.page(pages, plain, ticket="the.ticket")
        buttons = [(b["type"], b["name"], b["value"]) for b in page.all("button")]
        assert buttons == [("submit", "switch", "1"), ("submit", "decision", "deny"), ("submit", "decision", "allow")]
        assert page.hidden() == [("ticket", "the.ticket")] * 2
        assert [form["method"] for form in page.all("form")] == ["post", "post"]

    def test_switch_is_absent_where_accounts_cannot_be_switched(self, pages, plain):
        page = self.page(pages, plain, can_switch=False)
        assert [b["name"] for b in page.all("button")] == ["decision", "decision"]
        assert "another account" not in page.text

    @pytest.mark.parametrize(
        ("host", "sentence"),
        [
            ("paperwork.example", "You will return to paperwork.example."),
            ("127.0.0.1:5000", "You will return to 127.0.0.1:5000."),
            ("nuxeo:", "You will return to the app on this device that opens nuxeo: links."),
        ],
    )
    def test_says_where_the_browser_goes_next(self, pages, plain, host, sentence):
        assert sentence in self.page(pages, plain, redirect_host=host).words()

    def test_says_nothing_of_an_unknown_destination(self, pages, plain):
        assert "You will return" not in self.page(pages, plain, redirect_host="").text

    @pytest.mark.parametrize(
        ("days", "words"), [(0, None), (1, "asked again for a day."), (365, "asked again for 365 days.")]
    )
    def test_says_how_long_it_is_remembered(self, pages, plain, days, words):
        text = self.page(pages, plain, consent_days=days).words()
        assert (words in text) if words else ("asked again" not in text)


class TestError:
    def test_says_what_happened_and_what_to_do(self, pages):
        html = pages.render("error.html", heading="H", description="D.", advice="Try again.", request_id="abc123")
        words = Page(html).words()
        assert "H D. What you can do Try again." in words
        assert "give this number: abc123" in words

    def test_leaves_out_what_there_is_not(self, pages):
        page = Page(pages.render("error.html", heading="H", description="D.", advice=None, request_id=None))
        assert page.all("h2") == []
        assert "number" not in page.text


class TestFormPost:
    """OAuth 2.0 Form Post Response Mode, section 2."""

    @pytest.mark.parametrize(
        "state",
        ["a\nb", "a\r\nb", "\r", "\n", " a\tb ", '"><script>x</script>', "'&#10;&amp;", "é😀", "{{ 1 }}{% raw %}", ""],
    )
    def test_values_survive_exactly(self, pages, state):
        html = pages.render(
            "form_post.html",
            action="https://client.example/cb?a=1&b=2",
            client_name="Paperwork",
            parameters=[("code", "xyz"), ("state", state)],
        )
        # A browser turns line ends of the source into newlines before it reads tags.
        page = Page(html.replace("\r\n", "\n").replace("\r", "\n"))
        assert page.hidden() == [("code", "xyz"), ("state", state)]
        assert page.all("form")[0]["action"] == "https://client.example/cb?a=1&b=2"
        assert page.all("form")[0]["method"] == "post"

    def test_button_works_without_script_and_sends_nothing_of_its_own(self, pages, plain):
        page = Page(pages.render("form_post.html", **plain["form_post.html"]))
        [button] = page.all("button")
        assert button["type"] == "submit"
        assert "name" not in button
        assert "Continue" in page.text
