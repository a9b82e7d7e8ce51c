"""Plain HTTP for the demo's client and for `demo --check`: no redirects followed, no proxies asked."""

import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from email.message import Message
from http.cookiejar import CookieJar
from types import MappingProxyType
from typing import Any
from typing import Final

TIMEOUT: Final = 20
"""Seconds. Everything is on this machine; a password check is what takes longest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back, whatever the status."""

    url: str
    status: int
    headers: Message = field(repr=False)
    text: str = field(repr=False)


class _Stay(urllib.request.HTTPRedirectHandler):
    """Leaves redirects to the caller; urllib then reports them as errors, which are answers as well."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Fetcher:
    """Sends requests, with cookies like a browser if it is given a jar."""

    def __init__(self, cookies: CookieJar | None = None) -> None:
        handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({}), _Stay()]
        if cookies is not None:
            handlers.append(urllib.request.HTTPCookieProcessor(cookies))
        self._opener: Final = urllib.request.build_opener(*handlers)

    def __call__(
        self, url: str, *, form: str | None = None, headers: Mapping[str, str] = MappingProxyType({})
    ) -> Answer:
        """GET, or POST of a form. Raise OSError when nobody answers."""
        body = None if form is None else form.encode()
        request = urllib.request.Request(url, body, dict(headers))  # noqa: S310 -- the demo's own http URL
        try:
            with self._opener.open(request, timeout=TIMEOUT) as answer:
                return self._read(url, answer)
        except urllib.error.HTTPError as error:
            with error:
                return self._read(url, error)

    @staticmethod
    def _read(url: str, answer: Any) -> Answer:
        text = answer.read().decode("utf-8", "replace")
        return Answer(url=url, status=answer.status, headers=answer.headers, text=text)
