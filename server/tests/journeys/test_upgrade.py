"""An update keeps everything that an earlier version was told, and may be rolled out while that version still works."""

from __future__ import annotations

import subprocess

import httpx
import past
import pytest
from installation import MODULE, Installation
from postgres import create_database
from storm import Storm, check_nothing_lost, eventually, signed_in

KEPT = sorted({path.name.partition(".")[0].rpartition("-")[0] for path in past.PAST.iterdir()})


@pytest.fixture
def site(tmp_path):
    site = Installation(tmp_path / "data")
    yield site
    site.stop()


@pytest.fixture
def earlier(tmp_path_factory):
    """The environment of the code of the commit before this one. A clone without history has none to run."""
    env = past.code_of("HEAD~1", tmp_path_factory.mktemp("earlier"))
    if env is None:
        pytest.skip("this clone has no history: the kept installations alone were updated")
    return env


@pytest.mark.parametrize("name", KEPT)
def test_a_data_directory_of_an_earlier_version_keeps_everything(site, tmp_path, name):
    memory = past.unpack(f"{name}-sqlite", tmp_path)
    site.start()
    past.check_kept(site, memory)
    assert site.setup()["api_token"] == memory.keys["api_token"]


@pytest.mark.parametrize("name", KEPT)
def test_a_postgres_database_of_an_earlier_version_keeps_everything(site, tmp_path, postgres, name):
    memory = past.unpack(f"{name}-postgres", tmp_path)
    site.env["DATABASE_URL"] = create_database(postgres.url("daytwo"), f"upgraded_{name.replace('-', '_')}")
    past.load_stores(tmp_path, site.env["DATABASE_URL"])
    site.start()
    past.check_kept(site, memory)


def test_a_data_directory_of_the_previous_commit_keeps_everything(site, earlier):
    site.env |= earlier
    memory = past.live_through(site)
    del site.env["PYTHONPATH"]
    site.start()
    past.check_kept(site, memory)


def test_the_previous_commit_goes_on_working_while_this_one_migrates_its_database(site, earlier, postgres):
    """Machines are updated one after the other: what still runs there must not stumble over the new schema."""
    site.env["DATABASE_URL"] = create_database(postgres.url("daytwo"), "rolling")
    site.env |= earlier
    site.keys = site.setup()
    site.start()
    migrate = [*MODULE, "migrate", "--data-dir", str(site.data_dir)]
    now = {name: value for name, value in site.env.items() if name != "PYTHONPATH"}
    with Storm(site, 200, rate_per_s=40, groups=5) as storm:
        done = subprocess.run(migrate, env=now, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert storm.outcome.codes == {"200": 200}
    check_nothing_lost(site, storm.acked)
    with signed_in(site) as browser:
        assert browser.get("/errors").status_code == 200
        form = {"csrfmiddlewaretoken": browser.cookies["daytwo_csrf"], "name": "Made by the old one"}
        answer = browser.post("/projects/new/", data=form, headers={"Referer": f"{site.url}/"})
        assert answer.status_code == 200
    token = {"Authorization": f"Bearer {site.keys['api_token']}"}
    eventually(lambda: httpx.get(f"{site.url}/api/v1/issues", headers=token).json()["results"])
