"""JWT assertions judged by keys of their issuer, whatever they say of themselves."""

import base64
import datetime
import hmac
import json
import threading
import time
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import ed448
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import NoEncryption
from cryptography.hazmat.primitives.serialization import PrivateFormat
from cryptography.hazmat.primitives.serialization import PublicFormat
from hypothesis import given
from hypothesis import strategies
from jwt.algorithms import get_default_algorithms

from oauth_filter.errors import OAuthError
from oauth_filter.settings import PROFILES
from oauth_filter.settings import JWTIssuer
from oauth_filter.settings import Settings
from oauth_filter.signing import key_fault
from oauth_filter.signing import verify_assertion
from oauth_filter.signing.fetching import MAX_CONTENT

pytestmark = pytest.mark.promise(11)

NOW = 1_700_000_000.0
OURS = "https://api.example.com"
IDP = "https://idp.example"
JWT_SECRET = "a secret that two servers share, with sixty-four bytes or more of it"
CLAIMS = {"iss": IDP, "sub": "alice", "aud": OURS, "exp": NOW + 300, "iat": NOW, "jti": "1"}


@cache
def private_key(algorithm):
    """One key for each family; generating RSA keys takes a moment."""
    match algorithm:
        case "ES256":
            return ec.generate_private_key(ec.SECP256R1())
        case "ES384":
            return ec.generate_private_key(ec.SECP384R1())
        case "ES512":
            return ec.generate_private_key(ec.SECP521R1())
        case "EdDSA":
            return ed25519.Ed25519PrivateKey.generate()
        case "Ed448":
            return ed448.Ed448PrivateKey.generate()
        case "RSA":
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)
        case "weak":
            return rsa.generate_private_key(public_exponent=65537, key_size=1024)
    return private_key("RSA")


def pem(algorithm):
    return private_key(algorithm).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def jwk(algorithm, **more):
    to_jwk = get_default_algorithms()[algorithm].to_jwk
    return {k: v for k, v in to_jwk(private_key(algorithm).public_key(), as_dict=True).items() if k != "key_ops"} | more


def jwks(*keys):
    return json.dumps({"keys": list(keys)})


def sign(algorithm="ES256", header=None, key=None, **claims):
    """An assertion with `CLAIMS`, changed; a claim of None is left out."""
    claims = {name: value for name, value in (CLAIMS | claims).items() if value is not None}
    return jwt.encode(claims, key or private_key(algorithm), algorithm=algorithm, headers=header)


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def by_hand(header, claims, secret=JWT_SECRET):
    """An HS512 assertion of whatever bytes: no library refuses to make it."""
    signed = ".".join(b64(part if isinstance(part, bytes) else json.dumps(part).encode()) for part in (header, claims))
    return f"{signed}.{b64(hmac.digest(secret.encode(), signed.encode(), 'sha512'))}"


def settings(*issuers, **options):
    return Settings(secret="s" * 32, issuer=OURS, jwt_issuers=issuers, **options)


def es256(**key):
    return settings(JWTIssuer(issuer=IDP, algorithm="ES256", **(key or {"public_key": pem("ES256")})))


SHARED = {"jwt_secret": JWT_SECRET}


def refusal(assertion, of, now=NOW):
    with pytest.raises(OAuthError) as caught:
        verify_assertion(assertion, settings=of, now=now)
    return caught.value


def reason(assertion, of, now=NOW):
    error = refusal(assertion, of, now)
    assert (error.code, error.status) == ("invalid_grant", 400)
    return error.reason


class TestAlgorithms:
    @pytest.mark.rfc("7523", "3")
    @pytest.mark.parametrize(
        "algorithm",
        ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"],
    )
    def test_public_keys(self, algorithm):
        ours = settings(JWTIssuer(issuer=IDP, algorithm=algorithm, public_key=pem(algorithm)))
        assertion = verify_assertion(sign(algorithm), settings=ours, now=NOW)
        assert (assertion.issuer, assertion.subject, assertion.jti) == (IDP, "alice", "1")
        signed, _, signature = sign(algorithm).rpartition(".")
        forged = signature[:20] + ("A" if signature[20] != "A" else "B") + signature[21:]
        assert reason(f"{signed}.{forged}", ours) == "assertion_signature"
        changed = sign(algorithm, sub="mallory").rpartition(".")[0]
        assert reason(f"{changed}.{signature}", ours) == "assertion_signature"

    @pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
    def test_shared_secrets(self, algorithm):
        ours = settings(JWTIssuer(issuer=IDP, algorithm=algorithm, secret=JWT_SECRET))
        assert verify_assertion(sign(algorithm, key=JWT_SECRET), settings=ours, now=NOW).subject == "alice"
        assert reason(sign(algorithm, key=JWT_SECRET + "!"), ours) == "assertion_signature"

    def test_the_shortest_secret_there_may_be(self):
        ours = settings(jwt_secret="x" * 32)
        assertion = by_hand({"alg": "HS512"}, CLAIMS, secret="x" * 32)
        assert verify_assertion(assertion, settings=ours, now=NOW).subject == "alice"

    def test_a_certificate_is_a_public_key_with_words_around_it(self):
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "idp.example")])
        certificate = (
            x509.CertificateBuilder(name, name, private_key("RSA").public_key(), 1)
            .not_valid_before(datetime.datetime(2020, 1, 1))
            .not_valid_after(datetime.datetime(2020, 1, 2))
            .sign(private_key("RSA"), hashes.SHA256())
        )
        text = certificate.public_bytes(Encoding.PEM).decode()
        ours = settings(JWTIssuer(issuer=IDP, algorithm="PS256", public_key=text))
        assert verify_assertion(sign("PS256"), settings=ours, now=NOW).subject == "alice"

    def test_ed448(self):
        ours = settings(JWTIssuer(issuer=IDP, algorithm="EdDSA", public_key=pem("Ed448")))
        assert verify_assertion(sign("EdDSA", key=private_key("Ed448")), settings=ours, now=NOW).subject == "alice"

    @pytest.mark.rfc("7515", "A.3")
    def test_the_example_of_the_rfc(self):
        key = {
            "kty": "EC",
            "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        }
        example = (
            "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
            "cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
        )
        ours = settings(JWTIssuer(issuer="joe", algorithm="ES256", jwks=jwks(key)))
        # It names no audience; to be told so, its signature must have been found good.
        assert reason(example, ours, now=1300819379) == "assertion_without_audience"
        assert reason(example.replace("DtEhU", "DtEhV"), ours, now=1300819379) == "assertion_signature"

    @pytest.mark.rfc("8725", "3.1")
    @pytest.mark.parametrize("claimed", ["HS256", "HS512", "RS512", "PS256", "none", "None", "", "ES256"])
    def test_the_algorithm_is_the_issuers(self, claimed):
        ours = settings(JWTIssuer(issuer=IDP, algorithm="RS256", public_key=pem("RSA")))
        signed = f"{b64(json.dumps({'alg': claimed}).encode())}.{b64(json.dumps(CLAIMS).encode())}"
        # The classic: the public key, which everybody has, as the secret of an HMAC.
        for digest in ("sha256", "sha512"):
            signature = b64(hmac.digest(pem("RSA").encode(), signed.encode(), digest))
            assert reason(f"{signed}.{signature}", ours) == "assertion_algorithm"

    @pytest.mark.rfc("8725", "3.2")
    @pytest.mark.parametrize("signature", ["", "AA"])
    def test_none(self, signature):
        unsigned = f"{b64(json.dumps({'alg': 'none'}).encode())}.{b64(json.dumps(CLAIMS).encode())}.{signature}"
        ours = settings(**SHARED)
        assert reason(unsigned, ours) == ("assertion_algorithm" if signature else "assertion_malformed")

    def test_one_issuer_cannot_speak_for_another(self):
        ours = settings(
            JWTIssuer(issuer=IDP, algorithm="ES256", public_key=pem("ES256")),
            JWTIssuer(issuer="other", algorithm="ES384", public_key=pem("ES384")),
            **SHARED,
        )
        assert reason(sign("ES384", iss=IDP), ours) == "assertion_algorithm"
        # Whoever knows jwt_secret may not use the name of an issuer that has keys of its own.
        assert reason(sign("HS512", key=JWT_SECRET, iss=IDP), ours) == "assertion_algorithm"


class TestHeader:
    @pytest.mark.rfc("7515", "4.1.11")
    @pytest.mark.parametrize(
        "more",
        [
            {"crit": ["exp"], "exp": 1},
            {"crit": []},
            {"crit": None},
            {"b64": False},
            {"jku": "https://evil.example/jwks"},
            {"jwk": {"kty": "oct", "k": "AAAA"}},
            {"x5u": "https://evil.example/cert"},
            {"x5c": ["AAAA"]},
            {"kid": 7},
            {"kid": None},
            {"typ": 7},
            {"typ": "at+jwt"},
            {"typ": "logout+jwt"},
        ],
    )
    def test_what_is_not_accepted(self, more):
        assertion = by_hand({"alg": "HS512"} | more, CLAIMS)
        assert reason(assertion, settings(**SHARED)) == "assertion_header"

    @pytest.mark.parametrize("more", [{}, {"typ": "JWT"}, {"typ": "jwt"}, {"kid": "any"}, {"x5t": "AAAA"}, {"x": 1}])
    def test_what_is_passed_over(self, more):
        assertion = by_hand({"alg": "HS512"} | more, CLAIMS)
        assert verify_assertion(assertion, settings=settings(**SHARED), now=NOW).subject == "alice"

    @pytest.mark.parametrize(
        "header",
        [
            b"",
            b"[]",
            b"null",
            b'"alg"',
            b"{",
            b"\xff{}",
            b'{"alg":"HS512","alg":"none"}',
            b'{"alg":"HS512"} {}',
            b'{"a":' * 3000,
            b"[" * 11000,
            '{"alg":"HS512"}'.encode("utf-16"),
            b'{"alg":"HS512","x":NaN}',
            b'{"alg":"HS512","x":' + b"9" * 5000 + b"}",
        ],
    )
    def test_what_is_not_json(self, header):
        assert reason(by_hand(header, CLAIMS), settings(**SHARED)) == "assertion_malformed"

    @pytest.mark.parametrize(
        "claims",
        [b"", b"[]", b"{}x", b"\xff", b'{"sub":"alice","sub":"bob"}', b'{"exp":Infinity}', b'{"a":' + b"[" * 9000],
    )
    def test_claims_that_are_not_json(self, claims):
        assert reason(by_hand({"alg": "HS512"}, claims), settings(**SHARED)) == "assertion_malformed"

    @pytest.mark.parametrize(
        "assertion",
        [
            "",
            ".",
            "..",
            "a.b.c",
            "A.B.C",
            "a.b",
            "a.b.c.d",
            "a.b.c.d.e",
            "a b.c.d",
            "é.b.c",
            "\0.\0.\0",
            "\ud800",
            "e30=.e30=.AA==",
            "e30.e30.AA\n",
            "x" * 100_000,
        ],
    )
    def test_what_is_not_a_jwt(self, assertion):
        assert reason(assertion, settings(**SHARED)) == "assertion_malformed"

    def test_the_longest_that_is_read(self):
        fits = sign("HS512", key=JWT_SECRET, padding="x" * 10_000)
        assert verify_assertion(fits, settings=settings(**SHARED), now=NOW).subject == "alice"
        assert reason(sign("HS512", key=JWT_SECRET, padding="x" * 13_000), settings(**SHARED)) == "assertion_malformed"


class TestClaims:
    @pytest.mark.rfc("7523", "3")
    @pytest.mark.parametrize("name", ["iss", "sub", "jti"])
    @pytest.mark.parametrize("value", ["", 7, True, ["alice"], {"a": 1}, "a\0b", "a\nb", "\ud800"])
    def test_texts(self, name, value):
        assert reason(by_hand({"alg": "HS512"}, CLAIMS | {name: value}), settings(**SHARED)) == "assertion_claims"

    @pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
    @pytest.mark.parametrize(
        "value", [b'"1700000300"', b"true", b"null", b"[1]", b"-1", b"1e999", b"1e300", b"9" * 400, b"{}", b"-1e999"]
    )
    def test_times(self, name, value):
        claims = json.dumps({k: v for k, v in CLAIMS.items() if k != name}).encode()[:-1]
        assertion = by_hand({"alg": "HS512"}, claims + b',"' + name.encode() + b'":' + value + b"}")
        assert reason(assertion, settings(**SHARED)) == "assertion_claims"

    @pytest.mark.parametrize(
        ("missing", "why"),
        [
            ("iss", "assertion_claims"),
            ("sub", "assertion_claims"),
            ("aud", "assertion_without_audience"),
            ("exp", "assertion_without_expiry"),
            ("jti", "assertion_without_jti"),
        ],
    )
    def test_what_must_be_there(self, missing, why):
        assert reason(sign(**{missing: None}), es256()) == why

    def test_iat_and_nbf_need_not_be_there(self):
        assert verify_assertion(sign(iat=None), settings=es256(), now=NOW).subject == "alice"

    @pytest.mark.rfc("7519", "4.1.3")
    @pytest.mark.parametrize("audience", [OURS, f"{OURS}/oauth2/token", [OURS], ["https://other.example", OURS]])
    def test_audiences_that_are_us(self, audience):
        assert verify_assertion(sign(aud=audience), settings=es256(), now=NOW).subject == "alice"

    @pytest.mark.rfc("7519", "4.1.3")
    @pytest.mark.parametrize("require", [True, False])
    @pytest.mark.parametrize(
        "audience",
        ["", "https://other.example", OURS + "/", OURS.upper(), [], [""], ["x"], [OURS, 7], {OURS: 1}, 7, True],
    )
    def test_audiences_that_are_not(self, audience, require):
        ours = settings(**SHARED, jwt_require_aud=require)
        assert reason(by_hand({"alg": "HS512"}, CLAIMS | {"aud": audience}), ours) == "assertion_audience"

    @pytest.mark.parametrize(
        ("claims", "why"),
        [
            ({"exp": NOW - 9}, None),
            ({"exp": NOW - 10}, "assertion_expired"),
            ({"exp": NOW - 9.5}, None),
            ({"iat": NOW + 10, "exp": NOW + 20}, None),
            ({"iat": NOW + 11, "exp": NOW + 20}, "assertion_not_yet_valid"),
            ({"nbf": NOW + 10}, None),
            ({"nbf": NOW + 11}, "assertion_not_yet_valid"),
            ({"exp": NOW + 3600}, None),
            ({"exp": NOW + 3611}, "assertion_lifetime"),
            ({"iat": None, "exp": NOW + 3611}, "assertion_lifetime"),
            ({"iat": NOW - 3300, "exp": NOW + 311}, "assertion_lifetime"),
            ({"iat": None, "exp": NOW * 1000}, "assertion_lifetime"),
        ],
    )
    def test_when_it_is_good(self, claims, why):
        if why is None:
            assert verify_assertion(sign(**claims), settings=es256(), now=NOW).subject == "alice"
        else:
            assert reason(sign(**claims), es256()) == why

    def test_it_must_be_remembered_for_longer_than_it_is_good(self):
        assertion = verify_assertion(sign(), settings=es256(), now=NOW)
        assert reason(sign(), es256(), now=assertion.expires_at - 1) == "assertion_expired"

    def test_the_longest_lifetime_is_a_setting(self):
        ours = settings(**SHARED, jwt_max_lifetime=60)
        assert reason(sign("HS512", key=JWT_SECRET), ours) == "assertion_lifetime"


class TestReplayKey:
    def key(self, assertion, of=None):
        return verify_assertion(assertion, settings=of or settings(**SHARED, jwt_require_jti=False), now=NOW).replay_key

    def test_a_jti_is_known_again_whatever_else_changes(self):
        assert self.key(by_hand({"alg": "HS512"}, CLAIMS)) == self.key(
            by_hand({"alg": "HS512", "kid": "x"}, CLAIMS | {"exp": NOW + 400})
        )

    def test_a_jti_belongs_to_its_issuer(self):
        keys = {
            self.key(by_hand({"alg": "HS512"}, CLAIMS | {"iss": issuer, "jti": jti}))
            for issuer, jti in [("a", "bc"), ("ab", "c"), ("a", "b:c"), ("a:b", "c")]
        }
        assert len(keys) == 4

    def test_without_a_jti_a_signature_written_otherwise_is_no_new_assertion(self):
        claims = {name: value for name, value in CLAIMS.items() if name != "jti"}
        assertion = by_hand({"alg": "HS512"}, claims)
        # 64 bytes are 86 characters, of which the last has 4 bits that nobody reads.
        last = assertion[-1]
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        twin = assertion[:-1] + alphabet[alphabet.index(last) ^ 1]
        assert twin != assertion
        assert self.key(twin) == self.key(assertion)
        assert self.key(by_hand({"alg": "HS512"}, claims | {"iat": NOW - 1})) != self.key(assertion)


class TestSharedSecret:
    """`jwt_secret`, as Nuxeo has it."""

    nuxeo = settings(profile="nuxeo", **PROFILES["nuxeo"], **SHARED)

    def test_the_token_of_nuxeos_guide(self):
        issued_at = 1580401280
        token = by_hand(b'{"alg":"HS512","typ":"JWT"}', b'{"iss":"nuxeo","sub":"Administrator","iat":%d}' % issued_at)
        assertion = verify_assertion(token, settings=self.nuxeo, now=issued_at + 5)
        assert (assertion.issuer, assertion.subject, assertion.jti) == ("nuxeo", "Administrator", None)
        assert assertion.expires_at >= issued_at + 3600
        assert reason(token, self.nuxeo, now=issued_at + 3610) == "assertion_expired"
        assert reason(token, settings(**SHARED), now=issued_at + 5) == "assertion_without_audience"

    def test_without_any_time_it_would_be_good_forever(self):
        token = by_hand({"alg": "HS512"}, {"iss": "nuxeo", "sub": "Administrator"})
        assert reason(token, self.nuxeo) == "assertion_without_expiry"

    def test_the_issuer_may_be_named(self):
        ours = settings(**SHARED, jwt_issuer="nuxeo")
        assert verify_assertion(sign("HS512", key=JWT_SECRET, iss="nuxeo"), settings=ours, now=NOW).issuer == "nuxeo"
        assert reason(sign("HS512", key=JWT_SECRET), ours) == "assertion_unknown_issuer"

    def test_without_a_secret_and_issuers_nobody_is_trusted(self):
        assert reason(sign(), settings()) == "assertion_unknown_issuer"


class TestKeySets:
    def test_the_kid_selects(self):
        other = ec.generate_private_key(ec.SECP256R1())
        other_jwk = get_default_algorithms()["ES256"].to_jwk(other.public_key(), as_dict=True) | {"kid": "b"}
        ours = es256(jwks=jwks(jwk("ES256", kid="a"), other_jwk, jwk("RS256", kid="c")))
        assert verify_assertion(sign(header={"kid": "a"}), settings=ours, now=NOW).subject == "alice"
        assert verify_assertion(sign(header={"kid": "b"}, key=other), settings=ours, now=NOW).subject == "alice"
        assert reason(sign(header={"kid": "b"}), ours) == "assertion_signature"
        assert reason(sign(header={"kid": "c"}), ours) == "assertion_unknown_key"
        assert reason(sign(header={"kid": "d"}), ours) == "assertion_unknown_key"
        assert reason(sign(), ours) == "assertion_unknown_key"

    def test_one_key_needs_no_kid(self):
        ours = es256(jwks=jwks(jwk("ES256", kid="a"), jwk("RS256", kid="c")))
        assert verify_assertion(sign(), settings=ours, now=NOW).subject == "alice"

    @pytest.mark.rfc("7517", "4.2")
    @pytest.mark.parametrize(
        "key",
        [
            {"use": "enc"},
            {"key_ops": ["encrypt"]},
            {"key_ops": "verify"},
            {"alg": "ES384"},
            {"alg": 7},
            {"kty": "oct", "k": "AAAA"},
            {"kty": "RSA"},
            {"crv": "P-384"},
            {"crv": None},
            {"x": "AAAA"},
            {"x": 7},
            {"y": None},
            {"x": "é"},
            {"d": "AAAA"},
        ],
    )
    def test_keys_that_are_passed_over(self, key):
        issuer = JWTIssuer(issuer=IDP, algorithm="ES256", jwks=jwks(jwk("ES256") | key, 7, None, [], {}))
        assert key_fault(issuer) == "the JWK Set has no public key for ES256"

    @pytest.mark.parametrize(
        "text", ["", "[]", "{}", '{"keys":{}}', '{"keys":7}', "{", "[" * 9000, '{"keys":[],"keys":[]}']
    )
    def test_what_is_no_key_set(self, text):
        issuer = JWTIssuer(issuer=IDP, algorithm="ES256", jwks=text)
        assert key_fault(issuer) == "that is not a JWK Set (RFC 7517 section 5)"

    @pytest.mark.parametrize(
        ("algorithm", "key", "fault"),
        [
            ("RS256", "ES256", "the key is not one for RS256"),
            ("ES256", "RSA", "the key is not one for ES256"),
            ("ES256", "ES384", "the key is not one for ES256"),
            ("EdDSA", "ES256", "the key is not one for EdDSA"),
            ("PS512", "weak", "an RSA key has 2048 bits or more (RFC 7518 section 3.3)"),
            ("RS256", "RSA", None),
        ],
    )
    def test_a_key_that_does_not_fit(self, algorithm, key, fault):
        assert key_fault(JWTIssuer(issuer=IDP, algorithm=algorithm, public_key=pem(key))) == fault

    def test_a_private_key_has_no_business_here(self):
        text = private_key("ES256").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        fault = key_fault(JWTIssuer(issuer=IDP, algorithm="ES256", public_key=text))
        assert fault == "that is a private key; only the issuer may have it: give the public one"

    def test_a_public_key_is_no_secret(self):
        fault = key_fault(JWTIssuer(issuer=IDP, algorithm="HS256", secret=pem("RSA")))
        assert fault == "the secret looks like a public key, which everybody knows"

    def test_a_secret_is_no_public_key(self):
        fault = key_fault(JWTIssuer(issuer=IDP, algorithm="RS256", secret=JWT_SECRET))
        assert fault == "a secret does not fit RS256"

    @pytest.mark.parametrize(
        "text", ["", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "BEGIN CERTIFICATE"]
    )
    def test_what_is_no_pem(self, text):
        fault = key_fault(JWTIssuer(issuer=IDP, algorithm="RS256", public_key=text))
        assert fault == "that is not a public key as PEM text"

    @given(strategies.binary(max_size=200) | strategies.text().map(str.encode))
    def test_no_key_set_crashes(self, content):
        assert key_fault(JWTIssuer(issuer=IDP, algorithm="ES256", jwks=content.decode("latin-1"))) is not None


@contextmanager
def served(answer):
    """A server on this machine that answers with `answer(handler)`; yields its JWKS address and the paths asked for."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            answer(self)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/jwks", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def reply(handler, body, status=200, **header):
    handler.send_response(status)
    for name, value in header.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body if isinstance(body, bytes) else body.encode())


class TestFetchedKeys:
    def test_kept_for_five_minutes(self):
        with served(lambda handler: reply(handler, jwks(jwk("ES256", kid="a")))) as (uri, asked):
            ours = es256(jwks_uri=uri)
            for later in (0, 100, 299):
                at = NOW + later
                assertion = sign(header={"kid": "a"}, iat=at, exp=at + 60)
                assert verify_assertion(assertion, settings=ours, now=at).subject == "alice"
            assert asked == ["/jwks"]
            assert verify_assertion(sign(exp=NOW + 600), settings=ours, now=NOW + 300).subject == "alice"
            assert asked == ["/jwks"] * 2

    def test_an_unknown_kid_asks_again_but_not_often(self):
        published = [jwk("ES256", kid="old")]
        with served(lambda handler: reply(handler, jwks(*published))) as (uri, asked):
            ours = es256(jwks_uri=uri)
            assert verify_assertion(sign(header={"kid": "old"}), settings=ours, now=NOW).subject == "alice"
            published.append(jwk("ES256", kid="new"))
            for invented in range(20):
                assert reason(sign(header={"kid": f"x{invented}"}), ours, now=NOW + 29) == "assertion_unknown_key"
            assert asked == ["/jwks"]
            assert verify_assertion(sign(header={"kid": "new"}), settings=ours, now=NOW + 30).subject == "alice"
            assert asked == ["/jwks"] * 2

    def test_a_withdrawn_key_is_forgotten(self):
        published = [jwk("ES256", kid="a")]
        with served(lambda handler: reply(handler, jwks(*published))) as (uri, _):
            ours = es256(jwks_uri=uri)
            assert verify_assertion(sign(header={"kid": "a"}, exp=NOW + 600), settings=ours, now=NOW).subject == "alice"
            published[0] = jwk("ES256", kid="b")
            assert reason(sign(header={"kid": "a"}, exp=NOW + 600), ours, now=NOW + 301) == "assertion_unknown_key"

    def test_many_at_once_ask_once(self):
        with served(lambda handler: reply(handler, jwks(jwk("ES256")))) as (uri, asked):
            ours, subjects = es256(jwks_uri=uri), []
            at_once = threading.Barrier(8)

            def ask():
                at_once.wait()
                subjects.append(verify_assertion(sign(), settings=ours, now=NOW).subject)

            threads = [threading.Thread(target=ask) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert subjects == ["alice"] * 8
            assert asked == ["/jwks"]

    def unavailable(self, ours, now=NOW):
        error = refusal(sign(), ours, now)
        assert (error.code, error.status, error.reason) == ("temporarily_unavailable", 503, "issuer_keys_unavailable")

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_redirects_are_not_followed(self, status):
        def answer(handler):
            if handler.path == "/jwks":
                reply(handler, "", status, Location="/elsewhere")
            else:
                reply(handler, jwks(jwk("ES256")))

        with served(answer) as (uri, asked):
            self.unavailable(es256(jwks_uri=uri))
            assert asked == ["/jwks"]

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"<html>",
            b"\xff",
            jwks(),
            jwks(jwk("RS256")),
            jwks(jwk("ES256")) + " " * MAX_CONTENT,
        ],
        ids=["empty", "html", "bytes", "no keys", "other keys", "oversize"],
    )
    def test_what_is_no_key_set(self, body):
        with served(lambda handler: reply(handler, body)) as (uri, _):
            self.unavailable(es256(jwks_uri=uri))

    @pytest.mark.parametrize("status", [204, 400, 404, 500, 503])
    def test_statuses(self, status):
        with served(lambda handler: reply(handler, "", status)) as (uri, _):
            self.unavailable(es256(jwks_uri=uri))

    def test_no_http_at_all(self):
        with served(lambda handler: handler.wfile.write(b"\x16\x03\x01 garbage\r\n\r\n")) as (uri, _):
            self.unavailable(es256(jwks_uri=uri))

    def test_a_body_without_end(self):
        def answer(handler):
            reply(handler, b"{")
            try:
                while True:
                    handler.wfile.write(b" " * 65536)
            except OSError:
                pass

        with served(answer) as (uri, _):
            self.unavailable(es256(jwks_uri=uri))

    def test_a_server_that_does_not_answer(self, monkeypatch):
        monkeypatch.setattr("oauth_filter.signing.fetching.TIMEOUT", 0.2)
        released = threading.Event()
        with served(lambda handler: released.wait(30)) as (uri, _):
            try:
                self.unavailable(es256(jwks_uri=uri))
            finally:
                released.set()

    def test_a_server_that_trickles(self, monkeypatch):
        monkeypatch.setattr("oauth_filter.signing.fetching.TIMEOUT", 0.2)

        def answer(handler):
            reply(handler, b"{")
            try:
                for _ in range(600):
                    handler.wfile.write(b" ")
                    time.sleep(0.05)
            except OSError:
                pass

        with served(answer) as (uri, _):
            self.unavailable(es256(jwks_uri=uri))

    def test_after_a_failure_it_is_left_in_peace_for_a_while(self):
        broken = [True]

        def answer(handler):
            if broken:
                reply(handler, "", 500)
            else:
                reply(handler, jwks(jwk("ES256")))

        with served(answer) as (uri, asked):
            ours = es256(jwks_uri=uri)
            self.unavailable(ours)
            self.unavailable(ours, now=NOW + 29)
            assert asked == ["/jwks"]
            broken.clear()
            assert verify_assertion(sign(), settings=ours, now=NOW + 30).subject == "alice"

    def test_nobody_there(self):
        with served(lambda handler: None) as (uri, _):
            pass
        self.unavailable(es256(jwks_uri=uri))

    def test_loopback_is_not_asked_for_by_way_of_a_proxy(self, monkeypatch):
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        with served(lambda handler: reply(handler, jwks(jwk("ES256")))) as (uri, _):
            assert verify_assertion(sign(), settings=es256(jwks_uri=uri), now=NOW).subject == "alice"


class TestAnything:
    """Whatever comes in, what comes out is an OAuthError."""

    ours = settings(JWTIssuer(issuer=IDP, algorithm="ES256", public_key=pem("ES256")), **SHARED)

    @given(strategies.text())
    def test_texts(self, text):
        refusal(text, self.ours)

    @given(strategies.binary(), strategies.binary(), strategies.binary(max_size=80))
    def test_bytes(self, header, claims, signature):
        refusal(f"{b64(header)}.{b64(claims)}.{b64(signature)}", self.ours)

    @given(strategies.binary(max_size=140))
    def test_signatures(self, signature):
        refusal(f"{sign().rpartition('.')[0]}.{b64(signature)}", self.ours)

    @given(
        strategies.dictionaries(
            strategies.sampled_from(["iss", "sub", "aud", "exp", "iat", "nbf", "jti", "other"]),
            strategies.recursive(
                strategies.none()
                | strategies.booleans()
                | strategies.integers()
                | strategies.floats()
                | strategies.text(),
                lambda inner: strategies.lists(inner) | strategies.dictionaries(strategies.text(), inner),
                max_leaves=5,
            ),
        )
    )
    def test_claims(self, claims):
        # Signed well, so that all of them are looked at; `aud` is never ours.
        refusal(by_hand({"alg": "HS512"}, claims), self.ours)


@pytest.mark.promise(5)
def test_what_is_raised_repeats_nothing_of_the_assertion():
    error = refusal(sign("HS512", key=JWT_SECRET, iss="hunter2", sub="hunter2", aud="hunter2"), settings(**SHARED))
    assert "hunter2" not in str(error)
