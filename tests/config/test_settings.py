"""Settings: every fault at once, no secret shown, every option explained."""

from dataclasses import fields

import pytest

from oauth_filter import ini
from oauth_filter.errors import ConfigError
from oauth_filter.ini import ClientSection
from oauth_filter.records import ENVELOPE
from oauth_filter.records import Client
from oauth_filter.scope import Scope
from oauth_filter.settings import PROFILES
from oauth_filter.settings import JWTIssuer
from oauth_filter.settings import Rule
from oauth_filter.settings import Settings
from oauth_filter.settings import options

SECRET = "0123456789abcdef0123456789abcdef"
SECTIONS = {"protect", "scopes", "clients", "jwt_issuers"}
PYTHON_ONLY = {"on_event"}


def faulty_options(**settings):
    with pytest.raises(ConfigError) as caught:
        Settings(**settings)
    return [problem.option for problem in caught.value.problems]


def test_every_fault_at_once():
    assert faulty_options(
        secret="short",
        issuer="https://api.example.com/",
        synchronous="MAYBE",
        code_lifetime=0,
        trusted_proxies=("everybody",),
        login="application",
        user_header="X Remote",
        jwt_secret="short",
        scopes={"a b": "two"},
        clients=(Client(key="a"), Client(key="a")),
        jwt_issuers=(JWTIssuer(issuer="idp"),),
    ) == [
        "synchronous",
        "code_lifetime",
        "issuer",
        "secret",
        "trusted_proxies",
        "who_am_i",
        "application_login",
        "user_header",
        "scopes",
        "jwt_secret",
        "jwt_issuer:idp",
        "client:a",
    ]


@pytest.mark.rfc("8414", "2")
@pytest.mark.parametrize(
    "issuer",
    [
        "",
        "api.example.com",
        "ftp://a.example",
        "https://a.example?x",
        "https://a.example#",
        "https://u@a.example",
        "https://[",
    ],
)
def test_an_issuer_that_is_not_one(issuer):
    assert faulty_options(secret=SECRET, issuer=issuer) == ["issuer"]


@pytest.mark.parametrize(
    "issuer", ["http://localhost:1", "http://127.0.0.2", "http://[::1]:8080/x", "https://a.example/x"]
)
def test_an_issuer_that_is_one(issuer):
    assert Settings(secret=SECRET, issuer=issuer).issuer == issuer


def test_http_issuers_elsewhere_need_a_setting_that_sounds_as_it_is():
    settings = {"secret": SECRET, "issuer": "http://a.example"}
    assert faulty_options(**settings) == ["issuer"]
    assert not Settings(**settings, insecure_allow_http_issuer=True).is_https


def test_a_header_that_names_the_user_needs_proxies_that_set_it():
    settings = {"secret": SECRET, "login": "remote_user", "remote_user_key": "HTTP_X_USER"}
    assert faulty_options(**settings) == ["remote_user_key"]
    assert Settings(**settings, trusted_proxies=("10.0.0.1",)).trusted_proxies


@pytest.mark.parametrize("uri", ["http://idp.example/jwks", "file:///etc/passwd", "https://", "https://[", ""])
def test_keys_are_fetched_over_https(uri):
    issuers = (JWTIssuer(issuer="idp", jwks_uri=uri),)
    assert faulty_options(secret=SECRET, jwt_issuers=issuers) == ["jwt_issuer:idp"]


@pytest.mark.parametrize(
    ("what", "needs", "fault"),
    [
        ("reports", "public", "the path starts with '/'"),
        ("G3T /", "public", "the method of a rule is one word"),
        ("GET POST /", "public", "the method of a rule is one word"),
        ("/a//b", "public", "decoded and plain"),
        ("/a/../b", "public", "decoded and plain"),
        ("/a%20b", "public", "decoded and plain"),
        ("/a?b", "public", "decoded and plain"),
        ("/", "", "say public, optional, authenticated, or the scopes"),
        ("/", "public read", "stand alone"),
        ("/", '"read"', "not a scope-token"),
    ],
)
def test_rules_that_are_none(what, needs, fault):
    with pytest.raises(ValueError, match=fault):
        Rule.parse(what, needs)


def test_rules():
    assert Rule.parse("/a/", "optional") == Rule(path="/a/", access="optional")
    assert Rule.parse(" get  /a ", "read write") == Rule(path="/a", method="GET", scope=Scope("read", "write"))


@pytest.mark.promise(5)
def test_repr_shows_no_secret():
    settings = Settings(
        secret=f"{SECRET}-master",
        store=f"sqlite:///{SECRET}-store",
        jwt_secret=f"{SECRET}-jwt",
        clients=(Client(key="a", secret_hash=f"{SECRET}-client"),),
        jwt_issuers=(JWTIssuer(issuer="idp", algorithm="HS256", secret=f"{SECRET}-issuer"),),
    )
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings)


def test_settings_cannot_be_changed():
    scopes = {"read": "Read"}
    settings = Settings(secret=SECRET, scopes=scopes)
    scopes["write"] = "Write"
    assert settings.scopes == {"read": "Read"}
    with pytest.raises(TypeError):
        settings.scopes["write"] = "Write"
    with pytest.raises(AttributeError):
        settings.realm = "other"


@pytest.mark.parametrize("of", [Settings, ClientSection, JWTIssuer])
def test_every_option_says_what_it_means(of):
    unexplained = {f.name for f in fields(of)} - {name for name, _, _ in options(of)}
    assert unexplained == {Settings: SECTIONS | PYTHON_ONLY, ClientSection: set(), JWTIssuer: {"issuer"}}[of]
    for name, metadata, _ in options(of):
        assert metadata["meaning"].endswith("."), name


def test_a_client_section_can_say_what_a_client_has():
    record = {f.name: f.default for f in fields(Client) if f.name not in ENVELOPE}
    record["secret"] = record.pop("secret_hash")
    del record["old_secret_hashes"], record["sealed_secret"]  # these are made, not said
    assert {name: default for name, _, default in options(ClientSection)} == record


@pytest.mark.parametrize(("profile", "values"), PROFILES.items())
def test_profiles_are_tables_of_legal_values(profile, values):
    settings = Settings.for_profile(profile, secret=SECRET)
    assert settings == Settings(**{"secret": SECRET, "profile": profile, **values})
    assert {name: getattr(settings, name) for name in values} == values
    text = f"[oauth_filter]\nsecret = {SECRET}\nprofile = {profile}"
    assert settings == ini.parse(text, file="oauth.ini", here=".")


def test_what_a_profile_sets_can_be_set():
    settings = Settings.for_profile("nuxeo", secret=SECRET, code_lifetime=30)
    assert (settings.profile, settings.code_lifetime, settings.allow_plain_pkce) == ("nuxeo", 30, True)


def test_the_name_of_a_profile_alone_is_a_mistake():
    assert faulty_options(secret=SECRET, profile="nuxeo") == ["profile"]
    assert faulty_options(secret=SECRET, profile="nuxoe") == ["profile"]
    with pytest.raises(ConfigError, match="use one of default, nuxeo, fusionauth"):
        Settings.for_profile("nuxoe", secret=SECRET)


@pytest.mark.rfc("6750", "3", "the realm is a quoted-string")
@pytest.mark.parametrize("realm", ['a"b', "a\\b", "a\nb", "a\x00", "a\x7f", "\u0101", "Z\u00fcrich"])
def test_realms_that_no_header_can_have(realm):
    assert faulty_options(secret=SECRET, realm=realm) == ["realm"]


@pytest.mark.parametrize("realm", ["", "api", "our own, and = more"])
def test_realms_that_one_can(realm):
    assert Settings(secret=SECRET, realm=realm).realm == realm
