"""What the demo client shows: a way to sign in, then what each request to the provider and the API led to."""

import json
from collections.abc import Mapping
from http.client import responses
from typing import Final

from markupsafe import Markup
from werkzeug.wrappers import Response

from oauth_filter.cli.demo.fetch import Answer
from oauth_filter.cli.demo.installation import CODE_PAGE
from oauth_filter.cli.demo.installation import SCOPES
from oauth_filter.cli.demo.installation import Demo
from oauth_filter.cli.demo.pages import page

BRAND: Final = "Demo Client"

_SIGNED_OUT: Final = Markup("""\
<h1>Use your reports here</h1>
<p class="lead">This application has no passwords. It sends you to the provider, and comes back with a token that can
do only what you allow.</p>
{note}
<form class="stack" method="post" action="/client/sign-in">
  <fieldset>
    <legend>It will ask for</legend>
{choices}
  </fieldset>
  <div class="actions"><button class="button primary" type="submit">Sign in</button></div>
</form>
<p class="notes">The user is {username}, the password {password}.</p>
""")

_CHOICE: Final = Markup("""\
    <label class="choice"><input type="checkbox" name="scope" value="{token}" checked>
      <span>{sentence} <code>{token}</code></span></label>
""")

_SIGNED_IN: Final = Markup("""\
<h1>The client has a token</h1>
<p class="lead">In real life nobody sees it. Here you can watch what it is good for.</p>
<h2>Use it</h2>
<div class="row">{uses}</div>
<h2>Renew or end it</h2>
<div class="row">{ends}</div>
{exchange}
<h2>What the client holds</h2>
<pre>{tokens}</pre>
""")

_BUTTON: Final = Markup("""\
<form method="post" action="{action}">{path}<button class="button{kind}" type="submit">{label}</button></form>
""")

_PATH: Final = Markup('<input type="hidden" name="path" value="{}">')

_EXCHANGE: Final = Markup("""\
<h2>Last request</h2>
<pre>{request}</pre>
<h2>Answer: <span class="status {kind}">{status}</span></h2>
<pre>{answer}</pre>
""")

_CODE: Final = Markup("""\
<h1>This is the code</h1>
<p class="lead">A client would exchange it at once: it is good for a minute, and only once. Paste this into the terminal
in which you have set SECRET:</p>
<pre>curl -s -u {client_id}:$SECRET -d grant_type=authorization_code -d code={code} \\
  --data-urlencode redirect_uri={redirect_uri} {token_url}</pre>
<div class="row"><a class="button" href="{again}">Once more</a></div>
""")

_NO_CODE: Final = Markup("""\
<h1>There is no code</h1>
<p class="lead">The provider answered: <code>{error}</code></p>
<div class="row"><a class="button" href="{again}">Once more</a></div>
""")


def signed_out(demo: Demo, note: str) -> Response:
    choices = Markup("").join(_CHOICE.format(token=token, sentence=sentence) for token, sentence in SCOPES.items())
    alert = Markup('<p class="alert" role="alert">{}</p>').format(note) if note else ""
    body = _SIGNED_OUT.format(choices=choices, note=alert, username=demo.username, password=demo.password)
    return page("Sign in", body, brand=BRAND)


def signed_in(
    tokens: Mapping[str, object], *, exchange: tuple[str, Answer] | None, can_refresh: bool, can_reuse: bool
) -> Response:
    uses = [
        _button("/client/call", "GET /api/me", path="/api/me", kind=" primary"),
        _button("/client/call", "GET /api/reports", path="/api/reports", kind=" primary"),
    ]
    ends = [_button("/client/revoke", "Revoke"), _button("/client/forget", "Start over")]
    if can_reuse:
        ends.insert(0, _button("/client/reuse", "Replay an old refresh token"))
    if can_refresh:
        ends.insert(0, _button("/client/refresh", "Refresh"))
    body = _SIGNED_IN.format(
        exchange="" if exchange is None else _exchange(*exchange),
        uses=Markup("").join(uses),
        ends=Markup("").join(ends),
        tokens=json.dumps(dict(tokens), indent=2),
    )
    return page("Signed in", body, brand=BRAND)


def code_page(demo: Demo, code: str | None, error: str | None) -> Response:
    if code is None:
        body = _NO_CODE.format(error=error or "nothing at all", again=demo.service_authorize_url)
    else:
        body = _CODE.format(
            client_id=demo.service,
            code=code,
            redirect_uri=demo.url(CODE_PAGE),
            token_url=demo.url("/oauth2/token"),
            again=demo.service_authorize_url,
        )
    return page("Code", body, brand="Demo Service")


def _button(action: str, label: str, *, path: str | None = None, kind: str = "") -> Markup:
    hidden = "" if path is None else _PATH.format(path)
    return _BUTTON.format(action=action, path=hidden, label=label, kind=kind)


def _exchange(request: str, answer: Answer) -> Markup:
    told = [f"{name}: {answer.headers[name]}" for name in ("WWW-Authenticate", "Content-Type") if answer.headers[name]]
    return _EXCHANGE.format(
        request=request.replace("&", "\n  &"),
        status=f"{answer.status} {responses.get(answer.status, '')}",
        kind="good" if answer.status < 400 else "bad",
        answer="\n".join([*told, "", _readable(answer.text)]).strip(),
    )


def _readable(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2)
    except ValueError:
        return text
