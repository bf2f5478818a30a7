"""The inbox: which tickets people look at, and in which order they should."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Case, CharField, Count, Q, QuerySet, Value, When
from django.db.models.functions import Cast, Coalesce, Concat

from daytwo_server.core import query
from daytwo_server.core.pages import Page, page
from daytwo_server.core.query import BadFilter
from daytwo_server.tickets.models import Priority, Status, Tag, Ticket
from daytwo_server.tickets.selectors.matching import UNRESOLVED
from daytwo_server.tickets.selectors.tickets import SORTS, with_all

DUE = "due"
MAX_NEWS = 99
# What a tab shows, as terms of the search language.
VIEWS: dict[str, tuple[query.Term, ...]] = {
    "open": (query.Term("is", "unresolved"),),
    "mine": (query.Term("is", "unresolved"), query.Term("assignee", "me")),
    "unassigned": (query.Term("is", "unresolved"), query.Term("is", "unassigned")),
    "waiting": (query.Term("status", Status.WAITING_CUSTOMER.value),),
    "resolved": (query.Term("is", "unresolved", negated=True),),
    "all": (),
}
_FIRST = {Priority.URGENT: "1", Priority.HIGH: "2", Priority.MEDIUM: "3", Priority.LOW: "4"}
_NOBODY_WAITS = "9"


def waiting() -> QuerySet[Ticket]:
    """Tickets whose customer waits for an answer of ours."""
    return Ticket.objects.filter(
        status__in=(Status.OPEN, Status.PENDING, Status.IN_PROGRESS), waiting_since__isnull=False
    )


def due() -> Concat:
    """Where a ticket stands in the inbox, as text that sorts: the most urgent first, and of those who waits longest.
    Where nobody waits comes last.

    The one place that decides this: the next due time of a ticket's clocks will stand here, and in `Inbox.due_at`.
    """
    whens = [When(priority=priority, then=Value(digit)) for priority, digit in _FIRST.items()]
    urgency = Case(When(waiting_since=None, then=Value(_NOBODY_WAITS)), *whens, output_field=CharField())
    return Concat(urgency, Cast(Coalesce("waiting_since", "updated_at"), CharField()), output_field=CharField())


def due_at(_ticket: Ticket) -> dt.datetime | None:
    """When the next promise about a ticket runs out; None while none is running. See `due`."""
    return None


def inbox(found: QuerySet[Ticket], *, sort: str = DUE, cursor: str = "", limit: int = 50) -> Page[Ticket]:
    """One page with everything that a row shows, in the order of `due`, or newest first of one of `tickets.SORTS`.
    Two queries.

    Raises `BadFilter` for an unknown sort, `BadCursor`.
    """
    if sort == DUE:
        return page(with_all(found).annotate(due=due()), by=DUE, cursor=cursor, limit=limit, ascending=True)
    if sort not in SORTS:
        raise BadFilter("sort", f"There is no order {sort!r}; use {DUE}, {', '.join(SORTS)}.")
    return page(with_all(found), by=SORTS[sort], cursor=cursor, limit=limit)


def count(found: QuerySet[Ticket], *, most: int) -> int:
    """How many there are, at most `most`."""
    return found.order_by()[:most].count()


def first(found: QuerySet[Ticket], *, sort: str = DUE, most: int) -> list[int]:
    """The numbers of the first `most` of a list."""
    order = [due().asc(), "pk"] if sort == DUE else [f"-{SORTS[sort]}", "-pk"]
    return list(found.order_by(*order).values_list("pk", flat=True)[:most])


@dataclass(frozen=True)
class News:
    """What happened to a list since it was shown: tickets that were opened, and others that changed. Up to 99 each."""

    opened: int
    changed: int


def news(found: QuerySet[Ticket], since: dt.datetime) -> News:
    """Two queries."""
    moved = found.filter(updated_at__gt=since)
    return News(
        count(moved.filter(created_at__gt=since), most=MAX_NEWS),
        count(moved.filter(created_at__lte=since), most=MAX_NEWS),
    )


@dataclass(frozen=True)
class Was:
    """What can be set back about a ticket."""

    status: str
    priority: str
    category: str
    team: str
    assignee: str
    tags: frozenset[str]


def as_they_are(numbers: Iterable[int]) -> dict[int, Was]:
    """What can be set back about these tickets. Two queries."""
    wanted = list(numbers)
    tags: dict[int, set[str]] = {number: set() for number in wanted}
    for number, name in Tag.objects.filter(ticket__in=wanted).values_list("ticket", "name"):
        tags[number].add(name)
    rows = Ticket.objects.filter(pk__in=wanted).select_related("assignee")
    return {
        row.pk: Was(
            status=row.status,
            priority=row.priority,
            category=row.category,
            team=row.team,
            assignee=row.assignee.email if row.assignee else "",
            tags=frozenset(tags[row.pk]),
        )
        for row in rows
    }


@dataclass(frozen=True)
class Tickets:
    """How many a customer has."""

    total: int
    unresolved: int


def how_many(customer: int) -> Tickets:
    """Of one customer. One query."""
    told = Ticket.objects.filter(customer=customer).aggregate(
        total=Count("pk"), unresolved=Count("pk", filter=Q(status__in=UNRESOLVED))
    )
    return Tickets(**told)
