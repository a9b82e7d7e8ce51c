"""Apache's mod_auth_openidc, a certified relying party in front of an application, against a live server."""

import re
import time
from contextlib import ExitStack
from html import unescape
from urllib.parse import urlencode

import pytest
import requests

from tests import prepare
from tests.interop.apache import apache
from tests.live import Forms
from tests.live import arrive
from tests.live import follow
from tests.live import press

pytestmark = [pytest.mark.interop, pytest.mark.apache]


class Visitor(requests.Session):
    """Alice at a browser that goes to and fro between Apache and the server."""

    def visit(self, url):
        """Open a page, sign in where that is asked, and go where the browser is sent; the page it ends at."""
        answer = follow(self, self.get(url, allow_redirects=False))
        while answer.is_redirect:
            answer = arrive(self, answer.headers["Location"], "alice", "wonder land")
            form = next((form for form in Forms(answer.text).forms if "Continue" in form["buttons"]), None)
            if form is not None:
                answer = follow(self, self.post(form["action"], data=form["fields"], allow_redirects=False))
        return answer


def told(page):
    """What the application behind Apache was told."""
    assert page.status_code == 200, page.text
    return dict(line.split("=", 1) for line in page.text.splitlines())


@pytest.fixture
def visitor():
    with Visitor() as visitor:
        yield visitor


@pytest.fixture
def member_area(openid, request):
    """Run Apache as a client of the server's, with the fields and the directives that `apache` takes; its URL."""
    try:
        prepare.apache()
    except OSError as error:
        pytest.skip(prepare.no_apache(error))
    client_id = re.sub(r"\W+", "-", request.node.name)
    with ExitStack() as running:
        yield lambda client=None, **directives: running.enter_context(
            apache(openid, client_id, client or {}, directives)
        )


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_code_flow(openid, member_area, visitor, method):
    url = member_area(OIDCProviderTokenEndpointAuth=method)
    page = visitor.visit(f"{url}/members/?page=1")
    assert page.url == f"{url}/members/?page=1"
    said = told(page)
    assert said["REMOTE_USER"] == "alice"
    assert said["OIDC_CLAIM_iss"] == openid.issuer
    # From the userinfo endpoint: the ID token of a code flow does not tell it.
    assert (said["OIDC_CLAIM_name"], said["OIDC_CLAIM_email"]) == ("Alice Liddell", "alice@example.com")
    bearer = {"Authorization": f"Bearer {said['OIDC_access_token']}"}
    assert requests.get(openid.url("/reports/"), headers=bearer, timeout=30).json()["username"] == "alice"


@pytest.mark.rfc("7523", "2.2")
def test_authenticates_by_a_jwt_of_its_secret(member_area, visitor):
    method = "client_secret_jwt"
    url = member_area({"token_endpoint_auth_method": method}, OIDCProviderTokenEndpointAuth=method)
    assert told(visitor.visit(f"{url}/members/"))["REMOTE_USER"] == "alice"


@pytest.mark.rfc("7523", "2.2")
def test_authenticates_by_a_key_that_it_publishes(member_area, visitor):
    method = "private_key_jwt"
    url = member_area(
        {"token_endpoint_auth_method": method, "jwks_uri": "{url}/members/callback?jwks=rsa"},
        # Only who has a key may say that it authenticates by it.
        OIDCPrivateKeyFiles="{root}/private.pem",
        OIDCPublicKeyFiles="{root}/public.pem",
        OIDCProviderTokenEndpointAuth=method,
    )
    assert told(visitor.visit(f"{url}/members/"))["REMOTE_USER"] == "alice"


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
def test_algorithms(member_area, visitor, algorithm):
    url = member_area({"id_token_signed_response_alg": algorithm})
    assert told(visitor.visit(f"{url}/members/"))["REMOTE_USER"] == "alice"


@pytest.mark.parametrize(
    "response_type", ["code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"]
)
def test_response_types_by_form_post(member_area, visitor, response_type):
    url = member_area(OIDCResponseType=response_type, OIDCResponseMode="form_post")
    said = told(visitor.visit(f"{url}/members/"))
    assert (said["REMOTE_USER"], said["OIDC_CLAIM_email"]) == ("alice", "alice@example.com")


def test_claims_open_doors(member_area, visitor):
    url = member_area()
    assert told(visitor.visit(f"{url}/members/oxford/"))["REMOTE_USER"] == "alice"
    assert visitor.visit(f"{url}/members/cambridge/").status_code in (401, 403)


def test_refreshes(openid, member_area, visitor):
    url = member_area()
    before = told(visitor.visit(f"{url}/members/"))["OIDC_access_token"]
    asked = {"refresh": f"{url}/members/", "access_token": before}
    after = told(visitor.visit(f"{url}/members/callback?{urlencode(asked)}"))["OIDC_access_token"]
    assert after != before


@pytest.mark.rfc("OpenID RP-Initiated Logout", "2")
def test_log_out(openid, member_area, visitor):
    url = member_area()
    said = told(visitor.visit(f"{url}/members/"))
    page = visitor.get(f"{url}/members/callback?{urlencode({'logout': f'{url}/bye'})}", timeout=30)
    assert page.url == f"{url}/bye"
    # It revokes what it has before it sends the browser to us.
    bearer = {"Authorization": f"Bearer {said['OIDC_access_token']}"}
    assert requests.get(openid.url("/reports/"), headers=bearer, timeout=30).status_code == 401
    assert "Sign in" in visitor.get(f"{url}/members/", timeout=30).text


@pytest.mark.rfc("OpenID Back-Channel Logout", "2.5")
def test_is_told_by_the_back_channel(openid, member_area, visitor):
    url = member_area(
        {"backchannel_logout_uri": "{url}/members/callback?logout=backchannel"},
        OIDCProviderBackChannelLogoutSupported="On",
    )
    told(visitor.visit(f"{url}/members/"))
    page = visitor.get(openid.url("/oauth2/logout"), timeout=30)
    press(visitor, page, "Sign out")
    until = time.monotonic() + 10
    while (answer := visitor.get(f"{url}/members/", allow_redirects=False, timeout=30)).status_code == 200:
        assert time.monotonic() < until, openid.log
        time.sleep(0.1)
    assert answer.headers["Location"].startswith(openid.authorize)


@pytest.mark.rfc("OpenID Front-Channel Logout", "3")
def test_is_told_in_a_frame(openid, member_area, visitor):
    url = member_area({"logout_uri": "{url}/members/callback?logout=get"})
    told(visitor.visit(f"{url}/members/"))
    page = press(visitor, visitor.get(openid.url("/oauth2/logout"), timeout=30), "Sign out")
    (frame,) = re.findall(r'<iframe[^>]* src="(.*?)"', page.text)
    visitor.get(unescape(frame), timeout=30)
    answer = visitor.get(f"{url}/members/", allow_redirects=False, timeout=30)
    assert answer.headers["Location"].startswith(openid.authorize)
