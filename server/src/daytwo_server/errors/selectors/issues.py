"""The issue list, single issues, and what their pages count."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet, Sum

from daytwo_server.core import clock
from daytwo_server.core.pages import Page, first_page, page
from daytwo_server.core.prepared import Prepared
from daytwo_server.core.query import BadFilter
from daytwo_server.errors.models import SLOT_S, Activity, Bucket, Issue, IssueUser

SORTS = {"seen": "last_seen", "first": "first_seen", "events": "count", "users": "users"}
HOURS = 24
FRESH = dt.timedelta(hours=24)
PAGE = 50
MAX_NEWS = 100
_PER_HOUR = 3600 // SLOT_S


def issues(found: QuerySet[Issue], *, sort: str = "seen", cursor: str = "", limit: int = PAGE) -> Page[Issue]:
    """One page with projects and assignees. Raises `BadFilter` for an unknown sort, `BadCursor`."""
    return page(found.select_related("project", "assignee"), by=_field(sort), cursor=cursor, limit=limit)


def first(found: QuerySet[Issue], *, sort: str = "seen", most: int) -> list[int]:
    """The ids of the first `most` issues in the order of the list. Raises `BadFilter` for an unknown sort."""
    return list(found.order_by(f"-{_field(sort)}", "-pk").values_list("pk", flat=True)[:most])


def count(found: QuerySet[Issue], *, most: int) -> int:
    """How many there are, counting no further than `most`."""
    return found.order_by()[:most].values("pk").count()


def fresh() -> QuerySet[Issue]:
    """What is unresolved and nobody's, and came or came back within a day: what somebody has yet to look at."""
    since = clock.now() - FRESH
    # Whatever came or came back since then was seen since then, and for that there is an index.
    seen = Issue.objects.filter(status=Issue.Status.UNRESOLVED, last_seen__gte=since, assignee=None)
    return seen.filter(Q(first_seen__gte=since) | Q(regressed_at__gte=since))


def _field(sort: str) -> str:
    if sort not in SORTS:
        raise BadFilter("sort", f"There is no order {sort!r}; use {', '.join(SORTS)}.")
    return SORTS[sort]


def issue(number: int) -> Issue | None:
    """One issue with project and assignee."""
    return Issue.objects.select_related("project", "assignee").filter(pk=number).first()


def hourly(issue_ids: Iterable[int]) -> Mapping[int, list[int]]:
    """Events of each issue in each of the last 24 clock hours, oldest first; the last hour is the current one."""
    first = _hour(clock.now()) - HOURS + 1
    counts = {pk: [0] * HOURS for pk in issue_ids}
    rows = (
        Bucket.objects.filter(issue__in=list(counts), slot__gte=first * _PER_HOUR, slot__lt=(first + HOURS) * _PER_HOUR)
        .values_list("issue_id", F("slot") / _PER_HOUR)
        .annotate(n=Sum("count"))
    )
    for pk, hour, n in rows:
        counts[pk][hour - first] = n
    return counts


def hour_index(moment: dt.datetime) -> int:
    """Where a moment lies among the hours of `hourly`; below 0 when before them."""
    return _hour(moment) - _hour(clock.now()) + HOURS - 1


def _hour(moment: dt.datetime) -> int:
    return int(moment.timestamp()) // 3600


@dataclass(frozen=True)
class Mark:
    """How far a list was when it was made: everything after it is news."""

    newest: int
    seen: dt.datetime


@dataclass(frozen=True)
class News:
    """Since a `Mark`: issues that are new, and known ones with new events. Both stop counting at `MAX_NEWS`."""

    opened: int
    seen: int


def mark() -> Mark:
    """How far the tables are now."""
    newest = Issue.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    seen = Issue.objects.order_by("-last_seen", "-pk").values_list("last_seen", flat=True).first()
    return Mark(newest, seen or clock.now())


def news(found: QuerySet[Issue], since: Mark) -> News:
    """What happened among `found` since then."""
    opened = found.filter(pk__gt=since.newest).order_by()[:MAX_NEWS].values("pk").count()
    seen = found.filter(pk__lte=since.newest, last_seen__gt=since.seen).order_by()[:MAX_NEWS].values("pk").count()
    return News(opened, seen)


def of_customer(customer_id: int, *, cursor: str = "", limit: int = PAGE) -> Page[IssueUser]:
    """What a customer ran into, latest first, each with issue and project. Raises `BadCursor`."""
    if cursor:
        return page(_met(customer_id), by="last_seen", cursor=cursor, limit=limit)
    return first_page(_first_met(limit)(customer_id), by="last_seen", limit=limit)


def _met(customer_id: int) -> QuerySet[IssueUser]:
    return IssueUser.objects.filter(customer_id=customer_id).select_related("issue__project")


@functools.cache
def _first_met(limit: int) -> Prepared[IssueUser]:
    return Prepared(lambda customer: _met(customer).order_by("-last_seen", "-pk")[: limit + 1])


@dataclass(frozen=True)
class Histogram:
    """Counts in equal steps up to now. `start` is when the first begins."""

    start: dt.datetime
    step: dt.timedelta
    counts: list[int]

    @property
    def total(self) -> int:
        return sum(self.counts)

    @property
    def end(self) -> dt.datetime:
        return self.start + self.step * len(self.counts)

    def position(self, moment: dt.datetime) -> float:
        """Where a moment lies, counted in steps from the left edge."""
        return (moment - self.start) / self.step


def histogram(issue_id: int, *, step: dt.timedelta, steps: int) -> Histogram:
    """Events of an issue. `step` is a multiple of five minutes, and steps lie on multiples of it since 1970 (UTC)."""
    width = int(step.total_seconds())
    slots = width // SLOT_S
    first = int(clock.now().timestamp()) // width - steps + 1
    counts = [0] * steps
    rows = (
        Bucket.objects.filter(issue=issue_id, slot__gte=first * slots, slot__lt=(first + steps) * slots)
        .values_list(F("slot") / slots)
        .annotate(n=Sum("count"))
    )
    for index, n in rows:
        counts[index - first] = n
    return Histogram(dt.datetime.fromtimestamp(first * width, dt.UTC), step, counts)


def activities(issue_id: int, *, cursor: str = "", limit: int = PAGE) -> Page[Activity]:
    """What happened to an issue and was said about it, newest first. Raises `BadCursor`."""
    found = Activity.objects.filter(issue=issue_id, deleted_at=None).select_related("actor")
    return page(found, by="at", cursor=cursor, limit=limit)
