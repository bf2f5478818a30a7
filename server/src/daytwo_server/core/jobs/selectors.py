"""What pages read about jobs: how many there are, single ones, and what runs by the clock."""

from __future__ import annotations

import datetime as dt
import inspect
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count

from daytwo_server.core.jobs.registry import Schedule, UnknownKind, kind_named, schedules
from daytwo_server.core.masking import mask
from daytwo_server.core.models import Job, Periodic


@dataclass(frozen=True)
class Recurring:
    """A periodic job. `known` is false for one that this version does not run; its schedule is as it was stored."""

    kind: str
    schedule: Schedule
    next_run: dt.datetime
    last_run: dt.datetime | None
    known: bool


def kinds(state: str) -> dict[str, int]:
    """How many jobs of each kind are in this state, by name of the kind."""
    return dict(sorted(Job.objects.filter(state=state).values_list("kind").annotate(n=Count("pk"))))


def job(job_id: int) -> Job | None:
    return Job.objects.filter(pk=job_id).first()


def jobs_by_args(kind: str, args: Iterable[str]) -> list[Job]:
    """The jobs of a kind with one of these arguments, as the queue writes them: JSON without spaces."""
    return list(Job.objects.filter(kind=kind, args__in=set(args)))


def shown_args(job: Job) -> Any:
    """The arguments for people: decoded, without secrets."""
    return mask(json.loads(job.args), max_text=2000)


def purpose(kind: str) -> str:
    """The first sentence of what jobs of this kind do; empty when this version has no such kind."""
    try:
        words = inspect.getdoc(kind_named(kind).handler) or ""
    except UnknownKind:
        return ""
    return words.partition("\n\n")[0].replace("\n", " ")


def recurring() -> list[Recurring]:
    """The periodic jobs by name. One that no worker has seen yet is not among them."""
    here = schedules()
    return [
        Recurring(row.kind, here.get(row.kind, row.schedule), row.next_run, row.last_run, row.kind in here)
        for row in Periodic.objects.order_by("kind")
    ]
