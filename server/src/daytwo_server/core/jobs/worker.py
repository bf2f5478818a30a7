"""Runs what the queue holds: in threads of a serving process, or at once for tests and the command line."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import Error, close_old_connections, connections, transaction

from daytwo_server.core import clock
from daytwo_server.core.jobs import queue
from daytwo_server.core.jobs.registry import DEFAULT_LEASE, UnknownKind, kind_named, next_after, periodic_key, schedules
from daytwo_server.core.models import Periodic
from daytwo_server.core.stores import DEFAULT
from daytwo_server.core.trouble import is_trouble, words

log = logging.getLogger(__name__)

POLL_S = 0.2
TICK_S = 1.0
AFTER_STORE_ERROR_S = 2.0
STEP_BACK_S = 0.25


class LeaseLost(Exception):
    """Another worker has this job by now, so what this one wrote is rolled back."""


def run(claim: queue.Claim) -> None:
    """Run one claimed job and settle it. Errors of the job are logged and kept on its row, never raised."""
    try:
        _run(claim)
    except LeaseLost as lost:
        log.warning("%s", lost)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
        _failed(claim, error)


def _failed(claim: queue.Claim, error: BaseException) -> None:
    ended = queue.fail(claim, error)
    level = logging.ERROR if ended else logging.WARNING
    tried = f"attempt {claim.attempts} of {claim.max_attempts}"
    outcome = "is now a dead letter" if ended else "will run again"
    log.log(level, "Job %d (%s) failed, %s, and %s.", claim.id, claim.kind, tried, outcome, exc_info=error)


def run_together(claims: Sequence[queue.Claim]) -> None:
    """Run first tries of one atomic kind in one transaction, each in a savepoint, and settle them.

    SQLite has one writer, and a commit waits for the disk: ten reactions to ten facts wait once.
    """
    failed: list[tuple[queue.Claim, Exception]] = []
    try:
        with transaction.atomic():
            for claim in claims:
                try:
                    _run(claim)
                except LeaseLost as lost:
                    log.warning("%s", lost)
                except Exception as error:
                    if is_trouble(error):
                        raise
                    failed.append((claim, error))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - nothing of it took effect; each is tried alone
        for claim in claims:
            _failed(claim, error)
    else:
        for claim, problem in failed:
            _failed(claim, problem)


def _run(claim: queue.Claim) -> None:
    kind = kind_named(claim.kind)
    if kind.lease != DEFAULT_LEASE:
        queue.renew(claim, kind.lease)
    if not kind.atomic:
        kind.handler(**claim.args)
        _complete(claim)
        return
    with transaction.atomic():
        kind.handler(**claim.args)
        _complete(claim)


def _complete(claim: queue.Claim) -> None:
    if not queue.complete(claim):
        raise LeaseLost(f"Job {claim.id} ({claim.kind}) outlived its lease; another worker has taken it.")


def run_due_jobs(*, queues: Sequence[str] = ("default",), limit: int = 1000, tick: bool = True) -> int:
    """Run everything that is due now, on this thread, periodic jobs included unless `tick` is off.

    Returns how many ran. Leases are not renewed meanwhile: this is for tests and the command line.
    """
    if tick:
        sync_periodic()
        tick_periodic()
    done = 0
    while done < limit and (claim := _next(queues)):
        run(claim)
        done += 1
    return done


def _next(queues: Sequence[str]) -> queue.Claim | None:
    return next((claim for name in queues if (claim := queue.claim(name))), None)


def sync_periodic() -> None:
    """Give every periodic kind of this process its row, and a new time if its schedule was changed."""
    now = clock.now()
    known = dict(Periodic.objects.values_list("kind", "schedule"))
    for kind, schedule in schedules().items():
        first = now if isinstance(schedule, dt.timedelta) else next_after(schedule, now, now=now)
        if kind not in known:
            Periodic.objects.get_or_create(kind=kind, defaults={"schedule": str(schedule), "next_run": first})
        elif known[kind] != str(schedule):
            Periodic.objects.filter(kind=kind).update(schedule=str(schedule), next_run=first)


def tick_periodic() -> None:
    """Enqueue the periodic jobs that are due, each in one transaction with the step to its next time."""
    now = clock.now()
    here = schedules()
    for due in Periodic.objects.filter(next_run__lte=now, kind__in=here):
        following = next_after(here[due.kind], due.next_run, now=now)
        with transaction.atomic():
            # Two workers may both see it due; the one that changes the row enqueues.
            mine = Periodic.objects.filter(kind=due.kind, next_run=due.next_run)
            if mine.update(next_run=following, last_run=now):
                queue.enqueue(due.kind, unique_key=periodic_key(due.kind))


@dataclass
class _Running:
    claim: queue.Claim
    lease: dt.timedelta
    renew_at: float  # time.monotonic()


class Worker:
    """Threads that run jobs, and one that renews their leases and enqueues periodic jobs.

    Runs in any process that has set up Django. Put queues that matter more first. A job that is due is seen within
    200 ms, at once when this process enqueued it.

    While `busy` says that people wait for this process, its threads leave them the processor: each starts something
    (at most ten small jobs, see `run_together`) four times a second, and all of it afterwards.
    """

    def __init__(
        self, *, threads: int = 1, queues: Sequence[str] = ("default",), busy: Callable[[], bool] = lambda: False
    ) -> None:
        self._queues = tuple(queues)
        self._busy = busy
        self._stopping = threading.Event()
        self._stopped = threading.Event()
        self._running: dict[int, _Running] = {}
        self._workers = [
            threading.Thread(target=self._work, name=f"jobs-{number}", daemon=True) for number in range(threads)
        ]
        self._keeper = threading.Thread(target=self._keep, name="jobs-keeper", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        for thread in (*self._workers, self._keeper):
            thread.start()

    def stop(self, grace: dt.timedelta = dt.timedelta(seconds=10)) -> bool:
        """Take no further job and wait for those that run. False when some still run after `grace`.

        Those are left to their lease: when it ends, another worker runs them again.
        """
        self._stopping.set()
        deadline = time.monotonic() + grace.total_seconds()
        for thread in self._workers:
            if thread.is_alive():  # a worker that was never started stops as well
                thread.join(max(0.0, deadline - time.monotonic()))
        self._stopped.set()
        if self._keeper.is_alive():
            self._keeper.join(min(TICK_S, max(0.1, deadline - time.monotonic())))
        return not any(thread.is_alive() for thread in self._workers)

    def _work(self) -> None:
        sleeper = threading.Event()
        queue.listen(sleeper)
        try:
            while not self._stopping.is_set():
                self._step_back()
                sleeper.clear()
                if not self._run_next():
                    sleeper.wait(POLL_S)
        finally:
            connections.close_all()

    def _step_back(self) -> None:
        patience = time.monotonic() + STEP_BACK_S
        while self._busy() and time.monotonic() < patience and not self._stopping.wait(STEP_BACK_S / 10):
            pass

    def _run_next(self) -> bool:
        """Run one job if one is due. The thread outlives any error: what failed to settle comes back by its lease."""
        try:
            claim = _next(self._queues)
            if claim is None:
                return False
            claims = [claim, *_alike(claim, self._queues)]
            lease = _lease_of(claim)
            self._running |= {each.id: _Running(each, lease, _renewal(lease)) for each in claims}
            try:
                run(claim) if len(claims) == 1 else run_together(claims)
            finally:
                for each in claims:
                    del self._running[each.id]
                close_old_connections()
        except Exception as error:  # noqa: BLE001 - the worker outlives whatever its store does
            _log_trouble("The job worker could not use the store", error)
            close_old_connections()
            self._stopping.wait(AFTER_STORE_ERROR_S)
        return True

    def _keep(self) -> None:
        synced = False
        next_tick = 0.0
        try:
            while not self._stopped.wait(TICK_S / 2):
                try:
                    self._renew()
                    if self._stopping.is_set() or time.monotonic() < next_tick:
                        continue
                    next_tick = time.monotonic() + TICK_S
                    if not synced:
                        sync_periodic()
                        synced = True
                    tick_periodic()
                except Error as error:
                    _log_trouble("The job worker could not renew leases or look for periodic jobs", error)
                    close_old_connections()
                    self._stopped.wait(AFTER_STORE_ERROR_S)
        finally:
            connections.close_all()

    def _renew(self) -> None:
        for job in list(self._running.values()):
            if time.monotonic() >= job.renew_at and queue.renew(job.claim, job.lease):
                job.renew_at = _renewal(job.lease)


def _alike(claim: queue.Claim, queues: Sequence[str]) -> list[queue.Claim]:
    """Jobs to run together with this one: its kind's, where that is faster and safe."""
    together = connections[DEFAULT].vendor == "sqlite" and len(queues) == 1 and claim.attempts == 1
    try:
        return queue.claim_alike(claim, queues[0]) if together and kind_named(claim.kind).atomic else []
    except UnknownKind:  # `run` fails it in words
        return []


def _log_trouble(what: str, error: Exception) -> None:
    """A store that is down for minutes is no news after the first line, and no fault of this code."""
    if is_trouble(error):
        log.error("%s (%s); it tries again in %g s.", what, words(error), AFTER_STORE_ERROR_S)
    else:
        log.error("%s; it tries again in %g s.", what, AFTER_STORE_ERROR_S, exc_info=error)


def _lease_of(claim: queue.Claim) -> dt.timedelta:
    try:
        return kind_named(claim.kind).lease
    except UnknownKind:  # `run` fails it in words
        return DEFAULT_LEASE


def _renewal(lease: dt.timedelta) -> float:
    return time.monotonic() + lease.total_seconds() / 3
