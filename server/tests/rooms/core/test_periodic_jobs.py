"""Jobs by the clock: once for each time, however many workers look, and once for all that were missed."""

import datetime as dt
import threading

import pytest
import time_machine
from django.db import connections

from daytwo_server.core import jobs
from daytwo_server.core.jobs import registry, worker
from daytwo_server.core.models import Job, Periodic

pytestmark = pytest.mark.django_db

START = dt.datetime(2026, 6, 1, 12, 0, 30, tzinfo=dt.UTC)
ran: list[str] = []


@pytest.fixture(autouse=True)
def _only_ours(monkeypatch):
    """The periodic jobs of these tests stand alone."""
    monkeypatch.setattr(registry, "_schedules", {})
    ran.clear()


@jobs.job("tests.often")
def often() -> None:
    ran.append("often")


@jobs.job("tests.nightly")
def nightly() -> None:
    ran.append("nightly")


def test_an_interval_starts_at_once_and_keeps_its_beat():
    jobs.periodic(dt.timedelta(minutes=5))(often)
    with time_machine.travel(START, tick=False) as clock:
        jobs.run_due_jobs()
        clock.shift(299)
        jobs.run_due_jobs()
        assert len(ran) == 1
        clock.shift(31)  # half a minute late
        jobs.run_due_jobs()
        assert len(ran) == 2
        assert Periodic.objects.get().next_run == START + dt.timedelta(minutes=10)


def test_a_cron_expression_runs_at_its_times_in_utc():
    jobs.periodic("30 3 * * *")(nightly)
    with time_machine.travel(START, tick=False) as clock:
        jobs.run_due_jobs()
        assert ran == []
        clock.move_to(dt.datetime(2026, 6, 2, 3, 30, tzinfo=dt.UTC))
        jobs.run_due_jobs()
        assert ran == ["nightly"]


def test_runs_that_were_missed_become_one():
    jobs.periodic(dt.timedelta(minutes=5))(often)
    with time_machine.travel(START, tick=False) as clock:
        jobs.run_due_jobs()
        clock.shift(dt.timedelta(days=3))
        jobs.run_due_jobs()
        jobs.run_due_jobs()
        assert len(ran) == 2


def test_a_changed_schedule_counts_from_now():
    with time_machine.travel(START, tick=False):
        jobs.periodic("30 3 * * *")(nightly)
        worker.sync_periodic()
        jobs.periodic("45 12 * * *")(nightly)
        worker.sync_periodic()
        assert Periodic.objects.get().next_run == START.replace(minute=45, second=0)


def test_a_job_of_a_version_that_is_gone_stays_quiet():
    Periodic.objects.create(kind="tests.gone", schedule="* * * * *", next_run=START)
    jobs.run_due_jobs()
    assert not Job.objects.exists()


def test_a_wrong_expression_fails_where_it_is_written():
    with pytest.raises(ValueError, match="no cron expression"):
        jobs.periodic("every day")
    with pytest.raises(ValueError, match="too short"):
        jobs.periodic(dt.timedelta(milliseconds=5))
    with pytest.raises(ValueError, match="@periodic above @job"):
        jobs.periodic("* * * * *")(lambda: None)


@pytest.mark.django_db(transaction=True)
def test_workers_that_look_at_the_same_moment_enqueue_it_once():
    jobs.periodic(dt.timedelta(minutes=5))(often)
    worker.sync_periodic()
    ready = threading.Barrier(4)

    def look():
        try:
            ready.wait()
            worker.tick_periodic()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Unique keys would hide a second request, so look at the one thing they do not.
    assert Job.objects.count() == 1
    assert Job.objects.get().again_at is None
    assert jobs.run_due_jobs() == 1
    assert len(ran) == 1
