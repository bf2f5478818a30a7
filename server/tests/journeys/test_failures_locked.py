"""Another program holds an embedded database: intake goes on, and whoever waits is told."""

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
from storm import Storm, check_nothing_lost, check_refusals, eventually, health, press, signed_in

PATIENCE_S = 5  # of databases.LOCK_PATIENCE_S, and a little for a busy machine
SANE_S = PATIENCE_S + 5


@contextmanager
def locked(site, name):
    """What a backup program or an open shell does: take the one writer's place and keep it."""
    connection = sqlite3.connect(site.data_dir / name, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")
    finally:
        connection.close()


def timed(call, *arguments, **options):
    began = time.monotonic()
    answer = call(*arguments, **options)
    return answer, time.monotonic() - began


def digest_says(site, words):
    eventually(lambda: words in health(site)["checks"]["digest"].get("message", ""))


def test_with_the_database_locked_events_are_taken_and_people_hear_why_they_wait(shop):
    site = shop()
    site.start()
    with Storm(site, 50, rate_per_s=1000) as before:
        site.wait_for_events(50)
    with signed_in(site) as alice, ThreadPoolExecutor() as pool:
        with locked(site, "daytwo.db"), Storm(site, 600, rate_per_s=200) as storm:
            pressed = pool.submit(timed, press, alice, "/errors/1/", do="resolve")
            by_htmx = pool.submit(
                timed, alice.post, "/errors/1/", data={"do": "ignore"},
                headers={"X-CSRFToken": alice.cookies["daytwo_csrf"], "Referer": site.url, "HX-Request": "true"},
            )  # fmt: skip
            by_api = pool.submit(
                timed, httpx.patch, f"{site.url}/api/v1/issues/1", json={"status": "resolved"}, timeout=30,
                headers={"Authorization": f"Bearer {site.keys['api_token']}"},
            )  # fmt: skip
            time.sleep(0.5)
            for path in ("/errors/", "/errors/1/", "/settings/ingest/"):
                page, seconds = timed(alice.get, path)
                assert (page.status_code, seconds < SANE_S) == (200, True)
            digest_says(site, "the digest cannot write: database is locked")
            assert health(site)["status"] == "degraded"
            assert "database is locked" in alice.get("/settings/ingest/").text
            answers = [waiting.result() for waiting in (pressed, by_htmx, by_api)]
        assert [answer.status_code for answer, _ in answers] == [503] * 3
        assert max(seconds for _, seconds in answers) < SANE_S
        page, words, reply = (answer for answer, _ in answers)
        assert "The database cannot be used now" in page.text
        assert "Nothing was changed" in words.text
        assert words.headers["content-type"].startswith("text/plain")
        assert "Nothing was changed" in reply.json()["detail"]
        assert storm.outcome.codes == {"200": 600}
        check_nothing_lost(site, before.acked | storm.acked)
        assert press(alice, "/errors/1/", do="resolve").status_code == 200
    eventually(lambda: health(site)["status"] == "healthy")


def test_with_the_telemetry_store_locked_people_can_work_and_events_wait(shop):
    site = shop(env={"DAYTWO_DIGEST": "thread"})
    site.start()
    with Storm(site, 50, rate_per_s=1000) as before:
        site.wait_for_events(50)
    with signed_in(site) as alice, locked(site, "telemetry.db"), Storm(site, 300, rate_per_s=200) as storm:
        answer, seconds = timed(press, alice, "/errors/1/", do="resolve")
        assert (answer.status_code, seconds < 1) == (200, True)
        digest_says(site, "the digest cannot write: database is locked")
    check_refusals(storm)
    assert storm.outcome.codes == {"200": 300}
    check_nothing_lost(site, before.acked | storm.acked)
