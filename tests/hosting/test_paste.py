"""PasteDeploy finds the filter by its name and reads its options."""

import sys
import types

import pytest
from paste.deploy import loadapp

from oauth_filter import ConfigError

HEAD = """
[DEFAULT]
debug = true
unknown = to us

[pipeline:main]
pipeline = oauth api

[app:api]
paste.app_factory = {module}:application_factory

[filter:oauth]
use = egg:oauth-filter
"""


def application_factory(global_conf, **local_conf):
    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ.get("REMOTE_USER", "nobody").encode()]

    return application


@pytest.fixture
def load(tmp_path):
    def load(section):
        # The application of this file under a name that can be imported, however the tests are run.
        (tmp_path / "site.ini").write_text(HEAD.format(module="tests_hosting_paste_application") + section)
        return loadapp(f"config:{tmp_path}/site.ini")

    return load


@pytest.fixture(autouse=True)
def importable_application(monkeypatch):
    module = types.ModuleType("tests_hosting_paste_application")
    module.application_factory = application_factory
    monkeypatch.setitem(sys.modules, module.__name__, module)


def status(application, path):
    told = []
    environ = {"PATH_INFO": path, "SCRIPT_NAME": "", "QUERY_STRING": "", "REQUEST_METHOD": "GET"}
    application(environ, lambda status, headers, exc_info=None: told.append(status[:3]))
    return told[0]


SECRET = "x" * 40


@pytest.mark.parametrize("config", ["oauth.ini", "%(here)s/oauth.ini", "./oauth.ini"])
def test_a_file_of_its_own(load, tmp_path, config):
    (tmp_path / "oauth.ini").write_text(
        f"[oauth_filter]\nstore = sqlite:///%(here)s/oauth.db\nsecret = {SECRET}\n[protect]\n/open/ = public\n"
    )
    application = load(f"config = {config}\n")
    assert application.settings.store == f"sqlite:///{tmp_path}/oauth.db"
    assert application.settings.realm == "api"
    assert status(application, "/open/") == "200"
    assert status(application, "/shut") == "401"
    assert status(application, "/oauth2/nothing") == "404"


def test_options_in_the_section(load, tmp_path):
    (tmp_path / "secret.txt").write_text(SECRET)
    (tmp_path / "secret.txt").chmod(0o600)
    application = load("store = sqlite:///%(here)s/oauth.db\nsecret = file:secret.txt\nrealm = inline\n")
    assert application.settings.secret == SECRET
    assert application.settings.store == f"sqlite:///{tmp_path}/oauth.db"
    assert application.settings.realm == "inline"
    assert status(application, "/") == "401"


def test_the_section_wins_over_the_file(load, tmp_path):
    (tmp_path / "oauth.ini").write_text(f"[oauth_filter]\nstore = memory:\nsecret = {SECRET}\nrealm = of the file\n")
    assert load("config = oauth.ini\n").settings.realm == "of the file"
    application = load("config = oauth.ini\nrealm = of the section\naccess_token_lifetime = 5m\n")
    assert application.settings.realm == "of the section"
    assert application.settings.access_token_lifetime == 300


def test_what_stands_in_the_default_section_is_for_everybody_unless_set(load, tmp_path):
    default = "\n[DEFAULT]\nrealm = of everybody\n"
    section = f"store = memory:\nsecret = {SECRET}\n"
    assert load(section + "realm = of the section\n").settings.realm == "of the section"
    site = tmp_path / "site.ini"
    site.write_text(site.read_text().replace("[DEFAULT]", default))
    assert loadapp(f"config:{site}").settings.realm == "of everybody"
    site.write_text(site.read_text().replace("realm = of the section", "set realm = of the section"))
    assert loadapp(f"config:{site}").settings.realm == "of the section"


def test_every_fault_is_reported_and_where(load):
    with pytest.raises(ConfigError) as caught:
        load("store = memory:\nrealmm = x\naccess_token_lifetime = soon\n")
    faults = [str(problem) for problem in caught.value.problems]
    assert len(faults) == 3
    assert all("site.ini: " in fault for fault in faults)
    assert any("'realmm', did you mean 'realm'?" in fault for fault in faults)
    assert any("access_token_lifetime" in fault for fault in faults)
    assert any("secret" in fault for fault in faults)


def test_a_file_that_is_not_there(load, tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.ini: cannot be read"):
        load("config = nowhere.ini\n")


def test_two_filters_of_one_file(tmp_path, load):
    load(f"store = memory:\nsecret = {SECRET}\nrealm = one\n")
    (tmp_path / "site.ini").write_text(
        (tmp_path / "site.ini").read_text()
        + f"[filter:another]\nuse = egg:oauth-filter#main\nstore = memory:\nsecret = {SECRET}\nrealm = two\n"
    )
    one = loadapp(f"config:{tmp_path}/site.ini")
    (tmp_path / "site.ini").write_text((tmp_path / "site.ini").read_text().replace("= oauth api", "= another api"))
    two = loadapp(f"config:{tmp_path}/site.ini")
    assert (one.settings.realm, two.settings.realm) == ("one", "two")
    assert one.store is not two.store
