"""`oauth-filter entity`: what there is to grant, what is granted, and what becomes of it at the token endpoint."""

import pytest

from oauth_filter.records import AccessToken
from oauth_filter.records import Entity
from oauth_filter.records import EntityGrant

URI = "https://app.example.com/callback"


def granted(cli):
    store = cli.store()
    try:
        return {(grant.entity_id, grant.client_id): grant.permissions for grant in store.find(EntityGrant)}
    finally:
        store.close()


def entities(cli):
    store = cli.store()
    try:
        return {entity.key: entity for entity in store.find(Entity)}
    finally:
        store.close()


def issue(cli, *clients):
    store = cli.store()
    store.put(*(AccessToken(key=client, grant_id=f"g-{client}", client_id=client) for client in clients))
    store.close()


def living(cli):
    store = cli.store()
    try:
        return {token.client_id for token in store.find(AccessToken)}
    finally:
        store.close()


@pytest.fixture
def api(cli):
    """An entity `api` and clients `app` and `other`, of which each has a token."""
    cli.write(rest="[client:other]\nsecret = env:CLI_TEST_SECRET\nredirect_uris = https://other.example.com/")
    cli.ok("entity", "add", "api", "--name", "The API", "--permission", "read", "--permission", "write")
    cli.ok("client", "add", "app", "--redirect-uri", URI)
    issue(cli, "app", "other")
    return cli


def test_add_list_and_show(cli):
    assert "entity add" in cli.ok("entity", "list")
    assert cli.json("entity", "list") == []
    added = cli.json("entity", "add", "api", "--name", "The API", "--permission", "read", "--permission", "read")
    assert {key: added[key] for key in ("id", "name", "permissions")} == {
        "id": "api",
        "name": "The API",
        "permissions": ["read"],
    }
    assert cli.json("entity", "list") == [added]
    assert cli.json("entity", "show", "api") == added | {"grants": []}
    assert cli.ok("entity", "list").splitlines()[1].split() == ["api", "The", "API", "read"]
    assert "granted" in cli.ok("entity", "show", "api")


@pytest.mark.parametrize("entity_id", ["a", "x" * 255, "e13365f1-a270-493e-bd1b-3d239d753d53", "billing.v2_~-1", "-x"])
def test_legal_ids(cli, entity_id):
    cli.ok("entity", "add", "--", entity_id)
    assert entities(cli).keys() == {entity_id}


@pytest.mark.parametrize("entity_id", ["", " ", "a b", "a:b", "a,b", "a/b", "a%2fb", "ä", ".", "..", "a\n", "x" * 256])
def test_illegal_ids(cli, entity_id):
    assert "id" in cli.fails(2, "entity", "add", "--", entity_id)
    assert entities(cli) == {}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--permission", ""],
        ["--permission", "a b"],
        ["--permission", "a:b"],
        ["--permission", "a,b"],
        ["--permission", 'a"b'],
        ["--permission", "ä"],
        ["--permission", "x" * 256],
        ["--name", "a\nb"],
        [word for i in range(101) for word in ("--permission", f"p{i}")],
    ],
)
def test_what_cannot_be_added(cli, arguments):
    cli.fails(2, "entity", "add", "api", *arguments)
    assert entities(cli) == {}


def test_an_id_can_be_taken_once(api):
    api.fails(4, "entity", "add", "api", "--permission", "other")
    assert entities(api)["api"].permissions == ("read", "write")


@pytest.mark.parametrize(
    "arguments", [["show", "no"], ["remove", "no"], ["update", "no", "--name", "x"], ["grant", "no", "app", "read"]]
)
def test_an_unknown_entity(api, arguments):
    assert "entity list" in api.fails(3, "entity", *arguments)


@pytest.mark.parametrize("client_id", ["app", "other"])
def test_grant_and_revoke_end_the_tokens_of_the_client_and_of_nobody_else(api, client_id):
    rest = {"app", "other"} - {client_id}
    said = api.ok("entity", "grant", "api", client_id, "read", "write", "read", "--yes")
    assert "Tokens and consents" in said
    assert granted(api) == {("api", client_id): ("read", "write")}
    assert living(api) == rest
    issue(api, client_id)
    assert api.json("entity", "show", "api")["grants"][0]["client_id"] == client_id
    assert f"{client_id}: read write" in api.ok("entity", "show", "api")
    api.ok("entity", "grant", "api", client_id, "write", "--yes")
    assert granted(api) == {("api", client_id): ("write",)}
    assert living(api) == rest
    issue(api, client_id)
    api.ok("entity", "revoke", "api", client_id, "--yes")
    assert granted(api) == {}
    assert living(api) == rest
    api.fails(3, "entity", "revoke", "api", client_id, "--yes")


def test_a_grant_without_permissions_is_one(api):
    assert "no permission" in api.ok("entity", "grant", "api", "app", "--yes")
    assert granted(api) == {("api", "app"): ()}


@pytest.mark.parametrize(
    ("code", "arguments"),
    [(3, ["nobody", "read"]), (2, ["app", "fly"]), (2, ["app", "read", "fly"]), (2, ["app", "R"])],
)
def test_what_cannot_be_granted(api, code, arguments):
    api.fails(code, "entity", "grant", "api", *arguments, "--yes")
    assert granted(api) == {}
    assert living(api) == {"app", "other"}


def test_a_disabled_client_gets_nothing(api):
    api.ok("client", "update", "app", "--disable", "--yes")
    assert "disabled" in api.fails(2, "entity", "grant", "api", "app", "read", "--yes")


@pytest.mark.parametrize(
    "arguments",
    [
        ["grant", "api", "app", "read"],
        ["revoke", "api", "other"],
        ["remove", "api"],
        ["update", "api", "--permission", "write"],
        ["update", "api", "--no-permissions"],
    ],
)
def test_what_is_lost_is_asked_about(api, arguments):
    api.ok("entity", "grant", "api", "other", "read", "--yes")
    issue(api, "other")
    said = api.fails(2, "entity", *arguments, stdin="y\n")
    assert "--yes" in said
    assert "tokens and consents" in said
    assert granted(api) == {("api", "other"): ("read",)}
    assert living(api) == {"app", "other"}


def test_update_without_loss_asks_nobody(api):
    api.ok("entity", "grant", "api", "app", "read", "--yes")
    issue(api, "app")
    changed = api.json("entity", "update", "api", "--name", "New", "--permission", "read", "--permission", "send")
    assert (changed["name"], changed["permissions"]) == ("New", ["read", "send"])
    assert granted(api) == {("api", "app"): ("read",)}
    assert living(api) == {"app", "other"}


@pytest.mark.promise(4)
def test_a_permission_taken_away_does_not_come_back_by_itself(api):
    api.ok("entity", "grant", "api", "app", "read", "write", "--yes")
    api.ok("entity", "grant", "api", "other", "read", "--yes")
    issue(api, "app", "other")
    api.ok("entity", "update", "api", "--permission", "read", "--yes")
    assert living(api) == {"other"}
    api.ok("entity", "update", "api", "--permission", "read", "--permission", "write")
    assert granted(api) == {("api", "app"): ("read",), ("api", "other"): ("read",)}


@pytest.mark.parametrize("arguments", [[], ["--permission", "a", "--no-permissions"], ["--permission", "a b"]])
def test_bad_updates(api, arguments):
    before = entities(api)
    api.fails(2, "entity", "update", "api", *arguments)
    assert entities(api) == before


@pytest.mark.promise(4)
def test_a_new_entity_of_an_old_id_inherits_nothing(api):
    api.ok("entity", "grant", "api", "app", "read", "--yes")
    api.ok("entity", "add", "api2", "--permission", "read")
    api.ok("entity", "grant", "api2", "other", "read", "--yes")
    issue(api, "app", "other")
    api.ok("entity", "remove", "api", "--yes")
    assert entities(api).keys() == {"api2"}
    assert granted(api) == {("api2", "other"): ("read",)}
    assert living(api) == {"other"}
    api.ok("entity", "add", "api", "--permission", "read")
    assert api.json("entity", "show", "api")["grants"] == []


@pytest.mark.promise(4)
def test_a_new_client_of_an_old_id_has_no_grants_and_no_users(api):
    api.ok("entity", "grant", "api", "app", "read", "--yes")
    api.ok("entity", "grant", "api", "other", "read", "--yes")
    registered = ["--register", "other", "--register", "app"]
    api.ok("user", "add", "alice", "--generate-password", *registered)
    api.ok("client", "remove", "app", "--yes")
    assert granted(api) == {("api", "other"): ("read",)}
    assert api.json("user", "show", "alice")["registrations"] == ["other"]


def test_more_grants_than_a_page(api):
    store = api.store()
    store.put(
        *(
            EntityGrant(
                key=EntityGrant.key_of(f"e{i}", "app"), entity_id=f"e{i}", client_id="app", permissions=("read",)
            )
            for i in range(250)
        )
    )
    store.close()
    api.ok("client", "remove", "app", "--yes")
    assert granted(api) == {}


@pytest.mark.promise(4)
def test_what_the_token_endpoint_makes_of_it(cli):
    secret = cli.json("client", "add", "app", "--grant-type", "client_credentials")["client_secret"]
    cli.ok("entity", "add", "api", "--permission", "read", "--permission", "write")
    with cli.provider() as ask:

        def token(scope):
            form = {"grant_type": "client_credentials", "scope": scope}
            return ask("POST", "oauth2/token", data=form, auth=("app", secret))

        def status(token):
            return ask("GET", "", headers={"Authorization": f"Bearer {token.json()['access_token']}"}).status_code

        assert token("target-entity:api").json()["error"] == "invalid_scope"
        cli.ok("entity", "grant", "api", "app", "read", "--yes")
        first = token("target-entity:api:read")
        assert status(first) == 200
        assert token("target-entity:api:write").json()["error"] == "invalid_scope"
        cli.ok("entity", "revoke", "api", "app", "--yes")
        assert status(first) == 401
        assert token("target-entity:api:read").json()["error"] == "invalid_scope"
