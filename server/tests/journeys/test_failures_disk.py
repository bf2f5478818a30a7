"""No room, or no right to write: intake says so, keeps what it has taken, and goes on by itself."""

import os
import subprocess

import httpx
import pytest
from disks import small_disk
from installation import MODULE
from storm import Storm, check_nothing_lost, check_refusals, eventually, press, signed_in


def doctor(site):
    """What `daytwo doctor` finds wrong."""
    done = subprocess.run(
        [*MODULE, "doctor", "--data-dir", site.data_dir], env=site.env, capture_output=True, text=True
    )
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith("WRONG")]


def health(site):
    return httpx.get(f"{site.url}/api/health", timeout=5).json()


def test_a_full_disk_in_a_storm_loses_nothing_that_was_accepted(shop, tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        site = shop(at=disk.path / "data", env={"DAYTWO_MIN_FREE_DISK_MB": "0"})
        site.start()
        alice = signed_in(site)
        with Storm(site, 3000, rate_per_s=400, groups=10) as storm:
            eventually(lambda: storm.outcome.codes["200"] > 200)
            disk.fill(site)
            eventually(lambda: storm.outcome.codes["429"] > 200)
            told = eventually(lambda: (now := health(site))["status"] != "healthy" and now)
            assert "cannot be written" in told["checks"]["intake"]["message"]
            digest = eventually(lambda: (now := health(site)["checks"]["digest"])["status"] == "fail" and now)
            assert "the digest cannot write" in digest["message"]
            for path in ("/errors/", "/operate/ingest/", "/projects/"):
                assert alice.get(path).status_code == 200
            page = alice.get("/operate/ingest/").text
            assert "Everything is being refused" in page
            assert "Accepted events cannot be shown" in page
            resolved = press(alice, "/errors/1/", do="resolve")
            assert resolved.status_code == 503
            assert "The database cannot be written" in resolved.text
            wrong = doctor(site)
            for words in ("cannot be written", "Intake answers 429", "The digest cannot write"):
                assert any(words in line for line in wrong), wrong
            disk.clear(site)
        check_refusals(storm)
        assert storm.outcome.codes["429"] > 200
        check_nothing_lost(site, storm.acked)
        assert press(alice, "/errors/1/", do="resolve").status_code == 200
        eventually(lambda: health(site)["status"] == "healthy")
        assert doctor(site) == []
        assert "Traceback" not in site.log.read_text()
