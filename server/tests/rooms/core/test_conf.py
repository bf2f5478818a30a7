import pytest

from daytwo_server.core import conf


def test_an_empty_environment_gives_the_documented_defaults():
    loaded = conf.load({})
    assert (loaded.host, loaded.port, loaded.public_url) == ("127.0.0.1", 8000, "http://127.0.0.1:8000")


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("DAYTWO_PORT", "eighty", "a whole number from 0 to 65535"),
        ("DAYTWO_PORT", "70000", "a whole number from 0 to 65535"),
        ("DAYTWO_SCRUB", "maybe", "1, true, yes, on, 0, false, no or off"),
        ("DAYTWO_URL", "example.com", "http://... or https://..."),
        ("DAYTWO_TRUSTED_PROXIES", "10.0.0.0/8,proxy", "addresses or networks"),
        ("DAYTWO_MAIL_FROM", "nobody", "an e-mail address"),
        ("LOG_LEVEL", "loud", "one of debug, info, warning, error, critical"),
        ("DAYTWO_DIGEST", "sometimes", "one of process, thread, off"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_found_and_what_is_allowed(variable, value, allowed):
    with pytest.raises(conf.ConfError) as caught:
        conf.load({variable: value})
    (problem,) = caught.value.problems
    assert variable in problem
    assert repr(value) in problem
    assert allowed in problem


def test_every_problem_is_told_at_once():
    with pytest.raises(conf.ConfError) as caught:
        conf.load({"DAYTWO_PORT": "x", "LOG_LEVEL": "y"})
    assert len(caught.value.problems) == 2


def test_a_wrong_secret_is_not_repeated():
    with pytest.raises(conf.ConfError) as caught:
        conf.load({"DATABASE_URL": "mysql://root:hunter2@db/x"})
    assert "hunter2" not in str(caught.value)


def test_a_secret_key_is_made_once_for_its_owner_only(tmp_path):
    from daytwo_server.core import secret

    first = secret.load_or_create(tmp_path / "secret-key")
    assert secret.load_or_create(tmp_path / "secret-key") == first
    assert (tmp_path / "secret-key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]
