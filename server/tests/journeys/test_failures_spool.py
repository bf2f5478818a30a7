"""A spool that is damaged, gone, or not to be written; a clock that was set back."""

import random
import shutil
import subprocess
import time

import load
import pytest
from disks import read_only
from installation import MODULE
from spools import fill
from storm import Storm, check_nothing_lost, check_refusals, digest_of, doctor, eventually, health, signed_in


def segment_files(site):
    return sorted((site.data_dir / "spool").glob("0*.seg"))


def visible(site):
    return {event_id for (event_id,) in site.query("SELECT event_id FROM errors_event")}


def serve_refused(site):
    done = subprocess.run(
        [*MODULE, "serve", "--data-dir", site.data_dir, "--port", "0"], env=site.env, capture_output=True, text=True
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_damage_costs_only_the_records_it_hit_and_is_told(shop):
    site = shop()
    first, second, third = fill(site, load.requests(site.keys["dsn"], 60), per_segment=20)
    flipped, cut, _ = (path for path in segment_files(site) if path.stat().st_size)
    content = bytearray(flipped.read_bytes())
    at = random.randrange(len(content) // 4, len(content) // 2)
    content[at : at + 40] = bytes(byte ^ 0xFF for byte in content[at : at + 40])
    flipped.write_bytes(content)
    cut.write_bytes(cut.read_bytes()[:-700])  # less than one record
    spool = site.data_dir / "spool"
    (spool / f"{int(flipped.stem) + 1:020d}.seg").touch()
    for alien in ("notes.txt", "copy of 1.seg", "²².seg", f"{10**19:020d}.seg"):
        (spool / alien).write_text("not ours")

    site.start()
    eventually(lambda: set(third) <= visible(site))
    lost = {*first, *second, *third} - visible(site)
    assert lost - {second[-1]} <= set(first)
    assert 1 <= len(lost & set(first)) <= 2  # 40 bytes reach into two records at most
    assert second[-1] in lost
    (counted,) = site.query("SELECT sum(count) FROM ingest_itemcount WHERE reason = 'damaged'")
    assert counted == (len(lost & set(first)),)
    assert any("because the spool was damaged" in line for line in doctor(site))
    with signed_in(site) as alice:
        assert "The spool was damaged on disk" in alice.get("/settings/ingest/").text
    assert health(site)["status"] == "healthy"
    eventually(lambda: len(segment_files(site)) == 1)
    assert (spool / "notes.txt").exists()


def test_a_spool_directory_that_cannot_be_written_is_said_at_start(shop):
    site = shop()
    spool = site.data_dir / "spool"
    spool.mkdir()
    with read_only(spool):
        refused = serve_refused(site)
    assert refused.returncode == 1
    assert f"{site.data_dir} cannot be used" in refused.stderr
    site.start()


@pytest.mark.parametrize("running", [False, True])
def test_a_spool_directory_that_was_deleted_is_made_again(shop, running):
    site = shop()
    site.start()
    with Storm(site, 40, rate_per_s=1000) as before:
        pass
    check_nothing_lost(site, before.acked)
    if not running:
        site.stop()
    shutil.rmtree(site.data_dir / "spool")
    if not running:
        site.start()
    with Storm(site, 200, rate_per_s=200) as after:
        pass
    check_refusals(after)
    assert after.outcome.codes["200"] > 190
    check_nothing_lost(site, before.acked | after.acked)
    assert digest_of(site).is_running()
    eventually(lambda: health(site)["status"] == "healthy")


def test_after_the_clock_was_set_back_nothing_is_passed_over(shop):
    site = shop()
    tomorrow = time.time() + 86_400
    (ahead,) = fill(site, load.requests(site.keys["dsn"], 20), clock=lambda: tomorrow)
    site.start()
    with Storm(site, 100, rate_per_s=200) as storm:
        pass
    check_nothing_lost(site, {*ahead, *storm.acked})
    site.stop()
    for path in segment_files(site):
        path.unlink()  # now only the database remembers how far the clock was
    site.start()
    with Storm(site, 100, rate_per_s=200) as again:
        pass
    check_nothing_lost(site, {*ahead, *storm.acked, *again.acked})
    assert site.get("/api/health")["status"] == "healthy"
