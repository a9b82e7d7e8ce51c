"""The example requests of FusionAuth's OAuth overview, byte for byte apart from hosts, ids and codes.

Each is sent to a filter with the profile `fusionauth`. Where the page's own example cannot work (a raw `+` in a form
body, a UUID of seven digits) the test says so.
"""

import io
from dataclasses import replace
from urllib.parse import parse_qsl
from urllib.parse import quote
from urllib.parse import urlsplit

import pytest
from werkzeug.test import EnvironBuilder

from oauth_filter import passwords
from oauth_filter.records import DEFAULT_GRANT_TYPES
from oauth_filter.records import Entity
from oauth_filter.records import EntityGrant
from oauth_filter.settings import PROFILES
from tests.provider import Provider
from tests.provider import ticket
from tests.rfc8628_device.conftest import Person

APP = "06494b74-a796-4723-af44-1bdb96b48875"
OTHER_APP = "3c219e58-ed0e-4b18-ad48-f4f92793ae32"
ENTITY_CLIENT = "092dbded-30af-4149-9c61-b578f2c72f59"
ENTITY_SECRET = "+fcXet9Iu2kQi61yWD9Tu4ReZ113P6yEAkr32v6WKOQ="
ENTITY_BASIC = (
    "Basic MDkyZGJkZWQtMzBhZi00MTQ5LTljNjEtYjU3OGYyYzcyZjU5OitmY1hldDlJdTJrUWk2MXlXRDlUdTRSZVoxMTNQNnlFQWtyMzJ2NldLT1E9"
)
"""Id and secret as the page sends them, not form-encoded, although the secret begins with "+"."""
TARGET = "e13365f1-a270-493e-bd1b-3d239d753d53"
CALLBACK = "https://www.piedpiper.com/login"


@pytest.fixture
def fusionauth(clock):
    provider = Provider(clock, **PROFILES["fusionauth"], profile="fusionauth")
    everything = (*DEFAULT_GRANT_TYPES, "implicit", "password")
    for client_id, uri in ((APP, CALLBACK), (OTHER_APP, "https://www.piedpiper.com/callback")):
        provider.add_client(
            client_id,
            name="Pied Piper",
            redirect_uris=(uri, CALLBACK),
            grant_types=everything,
            pkce="optional",
            auto_grant=True,
            logout_uri="https://www.piedpiper.com",
            logout_behavior="redirect_only",
        )
    provider.user = provider.add_user("richard@piedpiper.com")
    return provider


def post(provider, path, body, headers=()):
    """POST a form whose bytes stand in the page, with the line breaks it has for readability taken out."""
    body = body.replace("\n", "").encode()
    builder = EnvironBuilder(path=path, method="POST", headers=dict(headers))
    environ = builder.get_environ()
    environ |= {
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "HTTP_ACCEPT": "*/*",
    }
    return provider.browser().open(environ)


def signed_in(provider, query):
    browser = provider.browser()
    page = browser.get(f"/oauth2/authorize?{query}")
    return provider.sign_in(browser, page, "richard@piedpiper.com")


def test_authorization_code(fusionauth):
    answer = signed_in(
        fusionauth,
        f"client_id={APP}&redirect_uri=https://www.piedpiper.com/login&response_type=code"
        "&tenantId=78dda1c8-14d4-4c98-be75-0ccef244297d",
    )
    assert answer.location.startswith("https://www.piedpiper.com/login?code=")
    brought = dict(parse_qsl(urlsplit(answer.location).query))
    assert brought["userState"] == "Authenticated"
    # The page's code begins with a raw "+", which a form reads as a space; ours has no such character.
    answer = post(
        fusionauth,
        "/oauth2/token",
        f"client_id={APP}\n&code={brought['code']}\n&grant_type=authorization_code\n"
        "&redirect_uri=https%3A%2F%2Fwww.piedpiper.com%2Flogin",
    )
    assert answer.status_code == 200
    assert answer.json.keys() == {"access_token", "expires_in", "token_type", "userId"}
    assert answer.json["expires_in"] == 3600
    assert answer.json["token_type"] == "Bearer"
    assert answer.json["userId"] == fusionauth.user.subject


def test_implicit(fusionauth):
    answer = signed_in(
        fusionauth,
        f"client_id={OTHER_APP}&response_type=token&redirect_uri=https%3A%2F%2Fwww.piedpiper.com%2Fcallback",
    )
    url = urlsplit(answer.location)
    assert not url.query
    brought = dict(parse_qsl(url.fragment))
    # The page's answer has a locale although its request has none; we send back the one of the request.
    assert brought.keys() == {"access_token", "expires_in", "token_type", "userState", "iss"}


def test_a_locale_comes_back(fusionauth):
    answer = signed_in(
        fusionauth,
        f"client_id={OTHER_APP}&response_type=token&locale=fr&redirect_uri=https%3A%2F%2Fwww.piedpiper.com%2Fcallback",
    )
    assert dict(parse_qsl(urlsplit(answer.location).fragment))["locale"] == "fr"


@pytest.fixture
def password_tokens(fusionauth):
    fusionauth.store.put(replace(fusionauth.user, password_hash=passwords.hash_secret("disrupt")))
    return post(
        fusionauth,
        "/oauth2/token",
        f"client_id={OTHER_APP}\n&grant_type=password\n&username=richard%40piedpiper.com\n"
        "&password=disrupt\n&scope=offline_access",
    )


def test_password(fusionauth, password_tokens):
    assert password_tokens.status_code == 200, password_tokens.text
    # The page's answer does not repeat the scope; RFC 6749 section 5.1 lets a server say it.
    assert password_tokens.json.keys() == {
        "access_token",
        "expires_in",
        "refresh_token",
        "token_type",
        "userId",
        "scope",
    }


def test_refresh(fusionauth, password_tokens):
    refresh_token = password_tokens.json["refresh_token"]
    for _ in range(2):
        answer = post(
            fusionauth,
            "/oauth2/token",
            f"client_id={OTHER_APP}\n&grant_type=refresh_token\n&refresh_token={refresh_token}",
        )
        assert answer.json.keys() == {"access_token", "expires_in", "scope", "token_type", "userId"}
        assert answer.json["scope"] == "offline_access"


@pytest.fixture
def entities(fusionauth):
    fusionauth.store.put(Entity(key=TARGET, name="E-mail API", permissions=("read", "write")))
    fusionauth.add_client(ENTITY_CLIENT, secret=ENTITY_SECRET)
    fusionauth.add_client("admin", secret=fusionauth.secret, scope="oauth2:admin", redirect_uris=())
    answer = fusionauth.browser().post(
        "/oauth2/token", data={"grant_type": "client_credentials"}, headers=fusionauth.basic("admin")
    )
    return fusionauth, answer.json["access_token"]


def test_entity_grant_and_client_credentials(entities):
    fusionauth, api_key = entities
    body = f'{{\n"grant": {{\n"recipientEntityId": "{ENTITY_CLIENT}",\n"permissions" : ["read","write"]\n}}\n}}\n'
    answer = fusionauth.browser().post(
        f"/api/entity/{TARGET}/grant",
        data=body,
        headers={"Content-Type": "application/json", "Authorization": api_key},
    )
    assert answer.status_code == 200, answer.text
    answer = post(
        fusionauth,
        "/oauth2/token",
        "grant_type=client_credentials\n&scope=target-entity%3Ae13365f1-a270-493e-bd1b-3d239d753d53%3Aread",
        {"Authorization": ENTITY_BASIC},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json.keys() == {"access_token", "expires_in", "scope", "token_type"}
    assert answer.json["scope"] == f"target-entity:{TARGET}:read"


# The page's ids have seven hexadecimal digits where a UUID has eight; an id is what an entity was given here.
NAMED = "92dbded-30af-4149-9c61-b578f2c72600"
OTHER = "119a84d9-06c5-4d1f-a0d4-a60490b70ac5"


@pytest.mark.parametrize(
    ("scope", "permissions"),
    [
        (f"target-entity:{NAMED}", {NAMED: ["read", "write", "execute"]}),
        (f"target-entity:{NAMED}:read,write", {NAMED: ["read", "write"]}),
        (f"target-entity:{NAMED}:read,write target-entity:{OTHER}:read", {NAMED: ["read", "write"], OTHER: ["read"]}),
        (None, None),
    ],
)
def test_client_credentials_scopes(entities, scope, permissions):
    fusionauth, _ = entities
    every = ("read", "write", "execute")
    for key in (NAMED, OTHER):
        fusionauth.store.put(Entity(key=key, permissions=every))
        fusionauth.store.put(
            EntityGrant(
                key=EntityGrant.key_of(key, ENTITY_CLIENT), entity_id=key, client_id=ENTITY_CLIENT, permissions=every
            )
        )
    form = "grant_type=client_credentials" + (f"&scope={quote(scope)}" if scope else "")
    answer = post(fusionauth, "/oauth2/token", form, {"Authorization": ENTITY_BASIC})
    assert answer.json.get("scope") == scope
    said = fusionauth.browser().post(
        "/oauth2/introspect", data={"token": answer.json["access_token"]}, headers={"Authorization": ENTITY_BASIC}
    )
    assert said.json.get("permissions") == permissions
    # "If you do not pass scope ... the token will omit the following claims": aud and permissions.
    audience = list(permissions or ())
    assert said.json.get("aud") == (audience[0] if len(audience) == 1 else audience or None)


def test_device(fusionauth):
    answer = post(fusionauth, "/oauth2/device_authorize", f"client_id={OTHER_APP}\n&scope=offline_access")
    assert answer.status_code == 200
    assert answer.json.keys() == {
        "device_code",
        "expires_in",
        "interval",
        "user_code",
        "verification_uri",
        "verification_uri_complete",
    }
    poll = (
        f"client_id={OTHER_APP}\n&device_code={answer.json['device_code']}\n"
        "&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code"
    )
    pending = post(fusionauth, "/oauth2/token", poll)
    assert (pending.status_code, pending.json["error"]) == (400, "authorization_pending")
    validate = f"/oauth2/device/validate?client_id={OTHER_APP}&user_code={answer.json['user_code']}"
    assert fusionauth.browser().get(validate).status_code == 200
    fusionauth.clock.advance(answer.json["expires_in"])
    expired = post(fusionauth, "/oauth2/token", poll)
    assert (expired.status_code, expired.json["error"]) == (400, "expired_token")


def test_device_that_is_approved(fusionauth):
    answer = post(fusionauth, "/oauth2/device_authorize", f"client_id={OTHER_APP}\n&scope=openid%20offline_access")
    # The page for the code is opened with the client and the tenant, which choose a theme there.
    browser = fusionauth.browser()
    opened = browser.get(f"/oauth2/device?client_id={OTHER_APP}&tenantId=78dda1c8-14d4-4c98-be75-0ccef244297d")
    fusionauth.sign_in(browser, opened, "richard@piedpiper.com")
    Person(fusionauth, browser=browser).allow(answer.json["user_code"])
    poll = (
        f"client_id={OTHER_APP}\n&device_code={answer.json['device_code']}\n"
        "&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code"
    )
    tokens = post(fusionauth, "/oauth2/token", poll).json
    # The page's answer does not repeat the scope; RFC 6749 section 5.1 lets a server say it.
    assert tokens.keys() - {"scope"} == {
        "access_token",
        "expires_in",
        "id_token",
        "refresh_token",
        "token_type",
        "userId",
    }
    assert tokens["userId"] == fusionauth.user.subject


def test_device_code_that_is_none(fusionauth):
    poll = (
        f"client_id={OTHER_APP}\n&device_code=e6f_lF1rG_yroI0DxeQB5OrLDKU18lrDhFXeQqIKAjg\n"
        "&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code"
    )
    answer = post(fusionauth, "/oauth2/token", poll)
    # The page has `invalid_request` here; RFC 6749 section 5.2 has this.
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_grant")
    assert answer.json["error_reason"] == "invalid_device_code"


@pytest.mark.parametrize("is_signed_in", [True, False])
def test_logout(fusionauth, is_signed_in):
    browser = fusionauth.browser()
    if is_signed_in:
        page = browser.get(f"/oauth2/authorize?client_id={APP}&redirect_uri={CALLBACK}&response_type=code")
        fusionauth.sign_in(browser, page, "richard@piedpiper.com")
    query = f"client_id={APP}&tenantId=78dda1c8-14d4-4c98-be75-0ccef244297d"
    answer = browser.get(f"/oauth2/logout?{query}")
    if is_signed_in:
        # Where the page has a redirect at once, RP-Initiated Logout section 2 has a question without an id_token_hint.
        assert answer.status_code == 200
        answer = browser.post("/oauth2/logout", data={"ticket": ticket(answer), "decision": "sign_out"})
    assert answer.status_code in (302, 303)
    assert answer.location == "https://www.piedpiper.com"
