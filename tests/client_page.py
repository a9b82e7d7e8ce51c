"""A client application for browsers: a page that sends people to sign in, and one that shows what they come back with.

It stands on the server under test, but browsers reach it as `localhost` and the issuer as `127.0.0.1`: two sites.
"""

from html import escape
from urllib.parse import parse_qsl

PAGE = """\
<!doctype html>
<html lang="en">
<title>Client</title>
<link rel="icon" href="data:,">
{main}
"""


def client_application(environ, start_response):
    query = dict(parse_qsl(environ["QUERY_STRING"], keep_blank_values=True))
    match environ["PATH_INFO"]:
        case "/start":
            main = f'<a href="{escape(query["to"])}">Sign in</a>'
        case "/frame":
            main = f'<iframe src="{escape(query["of"])}"></iframe>'
        case "/forge":
            main = _form(query.pop("action"), query)
        case _:
            form = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode()
            received = query | dict(parse_qsl(form, keep_blank_values=True))
            main = _received(environ["REQUEST_METHOD"], received)
    body = PAGE.format(main=main).encode()
    headers = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return [body]


def _form(action, fields):
    inputs = "".join(f'<input name="{escape(name)}" value="{escape(value)}">' for name, value in fields.items())
    return f'<form method="post" action="{escape(action)}">{inputs}<button>Win a prize</button></form>'


def _received(method, received):
    items = "".join(f"<dt>{escape(name)}<dd>{escape(value)}" for name, value in received.items())
    return f"<h1>Back by {method}</h1><dl>{items}</dl>"
