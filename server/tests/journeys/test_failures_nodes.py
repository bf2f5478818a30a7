"""Several nodes on one PostgreSQL: what they digest at the same moment adds up."""

import contextlib
import random
import shutil
import subprocess
import threading

import load
import psycopg
import pytest
from installation import MODULE
from spools import fill
from storm import Storm, check_nothing_lost, digest_of, eventually, health, press, signed_in

BUGS = 60
WAITS_FOR_AN_ISSUE = """SELECT 1 FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND datname = current_database() AND query LIKE '%errors_issue%FOR NO KEY UPDATE%'"""


@contextlib.contextmanager
def digesting(*sites):
    command = [*MODULE, "digest", "--data-dir"]
    started = [subprocess.Popen([*command, site.data_dir], env=site.env, stderr=subprocess.DEVNULL) for site in sites]
    try:
        yield
    finally:
        for digest in started:
            digest.terminate()
        assert [ended(digest) for digest in started] == [0] * len(sites)


def ended(digest):
    """Its exit code. Nothing of it stays, whatever it does."""
    try:
        return digest.wait(30)
    finally:
        digest.kill()
        digest.wait()


@contextlib.contextmanager
def busy_people(site):
    """Two who resolve and reopen all errors at once, in any order, again and again."""
    over = threading.Event()
    answers = set()

    def work(browser):
        while not over.is_set():
            for verb in ("resolve", "reopen"):
                some = random.sample(range(1, BUGS + 1), BUGS)
                answers.add(press(browser, "/errors/", do=verb, issue=some).status_code)

    with signed_in(site) as browser:
        people = [threading.Thread(target=work, args=[browser]) for _ in range(2)]
        for person in people:
            person.start()
        yield
        over.set()
        for person in people:
            person.join()
    assert answers == {200}


def test_two_nodes_that_meet_the_same_new_bugs_open_one_issue_for_each(shop, database):
    env = {"DATABASE_URL": database, "DAYTWO_DIGEST": "off"}
    here, there = shop(env=env), shop(env=env)
    same = load.requests(here.keys["dsn"], 100, groups=BUGS)  # sent to both, as by a client behind two proxies
    for site in (here, there):
        mixed = [*same, *load.requests(site.keys["dsn"], 900, groups=BUGS)]
        random.shuffle(mixed)
        fill(site, mixed, per_segment=1000)
    here.start()
    with digesting(here, there), busy_people(here):
        there.wait_for_spool()
        here.wait_for_spool()
    assert here.events() == 1900
    assert here.query("SELECT count(*) FROM errors_issue") == [(BUGS,)]
    assert here.query("SELECT count(*) FROM errors_activity WHERE kind = 'opened'") == [(BUGS,)]
    assert here.query("SELECT sum(count) FROM ingest_itemcount WHERE reason = 'duplicate'") == [(100,)]
    check_nothing_lost(here, {request.event_id for request in same})
    assert here.query("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == [(0,)]
    for site in (here, there):
        assert not (site.data_dir / "spool" / "quarantine").exists()


def test_a_deadlock_that_the_digest_loses_is_tried_again(shop, database):
    site = shop(env={"DATABASE_URL": database})
    site.start()
    with Storm(site, 2, rate_per_s=1000, groups=2) as before:
        site.wait_for_events(2)
    with psycopg.connect(database) as other:
        other.execute("SET deadlock_timeout = '60s'")  # so that it is the digest that finds out, and gives way
        # Of the key of a row others make sure when they refer to it; they are not to wait here.
        other.execute("SELECT 1 FROM errors_issue WHERE id = 2 FOR NO KEY UPDATE")
        digest = digest_of(site)
        digest.suspend()  # so that it takes both at once
        with Storm(site, 2, rate_per_s=1000, groups=2) as storm:
            pass
        digest.resume()
        eventually(lambda: site.query(WAITS_FOR_AN_ISSUE))
        other.execute("UPDATE errors_issue SET title = title WHERE id = 1")
        eventually(lambda: "deadlock" in health(site)["checks"]["digest"]["message"])
    check_nothing_lost(site, before.acked | storm.acked)
    assert not (site.data_dir / "spool" / "quarantine").exists()
    eventually(lambda: health(site)["status"] == "healthy")


@pytest.mark.django_db(databases=["default", "telemetry"], transaction=True)
def test_a_copied_data_directory_is_told_and_loses_nothing(tmp_path, db):
    import make
    from digests import Node

    from daytwo_server.errors.models import Event

    project = make.project()
    original = Node(tmp_path / "original", project)
    shutil.copytree(original.folder, tmp_path / "copy")
    copy = Node(tmp_path / "copy", project)
    for node in (original, copy):
        node.write("one", "two")
        node.digester.run_once()  # moves the cursor that they share
        node.write("three")
    with original.running():
        eventually(lambda: "was the data directory copied" in original.told())
    copy.digest()
    assert Event.objects.count() == 5
    (original.folder / "node").unlink()
    original.digester = original.fresh()
    original.digest()
    assert Event.objects.count() == 6
    for node in (original, copy):
        node.reader.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_batch_holds_up_nobody_who_presses_a_button(shop, request, kind):
    """Under a load that keeps the digest busy, the median wait stays in the range that people take for at once."""
    site = shop(env={"DATABASE_URL": request.getfixturevalue("database")} if kind == "postgres" else None)
    site.start()
    waits = []
    with signed_in(site) as alice, Storm(site, 1200, rate_per_s=500, groups=BUGS) as storm:
        site.wait_for_events(100)
        while not storm.is_over():
            answer = press(alice, f"/errors/{len(waits) % BUGS + 1}/", do="resolve")
            assert answer.status_code == 200
            waits.append(answer.history[0].elapsed.total_seconds())
    check_nothing_lost(site, storm.acked)
    assert sorted(waits)[len(waits) // 2] < 0.5  # 0.05 s on two cores that have nothing else to do
