"""The rows: enqueue, claim, settle. Why it is ours and how it holds: docs/why/facts-and-jobs.md."""

from __future__ import annotations

import datetime as dt
import inspect
import json
import random
import secrets
import threading
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, F, Min

from daytwo_server.core import clock, live, sql
from daytwo_server.core.jobs.registry import DEFAULT_LEASE, Kind, kind_of
from daytwo_server.core.masking import error_line
from daytwo_server.core.models import Job
from daytwo_server.core.stores import DEFAULT

FIRST_DELAY = dt.timedelta(seconds=5)
LONGEST_DELAY = dt.timedelta(hours=1)
_PRIORITIES = sorted(Job.Priority.values, reverse=True)
LIVE = (Job.State.READY, Job.State.LEASED)
TOPIC = "jobs.dead"  # of `core.live`: dead letters came or went
_LIVE = "state IN ('ready', 'leased')"  # word for word the condition of the partial indexes, see models.Job
_COLUMNS = (
    "kind", "args", "queue", "priority", "state", "created_at", "run_at", "attempts", "max_attempts", "unique_key",
    "token", "error",
)  # fmt: skip
_CLAIM = "UPDATE core_job SET state = 'leased', attempts = attempts + 1, token = %s, run_at = %s"
# A waiting job that never failed moves to the sooner of both times; one that backs off keeps its time; one that runs
# is marked to run again, because it may have passed the point that the new request is about.
_TWIN = (
    f"(unique_key) WHERE {_LIVE} DO UPDATE SET "
    "run_at = CASE WHEN core_job.state = 'ready' AND core_job.attempts = 0 AND excluded.run_at < core_job.run_at "
    "THEN excluded.run_at ELSE core_job.run_at END, "
    "again_at = CASE WHEN core_job.state = 'ready' THEN core_job.again_at "
    "WHEN core_job.again_at < excluded.run_at THEN core_job.again_at ELSE excluded.run_at END"
)

# One event for each worker thread of this process. Only a hint: a worker also polls.
_sleepers: weakref.WeakSet[threading.Event] = weakref.WeakSet()


@dataclass(frozen=True)
class Claim:
    """One job in the hands of one worker, until it is settled or its lease ends."""

    id: int
    token: str
    kind: str
    args: dict[str, Any]
    attempts: int
    max_attempts: int


@dataclass(frozen=True)
class Stats:
    """How many jobs there are. `oldest_due` is how long the oldest job that may run has been waiting."""

    ready: int
    leased: int
    dead: int
    oldest_due: dt.timedelta
    discarded: int = 0


def enqueue(
    job: str | Callable[..., Any],
    /,
    *,
    run_at: dt.datetime | None = None,
    unique_key: str | None = None,
    priority: int = Job.Priority.NORMAL,
    queue: str = "default",
    **args: Any,
) -> int:
    """Add a job to the current transaction, or at once outside one; returns its id.

    Arguments are ids and plain values (JSON). With `unique_key` there is one waiting or running job of that key: a
    second request returns its id, pulls it forward if sooner, and makes it run once more if it is running already.
    Its arguments stay those of the first request, so the key should name everything they say.
    """
    kind, now = kind_of(job), clock.now()
    row = _row(kind, args, now=now, run_at=run_at or now, unique_key=unique_key, priority=priority, queue=queue)
    conflict = _TWIN if unique_key else ""
    [(job_id,)] = sql.insert(DEFAULT, "core_job", _COLUMNS, [row], on_conflict=conflict, returning="id")
    if run_at is None or run_at <= now:
        wake_on_commit()
    return int(job_id)


def enqueue_many(
    job: str | Callable[..., Any], arguments: Iterable[dict[str, Any]], *, priority: int = Job.Priority.NORMAL
) -> None:
    """Add one due job for each set of arguments, with few statements."""
    kind, now = kind_of(job), clock.now()
    rows = [_row(kind, args, now=now, run_at=now, priority=priority) for args in arguments]
    if rows:
        sql.insert(DEFAULT, "core_job", _COLUMNS, rows)
        wake_on_commit()


def _row(
    kind: Kind,
    args: dict[str, Any],
    *,
    now: dt.datetime,
    run_at: dt.datetime,
    unique_key: str | None = None,
    priority: int = Job.Priority.NORMAL,
    queue: str = "default",
) -> tuple[Any, ...]:
    inspect.signature(kind.handler).bind(**args)  # a wrong argument fails where it is written, not hours later
    text = json.dumps(args, allow_nan=False, separators=(",", ":"))
    return (kind.name, text, queue, int(priority), "ready", now, run_at, 0, kind.max_attempts, unique_key, "", "")


def wake_on_commit() -> None:
    """Let the workers of this process look at once when the current transaction commits."""
    if _sleepers:
        transaction.on_commit(_wake)


def _wake() -> None:
    for sleeper in list(_sleepers):
        sleeper.set()


def listen(sleeper: threading.Event) -> None:
    """Set `sleeper` whenever this process enqueues a job that is due."""
    _sleepers.add(sleeper)


def claim(queue: str = "default") -> Claim | None:
    """Take the most urgent due job of the queue, or a job whose lease has ended.

    One statement, so that of two workers one gets it. Attempts are counted here, not at failure: a job that kills its
    process never gets to fail, and ends as a dead letter all the same.
    """
    lock = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
    update = f"{_CLAIM} WHERE id = {_first_due(lock)} RETURNING id, kind, args, attempts, max_attempts"
    while True:
        token, now = secrets.token_hex(8), clock.now()
        places = [value for priority in _PRIORITIES for value in (queue, priority, now)]
        # A read before the write: on SQLite even an UPDATE of nothing waits for the one writer.
        if sql.fetch(DEFAULT, f"SELECT {_first_due()}", places) == [(None,)]:
            return None
        rows = sql.fetch(DEFAULT, update, [token, now + DEFAULT_LEASE, *places])
        if not rows:  # another worker was faster
            return None
        job_id, kind, args, attempts, max_attempts = rows[0]
        taken = Claim(job_id, token, kind, json.loads(args), attempts, max_attempts)
        if attempts <= max_attempts:
            return taken
        _bury(taken, f"The process ended while it ran, {max_attempts} times.")


def claim_alike(first: Claim, queue: str = "default", *, limit: int = 9) -> list[Claim]:
    """Take further jobs of the same kind that are among the next due, to be run together with this one.

    Only those that were never tried: what may have killed its process runs alone.
    """
    now = clock.now()
    due = (
        "SELECT id, kind, attempts, state FROM core_job WHERE queue = %s AND priority = "
        f"(SELECT priority FROM core_job WHERE id = %s) AND run_at <= %s AND {_LIVE} ORDER BY run_at, id LIMIT %s"
    )
    alike = f"SELECT id FROM ({due}) AS due WHERE kind = %s AND attempts = 0 AND state = 'ready'"
    places = [queue, first.id, now, limit, first.kind]
    found = [job_id for (job_id,) in sql.fetch(DEFAULT, alike, places)]
    if not found:
        return []
    marks = ", ".join(["%s"] * len(found))
    update = f"{_CLAIM} WHERE id IN ({marks}) AND state = 'ready' RETURNING id, kind, args, attempts, max_attempts"
    rows = sql.fetch(DEFAULT, update, [first.token, now + DEFAULT_LEASE, *found])
    return [Claim(row[0], first.token, row[1], json.loads(row[2]), row[3], row[4]) for row in sorted(rows)]


def _first_due(lock: str = "") -> str:
    # One look-up for each priority, most urgent first: each is one step in the index, where sorting a backlog by
    # priority and time would read all of it.
    one = (
        f"(SELECT id FROM core_job WHERE queue = %s AND priority = %s AND run_at <= %s AND {_LIVE} "
        f"ORDER BY run_at, id LIMIT 1 {lock})"
    )
    return f"COALESCE({', '.join([one] * len(_PRIORITIES))})"


def renew(claim: Claim, lease: dt.timedelta) -> bool:
    """Keep the job for another `lease` from now. False when it is no longer ours."""
    return bool(Job.objects.filter(pk=claim.id, token=claim.token).update(run_at=clock.now() + lease))


def complete(claim: Claim) -> bool:
    """The job is done: remove it, or let it run again if that was asked for meanwhile. False when it is not ours."""
    mine = Job.objects.filter(pk=claim.id, token=claim.token)
    if mine.filter(again_at__isnull=True).delete()[0]:
        return True
    fresh = {"state": Job.State.READY, "token": "", "attempts": 0, "error": "", "again_at": None}
    return bool(mine.filter(again_at__isnull=False).update(run_at=F("again_at"), **fresh))


def fail(claim: Claim, error: BaseException) -> bool:
    """Put the job off, or end it as a dead letter when the error is permanent or the attempts are used up.

    True when it ended.
    """
    if getattr(error, "permanent", False) or claim.attempts >= claim.max_attempts:
        _bury(claim, error_line(error))
        return True
    Job.objects.filter(pk=claim.id, token=claim.token).update(
        state=Job.State.READY,
        token="",
        again_at=None,
        error=error_line(error),
        run_at=clock.now() + backoff(claim.attempts),
    )
    return False


def backoff(attempts: int) -> dt.timedelta:
    """5 s, 10 s, 20 s, ... at most an hour, each 20 % up or down so that jobs which failed together spread out."""
    delay = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(attempts - 1, 20))
    return delay * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, guards nothing


def _bury(claim: Claim, why: str) -> None:
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=claim.id, token=claim.token).first()
        if job is None:
            return
        again_at, job.again_at = job.again_at, None
        job.state, job.token, job.error, job.run_at = Job.State.DEAD, "", why, clock.now()
        job.attempts = min(job.attempts, job.max_attempts)
        job.save(update_fields=["state", "token", "error", "run_at", "again_at", "attempts"])
        if again_at is not None:  # asked for again while it ran: that request has attempts of its own
            job.pk, job.state, job.error, job.attempts, job.run_at = None, Job.State.READY, "", 0, again_at
            job.save(force_insert=True)
        live.bump(TOPIC)


def retry(job_id: int) -> bool:
    """Give a dead letter all its attempts again, now. False when it is no dead letter any more.

    When a live job has the same unique key, that job is the retry and the dead letter is removed.
    """
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=job_id, state=Job.State.DEAD).first()
        if job is None:
            return False
        if job.unique_key and Job.objects.filter(unique_key=job.unique_key, state__in=LIVE).exists():
            job.delete()
            return True
        job.state, job.attempts, job.run_at = Job.State.READY, 0, clock.now()
        job.save(update_fields=["state", "attempts", "run_at"])
        wake_on_commit()
    return True


def hurry(job_id: int) -> bool:
    """Let a job that waits for its time, or backs off, run now. False when it does not wait."""
    now = clock.now()
    changed = Job.objects.filter(pk=job_id, state=Job.State.READY, run_at__gt=now).update(run_at=now)
    wake_on_commit()
    return bool(changed)


def discard(job_id: int) -> bool:
    """Give up a dead letter; `restore` takes it back until `upkeep` removes it. False when it is none any more."""
    return bool(Job.objects.filter(pk=job_id, state=Job.State.DEAD).update(state=Job.State.DISCARDED))


def restore(job_id: int) -> bool:
    """Make a discarded job a dead letter again. False when it is not kept any more."""
    return bool(Job.objects.filter(pk=job_id, state=Job.State.DISCARDED).update(state=Job.State.DEAD))


def stats() -> Stats:
    """Figures for metrics and the jobs page."""
    now = clock.now()
    counts = dict(Job.objects.values_list("state").annotate(n=Count("pk")))
    oldest = Job.objects.filter(state__in=LIVE, run_at__lte=now).aggregate(at=Min("run_at"))["at"]
    return Stats(
        ready=counts.get(Job.State.READY, 0),
        leased=counts.get(Job.State.LEASED, 0),
        dead=counts.get(Job.State.DEAD, 0),
        discarded=counts.get(Job.State.DISCARDED, 0),
        oldest_due=now - oldest if oldest else dt.timedelta(0),
    )
