"""`oauth-filter serve`: a development server, in a process of its own."""

import socket
import sys
import urllib.error
import urllib.request

import pytest

APPLICATION = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello from " + environ["PATH_INFO"].encode()]


class Shop:
    wsgi = staticmethod(app)


number = 1
"""


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.fixture
def shop(cli):
    cli.write(rest="[protect]\n/public/ = public")
    (cli.folder / "shop.py").write_text(APPLICATION)
    return cli


@pytest.mark.parametrize("name", ["shop:app", "shop:Shop.wsgi"])
def test_it_serves_the_application_behind_the_filter(shop, name):
    with shop.serving(name) as (url, written):
        assert get(f"{url}public/x") == (200, b"hello from /public/x")
        assert get(f"{url}private")[0] == 401
        assert get(f"{url}.well-known/oauth-authorization-server")[0] == 200
    assert "development" in written[0]
    assert "the issuer is http://localhost:8080" in written[1]


def test_its_log_has_no_queries(shop):
    with shop.serving("shop:app") as (url, written):
        get(f"{url}public/%1b?code=verysecret1&access_token=verysecret2")
        get(f"{url}oauth2/authorize?client_id=x&code=verysecret3")
    assert "/public/" in written[1]
    assert "/oauth2/authorize" in written[1]
    assert "verysecret" not in written[0] + written[1]


@pytest.fixture
def here(shop, monkeypatch):
    """The same in this process, where nothing is served because something is wrong."""
    monkeypatch.chdir(shop.folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    return shop


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("shop", "MODULE:APP"),
        ("shop:", "MODULE:APP"),
        (":app", "MODULE:APP"),
        ("shop.py", "MODULE:APP"),
        ("shop:app()", "MODULE:APP"),
        ("../shop:app", "MODULE:APP"),
        ("nowhere:app", "no module nowhere"),
        ("shop.wsgi:app", "no module shop.wsgi"),
        ("shop:application", "module shop has no application"),
        ("shop:Shop.other", "module shop has no Shop.other"),
        ("shop:number", "not callable"),
    ],
)
def test_a_name_that_names_no_application(here, name, said):
    assert said in here.fails(2, "serve", name)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x = 1\nprint(undefined)\n", "broken.py:2: NameError"),
        ("def f(:\n", "broken.py:1: SyntaxError"),
        ("import nowhere_to_be_found\n", "broken.py:1: ModuleNotFoundError"),
    ],
)
def test_a_module_that_fails_is_told_by_its_line(here, source, said):
    (here.folder / "broken.py").write_text(source)
    assert said in here.fails(2, "serve", "broken:app")


def test_a_port_that_is_taken(here):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"cannot listen on 127.0.0.1 port {port}" in here.fails(5, "serve", "shop:app", "--port", str(port))


def test_an_address_that_is_not_ours(here):
    here.fails(5, "serve", "shop:app", "--host", "192.0.2.1")


def test_a_faulty_ini(here):
    here.write("nonsense = 1")
    assert "unknown option 'nonsense'" in here.fails(2, "serve", "shop:app")
