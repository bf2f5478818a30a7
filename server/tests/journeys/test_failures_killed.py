"""kill -9 at moments nobody chose: nothing acknowledged is lost, nothing is counted twice, on either store."""

import random
import subprocess
import time

import crash
import pytest
from installation import MODULE
from storm import Storm, check_nothing_lost, digest_of, eventually, health


@pytest.fixture(params=["sqlite", "postgres"])
def site(request, shop):
    """One that does not digest by itself."""
    env = {"DAYTWO_DIGEST": "off"}
    if request.param == "postgres":
        env["DATABASE_URL"] = request.getfixturevalue("database")
    return shop(env=env)


def test_a_digest_that_is_killed_in_the_middle_of_its_batches_goes_on_exactly(site):
    site.start()
    with Storm(site, 2400, rate_per_s=800, groups=40) as storm:
        for _ in range(5):
            seen = site.events()
            digest = start_digest(site)
            try:
                # On a slow machine everything may be digested before the last round.
                eventually(lambda seen=seen: site.events() > seen or seen == 2400, seconds=30)
                time.sleep(random.uniform(0, 0.2))
            finally:
                digest.kill()
                digest.wait()
    assert storm.outcome.codes == {"200": 2400}
    digest = start_digest(site)
    try:
        check_nothing_lost(site, storm.acked)
    finally:
        digest.terminate()
        digest.wait(20)


def start_digest(site):
    return subprocess.Popen([*MODULE, "digest", "--data-dir", site.data_dir], env=site.env, stderr=subprocess.DEVNULL)


def test_a_server_on_postgres_that_is_killed_loses_nothing(shop, database):
    site = shop(env={"DATABASE_URL": database})
    acked = set()
    for seconds in (0.6, 1.2):
        acked |= crash.storm(site, site.keys["dsn"], seconds=seconds)
    site.start()
    assert len(acked) > 50  # a slow machine takes longer to start than to be killed
    check_nothing_lost(site, acked)


def test_a_digest_child_that_dies_is_missed_and_started_again(shop):
    site = shop()
    site.start()
    digest_of(site).kill()
    eventually(lambda: "exit code -9" in health(site)["checks"]["digest"].get("message", ""), seconds=15)
    with Storm(site, 20, rate_per_s=1000) as storm:
        pass
    check_nothing_lost(site, storm.acked)
    eventually(lambda: health(site)["status"] == "healthy")
