"""Providers, and browsers that keep cookies as strictly as real ones."""

import pytest
from webtest import TestApp

from tests.provider import Provider


@pytest.fixture
def make_provider(clock):
    """A provider with settings of the test's own."""

    def make(**settings):
        return Provider(clock, **settings)

    return make


@pytest.fixture
def browse():
    """A function that opens a browser on a WSGI application, seen under an origin such as https://host.example."""

    def open_browser(application, origin):
        scheme, _, host = origin.partition("://")
        return TestApp(application, extra_environ={"wsgi.url_scheme": scheme, "HTTP_HOST": host})

    return open_browser
