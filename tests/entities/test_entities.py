"""Client credentials with entities, and the endpoint that grants."""

import base64
import json

import jwt
import pytest

from oauth_filter.records import Entity
from tests.provider import PASSWORD

EMAIL = "e13365f1-a270-493e-bd1b-3d239d753d53"


@pytest.fixture
def provider(make_provider):
    provider = make_provider()
    provider.store.put(
        Entity(key=EMAIL, name="E-mail API", permissions=("read", "write", "send")),
        Entity(key="todo-api", name="To-do API", permissions=("read",)),
        Entity(key="closed", permissions=("read",)),
    )
    provider.add_user("root", administrator=True)
    grant(provider, EMAIL, "app", ["read", "write"])
    grant(provider, "todo-api", "app", ["read"])
    return provider


def basic(username="root", password=PASSWORD):
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


def grant(provider, entity, client_id, permissions, **options):
    body = {"grant": {"recipientEntityId": client_id, "permissions": permissions}}
    return provider.browser().post(f"/oauth2/api/entity/{entity}/grant", json=body, **({"headers": basic()} | options))


def entitled(provider, scope):
    provider.add_client("app", secret=provider.secret, access_token_format="jwt")
    answer = provider.token(grant_type="client_credentials", scope=scope)
    assert answer.status_code == 200, answer.text
    assert answer.json.get("scope") == scope
    return jwt.decode(answer.json["access_token"], options={"verify_signature": False})


def test_no_scope_no_permissions(provider):
    claims = entitled(provider, None)
    assert "permissions" not in claims
    assert claims["aud"] == provider.settings.issuer


def test_a_target_alone_brings_everything_granted(provider):
    claims = entitled(provider, f"target-entity:{EMAIL}")
    assert claims["aud"] == EMAIL
    assert claims["permissions"] == {EMAIL: ["read", "write"]}
    assert claims["sub"] == "app"


def test_permissions_asked_for_are_all_there_is(provider):
    assert entitled(provider, f"target-entity:{EMAIL}:write")["permissions"] == {EMAIL: ["write"]}


def test_several_targets(provider):
    claims = entitled(provider, f"target-entity:{EMAIL}:read,write target-entity:todo-api:read")
    assert claims["aud"] == [EMAIL, "todo-api"]
    assert claims["permissions"] == {EMAIL: ["read", "write"], "todo-api": ["read"]}


def permissions(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(environ["oauth_filter.principal"].claims.get("permissions")).encode()]


def test_the_application_sees_them_too(make_provider, provider):
    same_store = make_provider(application=permissions, store=provider.store)
    token = same_store.token(grant_type="client_credentials", scope="target-entity:todo-api").json["access_token"]
    assert same_store.call(token).json == {"todo-api": ["read"]}


def test_a_token_with_as_many_permissions_as_there_can_be_is_not_too_long(provider):
    permissions = [f"documents.of.department.{number:02}.read" for number in range(100)]
    provider.store.put(Entity(key="large", permissions=tuple(permissions)))
    grant(provider, "large", "app", permissions)
    provider.add_client("app", secret=provider.secret, access_token_format="jwt")
    token = provider.token(grant_type="client_credentials", scope="target-entity:large").json["access_token"]
    assert len(token) > 4096
    assert provider.call(token).status_code == 200


@pytest.mark.rfc("9068", "4", "the resource server MUST validate that the aud claim contains itself")
def test_an_application_can_say_which_entities_it_is(make_provider, provider):
    todo = make_provider(audience=("todo-api",), store=provider.store)
    todo.add_client("app", secret=provider.secret)
    for scope, status in ((f"target-entity:{EMAIL}", 401), ("target-entity:todo-api", 200), (None, 200)):
        token = provider.token(grant_type="client_credentials", scope=scope).json["access_token"]
        assert todo.call(token).status_code == status


@pytest.mark.parametrize(
    ("scope", "reason"),
    [
        ("target-entity:nowhere", "invalid_target_entity_scope"),
        ("target-entity:closed", "invalid_target_entity_scope"),
        ("target-entity:", "invalid_target_entity_scope"),
        ("target-entity:a:b:c", "invalid_target_entity_scope"),
        ("target-entity:todo-api:", "invalid_target_entity_scope"),
        ("target-entity:todo-api:read,", "invalid_target_entity_scope"),
        ("target-entity:todo-api:write", "invalid_entity_permission_scope"),
        (f"target-entity:{EMAIL}:read,send", "invalid_entity_permission_scope"),
        ("target-entity:todo-api target-entity:nowhere", "invalid_target_entity_scope"),
    ],
)
def test_what_was_not_granted_is_refused(provider, scope, reason):
    answer = provider.token(grant_type="client_credentials", scope=scope)
    assert (answer.status_code, answer.json["error"], answer.json["error_reason"]) == (400, "invalid_scope", reason)


@pytest.mark.rfc("9068", "4", "the resource server MUST validate that the aud claim contains itself")
def test_who_is_sent_a_token_for_an_entity_cannot_administer_with_it(provider):
    provider.add_client("app", secret=provider.secret, scope="oauth2:admin")
    for target, status in (("", 200), (" target-entity:todo-api", 401)):
        answer = provider.token(grant_type="client_credentials", scope="oauth2:admin" + target)
        headers = {"Authorization": f"Bearer {answer.json['access_token']}"}
        assert provider.browser().get("/oauth2/api/entity/closed/grant", headers=headers).status_code == status


@pytest.mark.parametrize("unknown_scope", ["reject", "remove", "allow"])
def test_a_user_flow_does_not_take_targets(make_provider, unknown_scope):
    provider = make_provider(unknown_scope=unknown_scope)
    answer = provider.authorize(scope="read target-entity:todo-api:read")
    assert "error=invalid_scope" in answer.location


class TestGranting:
    def test_shows_and_changes(self, provider):
        path = f"/oauth2/api/entity/{EMAIL}/grant"
        shown = provider.browser().get(path, headers=basic()).json
        one = {"entityId": EMAIL, "recipientEntityId": "app", "permissions": ["read", "write"]}
        assert shown == {"grants": [one]}
        assert grant(provider, EMAIL, "app", ["read"]).json == {"grant": one | {"permissions": ["read"]}}
        assert provider.browser().delete(path + "?recipientEntityId=app", headers=basic()).status_code == 200
        assert provider.browser().delete(path + "?recipientEntityId=app", headers=basic()).status_code == 404
        assert provider.browser().get(path, headers=basic()).json == {"grants": []}

    @pytest.mark.promise(4)
    def test_less_means_less_at_once(self, provider):
        token = provider.token(grant_type="client_credentials", scope="target-entity:todo-api").json["access_token"]
        assert provider.call(token).status_code == 200
        provider.browser().delete("/oauth2/api/entity/todo-api/grant?recipientEntityId=app", headers=basic())
        assert provider.call(token).status_code == 401
        answer = provider.token(grant_type="client_credentials", scope="target-entity:todo-api")
        assert answer.json["error"] == "invalid_scope"
        assert provider.token(grant_type="client_credentials", scope=f"target-entity:{EMAIL}").status_code == 200

    @pytest.mark.promise(10)
    @pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
    def test_a_form_of_another_site_grants_nothing(self, provider, content_type):
        body = json.dumps({"grant": {"recipientEntityId": "native", "permissions": ["read"]}})
        answer = provider.browser().post(
            "/oauth2/api/entity/closed/grant", data=body, content_type=content_type, headers=basic()
        )
        assert answer.status_code == 415
        assert provider.browser().get("/oauth2/api/entity/closed/grant", headers=basic()).json == {"grants": []}

    @pytest.mark.parametrize(
        ("headers", "status"),
        [({}, 401), (basic("alice"), 403), (basic("root", "wrong"), 401), (basic("nobody"), 401)],
    )
    def test_is_for_administrators(self, provider, headers, status):
        answer = grant(provider, EMAIL, "app", ["read"], headers=headers)
        assert answer.status_code == status
        assert ("WWW-Authenticate" in answer.headers) is (status == 401)

    def test_by_token_needs_the_scope_and_the_role(self, provider):
        provider.add_client("console", secret=provider.secret, scope="oauth2:admin", redirect_uris=())
        answer = provider.browser().post(
            "/oauth2/token", data={"grant_type": "client_credentials"}, headers=provider.basic("console")
        )
        bearer = {"Authorization": f"Bearer {answer.json['access_token']}"}
        assert grant(provider, EMAIL, "app", ["read"], headers=bearer).status_code == 200
        plain = {"Authorization": f"Bearer {provider.token(grant_type='client_credentials').json['access_token']}"}
        assert grant(provider, EMAIL, "app", ["read"], headers=plain).status_code == 403

    @pytest.mark.parametrize("policy", ["", "allow", "remove"])
    def test_nobody_gets_the_scope_unless_registered_for_it(self, make_provider, policy):
        provider = make_provider(unknown_scope=policy)
        answer = provider.token(grant_type="client_credentials", scope="oauth2:admin")
        assert answer.json["error"] == "invalid_scope"
        assert "error=invalid_scope" in provider.authorize(scope="oauth2:admin").location

    @pytest.mark.parametrize(
        "body",
        [
            {},
            [],
            {"grant": 1},
            {"grant": {"recipientEntityId": "nobody", "permissions": ["read"]}},
            {"grant": {"recipientEntityId": ["app"], "permissions": ["read"]}},
            {"grant": {"recipientEntityId": "app", "permissions": ["fly"]}},
            {"grant": {"recipientEntityId": "app", "permissions": "read"}},
            {"grant": {"recipientEntityId": "app", "permissions": [["read"]]}},
            {"grant": {"userId": "alice", "permissions": ["read"]}},
        ],
    )
    def test_what_makes_no_sense_is_refused(self, provider, body):
        answer = provider.browser().post(f"/oauth2/api/entity/{EMAIL}/grant", json=body, headers=basic())
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")

    def test_an_unknown_entity(self, provider):
        assert grant(provider, "nowhere", "app", ["read"]).status_code == 404
