"""The whole WSGI callable against whatever hypothesis makes of good pieces and garbage: no exception, no 5xx, no hang.

`HYPOTHESIS_EXAMPLES=20000 python -m pytest tests/test_fuzz.py` looks deeper.
"""

import hmac
import json
import os
from base64 import b64encode
from base64 import urlsafe_b64encode
from dataclasses import replace
from functools import cache
from urllib.parse import quote
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from oauth_filter import credentials
from oauth_filter.authorization_server.http import MAX_BODY
from oauth_filter.settings import Rule
from tests.provider import CALLBACK
from tests.provider import ISSUER
from tests.provider import VERIFIER
from tests.provider import ticket
from tests.registry import ALL_PARAMETERS
from tests.registry import DIRECTORY
from tests.registry import EVERYWHERE
from tests.registry import NOW
from tests.registry import OPTIONS
from tests.registry import Target
from tests.registry import World
from tests.wire import FORM
from tests.wire import METHODS
from tests.wire import Request
from tests.wire import send

pytestmark = pytest.mark.promise(7)

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TOKEN = Target(path="/oauth2/token", method="POST", answers="json")
REGISTRATION = Target(path=DIRECTORY, method="POST", answers="json")

fuzzed = settings(
    max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "250")),
    # A first example builds the provider, and one with a wrong password takes as long as scrypt does.
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@cache
def world():
    return World(protect=(Rule(path="/public/", access="public"), Rule(path="/optional/", access="optional")))


@cache
def good_pieces():
    """What means something to the provider: the more of it comes together, the deeper a request gets."""
    here = world()
    return (
        *("app", "native", "alice", "read", "code", "token", "id_token", "openid", "none", "login", "0", "1", "true"),
        *("S256", "plain", "query", "fragment", "form_post", "allow", "deny", "Basic", "Bearer"),
        *("authorization_code", "refresh_token", "client_credentials", JWT_BEARER),
        *(CALLBACK, ISSUER, VERIFIER, here.provider.secret, here.password),
        *(here.code(), here.tokens["access_token"], assertion({"iss": "i", "sub": "alice", "aud": ISSUER})),
        *(credentials.generate(kind) for kind in ("ofa", "ofr", "ofc", "ofs")),
        *(ticket(here.login_page), ticket(here.consent_page), here.cookie(here.browser), here.cookie(here.stranger)),
    )


octets = st.characters(max_codepoint=255)
"""A byte as PEP 3333 hands it over."""
garbage = st.one_of(
    st.text(octets, max_size=40),
    st.text(st.sampled_from("\0\n\r\t %;,=&+\"'\\/<>.:@\xff\xc3\xa9\x7f0aZ"), max_size=40),
    st.sampled_from(["%", "%00", "%zz", "%c0%80", "%ed%a0%80", "..", "//", "-1", "1e999", "9" * 400, "A" * 5000]),
)
piece = st.deferred(lambda: st.sampled_from(good_pieces()))
value = st.one_of(piece, garbage, st.tuples(piece, garbage).map("".join), st.tuples(garbage, piece).map("".join))
name = st.one_of(st.sampled_from((*ALL_PARAMETERS, "access_token", "nonce", "prompt", "max_age", "claims")), garbage)
encoded = st.one_of(value, value.map(lambda text: quote(text, safe="")))
form = st.lists(st.tuples(name, encoded).map("=".join), max_size=8).map("&".join)
path = st.one_of(
    st.sampled_from([target.path for target in EVERYWHERE] + ["/", "", "*", "/public/a", "/optional/a"]),
    st.lists(st.one_of(garbage, st.sampled_from(["oauth2", "token", ".well-known"])), max_size=6).map("/".join),
)
paths = st.one_of(path, st.tuples(path, garbage).map("".join), path.map(lambda text: f"/{text}"))
authorization = st.one_of(
    value,
    st.tuples(st.sampled_from(["Basic", "basic", "Bearer", "bearer", "Digest", ""]), value).map(" ".join),
    st.tuples(value, value).map(lambda pair: "Basic " + b64encode(":".join(pair).encode("latin-1")).decode()),
)
cookies = st.lists(st.tuples(st.one_of(st.just("oauth_filter"), garbage), value).map("=".join), max_size=3)
headers = st.fixed_dictionaries(
    {},
    optional={
        "HTTP_AUTHORIZATION": authorization,
        "HTTP_COOKIE": cookies.map("; ".join),
        "HTTP_HOST": value,
        "HTTP_ORIGIN": value,
        "HTTP_SEC_FETCH_SITE": st.one_of(st.sampled_from(["same-origin", "none", "cross-site"]), garbage),
        "HTTP_X_FORWARDED_FOR": value,
        "HTTP_IF_NONE_MATCH": value,
        "HTTP_IF_MODIFIED_SINCE": value,
        "HTTP_ACCEPT_LANGUAGE": value,
        "HTTP_TRANSFER_ENCODING": st.sampled_from(["chunked", "gzip, chunked", "identity"]),
        "REMOTE_USER": value,
        "REMOTE_ADDR": value,
        "SCRIPT_NAME": st.sampled_from(["", "/app", "/oauth2"]),
    },
)
content_types = st.one_of(
    st.sampled_from([FORM, f"{FORM}; charset=utf-8", "application/json", "multipart/form-data; boundary=x", "", None]),
    garbage,
)
content_lengths = st.one_of(st.just("as sent"), st.integers(-1, 200).map(str), garbage, st.none())
methods = st.one_of(st.sampled_from([*METHODS, "get", "post", ""]), garbage)
requests = st.builds(
    Request,
    method=methods,
    path=paths,
    query=form,
    body=form.map(lambda text: text.encode("latin-1")),
    content_type=content_types,
    content_length=content_lengths,
    ends=st.booleans(),
    breaks=st.booleans(),
    headers=headers,
)


def check(request):
    answer = send(world().provider.filter, request)
    assert 200 <= answer.status < 500, (answer.status, answer.body)
    assert not answer.input.asked_beyond
    assert answer.input.taken <= MAX_BODY + 1
    return answer


@fuzzed
@given(requests)
def test_anything(request):
    check(request)


places = st.integers(0, 10_000)
"""Where in a text; what is drawn must not depend on how long the codes of this very example happen to be."""


@st.composite
def changed(draw):
    """A request that would have been good, with up to four things about it changed."""
    target = draw(st.sampled_from(EVERYWHERE))
    request = world().good(target)
    fields = list(request.fields)
    for _ in range(draw(st.integers(0, 4))):
        where = draw(st.integers(0, max(0, len(fields) - 1)))
        match draw(st.sampled_from(["value", "name", "drop", "repeat", "add", "header", "body", "length", "type"])):
            case "value" if fields:
                fields[where] = (fields[where][0], draw(value))
            case "name" if fields:
                fields[where] = (draw(name), fields[where][1])
            case "drop" if fields:
                del fields[where]
            case "repeat" if fields:
                fields.append(fields[where])
            case "header":
                request.headers = request.headers | draw(headers)
            case "body" if request.body is not None:
                at = draw(places) % (len(request.body) + 1)
                request.body = request.body[:at] + draw(value).encode("latin-1") + request.body[at + 1 :]
            case "length":
                request.content_length = draw(content_lengths)
            case "type":
                request.content_type = draw(content_types)
            case _:
                fields.append((draw(name), draw(value)))
    if draw(st.booleans()):
        return replace(request, fields=fields)
    # As bytes, among which there may be some that no client would send.
    text = "&".join("=".join((quote(n, safe=draw(st.sampled_from(["", "%&=+"]))), quote(v))) for n, v in fields)
    at = draw(places) % (len(text) + 1)
    text = text[:at] + draw(garbage) + text[at:]
    if request.has_form:
        return replace(request, fields=[], body=text.encode("latin-1"))
    return replace(request, fields=[], query=text)


@fuzzed
@given(changed())
def test_a_good_request_with_changes(request):
    check(request)


numbers = st.sampled_from([0, -1, 1 << 53, 1e308, float("inf"), float("nan"), 10**400, True, ""])
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), piece, garbage, numbers),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=8,
)


@st.composite
def members(draw, **likely):
    """A JSON object with likely values, a few of them replaced by any other, taken away or added."""
    found = draw(st.fixed_dictionaries(likely))
    for _ in range(draw(st.integers(0, 2))):
        key = draw(st.one_of(st.sampled_from(list(likely)), st.text(max_size=5)))
        if draw(st.booleans()):
            found[key] = draw(json_values)
        else:
            found.pop(key, None)
    return found


uris = st.one_of(
    st.just(CALLBACK), st.tuples(st.sampled_from(["https://", "http://[", "x:", ""]), garbage, garbage).map("".join)
)
entries = members(
    **{
        "entity-type": st.just("directoryEntry"),
        "directoryName": st.just("oauth2Clients"),
        "properties": members(
            clientId=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20),
            name=st.text(max_size=20),
            clientSecret=st.just("ofs_" + "0" * 49),
            redirectURIs=st.one_of(st.just(CALLBACK), st.lists(uris, max_size=3).map(",".join)),
            autoGrant=st.sampled_from(["true", "false", True]),
            enabled=st.sampled_from(["true", "false", True]),
        ),
    }
)


@fuzzed
@given(entries, st.booleans())
def test_an_entry_of_the_directory(entry, is_ascii):
    body = json.dumps(entry, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")
    answer = check(replace(world().good(REGISTRATION), body=body))
    assert answer.status in (201, 400, 409)


def assertion(claims, header=None):
    """A JWT of anything at all, signed with the secret that the provider trusts."""
    parts = [header or {"alg": "HS512", "typ": "JWT"}, claims]
    signed = b".".join(urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    signature = hmac.digest(OPTIONS["jwt_secret"].encode(), signed, "sha512")
    return (signed + b"." + urlsafe_b64encode(signature).rstrip(b"=")).decode()


past = st.sampled_from([NOW - 20, NOW - 5, NOW, NOW + 5, int(NOW) + 1])
future = st.sampled_from([NOW + 5, NOW + 300, int(NOW) + 600, NOW - 5, NOW + 1e6])
claims = members(
    iss=st.text(min_size=1, max_size=20),
    sub=st.sampled_from(["alice", "alice", "nobody"]),
    aud=st.sampled_from([ISSUER, [ISSUER], ["https://other.example", ISSUER], f"{ISSUER}/oauth2/token"]),
    exp=future,
    iat=past,
    nbf=past,
    jti=st.uuids().map(str),
)
jose_headers = members(alg=st.just("HS512"), typ=st.sampled_from(["JWT", "jwt", "application/jwt"]))


@fuzzed
@given(claims, st.one_of(st.none(), jose_headers))
def test_an_assertion(claims, header):
    fields = [("grant_type", JWT_BEARER), ("client_id", "native"), ("assertion", assertion(claims, header))]
    answer = check(replace(world().good(TOKEN), body=urlencode(fields).encode()))
    assert answer.status in (200, 400)
    if answer.status == 200:
        assert claims["sub"] == "alice"
        assert ISSUER in claims["aud"] or f"{ISSUER}/oauth2/token" == claims["aud"]
        assert claims["exp"] > NOW - 10
        assert claims["jti"]
