"""The worker: threads that share the work, and what is left of it when they are stopped or killed."""

import datetime as dt
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, transaction
from rooms.core import killed_worker

from daytwo_server.core import jobs
from daytwo_server.core.jobs import queue, registry
from daytwo_server.core.models import Job, Topic

pytestmark = pytest.mark.django_db(transaction=True)

sleep, poison = killed_worker.register()
ran: Counter[int] = Counter()
_lock = threading.Lock()
_may_end = threading.Event()


@jobs.job("tests.count")
def count(n: int) -> None:
    with _lock:
        ran[n] += 1


@jobs.job("tests.hold", lease=dt.timedelta(seconds=1))
def hold(n: int) -> None:
    with _lock:
        ran[n] += 1
    _may_end.wait(10)


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    monkeypatch.setattr(registry, "_schedules", {})  # the rooms' own periodic jobs would come in between
    ran.clear()
    _may_end.clear()
    yield
    _may_end.set()


@contextmanager
def working(**options):
    worker = jobs.Worker(**options)
    worker.start()
    try:
        yield worker
    finally:
        _may_end.set()
        worker.stop()


def until(condition, seconds: float = 10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_two_workers_share_the_jobs_and_none_runs_twice():
    with transaction.atomic():
        jobs.enqueue_many(count, ({"n": n} for n in range(200)))
    with working(threads=2), working(threads=2):
        until(lambda: not Job.objects.exists(), 30)
    assert ran == Counter(range(200))


def test_a_job_of_this_process_is_run_as_soon_as_its_transaction_commits():
    with working():
        time.sleep(0.3)  # asleep between two looks
        with transaction.atomic():
            jobs.enqueue(count, n=1)
            time.sleep(0.3)
            assert not ran
        until(lambda: ran)
    assert ran == {1: 1}


def test_a_living_worker_keeps_a_job_that_takes_longer_than_its_lease():
    jobs.enqueue(hold, n=1)
    with working(), working():
        until(lambda: ran)
        time.sleep(2.5)
        _may_end.set()
        until(lambda: not Job.objects.exists())
    assert ran == {1: 1}


def test_stopping_waits_for_the_running_job_and_takes_no_other():
    jobs.enqueue(hold, n=1)
    jobs.enqueue(count, n=2)
    with working() as worker:
        until(lambda: ran)
        threading.Timer(0.3, _may_end.set).start()
        assert worker.stop(dt.timedelta(seconds=5))
    assert ran == {1: 1}
    assert Job.objects.get().kind == "tests.count"


def test_a_busy_process_runs_few_jobs_at_a_time_and_the_rest_once_it_is_idle():
    looks, seen = Counter(), []

    def busy():
        looks["busy"] += 1
        seen.append(sum(ran.values()))
        return looks["waits"] == 0

    with transaction.atomic():
        jobs.enqueue_many(count, ({"n": n} for n in range(40)))
    with working(busy=busy):
        until(lambda: len(ran) >= 3)  # a busy process does not starve them
        assert max(after - before for before, after in pairwise(seen)) <= 10
        assert len(ran) < 40
        looks["waits"] = 1
        until(lambda: not Job.objects.exists())
    assert ran == Counter(range(40))


def test_a_worker_that_was_never_started_can_be_stopped():
    assert jobs.Worker().stop()
    assert jobs.Worker(threads=0).stop()


def test_a_job_that_outlasts_the_grace_is_left_to_its_lease():
    jobs.enqueue(hold, n=1)
    with working() as worker:
        until(lambda: ran)
        assert not worker.stop(dt.timedelta(seconds=0.1))
        left = Job.objects.get()
        assert (left.state, left.attempts) == (Job.State.LEASED, 1)


def test_the_worker_outlives_a_store_that_is_gone_for_a_moment(caplog):
    with working():
        _rename("core_job", "core_job_away")
        try:
            until(lambda: "The job worker could not use the store" in caplog.text)
        finally:
            _rename("core_job_away", "core_job")
        jobs.enqueue(count, n=1)
        until(lambda: not Job.objects.exists())
    assert ran == {1: 1}


def _rename(old: str, new: str):
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {old} RENAME TO {new}")


# -- killed


@pytest.fixture
def marks(tmp_path):
    return tmp_path / "marks"


@contextmanager
def process(**environment):
    database = settings.DATABASES["default"]
    if connection.vendor == "sqlite":
        url = f"sqlite://{database['NAME']}"
    else:
        url = f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    started = subprocess.Popen(
        [sys.executable, killed_worker.__file__],
        env={**os.environ, "DATABASE_URL": url, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        stdout=subprocess.PIPE,
    )
    try:
        assert started.stdout.readline() == b"working\n"
        yield started
    finally:
        started.kill()
        started.wait(10)
        started.stdout.close()


def words(marks: Path) -> list[str]:
    return marks.read_text().split() if marks.exists() else []


def test_a_job_whose_worker_was_killed_is_run_again_once_its_lease_ends(marks):
    jobs.enqueue(sleep, marks=str(marks), seconds=2)
    with process() as first:
        until(lambda: words(marks) == ["started"])
        first.kill()
        first.wait(10)
    assert Job.objects.get().state == Job.State.LEASED
    with process():
        until(lambda: words(marks) == ["started", "started", "finished"], 20)
        until(lambda: not Job.objects.exists())


@pytest.mark.slow
def test_a_job_that_kills_its_process_every_time_ends_as_a_dead_letter(marks):
    jobs.enqueue(poison, marks=str(marks))
    for round_number in (1, 2, 3):
        with process() as victim:
            assert victim.wait(20) == -9
        assert words(marks) == ["started"] * round_number
    with process():
        until(lambda: Job.objects.filter(state=Job.State.DEAD).exists())
    assert words(marks) == ["started"] * 3
    dead = Job.objects.get()
    assert (dead.attempts, dead.error) == (3, "The process ended while it ran, 3 times.")


def test_a_worker_told_to_stop_finishes_its_job(marks):
    jobs.enqueue(sleep, marks=str(marks), seconds=1)
    with process() as worker:
        until(lambda: words(marks) == ["started"])
        worker.terminate()
        assert worker.wait(10) == 0
    assert words(marks) == ["started", "finished"]
    assert not Job.objects.exists()


def test_a_worker_told_to_stop_does_not_wait_for_ever(marks):
    jobs.enqueue(sleep, marks=str(marks), seconds=30)
    with process(GRACE_S="0.3") as worker:
        until(lambda: words(marks) == ["started"])
        worker.terminate()
        assert worker.wait(5) == 1
    assert Job.objects.get().state == Job.State.LEASED


@jobs.job("tests.note_together", atomic=True)
def note(n: int) -> None:
    Topic.objects.create(name=f"note.{n}", version=n)
    with _lock:
        ran[n] += 1
    if n == 3:
        raise ValueError("not this one")


def test_first_tries_of_one_kind_share_a_transaction_and_none_takes_another_along():
    for n in range(30):
        jobs.enqueue(note, n=n)
    with working(threads=1):
        deadline = time.monotonic() + 10
        while Job.objects.filter(kind="tests.note_together", attempts=0).exists() and time.monotonic() < deadline:
            time.sleep(0.02)
    assert {n: ran[n] for n in range(30)} == dict.fromkeys(range(30), 1)
    assert set(Topic.objects.filter(name__startswith="note.").values_list("version", flat=True)) == {*range(30)} - {3}
    [left] = Job.objects.filter(kind="tests.note_together")
    assert (left.args, left.attempts, left.error) == ('{"n":3}', 1, "ValueError: not this one")


def test_only_what_was_never_tried_runs_together():
    if connection.vendor != "sqlite":
        pytest.skip("they run one by one there")
    for n in range(5):
        jobs.enqueue(note, n=n)
    Job.objects.filter(args='{"n":2}').update(attempts=1)
    jobs.enqueue(count, n=9)
    first = queue.claim()
    alike = queue.claim_alike(first)
    assert [claim.args["n"] for claim in alike] == [1, 3, 4]
    assert {claim.token for claim in alike} == {first.token}
    assert queue.claim_alike(first) == []
