"""How long errors are kept: events by their age, and everything else that knows of nothing younger.

An issue goes as a whole once it was not seen for that long, whatever its status and whoever it is assigned to: its
title and its tags are what customers' apps sent, and a promise to remove those has no room for exceptions. When the
bug comes back it is a new issue, and is announced as one. Until then `count` and `first_seen` tell of its whole life,
while `users` counts those who met it within the time that is kept.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import models, transaction
from django.db.models import Exists, Max, OuterRef

from daytwo_server.core import live, retention, search, sql
from daytwo_server.core.db import delete_some
from daytwo_server.core.stores import DEFAULT
from daytwo_server.errors.models import (
    SLOT_S,
    Activity,
    Bucket,
    Event,
    EventBody,
    Facet,
    FacetKey,
    Grouping,
    Issue,
    IssueUser,
)
from daytwo_server.errors.services.absorb import LISTS_TOPIC

CHUNK = 500
ISSUES_CHUNK = 100
# Rows whose ids are looked through at a time for those that were not touched for long.
WINDOW = 20_000
# Ids grow with time but for stragglers (a clock that was wrong, a quarantined event), so the old rows come first: after
# this many chunks without one there are no more.
PATIENCE = 20


def sweep(before: dt.datetime) -> Iterator[int]:
    """Events count; what hangs on them goes along."""
    yield from _events(before)
    yield from _bodies(before)
    yield from _buckets(before)
    yield from _values(before)
    yield from _users(before)
    yield from _issues(before)


def _events(before: dt.datetime) -> Iterator[int]:
    """Before the bodies: an event without a body says so on its page, a body without its event could never be seen."""
    for old in _from_the_front(Event, "received", before):
        yield Event.objects.filter(pk__in=old).delete()[0]


def _bodies(before: dt.datetime) -> Iterator[int]:
    while delete_some(EventBody, "received < %s", [before], limit=CHUNK):
        yield 0


def _buckets(before: dt.datetime) -> Iterator[int]:
    for old in _from_the_front(Bucket, "slot", int(before.timestamp()) // SLOT_S):
        Bucket.objects.filter(pk__in=old).delete()
        yield 0


def _from_the_front(model: type[models.Model], by: str, before: Any) -> Iterator[list[int]]:
    """The ids of rows that are older, a chunk at a time, found by walking along the primary key."""
    last, in_vain = 0, 0
    rows: models.QuerySet[Any, Any] = models.QuerySet(model).order_by("pk").values_list("pk", by)
    while in_vain < PATIENCE and (chunk := list(rows.filter(pk__gt=last)[:CHUNK])):
        last = chunk[-1][0]
        old = [pk for pk, when in chunk if when < before]
        in_vain = 0 if old else in_vain + 1
        if old:
            yield old


def _values(before: dt.datetime) -> Iterator[int]:
    """Values of tags that were not seen for long; a tag that was full takes new ones again."""
    for old in _untouched(Facet, before):
        with transaction.atomic():
            gone = _delete_untouched(Facet, old, before, returning="issue_id, key")
            less = [(n, issue, key) for (issue, key), n in sorted(Counter(gone).items())]
            sql.execute_many(
                DEFAULT, 'UPDATE errors_facetkey SET "values" = "values" - %s WHERE issue_id = %s AND key = %s', less
            )
            FacetKey.objects.filter(issue__in={issue for _, issue, _ in less}, values__lte=0).delete()
        yield 0


def _users(before: dt.datetime) -> Iterator[int]:
    for old in _untouched(IssueUser, before):
        with transaction.atomic():
            gone = Counter(_delete_untouched(IssueUser, old, before, returning="issue_id"))
            less = [(n, issue) for (issue,), n in sorted(gone.items())]
            sql.execute_many(DEFAULT, "UPDATE errors_issue SET users = users - %s WHERE id = %s", less)
        yield 0


def _untouched(model: type[Facet | IssueUser], before: dt.datetime) -> Iterator[Sequence[tuple[int, int]]]:
    """Row and issue of what was last seen before, a chunk at a time."""
    end = model.objects.aggregate(end=Max("pk"))["end"] or 0
    for start in range(0, end, WINDOW):
        window = model.objects.filter(pk__gt=start, pk__lte=start + WINDOW, last_seen__lt=before)
        yield from sql.batches(list(window.values_list("pk", "issue_id")), CHUNK)


def _delete_untouched(
    model: type[Facet | IssueUser], rows: Sequence[tuple[int, int]], before: dt.datetime, *, returning: str
) -> list[tuple[Any, ...]]:
    """Delete those that nothing has touched since they were found. Call inside a transaction.

    The issues are taken first, as the digest does, so that neither waits for the other in a circle.
    """
    issues = Issue.objects.select_for_update(no_key=True).filter(pk__in={issue for _, issue in rows}).order_by("pk")
    list(issues.values_list("pk", flat=True))
    ids = [row for row, _ in rows]
    marks = ", ".join(["%s"] * len(ids))
    return sql.fetch(
        DEFAULT,
        f"DELETE FROM {model._meta.db_table} WHERE id IN ({marks}) AND last_seen < %s RETURNING {returning}",
        [*ids, before],
    )


def _issues(before: dt.datetime) -> Iterator[int]:
    """Issues that nothing is left of, with what leads to them. Their events, users and tags went before."""
    empty = Issue.objects.filter(~Exists(Event.objects.filter(issue=OuterRef("pk"))), last_seen__lt=before)
    while found := list(empty.order_by("last_seen").values_list("pk", flat=True)[:ISSUES_CHUNK]):
        with transaction.atomic():
            # Asked again with the rows locked: the digest may have found one of them, and waits or has been waited for.
            list(Issue.objects.select_for_update().filter(pk__in=found).order_by("pk").values_list("pk"))
            gone = list(empty.filter(pk__in=found).values_list("pk", flat=True))
            Issue.objects.filter(pk__in=gone).delete()
            search.remove("issue", gone)
            live.bump(LISTS_TOPIC)
        yield 0
        if not gone:
            return


def _expired(before: dt.datetime) -> int:
    return EventBody.objects.filter(received__lt=before).count()


def _oldest() -> dt.datetime | None:
    return EventBody.objects.order_by("received").values_list("received", flat=True).first()


retention.register(
    retention.Kind(
        name="errors", label="Errors", text="Events with all they hold, and issues that did not happen for as long",
        noun="event", nouns="events", setting="retention_events_days", sweep=sweep, expired=_expired, oldest=_oldest,
        tables=(Event, EventBody, Issue, Grouping, Bucket, Facet, FacetKey, IssueUser, Activity),
    )
)  # fmt: skip
