"""core's own kinds: facts, jobs that failed for good, the audit log."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import msgspec
from django.db.models import Q

from daytwo_server.core import audit
from daytwo_server.core.db import delete_some
from daytwo_server.core.models import AuditEntry, Fact, Job
from daytwo_server.core.retention.registry import Kind, register

CHUNK = 1000
_ENDED = (Job.State.DEAD, Job.State.DISCARDED)


def facts(before: dt.datetime) -> Iterator[int]:
    """All but those that a reaction still has to see, or that somebody may have it see again."""
    last = 0
    while True:
        old = list(Fact.objects.filter(at__lt=before, pk__gt=last).order_by("pk").values_list("pk", flat=True)[:CHUNK])
        if not old:
            return
        last = old[-1]
        # Asked for each chunk: a dead letter may be tried again while this runs.
        going = set(old) - _awaited(before)
        yield Fact.objects.filter(pk__in=going).delete()[0]


def _awaited(before: dt.datetime) -> set[int]:
    """The facts of reactions that wait, run, back off or are dead letters. A job is as old as its fact."""
    reactions = Job.objects.filter(kind="core.react", created_at__lt=before).exclude(state=Job.State.DISCARDED)
    return {msgspec.json.decode(args)["fact"] for args in reactions.values_list("args", flat=True)}


def ended_jobs(before: dt.datetime) -> Iterator[int]:
    while gone := delete_some(Job, "state IN (%s, %s) AND run_at < %s", (*_ENDED, before), limit=CHUNK):
        yield gone


def audit_entries(before: dt.datetime) -> Iterator[int]:
    while gone := audit.forget(before, limit=CHUNK):
        yield gone


register(
    Kind(
        name="facts", label="Facts", text="What happened, as reactions and integrations are told of it",
        noun="fact", nouns="facts",
        setting="retention_facts_days", tables=(Fact,), by="at", sweep=facts,
    )
)  # fmt: skip
register(
    Kind(
        name="dead_jobs", label="Dead jobs", text="Work that failed for good, to look at and try again",
        noun="job", nouns="jobs",
        setting="retention_dead_jobs_days", tables=(Job,), by="run_at", sweep=ended_jobs,
        only=Q(state__in=_ENDED),
    )
)  # fmt: skip
register(
    Kind(
        name="audit", label="Audit log", text="Who changed what",
        noun="entry", nouns="entries",
        setting="retention_audit_days", tables=(AuditEntry,), by="at", sweep=audit_entries,
    )
)  # fmt: skip
