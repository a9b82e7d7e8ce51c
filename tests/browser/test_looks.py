"""How the pages look in Chromium: narrow and wide, light and dark.

The pictures are for people; what a program can see in them is checked.
"""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

# The text of a page whose contrast with what is behind it is less than WCAG 2.2 section 1.4.3 demands.
FAINT = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = color => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = color => {
    const [r, g, b] = color.map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const color = rgba(getComputedStyle(e).backgroundColor);
      if (color[3] === 255) return color;
    }
    return rgba(matchMedia("(prefers-color-scheme: dark)").matches ? "black" : "white");
  };
  const faint = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility()) continue;
    const [one, other] = [luminance(rgba(getComputedStyle(element).color)), luminance(behind(element))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (contrast < 4.5) faint.push(`${texts.currentNode.data.trim()}: ${contrast.toFixed(2)}`);
  }
  return faint;
}"""

# What sticks out of the page sideways, or is too small for a finger (WCAG 2.2 section 2.5.8).
MISSHAPEN = """() => [...document.querySelectorAll("body *")].filter(element => {
  const box = element.getBoundingClientRect();
  const isTarget = element.matches("button, input:not([type=hidden]), a");
  const sticksOut = box.left < 0 || box.right > innerWidth + 0.5;
  return box.width && (sticksOut || (isTarget && Math.min(box.width, box.height) < 24));
}).map(element => element.outerHTML.slice(0, 80))"""

SHAPES = {
    "wide": {"width": 1280, "height": 800},
    "narrow": {"width": 320, "height": 640},
}
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


@pytest.fixture(params=["light", "dark"])
def scheme(request):
    return request.param


@pytest.fixture(params=SHAPES)
def look(request, desk, scheme, screenshots):
    """Look at the page of a browser: take its picture and find fault with it."""
    # In the middle of a transition every colour is another one.
    page = desk.page(viewport=SHAPES[request.param], color_scheme=scheme, reduced_motion="reduce")

    def look(name):
        page.screenshot(path=screenshots / f"{name}-{request.param}-{scheme}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= SHAPES[request.param]["width"]
        assert page.evaluate(MISSHAPEN) == []
        assert page.evaluate(FAINT) == []
        assert len(page.get_by_role("heading", level=1).all()) == len(page.get_by_role("main").all()) == 1

    look.page = page
    return look


def test_login_consent_and_error(desk, client, look):
    desk.expect("status of 400")
    page = look.page
    page.goto(client.url())
    look("login")
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password").fill("looking glass")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    look("login-wrong-password")
    page.get_by_label("Password").fill("wonder land")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Allow")).to_be_visible()
    look("consent")
    page.goto(client.url(redirect_uri="http://localhost/elsewhere"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    look("error")


def test_long_names(server, client, look):
    server.add_user(LONG, "builder", name=f"{LONG} {LONG}")
    server.add_client(client.client_id, client.redirect_uri, name=f"The {LONG} of the East with a name of its own")
    page = look.page
    page.goto(client.url(scope=""))
    look("long-login")
    page.get_by_label("User name").fill(LONG)
    page.get_by_label("Password").fill("builder")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Allow")).to_be_visible()
    look("long-consent")


@pytest.mark.parametrize("shape", SHAPES)
def test_form_post_page(desk, client, scheme, shape, screenshots):
    page = desk.page(viewport=SHAPES[shape], color_scheme=scheme, java_script_enabled=False)
    page.goto(client.url(response_mode="form_post", scope="everything"))
    expect(page.get_by_role("button", name="Continue")).to_be_visible()
    page.screenshot(path=screenshots / f"form_post-{shape}-{scheme}.png", full_page=True)
