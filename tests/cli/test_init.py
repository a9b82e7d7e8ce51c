"""`oauth-filter init`."""

import os
import re
import stat

import pytest
from click.testing import CliRunner

from oauth_filter.cli import main
from oauth_filter.ini import load
from oauth_filter.settings import PROFILES
from oauth_filter.settings import Settings
from oauth_filter.settings import options


def init(*arguments):
    return CliRunner().invoke(main, ["init", *map(str, arguments)])


def test_writes_an_ini_that_loads_and_a_secret_for_its_owner_only(tmp_path):
    result = init(tmp_path, "--issuer", "https://api.example.com")
    assert result.exit_code == 0
    settings = load(tmp_path / "oauth.ini")
    assert settings.issuer == "https://api.example.com"
    assert settings.secret == (tmp_path / "oauth.secret").read_text().strip()
    assert len(settings.secret) == 43
    assert stat.S_IMODE((tmp_path / "oauth.secret").stat().st_mode) == 0o600
    assert settings.secret not in result.output


def test_the_mode_of_the_secret_does_not_depend_on_the_umask(tmp_path):
    before = os.umask(0)
    try:
        assert init(tmp_path).exit_code == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "oauth.secret").stat().st_mode) == 0o600


def test_every_secret_is_another_one(tmp_path):
    for name in ("one", "two"):
        assert init(tmp_path / name).exit_code == 0
    assert (tmp_path / "one/oauth.secret").read_text() != (tmp_path / "two/oauth.secret").read_text()


@pytest.mark.parametrize("existing", ["oauth.ini", "oauth.secret"])
def test_overwrites_nothing(tmp_path, existing):
    (tmp_path / existing).write_text("mine")
    result = init(tmp_path)
    assert result.exit_code == 4
    assert "stays as it is" in result.stderr
    assert [file.name for file in tmp_path.iterdir()] == [existing]
    assert (tmp_path / existing).read_text() == "mine"


def test_does_not_write_through_a_dangling_link(tmp_path):
    (tmp_path / "oauth.secret").symlink_to(tmp_path / "elsewhere")
    assert init(tmp_path).exit_code == 4
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    result = init(tmp_path / "file" / "folder")
    assert result.exit_code == 5
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "issuer", ["http://api.example.com", "api.example.com", "https://x/", "https://x?y", "https://"]
)
def test_a_bad_issuer_is_refused_before_anything_is_written(tmp_path, issuer):
    result = init(tmp_path, "--issuer", issuer)
    assert result.exit_code == 2
    assert "--issuer" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("profile", PROFILES)
def test_what_is_commented_out_are_the_defaults_of_the_profile(tmp_path, profile):
    assert init(tmp_path, "--profile", profile).exit_code == 0
    ini = tmp_path / "oauth.ini"
    head, rest = ini.read_text().split("# Everything else")
    fewer = load(ini)
    ini.write_text(head + "# Everything else" + re.sub(r"(?m)^#(\w+ = ?)", r"\1", rest))
    assert load(ini) == fewer
    assert fewer.profile == profile
    named = set(re.findall(r"(?m)^#?(\w+) =", ini.read_text()))
    assert named >= {name for name, _, _ in options(Settings)} - ({"profile"} if profile == "default" else set())


def test_what_everybody_decides_fits_one_screen(tmp_path):
    init(tmp_path)
    text = (tmp_path / "oauth.ini").read_text()
    assert text.partition("# Everything else")[0].count("\n") <= 40
    assert max(map(len, text.splitlines())) <= 120


def test_the_default_profile_starts_without_tokens_in_urls(tmp_path):
    init(tmp_path)
    assert Settings(secret="x" * 32).accept_query_token
    assert not load(tmp_path / "oauth.ini").accept_query_token


def test_the_next_steps_name_the_file(tmp_path):
    assert f"-c {tmp_path}/oauth.ini client add" in init(tmp_path).output
