"""The pages people see, and the headers they are sent with -- RFC 6749 section 10.13, RFC 9700 section 4.16.

A page is a Jinja2 template; a file of the same name in the folder `templates` of the settings replaces ours.
`docs/pages.md` lists the templates, their blocks and their variables.
"""

import re
from collections.abc import Iterable
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import jinja2
from markupsafe import Markup
from markupsafe import escape

from oauth_filter.errors import ConfigError
from oauth_filter.errors import Problem
from oauth_filter.settings import Settings

TEMPLATES: Final = (
    "layout.html",
    "login.html",
    "consent.html",
    "device.html",
    "device_confirm.html",
    "device_done.html",
    "logout.html",
    "signed_out.html",
    "error.html",
    "form_post.html",
)

STATIC_PATH: Final = "/oauth2/static"
"""Where the files of the folder `static` are served, below the issuer."""

_WEB_SCHEMES: Final = frozenset({"http", "https"})
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*", re.ASCII)
_HOST: Final = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", re.ASCII)

# Who may frame us is never widened to what a source expression can name. A browser takes `*.` for any number of labels.
_FRAMER: Final = re.compile(r"https?://(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:([0-9]{1,5}|\*))?", re.ASCII)

# A page whose forms may go to one of these could run what an attacker wrote.
_ACTIVE_SCHEMES: Final = frozenset({"javascript", "vbscript", "data", "blob", "filesystem", "about"})


class Pages:
    """The templates of one filter. Constructing it compiles them all; ConfigError names each that does not.

    `static` is the URL of the folder of static files, `product` the name shown above each page; by default they
    are `STATIC_PATH` below the path of the issuer, and the host of the issuer.
    """

    def __init__(self, settings: Settings, *, static: str | None = None, product: str | None = None) -> None:
        ours = jinja2.PackageLoader("oauth_filter.authorization_server", "templates")
        # The prefix comes first, so that a page of the host can always extend the one it replaces.
        loaders: list[jinja2.BaseLoader] = [jinja2.PrefixLoader({"oauth_filter": ours}), ours]
        if settings.templates:
            loaders.insert(1, jinja2.FileSystemLoader(settings.templates))
        self._environment = jinja2.Environment(
            loader=jinja2.ChoiceLoader(loaders),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        # Marked sentences pass through unchanged until there are catalogues.
        self._environment.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
        self._environment.filters["monogram"] = monogram
        self._environment.filters["input_value"] = input_value
        self._environment.globals.update(
            lang="en",
            direction="ltr",
            product=product or settings.product or urlsplit(settings.issuer).netloc,
            static=settings.issuer_path + STATIC_PATH if static is None else static,
        )
        if settings.templates and not Path(settings.templates).is_dir():
            message = "there is no such folder; %(here)s is that of the ini file"
            raise ConfigError([Problem(option="templates", message=message)])
        if problems := list(self._faults()):
            raise ConfigError(problems)

    def render(self, template: str, **values: object) -> str:
        """The HTML of a page. Every variable that its template names must be given (`docs/pages.md`).

        Raise jinja2.UndefinedError when one is missing. Everything is escaped, `Markup` excepted.
        """
        return self._environment.get_template(template).render(values)

    def _faults(self) -> Iterator[Problem]:
        for name in TEMPLATES:
            try:
                self._environment.get_template(name)
            except jinja2.TemplateSyntaxError as error:
                yield Problem(option="templates", file=error.filename, line=error.lineno, message=error.message or "")
            except UnicodeDecodeError:
                yield Problem(option="templates", message=f"{name} is not UTF-8 text")


def monogram(name: str) -> str:
    """The letter that stands for a name in a badge: its first letter or digit, or a dot if it has none."""
    letter = next((c for c in name if c.isalnum()), "\N{BULLET}")
    return letter.upper()[:1]


def input_value(text: str) -> Markup:
    """Text as the value of a hidden input, such that a browser reads back exactly the same string.

    HTML parsers turn a carriage return in the source into a newline (HTML section 13.2.3.5), so line ends are
    written as character references. What a browser does to line ends when it sends the form is not in our hands.
    """
    return escape(text).replace("\r", Markup("&#13;")).replace("\n", Markup("&#10;"))


def page_headers(
    *,
    form_targets: Iterable[str] | None = (),
    script: bool = False,
    frames: Iterable[str] = (),
    frame_ancestors: Iterable[str] = (),
) -> list[tuple[str, str]]:
    """The headers of a page, among them a Content-Security-Policy without inline code.

    `form_targets` are the URLs that a form on the page may end at, beside our own: the redirect URI, because browsers
    apply `form-action` to the redirects that answer a form as well (CSP 3 section 6.3.1). Chromium does so for every
    hop, those behind the redirect URI included; None sets no limit, for clients that send the browser further on.
    `script` allows our own script files; only the form_post page needs one. `frames` are the URLs that the page shows
    in frames, which only the page after signing out does. `frame_ancestors` are origins that may
    frame the page; nobody may by default (RFC 9700 section 4.16). A URL that cannot be written as a source expression
    is left out.

    There is no Cross-Origin-Opener-Policy: with any, a client that opened the page as a popup loses sight of it and
    takes it for closed.

    Not decided here: whether a redirect URI is registered, and whether an origin deserves to frame us.
    """
    framers = list(dict.fromkeys(origin for origin in frame_ancestors if _FRAMER.fullmatch(origin)))
    policy = ["default-src 'none'"]
    if script:
        policy.append("script-src 'self'")
    policy += ["style-src 'self'", "img-src 'self' data:"]
    if framed := _sources(frames):
        policy.append(" ".join(["frame-src", *framed]))
    if form_targets is not None:
        policy.append(" ".join(["form-action 'self'", *_sources(form_targets)]))
    policy += ["base-uri 'none'", " ".join(["frame-ancestors", *(framers or ["'none'"])])]
    headers = [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Security-Policy", "; ".join(policy)),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-store"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ]
    if not framers:
        headers.append(("X-Frame-Options", "DENY"))
    return headers


def csp_source(url: str) -> str | None:
    """The narrowest CSP source expression that covers a URL: `https://host:port`, or a scheme such as `nuxeo:`.

    A host that source expressions cannot name (an IPv6 address, an underscore, a letter beyond ASCII) is covered by
    its scheme. None when there is no safe expression. The result has only letters, digits and `+ . - : /`, so it
    cannot end the directive it is put into, whatever the URL (CSP 3 section 2.3.1).
    """
    scheme, colon, _ = url.partition(":")
    scheme = scheme.lower()
    if not colon or not _SCHEME.fullmatch(scheme) or scheme in _ACTIVE_SCHEMES:
        return None
    if scheme not in _WEB_SCHEMES:
        return f"{scheme}:"
    host, port = _host_and_port(url)
    if not host:
        return None
    if not _HOST.fullmatch(host):
        return f"{scheme}:"
    return f"{scheme}://{host}{port}"


def redirect_host(redirect_uri: str) -> str:
    """Where a redirect URI leads, for a person: `host` or `host:port`, or a scheme such as `nuxeo:` for an app.

    Letters beyond ASCII are shown in their ASCII form (`xn--...`): a look-alike of a well-known name cannot pass.
    User information in front of the host, another way to look like somebody else, is left away. Empty for a URI
    that leads nowhere.
    """
    scheme, colon, _ = redirect_uri.partition(":")
    scheme = scheme.lower()
    if not colon or not _SCHEME.fullmatch(scheme):
        return ""
    if scheme not in _WEB_SCHEMES:
        return f"{scheme}:"
    host, port = _host_and_port(redirect_uri)
    if not host:
        return ""
    if ":" in host:
        return f"[{host}]{port}"
    labels = (label if label.isascii() else "xn--" + label.encode("punycode").decode() for label in host.split("."))
    return ".".join(labels) + port


def _host_and_port(url: str) -> tuple[str, str]:
    """The host in small letters, and `:port` where one is written. Both empty when the URL has no readable host."""
    try:
        # Browsers read a backslash as a slash, and so find another host than Python (URL Standard section 4.4).
        parts = urlsplit(url.replace("\\", "/"))
        return parts.hostname or "", "" if parts.port is None else f":{parts.port}"
    except ValueError:
        return "", ""


def _sources(urls: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(source for source in map(csp_source, urls) if source))
