"""The nightly run: one job a kind, in short steps with pauses, so that nobody who writes has to wait for long."""

from __future__ import annotations

import datetime as dt
import logging
import time

from django.db import router
from django.db.models import F

from daytwo_server.core import clock, jobs, live, preferences
from daytwo_server.core.models import Holding, Job, Periodic
from daytwo_server.core.retention import space
from daytwo_server.core.retention.registry import Kind, kind_named, kinds

log = logging.getLogger(__name__)

TOPIC = "retention"  # of `core.live`: something was removed or measured
# A run goes on in a further job after this, so that it never keeps one of few workers from more urgent ones.
SLICE_S = 20.0
SHORTEST_PAUSE_S = 0.02


def days_of(kind: Kind) -> int:
    """How long this kind is kept now."""
    return int(getattr(preferences.current(), kind.setting))


def keep_newer_than(days: int) -> dt.datetime:
    """The moment before which a run removes everything that is kept so many days."""
    return clock.now() - dt.timedelta(days=days)


def next_run() -> dt.datetime | None:
    """When the nightly run begins; None before a worker ever ran."""
    return Periodic.objects.filter(kind="core.retain_all").values_list("next_run", flat=True).first()


@jobs.periodic("11 2 * * *")
@jobs.job("core.retain_all")
def run_now() -> None:
    """Begin a run over all kinds. One that is under way goes on, and then looks once more."""
    for kind in kinds():
        jobs.enqueue(retain, unique_key=f"retain:{kind.name}", priority=Job.Priority.BULK, kind=kind.name)


@jobs.job("core.retain")
def retain(kind: str) -> None:
    """Remove what this kind no longer keeps, then measure what is left."""
    found = kind_named(kind)
    if found is None:  # of a version that had it
        return
    until = time.monotonic() + SLICE_S
    _begin(found)
    if not (_sweep(found, until=until) and _shrink(found, until=until)):
        jobs.enqueue(retain, unique_key=f"retain:{kind}", priority=Job.Priority.BULK, kind=kind)
        return
    measure(found)
    Holding.objects.filter(kind=found.name).update(finished_at=clock.now())
    live.bump(TOPIC)


@jobs.periodic(dt.timedelta(days=1))
@jobs.job("core.measure_all")
def measure_all() -> None:
    """Measure the kinds that no run has measured for half a day: on a new installation all of them, at once."""
    recent = Holding.objects.filter(measured_at__gt=clock.now() - dt.timedelta(hours=12))
    known = set(recent.values_list("kind", flat=True))
    for kind in kinds():
        if kind.name not in known:
            measure(kind)
    live.bump(TOPIC)


def measure(kind: Kind) -> None:
    """Count the rows of this kind and weigh its tables."""
    known = {
        "rows": kind.rows().count(),
        "bytes": space.size_of(kind.tables),
        "oldest": kind.oldest_at(),
        "measured_at": clock.now(),
    }
    Holding.objects.update_or_create(kind=kind.name, defaults=known)


def _begin(kind: Kind) -> None:
    """A run that was cut off goes on and keeps its count."""
    holding, _ = Holding.objects.get_or_create(kind=kind.name)
    if holding.started_at is None or holding.finished_at is not None:
        Holding.objects.filter(pk=holding.pk).update(started_at=clock.now(), finished_at=None, removed=0)


def _sweep(kind: Kind, *, until: float) -> bool:
    """Whether it came to the end before `until` (time.monotonic())."""
    before = keep_newer_than(days_of(kind))
    removed = 0
    began = time.monotonic()
    ended = True
    for gone in kind.sweep(before):
        removed += gone
        if time.monotonic() > until:
            ended = False
            break
        # As long as the step took: the other half of the time belongs to everybody else who writes.
        time.sleep(max(SHORTEST_PAUSE_S, time.monotonic() - began))
        began = time.monotonic()
    if removed:
        Holding.objects.filter(kind=kind.name).update(removed=F("removed") + removed)
        log.info("Retention removed %d rows of %s from before %s.", removed, kind.name, before.isoformat())
    return ended


def _shrink(kind: Kind, *, until: float) -> bool:
    stores = sorted({router.db_for_write(model) for model in kind.tables})
    return all(space.shrink(alias, until=until) for alias in stores)
