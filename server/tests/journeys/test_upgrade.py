"""An update keeps everything that an earlier version was told, and may be rolled out while that version still works.

On both stores, whichever of them the run is about. `past.py` says how an earlier version is kept.
"""

from __future__ import annotations

import itertools
import subprocess

import httpx
import past
import pytest
from installation import MODULE, Installation
from postgres import create_database
from storm import Storm, check_nothing_lost, eventually, signed_in

_names = itertools.count()


@pytest.fixture(params=["sqlite", "postgres"])
def kind(request):
    return request.param


@pytest.fixture
def site(request, tmp_path, kind):
    """One without stores yet."""
    site = Installation(tmp_path / "data")
    if kind == "postgres":
        server = request.getfixturevalue("postgres")
        site.env["DATABASE_URL"] = create_database(server.url("daytwo"), f"upgraded{next(_names)}")
    yield site
    site.stop()


@pytest.fixture(params=past.earlier_commits())
def earlier(request, tmp_path_factory):
    """The environment of the code of that commit. A clone without history has none to run."""
    if not request.param:
        pytest.skip("this clone has no history: the kept installations alone were updated")
    return past.code_of(request.param, tmp_path_factory.mktemp("earlier"))


def test_something_is_kept_of_each_earlier_version_for_both_stores():
    names = {path.name.removesuffix(".tar.zst") for path in past.PAST.iterdir()}
    assert past.names()
    assert names == {f"{name}-{kind}" for name in past.names() for kind in ("sqlite", "postgres")}


@pytest.mark.parametrize("name", past.names())
def test_what_an_earlier_version_kept_is_all_there(site, tmp_path, kind, name):
    memory = past.unpack(f"{name}-{kind}", tmp_path)
    if kind == "postgres":
        past.load_stores(tmp_path, site.env["DATABASE_URL"])
    site.start()
    past.check_kept(site, memory)
    assert site.setup()["api_token"] == memory.keys["api_token"]


def test_what_an_earlier_commit_kept_is_all_there(site, earlier):
    now = dict(site.env)
    site.env |= earlier
    memory = past.live_through(site)
    site.env = now
    site.start()
    past.check_kept(site, memory)


def test_an_earlier_commit_goes_on_working_while_this_one_migrates_its_stores(site, earlier):
    """Machines are updated one after the other: what still runs there must not stumble over the new schema."""
    now = dict(site.env)
    site.env |= earlier
    site.keys = site.setup()
    site.start()
    migrate = [*MODULE, "migrate", "--data-dir", str(site.data_dir)]
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
    assert site.query("SELECT name FROM catalog_project WHERE name LIKE 'Made by%'") == [("Made by the old one",)]
    token = {"Authorization": f"Bearer {site.keys['api_token']}"}
    eventually(lambda: httpx.get(f"{site.url}/api/v1/issues", headers=token).json()["results"])
    site.stop()
    site.env = now
    site.start()
    check_nothing_lost(site, storm.acked)
