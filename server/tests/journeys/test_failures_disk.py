"""No room, or no right to write: intake says so, keeps what it has taken, and goes on by itself."""

import subprocess

from disks import small_disk
from installation import MODULE
from storm import Storm, check_nothing_lost, check_refusals, digest_of, doctor, eventually, health, press, signed_in


def test_a_full_disk_in_a_storm_loses_nothing_that_was_accepted(shop, tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        site = shop(at=disk.path, env={"DAYTWO_MIN_FREE_DISK_MB": "0"})
        site.start()
        with Storm(site, 1, rate_per_s=1) as first:
            site.wait_for_events(1)
        digest_of(site).suspend()  # so that there is more to digest than the databases have room for
        with signed_in(site) as alice, Storm(site, 2500, rate_per_s=500, groups=10) as storm:
            eventually(lambda: storm.outcome.codes["200"] > 700)
            disk.fill(site)
            digest_of(site).resume()
            eventually(lambda: storm.outcome.codes["429"] > 100)
            check_the_full_disk_is_told(site, alice, disk)
            disk.clear(site)
        check_refusals(storm)
        check_nothing_lost(site, first.acked | storm.acked)
        with signed_in(site) as alice:
            assert press(alice, "/errors/1/", do="resolve").status_code == 200
        eventually(lambda: health(site)["status"] == "healthy")
        assert doctor(site) == []
        assert "Traceback" not in site.log.read_text()


def check_the_full_disk_is_told(site, browser, disk):
    eventually(lambda: "the digest cannot write" in health(site)["checks"]["digest"].get("message", ""))
    told = health(site)
    assert told["status"] == "degraded"
    assert "cannot be written" in told["checks"]["intake"]["message"]
    for path in ("/errors/", "/errors/1/", "/projects/", "/profile/"):
        assert browser.get(path).status_code == 200
    page = browser.get("/settings/ingest/").text
    assert "Everything is being refused" in page
    assert "Accepted events cannot be shown" in page
    answer = press(browser, "/errors/1/", do="resolve")
    assert answer.status_code == 503
    assert "The database cannot be used now" in answer.text
    wrong = doctor(site, disk.preexec)
    for words in ("The data directory cannot be written", "Intake answers 429", "The digest cannot write"):
        assert any(words in line for line in wrong), wrong


def test_with_too_little_free_disk_everything_is_refused_and_the_reason_told(shop):
    site = shop(env={"DAYTWO_MIN_FREE_DISK_MB": "10000000"})
    site.start()
    with signed_in(site) as alice, Storm(site, 20, rate_per_s=1000) as storm:
        assert "free disk" in health(site)["checks"]["intake"]["message"]
        assert "under the minimum of 10000000 MB" in alice.get("/settings/ingest/").text
    check_refusals(storm)
    assert storm.outcome.codes == {"429": 20}
    assert all(b":disk_space" in head for head in storm.outcome.refusals)
    assert any("MB of disk are free; intake answers 429" in line for line in doctor(site))


def test_a_full_spool_refuses_until_it_is_digested(shop):
    site = shop(env={"DAYTWO_SPOOL_MAX_MB": "1", "DAYTWO_DIGEST": "off"})
    site.start()
    with Storm(site, 2500, rate_per_s=1000) as storm:
        eventually(lambda: storm.outcome.codes["429"])
    check_refusals(storm)
    assert any(b":spool_full" in head for head in storm.outcome.refusals)
    assert "more than the 1 MB allowed" in health(site)["checks"]["intake"]["message"]
    assert any("more than the 1 MB allowed" in line for line in doctor(site))
    digest = subprocess.Popen([*MODULE, "digest", "--data-dir", site.data_dir], env=site.env, stderr=subprocess.DEVNULL)
    try:
        check_nothing_lost(site, storm.acked)
        eventually(lambda: health(site)["checks"]["intake"]["status"] == "pass")
        with Storm(site, 20, rate_per_s=1000) as again:
            eventually(lambda: again.outcome.codes["200"] == 20)
    finally:
        digest.terminate()
        assert digest.wait(5) == 0
