"""The frame of the demo's own pages. They borrow the stylesheet of the sign-in pages."""

from typing import Final

from markupsafe import Markup
from werkzeug.wrappers import Response

from oauth_filter.authorization_server.pages import page_headers

STYLE: Final = """\
.card.wide { max-inline-size: 46rem; }
.card p + p, .card ol, .card .row, .card pre { margin-block-start: 0.875rem; }
.card ol { margin-block-end: 0; padding-inline-start: 1.25rem; display: grid; gap: 0.375rem; }
a { color: var(--accent); }
pre {
  margin: 0;
  padding: 0.875rem 1rem;
  border: 1px solid var(--line);
  border-radius: var(--radius);
  background: var(--canvas);
  font: 0.8125rem/1.55 ui-monospace, "SF Mono", Menlo, Consolas, monospace;
  white-space: pre-wrap;
}
.row { display: flex; flex-wrap: wrap; gap: 0.75rem; }
.row form, .row a.button { display: flex; flex: 1 1 14rem; }
a.button { align-items: center; justify-content: center; text-align: center; text-decoration: none; }
.choice { display: flex; align-items: baseline; gap: 0.625rem; font-weight: 400; }
.choice input { accent-color: var(--accent); }
fieldset { display: grid; gap: 0.5rem; margin: 0; padding: 0; border: 0; }
legend { margin-block-end: 0.5rem; padding: 0; font-size: 0.9375rem; font-weight: 600; }
.status { font-weight: 650; }
.good { color: var(--accent); }
.bad { color: var(--alert); }
"""

_FRAME: Final = Markup("""\
<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>{title} &ndash; oauth_filter demo</title>
  <link rel="icon" href="/oauth2/static/mark.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/oauth2/static/style.css">
  <link rel="stylesheet" href="/demo.css">
</head>
<body>
  <header class="brand">
    <img class="brand-mark" src="/oauth2/static/mark.svg" alt="" width="28" height="28">
    <span>{brand}</span>
  </header>
  <main class="card wide">
{body}
  </main>
</body>
</html>
""")


def page(title: str, body: Markup, *, brand: str = "oauth_filter demo", status: int = 200) -> Response:
    """A page of the demo, with the same strict headers as the sign-in pages."""
    response = Response(_FRAME.format(title=title, brand=brand, body=body), status)
    for name, value in page_headers():
        response.headers[name] = value
    return response


def stylesheet() -> Response:
    return Response(STYLE, mimetype="text/css", headers={"X-Content-Type-Options": "nosniff"})
