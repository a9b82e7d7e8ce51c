"""Writes the pages of this folder that are read off the code: `python docs/generate.py`.

A test holds the committed pages to what this writes.
"""

import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any
from typing import Literal
from typing import get_args
from typing import get_origin
from typing import get_type_hints

FOLDER = Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parent)]

from compliance import compliance_page  # noqa: E402
from markdown_table import table  # noqa: E402

from oauth_filter.authorization_server.app import AuthorizationServer  # noqa: E402
from oauth_filter.authorization_server.openid_request import OpenIDRequest  # noqa: E402
from oauth_filter.authorization_server.server import Server  # noqa: E402
from oauth_filter.ini import ClientSection  # noqa: E402
from oauth_filter.ini.values import GRANT_TYPES  # noqa: E402
from oauth_filter.ini.values import UNITS  # noqa: E402
from oauth_filter.messages import AuthorizationRequest  # noqa: E402
from oauth_filter.messages import grants  # noqa: E402
from oauth_filter.settings import PROFILES  # noqa: E402
from oauth_filter.settings import JWTIssuer  # noqa: E402
from oauth_filter.settings import Settings  # noqa: E402
from oauth_filter.settings import options  # noqa: E402
from oauth_filter.stores import open_store  # noqa: E402

OPTIONS_PAGE = """\
# Options

<!-- Written by docs/generate.py from the code. Edit the code, then run it again. -->

An ini file has the section `[oauth_filter]` and, where needed, `[protect]`, `[scopes]`, and any number of
`[client:ID]` and `[jwt_issuer:ISS]`. The file is UTF-8. `oauth-filter check` lists every fault of a file at once, each
with its line, and nothing starts with a file that has one. In Python the same options are the arguments of
`oauth_filter.Settings`.

## How values are written

| what | how |
|---|---|
| comment | a line that starts with `;` or `#`; behind a value, a `;` with a space before it |
| long value | goes on in the next line, indented deeper than its option |
| text | as it stands; no quotes |
| flag | `true` `yes` `on` `1`, `false` `no` `off` `0` |
| duration | `45s` `15m` `1h` `30d`, or seconds; from `1s` to `3650d` |
| list | separated by spaces, commas or lines; URIs and origins by spaces or lines only |
| `%(here)s` | the folder of the ini file |
| `env:NAME` | the environment variable of that name, which must be set and not empty |
| `file:path` | what the file says, without one line break at its end; the path starts at the folder of the ini file |

Names of options and sections are written exactly as here. `env:` and `file:` are the whole value, and what they bring
in is not searched for `%(here)s`. A file that holds a secret is refused when every user of the machine can read or
change it: give it mode `0600`, or `0640` and a group. In `[protect]`, `[scopes]` and `scope` a value is always taken as
it stands. A name ends at the first `=`.

## `[oauth_filter]`

{settings}

### Profiles

A profile is a table of other defaults, nothing else; every option of it can still be set.

{profiles}

## `[protect]`

Which requests need what, one rule a line: `/path = what` or `METHOD /path = what`. The first rule that matches wins,
and a rule that can never be reached, because one above it matches first, is a fault. What no rule matches needs a
token.

| part | meaning |
|---|---|
| `/path/` | that folder, with or without the slash, and everything below it |
| `/path` | that path alone; written decoded and plain, and never matched against the query |
| `METHOD` | one method; `GET` covers `HEAD`; without it, every method |
| `public` | passed on as it is; no token is looked for |
| `optional` | passed on without a token; a bad one is still refused |
| `authenticated` | any good token |
| `scope scope` | a good token that has all of these scopes; where there are `[scopes]`, they must stand there |

## `[scopes]`

`scope = sentence`: the scopes there are, and what the consent page tells the user about each.

## `[client:ID]`

A client that is registered here and cannot be changed from outside. `ID` is its `client_id`. Other clients live in the
store; see `oauth-filter client`.

{clients}

## `[jwt_issuer:ISS]`

Whose JWT assertions the jwt-bearer grant accepts, for any user. `ISS` is the `iss` of its assertions. Exactly one of
`secret`, `public_key`, `jwks` and `jwks_uri` is needed. A public key is PEM text (`PUBLIC KEY` or `CERTIFICATE`, of
which only the key counts), best by `file:path`. A `jwks_uri` is fetched when it is needed, kept for five minutes, and
asked again at most every 30 seconds for a key it did not have; it is given five seconds, 64 KiB and no redirects.

{issuers}
"""


def options_page() -> str:
    return OPTIONS_PAGE.format(
        settings=options_table(Settings),
        profiles=profiles_table(),
        clients=options_table(ClientSection),
        issuers=options_table(JWTIssuer),
    )


def options_table(of: type) -> str:
    rows = list(option_rows(of))
    return table(("option", "type", "default", "meaning", "source"), rows)


def option_rows(of: type) -> Iterator[tuple[str, ...]]:
    types = get_type_hints(of)
    for name, metadata, default in options(of):
        kind = metadata["kind"]
        choices = get_args(types[name]) if get_origin(types[name]) is Literal else metadata["choices"]
        described = " ".join(f"`{choice}`" for choice in choices if choice) or kind
        shown = [written(default, kind)]
        if of is Settings:
            shown += [
                f"{written(profile[name], kind)} in profile {label}"
                for label, profile in PROFILES.items()
                if name in profile
            ]
        yield f"`{name}`", described, "; ".join(filter(None, shown)), metadata["meaning"], source(metadata["rfc"])


def profiles_table() -> str:
    metadata = {name: metadata for name, metadata, _ in options(Settings)}
    defaults = {name: default for name, _, default in options(Settings)}
    rows = [
        (label, f"`{name}`", written(value, metadata[name]["kind"]), written(defaults[name], metadata[name]["kind"]))
        for label, profile in PROFILES.items()
        for name, value in profile.items()
    ]
    return table(("profile", "option", "its default", "otherwise"), rows)


def written(value: Any, kind: str) -> str:
    """A value as an ini file has it."""
    if value is None or value in ("", ()):
        return ""
    if isinstance(value, tuple):
        short = {name: shorter for shorter, name in GRANT_TYPES.items()}
        return " ".join(f"`{short.get(name, name)}`" for name in value)
    if kind == "flag":
        return "`true`" if value else "`false`"
    if kind == "duration":
        unit, size = max(
            ((unit, size) for unit, size in UNITS.items() if unit and value % size == 0), key=lambda pair: pair[1]
        )
        return f"`{value // size}{unit}`"
    return f"`{value}`"


def source(rfc: str) -> str:
    number, _, section = rfc.partition(" ")
    where = f"https://www.rfc-editor.org/rfc/rfc{number}"
    if section:
        return f"[RFC {number} section {section}]({where}#section-{section})"
    return f"[RFC {number}]({where})" if number else ""


ENDPOINTS_PAGE = """\
# Endpoints

<!-- Written by docs/generate.py from the code. Edit the code, then run it again. -->

Every URL the filter answers itself. Paths are below the path of the `issuer`. Everything below `/oauth2` is the
filter's, also what does not exist there: the application never sees it.

{endpoints}

- **answers with**: how errors are told, as JSON to a program or on a page to a person.
- **in the metadata as**: the name under which the metadata documents give its URL. They list what is served and
  nothing else, because they are made of this very list.
- **other sites**: whether scripts of other sites may call it (CORS). It believes no cookie, so they gain nothing.
- Both metadata documents are also found where the issuer has a path, before it (RFC 8414 section 3.1) and behind it
  (Discovery section 4). `/.well-known/jwks.json` is the same as `/oauth2/jwks`.
- `/oauth2/static/` has the stylesheet, the mark and the one script of our pages.

## What the authorization endpoint takes

| from | parameters |
|---|---|
| OAuth 2 | {oauth} |
| OpenID Connect | {openid}; `display` and `ui_locales` are wishes that are not followed |

## Grant types

What the token endpoint redeems. Beside these parameters it takes those of the client's authentication.

{grants}

A `refresh_token` may also come with `expires_in`, seconds, for an access token that lives shorter than usual;
a longer one is refused with the reason `invalid_expires_in`.

Off by default means: the grant type or endpoint is there only with the setting that turns it on. Every client can be
held to some of the grant types, and `password` and the implicit flow need a client that lists them.
"""


def endpoints_page() -> str:
    default, everything = server_with(), server_with(nuxeo_directory_api=True, jwt_secret="x" * 32)
    usual = {endpoint.path for endpoint in default.endpoints}
    rows = []
    for endpoint in everything.endpoints:
        if not endpoint.path.startswith("/oauth2/static/"):
            told = first_paragraph(endpoint.handle) + ("" if endpoint.path in usual else " (Off by default.)")
            name = f"`{endpoint.metadata_name}`" if endpoint.metadata_name else ""
            origins = "yes" if endpoint.cross_origin else ""
            rows.append((f"`{endpoint.path}`", " ".join(endpoint.methods), endpoint.answers, name, origins, told))
    head = ("path", "methods", "answers with", "in the metadata as", "other sites", "what it does")
    return ENDPOINTS_PAGE.format(
        endpoints=table(head, rows),
        oauth=parameters_of(AuthorizationRequest, without=("endpoint", "custom_parameters")),
        openid=parameters_of(OpenIDRequest),
        grants=table(("grant_type", "parameters", "what it does"), list(grant_rows(default, everything))),
    )


def server_with(**changes: Any) -> Server:
    settings = Settings(store="memory:", secret="x" * 32, **changes)
    store = open_store("memory:", now=lambda: 0.0)
    return AuthorizationServer(settings, store, application=lambda *_: [], now=lambda: 0.0).server


def first_paragraph(described: Any) -> str:
    return " ".join((described.__doc__ or "").partition("\n\n")[0].split())


def parameters_of(message: type, without: tuple[str, ...] = ()) -> str:
    return " ".join(f"`{f.name}`" for f in fields(message) if f.name not in without)


def grant_rows(default: Server, everything: Server) -> Iterator[tuple[str, ...]]:
    classes = {cls.grant_type: cls for cls in vars(grants).values() if hasattr(cls, "takes_scope")}
    for name, grant_type in everything.grant_types.items():
        taken = [*classes[name].names, *(["scope"] if classes[name].takes_scope else [])] if name in classes else []
        told = first_paragraph(grant_type.decide) + ("" if name in default.grant_types else " (Off by default.)")
        yield f"`{name}`", " ".join(f"`{parameter}`" for parameter in taken), told


PAGES = {"options.md": options_page, "endpoints.md": endpoints_page, "compliance.md": compliance_page}
"""Each generated page, and what writes it."""


if __name__ == "__main__":
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
        print(f"wrote {name}")
