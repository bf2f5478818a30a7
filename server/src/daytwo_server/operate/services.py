"""What people do to jobs. Whoever calls has already asked `permissions.can`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet

from daytwo_server.accounts.models import User
from daytwo_server.core import audit, jobs, live
from daytwo_server.core.jobs.queue import TOPIC
from daytwo_server.core.models import Job
from daytwo_server.core.ref import Ref
from daytwo_server.mail import services as mail
from daytwo_server.mail.models import Delivery, InboundMail

# verb: (what it does to one job, how the audit log calls it)
_VERBS = {
    "retry": (jobs.retry, "retried"),
    "hurry": (jobs.hurry, "hurried"),
    "discard": (jobs.discard, "discarded"),
    "restore": (jobs.restore, "restored"),
}
VERBS = frozenset(_VERBS)


@transaction.atomic
def change_jobs(verb: str, ids: Iterable[int], *, actor: User) -> list[int]:
    """Do one of `VERBS` to these jobs; returns those that it could be done to."""
    act, done = _VERBS[verb]
    kinds = dict(Job.objects.filter(pk__in=list(ids)).order_by("pk").values_list("pk", "kind"))
    changed = [job for job in kinds if act(job)]
    for job in changed:
        audit.record(f"operate:job:{done}", actor=actor, ref=Ref("job", job), after={"kind": kinds[job]})
    if changed:
        live.bump(TOPIC)  # last: whoever buries a job bumps it too
    return changed


# What each verb that makes sense for thousands is done to.
_ENDED = {"retry": Job.State.DEAD, "discard": Job.State.DEAD, "restore": Job.State.DISCARDED}


def change_every(verb: str, *, kind: str, until: dt.datetime, actor: User) -> int:
    """Retry, discard or restore all jobs of a kind ("" for all) that had failed for good by `until`.

    Goes on in the background; returns how many there are. Raises KeyError for another verb and ValueError for a time
    without a zone.
    """
    if until.tzinfo is None:
        raise ValueError("A time without a zone is no moment.")
    with transaction.atomic():
        count = ended_jobs(verb, kind=kind, until=until).count()
        jobs.enqueue("operate.change_jobs", verb=verb, kind=kind, until=until.isoformat())
        after = {"kind": kind or "all kinds", "count": count}
        audit.record(f"operate:dead_letters:{_VERBS[verb][1]}", actor=actor, after=after)
    return count


def ended_jobs(verb: str, *, kind: str, until: dt.datetime) -> QuerySet[Job]:
    """What `change_every` is about. Raises KeyError."""
    found = Job.objects.filter(state=_ENDED[verb], run_at__lte=until)
    return found.filter(kind=kind) if kind else found


@transaction.atomic
def settle(verb: str, ids: Iterable[int]) -> None:
    """Do it to these, as one step of `change_every`."""
    for job in ids:
        _VERBS[verb][0](job)
    live.bump(TOPIC)


@transaction.atomic
def change_mails(verb: str, mails: QuerySet[InboundMail], *, actor: User) -> tuple[int, list[int]]:
    """Have these mails read again ("replay"), or let nothing come of them ("discard"): those that wait for a decision.

    Returns how many they were, and for "discard" which, for `restore_mails`. Raises KeyError for another verb.
    """
    done = {"replay": "replayed", "discard": "discarded"}[verb]
    ids = mail.discard(mails) if verb == "discard" else []
    count = len(ids) if verb == "discard" else mail.replay_all(mails)
    if count:
        audit.record(f"operate:mail:{done}", actor=actor, after={"count": count})
    return count, ids


@transaction.atomic
def restore_mails(ids: Iterable[int], *, actor: User) -> int:
    """Take "discard" back; returns for how many mails."""
    count = mail.restore(ids)
    if count:
        audit.record("operate:mail:restored", actor=actor, after={"count": count})
    return count


@transaction.atomic
def send_again(deliveries: Iterable[Delivery], *, actor: User) -> int:
    """Send these once more; returns how many were not under way and had not arrived."""
    again = [delivery for delivery in deliveries if mail.resend(delivery)]
    for delivery in again:
        audit.record("operate:mail:sent_again", actor=actor, after={"delivery": delivery.pk})
    return len(again)


def run_now(kind: str, *, actor: User) -> None:
    """Run a periodic job once more, now; the times it is planned for stay. Raises `UnknownKind`."""
    with transaction.atomic():
        jobs.enqueue(kind, unique_key=f"periodic:{kind}")
        audit.record("operate:periodic_job:started", actor=actor, after={"kind": kind})
