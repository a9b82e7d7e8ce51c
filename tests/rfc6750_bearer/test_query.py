"""The token in the query -- RFC 6750 section 2.3."""

import pytest

RAW_KEYS = ["REQUEST_URI", "RAW_URI", "REQUEST_TARGET", "HTTP_X_ORIGINAL_URI"]


@pytest.mark.rfc("6750", "2.3")
@pytest.mark.parametrize(
    ("query", "rest"),
    [
        ("access_token={}", ""),
        ("a=1&access_token={}", "a=1"),
        ("access_token={}&a=1", "a=1"),
        ("a=%7e&b=+&access_token={}&c&&d=%zz&e=\xc3\xa9&a=1;x", "a=%7e&b=+&c&&d=%zz&e=\xc3\xa9&a=1;x"),
        ("&access_token={}&", "&"),
        ("%61ccess%5Ftoken={}&access_tokens=1", "access_tokens=1"),
    ],
)
def test_it_opens_and_is_gone_before_the_application_sees_it(site, query, rest):
    token = site.issue()
    query = query.format(token)
    for _ in range(2):
        answer = site.request(query=query, **dict.fromkeys(RAW_KEYS, f"/api?{query}"))
        assert answer.status == 200
        assert site.environ["QUERY_STRING"] == rest
        for key in RAW_KEYS:
            assert site.environ[key] == (f"/api?{rest}" if rest else "/api")
        strings = {key: value for key, value in site.environ.items() if isinstance(value, str)}
        assert token not in str(strings)
        assert site.environ["REMOTE_USER"] == "alice"


def test_a_raw_uri_keeps_its_fragment_and_one_without_a_token_stays_as_it_is(site):
    token = site.issue()
    site.request(query=f"access_token={token}", REQUEST_URI=f"/api?access_token={token}#part", RAW_URI="/api?#x?y")
    assert site.environ["REQUEST_URI"] == "/api#part"
    assert site.environ["RAW_URI"] == "/api?#x?y"


@pytest.mark.rfc("6750", "2.3")
def test_the_answer_is_kept_out_of_caches_and_the_url_out_of_referer_headers(site):
    answer = site.request(query=f"access_token={site.issue()}")
    assert [value for name, value in answer.header_list if name.lower() == "cache-control"] == ["no-store"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.body == b"the application"


def test_the_answer_to_a_token_in_the_header_is_left_alone(site):
    answer = site.request(token=site.issue())
    assert answer.headers == {"content-type": "text/plain", "cache-control": "public, max-age=60"}


@pytest.mark.rfc("6750", "2")
def test_header_and_query_together_are_a_bad_request(site):
    token = site.issue()
    for _ in range(2):
        answer = site.request(token=token, query=f"access_token={token}")
        assert (answer.status, answer.json["error"]) == (400, "invalid_request")
        assert site.request(token=token).status == 200


@pytest.mark.rfc("6750", "3.1")
@pytest.mark.parametrize("path", ["/api", "/optional/"])
@pytest.mark.parametrize(
    "query",
    [
        "access_token={0}&access_token={0}",
        "access_token={0}&access%5ftoken={0}",
        "access_token",
        "access_token=",
        "access_token={0}%",
        "access_token=%zz",
        "access_token={0}%00",
        "access_token={0}+",
        "access_token={0}%ff",
        "access_token={0}\xff",
        "access_token={0}\u20ac",
        "access_token=" + "a" * 16385,
    ],
)
def test_anything_but_one_well_encoded_token_is_a_bad_request(site, query, path):
    answer = site.request(path, query=query.format(site.issue()))
    assert (answer.status, answer.json["error"]) == (400, "invalid_request")
    assert site.seen == []


@pytest.mark.parametrize("query", ["Access_Token={}", "token={}", "x=access_token={}", "access_token%00={}"])
def test_other_names_are_the_applications(site, query):
    assert site.request(query=query.format(site.issue())).status == 401


def test_a_bad_token_is_refused_where_none_is_needed(site):
    answer = site.request("/optional/", query="access_token=x")
    assert (answer.status, answer.json["error"]) == (401, "invalid_token")


def test_switched_off_the_parameter_is_the_applications(site_of):
    site = site_of("/optional/ = optional", accept_query_token=False)
    query = f"access_token={site.issue()}&access_token=x"
    assert site.request(query=query).status == 401
    assert site.request("/optional/", query=query).status == 200
    assert site.environ["QUERY_STRING"] == query
    assert site.request(token=site.issue(), query=query).status == 200
    assert site.environ["QUERY_STRING"] == query


def test_a_public_path_gets_its_query_as_it_is(site):
    site.request("/public/", query="access_token=x&access_token=y")
    assert site.environ["QUERY_STRING"] == "access_token=x&access_token=y"
