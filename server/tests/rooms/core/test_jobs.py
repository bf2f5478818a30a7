"""Jobs as rows: added with the change that wants them, run at least once, put off when they fail, never lost."""

import datetime as dt
import json

import pytest
import time_machine
from django.db import transaction

from daytwo_server.core import clock, jobs
from daytwo_server.core.jobs import queue
from daytwo_server.core.models import Job, Topic

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
ran: list[object] = []


class Down(Exception):
    """What a job raises when the other side is down."""


class Gone(Exception):
    permanent = True


@jobs.job("tests.note")
def note(what: object) -> None:
    ran.append(what)


@jobs.job("tests.fail", max_attempts=3)
def fail(message: str = "no route to host") -> None:
    ran.append(message)
    raise Down(message)


@jobs.job("tests.gone")
def gone() -> None:
    raise Gone("the channel was archived")


@jobs.job("tests.exit", max_attempts=1)
def leave() -> None:
    raise SystemExit(3)


@jobs.job("tests.write_and_fail", atomic=True)
def write_and_fail() -> None:
    Topic.objects.create(name="half", version=1)
    raise Down("after the write")


@jobs.job("tests.outlived", atomic=True)
def outlived(job_id: int) -> None:
    Topic.objects.create(name="late", version=1)
    Job.objects.filter(pk=job_id).update(token="another worker")  # as its claim would, once this lease had ended


@pytest.fixture(autouse=True)
def _fresh():
    ran.clear()


def run() -> int:
    return jobs.run_due_jobs(tick=False)


@pytest.fixture
def at_noon():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def test_a_job_runs_once_with_its_arguments_and_is_gone():
    jobs.enqueue(note, what={"ids": [1, 2], "text": "Größe", "none": None})
    assert run() == 1
    assert ran == [{"ids": [1, 2], "text": "Größe", "none": None}]
    assert not Job.objects.exists()


def test_a_job_of_a_rolled_back_change_never_existed():
    def change():
        with transaction.atomic():
            jobs.enqueue(note, what="ghost")
            raise Down

    with pytest.raises(Down):
        change()
    assert run() == 0
    assert ran == []


def test_arguments_that_do_not_fit_are_refused_where_the_job_is_enqueued():
    with pytest.raises(TypeError):
        jobs.enqueue(note, wat=1)
    with pytest.raises(TypeError):
        jobs.enqueue(note, what=clock.now())
    with pytest.raises(ValueError, match="JSON"):
        jobs.enqueue(note, what=float("nan"))
    with pytest.raises(jobs.UnknownKind, match=r"tests\.unheard_of"):
        jobs.enqueue("tests.unheard_of")


def test_a_later_job_waits_for_its_time(at_noon):
    jobs.enqueue(note, what="later", run_at=NOON + 10 * SECOND)
    assert run() == 0
    at_noon.shift(10)
    assert run() == 1


def test_urgent_jobs_go_first_and_bulk_last_and_equals_in_their_order():
    for what, priority in (("bulk", -1), ("first", 0), ("second", 0), ("urgent", 1)):
        jobs.enqueue(note, what=what, priority=priority)
    run()
    assert ran == ["urgent", "first", "second", "bulk"]


def test_a_worker_takes_only_from_its_queues():
    jobs.enqueue(note, what="mail", queue="mail")
    assert run() == 0
    assert jobs.run_due_jobs(queues=("default", "mail"), tick=False) == 1


def test_a_failing_job_backs_off_and_ends_as_a_visible_dead_letter(at_noon):
    job_id = jobs.enqueue(fail)
    waits = []
    for _ in range(2):
        assert run() == 1
        row = Job.objects.get()
        waits.append((row.run_at - clock.now()).total_seconds())
        assert row.state == Job.State.READY
        assert run() == 0
        at_noon.move_to(row.run_at)
    assert 4 <= waits[0] <= 6
    assert 8 <= waits[1] <= 12
    assert run() == 1
    dead = Job.objects.get(pk=job_id)
    assert (dead.state, dead.attempts, dead.error) == (Job.State.DEAD, 3, "Down: no route to host")
    at_noon.shift(1_000_000)
    assert run() == 0
    assert jobs.stats() == jobs.Stats(ready=0, leased=0, dead=1, oldest_due=dt.timedelta(0))


def test_the_wait_grows_to_an_hour_at_most():
    assert all(dt.timedelta(minutes=48) <= queue.backoff(n) <= dt.timedelta(minutes=72) for n in (12, 50, 10_000))


def test_a_permanent_failure_is_not_tried_again():
    jobs.enqueue(gone)
    run()
    assert Job.objects.get().state == Job.State.DEAD


def test_a_job_that_exits_the_process_fails_like_any_other():
    jobs.enqueue(leave)
    assert run() == 1
    assert Job.objects.get().error == "SystemExit: 3"


def test_one_failing_job_does_not_hold_up_the_next():
    jobs.enqueue(fail)
    jobs.enqueue(note, what="after")
    assert run() == 2
    assert "after" in ran


def test_a_job_of_a_kind_this_version_does_not_know_is_kept_and_says_so():
    Job.objects.create(kind="rooms.of.tomorrow", max_attempts=1)
    run()
    assert Job.objects.get().error == "UnknownKind: No function runs jobs of kind rooms.of.tomorrow in this version."


def test_secrets_and_personal_text_do_not_reach_the_error_that_is_shown():
    jobs.enqueue(
        fail,
        message="POST https://user:pw@hooks.example.com/services/T000/B000/XXXX?key=1 failed for dana@example.com "
        "password=hunter2 Authorization: Bearer abcdefgh12345\nDETAIL: Key (email)=(dana@example.com)",
    )
    run()
    error = Job.objects.get().error
    assert error.startswith("Down: POST https://hooks.example.com failed for")
    for secret in ("T000", "XXXX", "pw@", "dana", "hunter2", "abcdefgh", "DETAIL"):
        assert secret not in error


def test_a_dead_letter_can_be_retried_with_all_its_attempts_or_discarded(at_noon):
    first, second = jobs.enqueue(gone), jobs.enqueue(gone)
    run()
    assert jobs.retry(first)
    row = Job.objects.get(pk=first)
    assert (row.state, row.attempts) == (Job.State.READY, 0)
    assert not jobs.retry(first)
    assert jobs.discard(second)
    assert not jobs.discard(second)
    assert not jobs.discard(first)


def test_a_discarded_job_does_nothing_until_it_is_put_back():
    dead = jobs.enqueue(gone, unique_key="gone:1")
    run()
    jobs.discard(dead)
    assert jobs.stats() == jobs.Stats(ready=0, leased=0, dead=0, discarded=1, oldest_due=0 * SECOND)
    assert not jobs.retry(dead)
    assert run() == 0
    assert jobs.restore(dead)
    assert not jobs.restore(dead)
    assert jobs.retry(dead), "a discarded job of the same key is no reason to drop this one"


def test_a_job_that_waits_can_be_hurried_and_no_other(at_noon):
    planned = jobs.enqueue(note, what="later", run_at=NOON + 3600 * SECOND)
    assert jobs.hurry(planned)
    assert not jobs.hurry(planned), "it is due already"
    assert run() == 1
    assert not jobs.hurry(planned)
    dead = jobs.enqueue(gone)
    run()
    assert not jobs.hurry(dead)


def test_what_an_atomic_job_wrote_goes_with_its_failure():
    jobs.enqueue(write_and_fail)
    run()
    assert not Topic.objects.exists()
    assert Job.objects.get().attempts == 1


def test_an_atomic_job_that_lost_its_lease_leaves_nothing_behind():
    job_id = jobs.enqueue(outlived, job_id=0)
    Job.objects.filter(pk=job_id).update(args=json.dumps({"job_id": job_id}))
    run()
    assert not Topic.objects.exists()
    assert Job.objects.get().state == Job.State.LEASED


def test_a_worker_that_lost_its_lease_cannot_settle_the_claim_of_another(at_noon):
    jobs.enqueue(note, what="slow")
    slow = queue.claim()
    at_noon.shift(61)
    fast = queue.claim()
    assert (slow.attempts, fast.attempts) == (1, 2)
    assert not queue.complete(slow)
    queue.fail(slow, Down("too late"))
    assert not queue.renew(slow, 60 * SECOND)
    row = Job.objects.get()
    assert (row.state, row.token, row.error) == (Job.State.LEASED, fast.token, "")
    assert queue.complete(fast)
    assert not Job.objects.exists()


def test_a_renewed_lease_keeps_the_job_from_others(at_noon):
    jobs.enqueue(note, what="long")
    claim = queue.claim()
    at_noon.shift(50)
    assert queue.renew(claim, 60 * SECOND)
    at_noon.shift(50)
    assert queue.claim() is None
    at_noon.shift(11)
    assert queue.claim() is not None


def test_figures_tell_how_long_the_oldest_due_job_waits(at_noon):
    jobs.enqueue(note, what=1)
    jobs.enqueue(note, what=2, run_at=NOON + 3600 * SECOND)
    at_noon.shift(90)
    assert jobs.stats() == jobs.Stats(ready=2, leased=0, dead=0, oldest_due=90 * SECOND)
    queue.claim()
    assert jobs.stats() == jobs.Stats(ready=1, leased=1, dead=0, oldest_due=0 * SECOND)


# -- unique keys


def test_a_second_request_of_the_same_key_is_the_first_one():
    first = jobs.enqueue(note, what="once", unique_key="note:1")
    assert jobs.enqueue(note, what="once", unique_key="note:1") == first
    assert jobs.enqueue(note, what="other", unique_key="note:2") != first
    assert run() == 2
    assert jobs.enqueue(note, what="once", unique_key="note:1") != first


def test_a_sooner_request_pulls_the_waiting_job_forward_and_a_later_one_does_not_push_it_back(at_noon):
    jobs.enqueue(note, what=1, unique_key="k", run_at=NOON + 60 * SECOND)
    jobs.enqueue(note, what=1, unique_key="k", run_at=NOON + 30 * SECOND)
    jobs.enqueue(note, what=1, unique_key="k", run_at=NOON + 90 * SECOND)
    assert Job.objects.get().run_at == NOON + 30 * SECOND


def test_requests_do_not_shorten_the_wait_of_a_job_that_failed(at_noon):
    jobs.enqueue(fail, unique_key="k")
    run()
    waits_until = Job.objects.get().run_at
    jobs.enqueue(fail, unique_key="k")
    assert Job.objects.get().run_at == waits_until > NOON


def test_a_request_that_comes_while_its_twin_runs_makes_it_run_once_more(at_noon):
    first = jobs.enqueue(note, what="twin", unique_key="k")
    claim = queue.claim()
    assert jobs.enqueue(note, what="twin", unique_key="k") == first
    assert jobs.enqueue(note, what="twin", unique_key="k", run_at=NOON + 5 * SECOND) == first
    assert queue.claim() is None
    assert queue.complete(claim)
    assert run() == 1
    assert not Job.objects.exists()


def test_a_request_that_comes_while_its_twin_runs_survives_the_twins_end_as_a_dead_letter(at_noon):
    first = jobs.enqueue(gone, unique_key="k")
    claim = queue.claim()
    jobs.enqueue(gone, unique_key="k")
    queue.fail(claim, Gone("archived"))
    assert Job.objects.get(pk=first).state == Job.State.DEAD
    again = Job.objects.exclude(pk=first).get()
    assert (again.state, again.attempts, again.unique_key, again.error) == (Job.State.READY, 0, "k", "")


def test_retrying_a_dead_letter_whose_twin_waits_leaves_the_twin_to_do_it():
    dead = jobs.enqueue(gone, unique_key="k")
    run()
    twin = jobs.enqueue(gone, unique_key="k")
    assert twin != dead
    assert jobs.retry(dead)
    assert [job.pk for job in Job.objects.all()] == [twin]
