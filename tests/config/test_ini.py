"""Ini text to Settings, and every fault of it at once."""

import contextlib
import os

import pytest
from hypothesis import given
from hypothesis import strategies

from oauth_filter import ini
from oauth_filter.errors import ConfigError
from oauth_filter.passwords import verify_secret
from oauth_filter.records import GRANT_TYPES
from oauth_filter.records import Client
from oauth_filter.scope import Scope
from oauth_filter.settings import Rule
from oauth_filter.signing import key_fault

MAIN = "[oauth_filter]\nsecret = 0123456789abcdef0123456789abcdef\n"


def parse(text, **how):
    return ini.parse(text, **({"file": "oauth.ini", "here": "/srv/app", "environ": {}} | how))


def faults(text, **how):
    """What is said of a text, one line a fault."""
    with pytest.raises(ConfigError) as caught:
        parse(text, **how)
    return str(caught.value).splitlines()


def test_the_file_of_the_manual():
    settings = parse(
        """\
[oauth_filter]
issuer = https://api.example.com        ; required outside localhost
store = sqlite:///%(here)s/oauth.db
secret = env:OAUTH_SECRET
access_token_lifetime = 15m

# first match wins
[protect]
/static/ = public
GET /reports/ = reports:read, reports:list
/ = authenticated

[scopes]
reports:read = Read your reports
reports:list = List them ; not shown

[client:myApp]
name = My App
secret = env:MYAPP_SECRET
redirect_uris = https://myapp.mydomain.com/nuxeo-auth-done?a;b,c
    http://127.0.0.1/cb    nuxeo://authorize
grant_types = authorization_code jwt-bearer
scope = reports:read
auto_grant = true
""",
        environ={"OAUTH_SECRET": "m" * 40, "MYAPP_SECRET": "chosen by a person"},
    )
    assert settings.issuer == "https://api.example.com"
    assert settings.store == "sqlite:////srv/app/oauth.db"
    assert settings.secret == "m" * 40
    assert settings.access_token_lifetime == 900
    assert settings.protect == (
        Rule(path="/static/", access="public"),
        Rule(path="/reports/", method="GET", scope=Scope("reports:read", "reports:list")),
        Rule(path="/"),
    )
    assert settings.scopes == {"reports:read": "Read your reports", "reports:list": "List them"}
    (client,) = settings.clients
    assert (client.key, client.client_id, client.name) == ("myApp", "myApp", "My App")
    assert verify_secret("chosen by a person", client.secret_hash)
    assert client.redirect_uris == (
        "https://myapp.mydomain.com/nuxeo-auth-done?a;b,c",
        "http://127.0.0.1/cb",
        "nuxeo://authorize",
    )
    assert client.grant_types == ("authorization_code", "urn:ietf:params:oauth:grant-type:jwt-bearer")
    assert client.scope == "reports:read"
    assert client.auto_grant is True


def test_a_client_that_says_much(tmp_path):
    key = '{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}'
    (tmp_path / "app.jwks").write_text(key)
    (client,) = parse(
        MAIN
        + """\
[client:app]
jwks = file:app.jwks
redirect_uris = https://*.example.com/cb
redirect_uri_matching = wildcard
origins = https://a.example.com https://b.example.com:8443
    https://*.example.com
grant_types = authorization_code implicit device_code
unknown_scope = remove
token_endpoint_auth_method = private_key_jwt
resource_server = yes
consent = always
registration_required = yes
access_token_format = jwt
id_token_lifetime = 10m
id_token_signed_response_alg = EdDSA
generate_refresh_tokens = no
scope_handling = compatibility
subject_type = pairwise
sector_identifier = example.com
post_logout_redirect_uris = https://a.example.com/bye https://*.example.com/bye
logout_uri = https://a.example.com/ended
logout_behavior = redirect_only
backchannel_logout_uri = https://a.example.com/logged-out
device_verification_uri = https://a.example.com/tv
debug = yes
""",
        here=tmp_path,
    ).clients
    assert client == Client(
        key="app",
        client_id="app",
        jwks=key,
        redirect_uris=("https://*.example.com/cb",),
        redirect_uri_matching="wildcard",
        origins=("https://a.example.com", "https://b.example.com:8443", "https://*.example.com"),
        grant_types=("authorization_code", "implicit", "urn:ietf:params:oauth:grant-type:device_code"),
        unknown_scope="remove",
        token_endpoint_auth_method="private_key_jwt",
        resource_server=True,
        consent="always",
        registration_required=True,
        access_token_format="jwt",
        id_token_lifetime=600,
        id_token_signed_response_alg="EdDSA",
        generate_refresh_tokens=False,
        scope_handling="compatibility",
        subject_type="pairwise",
        sector_identifier="example.com",
        post_logout_redirect_uris=("https://a.example.com/bye", "https://*.example.com/bye"),
        logout_uri="https://a.example.com/ended",
        logout_behavior="redirect_only",
        backchannel_logout_uri="https://a.example.com/logged-out",
        device_verification_uri="https://a.example.com/tv",
        debug=True,
    )


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("jwks = {", "jwks: that is not a JWK Set (RFC 7517 section 5)"),
        ('jwks = {"keys": [{"kty": "oct", "k": "AAAA"}]}', "jwks: there is a private or secret key in it"),
        ("jwks_uri = http://a.example/", "jwks_uri: use https; http is for localhost only"),
        ("token_endpoint_auth_method = private_key_jwt", "token_endpoint_auth_method: private_key_jwt needs jwks"),
        ("token_endpoint_auth_method = basic", "token_endpoint_auth_method: use one of client_secret_basic, "),
        ("origins = https://a.example/", "origins: an origin is scheme, host in small letters, and port"),
        ("post_logout_redirect_uris = http://a.example/", "post_logout_redirect_uris: the URI must use https"),
        ("post_logout_redirect_uris = https://*.a.example/", "post_logout_redirect_uris: a * needs redirect_uri_match"),
        ("logout_uri = javascript:alert(1)", "logout_uri: use an https URL without user name and fragment"),
        ("backchannel_logout_uri = https://a.example/#x", "backchannel_logout_uri: use an https URL without user name"),
        ("device_verification_uri = http://a.example", "device_verification_uri: use https; http is for localhost"),
        ("id_token_signed_response_alg = HS256", "id_token_signed_response_alg: use one of RS256, PS256, ES256, EdDSA"),
        ("sector_identifier = https://a.example", "sector_identifier: use a host name in small letters"),
        ("subject_type = pairwise", "sector_identifier: redirect URIs at several hosts need a sector_identifier"),
        ("unknown_scope = drop", "unknown_scope: use one of reject, remove, allow"),
        ("old_secret_hashes = x", "unknown option 'old_secret_hashes'"),
    ],
)
def test_a_client_at_fault(said, fault):
    text = MAIN + "[client:a]\nredirect_uris = https://a.example/cb https://b.example/cb\n" + said
    (told,) = faults(text)
    line = 3 if said.startswith("subject_type") else 5
    assert told.startswith(f"oauth.ini:{line}: {fault}")


def test_a_secret_that_signs_is_long():
    text = MAIN + "[client:a]\nredirect_uris = https://a.example/cb\ntoken_endpoint_auth_method = client_secret_jwt\n"
    assert faults(text + "secret = short") == [
        "oauth.ini:6: secret: client_secret_jwt needs a secret of 32 bytes or more (RFC 7518 section 3.2)"
    ]
    assert parse(text + "secret = " + "x" * 32).clients[0].sealed_secret is not None


def test_a_grace_may_be_none():
    assert parse(MAIN + "refresh_token_grace = 0s").refresh_token_grace == 0
    (fault,) = faults(MAIN + "refresh_token_grace = x")
    assert fault.endswith("from 1s to 3650d")


def test_a_client_that_says_little_has_the_defaults_of_its_record():
    (client,) = parse(MAIN + "[client: web ]\nredirect_uris = https://a.example/").clients
    assert client == Client(key="web", client_id="web", redirect_uris=("https://a.example/",))


@pytest.mark.parametrize(
    ("written", "meant"), [("45s", 45), ("15m", 900), ("1h", 3600), ("30d", 2_592_000), ("90", 90), ("1 h", 3600)]
)
def test_durations(written, meant):
    assert parse(MAIN + f"code_lifetime = {written}").code_lifetime == meant


@pytest.mark.parametrize("written", ["", "0", "-1m", "1.5h", "1w", "1h30m", "3651d", "٣", "9" * 5000])
def test_bad_durations(written):
    (fault,) = faults(MAIN + f"code_lifetime = {written}")
    assert fault.startswith("oauth.ini:3: code_lifetime: use a duration such as 45s, 15m, 1h or 30d")


@pytest.mark.parametrize("written", ["true", "Yes", "ON", "1"])
def test_flags_that_are_on(written):
    assert parse(MAIN + f"allow_plain_pkce = {written}").allow_plain_pkce is True


@pytest.mark.parametrize("written", ["false", "no", "Off", "0"])
def test_flags_that_are_off(written):
    assert parse(MAIN + f"accept_query_token = {written}").accept_query_token is False


@pytest.mark.parametrize("written", ["", "ja", "2", "true false"])
def test_bad_flags(written):
    assert faults(MAIN + f"allow_plain_pkce = {written}") == ["oauth.ini:3: allow_plain_pkce: say true or false"]


@pytest.mark.parametrize("written", ["10.0.0.0/8 ::1", "10.0.0.0/8,::1", "10.0.0.0/8\n  ; why\n\n  ::1,"])
def test_lists(written):
    assert parse(MAIN + f"trusted_proxies = {written}").trusted_proxies == ("10.0.0.0/8", "::1")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("a;b", "a;b"), ("a#b", "a#b"), ("a # b", "a # b"), ("a ;b", "a"), ("a\t; b", "a"), ("a = b", "a = b")],
)
def test_comments_and_equals_signs_in_values(written, meant):
    assert parse(MAIN + f"realm = {written}").realm == meant


def test_a_hash_that_was_meant_as_a_comment_does_not_become_a_scope():
    assert faults(MAIN + "[protect]\n/ = reports:read # everybody") == [
        "oauth.ini:4: /: a comment at the end of a line starts with ' ;'"
    ]


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_breaks_and_the_byte_order_mark(tmp_path, line_break, mark):
    file = tmp_path / "oauth.ini"
    file.write_bytes(mark + line_break.join([*MAIN.splitlines(), "product = Zürich", "nothing"]).encode())
    with pytest.raises(ConfigError) as caught:
        ini.load(file)
    assert [problem.line for problem in caught.value.problems] == [4]


def test_options_may_be_indented_alike():
    settings = parse("[oauth_filter]\n  secret = " + "s" * 32 + "\n  realm = a\n[protect]\n\t/ = public\n")
    assert settings.realm == "a"
    assert settings.protect == (Rule(path="/", access="public"),)


def test_a_profile_sets_defaults_that_can_still_be_set():
    settings = parse(MAIN + "profile = nuxeo\ncode_lifetime = 2m")
    assert settings.allow_plain_pkce is True
    assert settings.code_lifetime == 120


def test_overrides_count_more_than_the_text():
    settings = parse(MAIN + "realm = a", overrides={"realm": "b", "store": "sqlite:///%(here)s/x"})
    assert (settings.realm, settings.store) == ("b", "sqlite:////srv/app/x")
    assert faults(MAIN, overrides={"relam": "b", "code_lifetime": "x"}) == [
        "oauth.ini: unknown option 'relam', did you mean 'realm'?",
        "oauth.ini: code_lifetime: use a duration such as 45s, 15m, 1h or 30d, from 1s to 3650d",
    ]


def test_every_fault_at_once_each_with_its_line():
    assert faults(
        """\
lost
[oauth_filter]
secret = env:UNSET
acess_token_lifetime = 1h
code_lifetime = soon
issuer = http://api.example.com
synchronous = MAYBE
login = nonsense
jwt_secret = short
[oauth_filter]
issuer = https://other.example
realm
[portect]
[protect]
/a/ = reports:red
/a/b = public
bad = public
[scopes]
reports:read = Read
"quoted" = No
[client:web]
redirect_uri = https://a.example
[client:app]
redirect_uris = https://ok.example/ http://evil.example/ https://x/#f javascript:alert(1) //x
grant_types = authorization_code passwort
pkce = never
scope = reports:write
[client:machine]
grant_types = client_credentials
[jwt_issuer:https://idp.example]
algorithm = none
[jwt_issuer:https://other.example]
public_key = ssh-rsa
"""
    ) == [
        "oauth.ini:1: text before the first [section]",
        "oauth.ini:3: secret: the environment variable UNSET is not set",
        "oauth.ini:4: unknown option 'acess_token_lifetime', did you mean 'access_token_lifetime'?",
        "oauth.ini:5: code_lifetime: use a duration such as 45s, 15m, 1h or 30d, from 1s to 3650d",
        "oauth.ini:6: issuer: use https; http is for localhost only (RFC 6749 section 3.1)",
        "oauth.ini:7: synchronous: use one of FULL, NORMAL",
        "oauth.ini:8: login: use directory, remote_user, application or package.module:callable",
        "oauth.ini:9: jwt_secret: 32 bytes or more are needed (RFC 7518 section 3.2)",
        "oauth.ini:10: section [oauth_filter] stands in line 2 already",
        "oauth.ini:11: 'issuer' stands in line 6 already",
        "oauth.ini:12: a line is 'option = value'; one that goes on with the value above is indented",
        "oauth.ini:13: unknown section [portect], did you mean 'protect'?",
        "oauth.ini:15: /a/: 'reports:red' is not in [scopes], did you mean 'reports:read'?",
        "oauth.ini:17: bad: a rule is '/path' or 'METHOD /path', and the path starts with '/'",
        "oauth.ini:20: a scope is printable ASCII without spaces, quotes and backslashes",
        "oauth.ini:21: redirect_uris: the authorization_code grant needs at least one redirect URI",
        "oauth.ini:22: unknown option 'redirect_uri', did you mean 'redirect_uris'?",
        "oauth.ini:24: redirect_uris: redirect_uri must use https; http is for localhost only",
        "oauth.ini:24: redirect_uris: redirect_uri must not have a fragment",
        "oauth.ini:24: redirect_uris: redirect_uri has a forbidden scheme",
        "oauth.ini:24: redirect_uris: redirect_uri must be an absolute URI",
        "oauth.ini:25: grant_types: the grant types are " + ", ".join(name.split(":")[-1] for name in GRANT_TYPES),
        "oauth.ini:26: pkce: use one of required, required_unless_client_authentication, optional",
        "oauth.ini:27: scope: 'reports:write' is not in [scopes], did you mean 'reports:read'?",
        "oauth.ini:29: grant_types: client_credentials needs a secret (RFC 6749 section 4.4)",
        "oauth.ini:31: algorithm: use one of HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, "
        "ES256, ES384, ES512, EdDSA, Ed25519",
        "oauth.ini:33: public_key: that is not a public key as PEM text",
    ]


def test_our_own_scopes_need_not_stand_in_scopes():
    ours = "openid offline_access profile email address phone oauth2:admin"
    sections = f"[scopes]\nread = Read\n[protect]\n/mail = email\n[client:a]\nredirect_uris = a:b\nscope = read {ours}"
    (client,) = parse(MAIN + sections).clients
    assert client.scope == f"read {ours}"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "oauth.ini: secret: 32 characters or more are needed; `oauth-filter init` makes a secret"),
        (MAIN + "[client]", "oauth.ini:3: unknown section [client], did you mean 'client:NAME'?"),
        (MAIN + "[clients:a]", "oauth.ini:3: unknown section [clients:a], did you mean 'client:a'?"),
        (MAIN + "[protect:a]", "oauth.ini:3: unknown section [protect:a], did you mean 'protect'?"),
        (MAIN + "[]", "oauth.ini:3: unknown section []"),
        (MAIN + "[scopes] more", "oauth.ini:3: a section is written [name], on a line of its own"),
        (
            MAIN + "[jwt_issuer:]\nalgorithm = HS256\nsecret = " + "x" * 32,
            "oauth.ini:3: a section of this kind is named for the iss",
        ),
        (MAIN + "= value", "oauth.ini:3: a line is 'option = value'"),
        (MAIN + "Realm = x", "oauth.ini:3: unknown option 'Realm', did you mean 'realm'?"),
        (MAIN + "realm = a\n b", "oauth.ini:3: realm: write it on one line, without control characters"),
        (MAIN + "realm = %(there)s", "oauth.ini:3: realm: %(there)s is not known, only %(here)s"),
        (MAIN + "realm = env:A B", "oauth.ini:3: realm: after env: comes the name of an environment variable"),
        (MAIN + "realm = env:EMPTY", "oauth.ini:3: realm: the environment variable EMPTY is not set"),
        (MAIN + "profile = nuxoe", "oauth.ini:3: profile: use one of default, nuxeo"),
        (MAIN + "[client:é]\nredirect_uris = a:b", "oauth.ini:3: client_id: use 1 to 255 printable ASCII characters"),
        (MAIN + "[client:a]\nredirect_uris = a:b\nsecret =", "oauth.ini:5: secret: a secret has 1 to 1024 characters"),
        (MAIN + '[client:a]\nredirect_uris = a:b\nscope = "x"', "oauth.ini:5: scope: not a scope-token"),
        (
            MAIN + "[jwt_issuer:a]",
            "oauth.ini:3: jwt_issuer:a: give exactly one of secret, public_key, jwks and jwks_uri",
        ),
        (MAIN + "[jwt_issuer:a]\njwks = {", "oauth.ini:4: jwks: that is not a JWK Set"),
        (MAIN + "[jwt_issuer:a]\njwks_uri = https://[", "oauth.ini:3: jwt_issuer:a: fetch keys over https"),
        (MAIN + "[jwt_issuer:a]\njwks_uri = http://idp.example/", "oauth.ini:3: jwt_issuer:a: fetch keys over https"),
    ],
)
def test_one_fault(text, fault):
    (said,) = faults(text, environ={"EMPTY": ""})
    assert said.startswith(fault)


@pytest.mark.parametrize(
    ("first", "second"),
    [("/", "/a"), ("/a/", "/a"), ("/a/", "GET /a/b/"), ("GET /a", "HEAD /a"), ("get /a", "GET /a")],
)
def test_a_rule_that_is_never_reached(first, second):
    assert faults(MAIN + f"[protect]\n/x = public\n{first} = authenticated\n{second} = public") == [
        f"oauth.ini:6: {second}: this is never reached, the rule in line 5 matches first"
    ]


@pytest.mark.parametrize(
    ("first", "second"), [("/a", "/a/"), ("/a/", "/ab"), ("GET /", "/a"), ("HEAD /a", "GET /a"), ("/a/b", "/a")]
)
def test_a_rule_that_is_reached_by_some_requests(first, second):
    assert len(parse(MAIN + f"[protect]\n{first} = authenticated\n{second} = public").protect) == 2


def test_a_jwt_issuer_with_its_key_in_the_ini():
    settings = parse(
        MAIN
        + """\
[jwt_issuer:https://idp.example/]
algorithm = EdDSA
public_key =
    -----BEGIN PUBLIC KEY-----
    MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
    -----END PUBLIC KEY-----
[jwt_issuer:other]
algorithm = EdDSA
jwks = {"keys": [
    {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}
"""
    )
    assert [issuer.issuer for issuer in settings.jwt_issuers] == ["https://idp.example/", "other"]
    assert [key_fault(issuer) for issuer in settings.jwt_issuers] == [None, None]


def test_scopes_are_free_where_unknown_ones_are_allowed():
    text = MAIN + "unknown_scope = allow\n[scopes]\na = A\n[protect]\n/ = file:read"
    assert parse(text).protect[0].scope == {"file:read"}


def test_a_scope_that_looks_like_a_file_is_a_scope():
    text = MAIN + "[client:a]\nredirect_uris = https://a.example/\nscope = file:read"
    assert parse(text).clients[0].scope == "file:read"


class TestFiles:
    def write(self, path, content, mode=0o600):
        path.write_bytes(content)
        path.chmod(mode)

    @pytest.mark.parametrize(
        ("content", "meant"),
        [(b"m" * 40 + b"\n", "m" * 40), (b"m" * 40 + b"\r\n", "m" * 40), (b"\xef\xbb\xbf" + b"m" * 40, "m" * 40)],
    )
    def test_a_secret_in_a_file_beside_the_ini(self, tmp_path, content, meant):
        self.write(tmp_path / "oauth.secret", content)
        (tmp_path / "oauth.ini").write_text("[oauth_filter]\nsecret = file:oauth.secret")
        assert ini.load(str(tmp_path / "oauth.ini")).secret == meant

    @pytest.mark.parametrize("mode", [0o644, 0o604, 0o602])
    def test_a_secret_everybody_can_read_or_change_is_refused(self, tmp_path, mode):
        self.write(tmp_path / "oauth.secret", b"m" * 40, mode)
        (said,) = faults("[oauth_filter]\nsecret = file:%(here)s/oauth.secret", here=tmp_path)
        assert said.startswith("oauth.ini:2: secret: every user of this machine can read or change")

    def test_a_group_may_read_a_secret_and_everybody_a_realm(self, tmp_path):
        self.write(tmp_path / "oauth.secret", b"m" * 40, 0o640)
        self.write(tmp_path / "realm", b"theirs", 0o644)
        settings = parse("[oauth_filter]\nsecret = file:oauth.secret\nrealm = file:realm", here=tmp_path)
        assert (settings.secret, settings.realm) == ("m" * 40, "theirs")

    @pytest.mark.parametrize(
        ("content", "fault"),
        [
            (None, "cannot be read: No such file or directory"),
            (b"\xff" * 40, "is not UTF-8 text"),
            (b"\n", "is empty"),
            (b"x" * (1 << 20) + b"x", "is larger than 1048576 bytes"),
            (b"x" * 40 + b"\n\n", "write it on one line, without control characters"),
        ],
    )
    def test_files_that_cannot_be_used(self, tmp_path, content, fault):
        if content is not None:
            self.write(tmp_path / "oauth.secret", content)
        (said,) = faults("[oauth_filter]\nsecret = file:oauth.secret", here=tmp_path)
        assert said.startswith("oauth.ini:2: secret: ")
        assert said.endswith(fault)

    def test_a_folder_is_not_a_file(self, tmp_path):
        (said,) = faults(MAIN + "realm = file:.", here=tmp_path)
        assert said.endswith("cannot be read: Is a directory")

    def test_what_a_file_or_variable_says_is_taken_as_it_stands(self, tmp_path):
        self.write(tmp_path / "realm", b"env:HOME %(here)s")
        assert parse(MAIN + "realm = file:realm", here=tmp_path).realm == "env:HOME %(here)s"

    def test_an_ini_that_is_not_there(self, tmp_path):
        with pytest.raises(ConfigError) as caught:
            ini.load(tmp_path / "oauth.ini")
        assert str(caught.value) == f"{tmp_path / 'oauth.ini'}: cannot be read: No such file or directory"

    def test_an_ini_that_is_not_text(self, tmp_path):
        (tmp_path / "oauth.ini").write_bytes(b"[oauth_filter]\nrealm = Z\xfcrich\n")
        with pytest.raises(ConfigError) as caught:
            ini.load(tmp_path / "oauth.ini")
        assert str(caught.value) == f"{tmp_path / 'oauth.ini'}:2: this is not UTF-8 text"

    def test_the_folder_of_a_relative_path(self, tmp_path, monkeypatch):
        (tmp_path / "oauth.ini").write_text(MAIN + "realm = %(here)s")
        monkeypatch.chdir(tmp_path)
        assert ini.load("oauth.ini").realm == os.getcwd()


@pytest.mark.promise(5)
def test_faults_do_not_repeat_values():
    secret = "hunter2"
    text = (
        f"{secret}\n[oauth_filter]\nsecret = {secret}\njwt_secret = {secret}\ncode_lifetime = {secret}\n"
        f"store = {secret}\n {secret}\nallow_plain_pkce = {secret}\nlogin = {secret}!\n{secret}\n"
        f"[client:a]\nsecret = {secret * 1000}\nredirect_uris = {secret}\ngrant_types = {secret}\npkce = {secret}\n"
        f"[jwt_issuer:a]\nalgorithm = HS256\nsecret = {secret}\n"
        f"[jwt_issuer:b]\npublic_key = {secret}\n[jwt_issuer:c]\njwks = {secret}\n"
    )
    said = faults(text)
    assert len(said) == 15
    assert secret not in "\n".join(said)


def test_the_grant_types_of_a_client_are_those_there_are():
    text = MAIN + "[client:a]\nsecret = s\nredirect_uris = https://a.example/\ngrant_types = " + " ".join(GRANT_TYPES)
    assert parse(text).clients[0].grant_types == GRANT_TYPES


@given(strategies.text(alphabet=strategies.sampled_from("[]=;#:% \t\r\n\0\x85\u2028ab/é") | strategies.characters()))
def test_no_text_raises_anything_but_config_error(text):
    for before in (
        "",
        MAIN,
        MAIN + "[protect]\n",
        MAIN + "[client:a]\nname=",
        MAIN + "[jwt_issuer:a]\njwks=",
        MAIN + "store=",
    ):
        with contextlib.suppress(ConfigError):
            parse(before + text)
