"""The inbox: which tickets people look at, and in which order they should."""

from __future__ import annotations

import datetime as dt
import functools
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from daytwo_server.core import query
from daytwo_server.core.pages import Page, first_page, page
from daytwo_server.core.prepared import Prepared
from daytwo_server.core.query import BadFilter
from daytwo_server.tickets.models import Status, Tag, Ticket
from daytwo_server.tickets.selectors.matching import TICKETS, UNRESOLVED
from daytwo_server.tickets.selectors.tickets import SORTS

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
# Orders by the field that keeps each: `due` is that of `tickets.place`, and the one that goes up.
ORDERS = {DUE: "place", **SORTS}
PAGE = 25
_TAGS = Prepared[tuple[int, str]](
    lambda tickets: Tag.objects.filter(ticket__in=tickets).order_by("name").values_list("ticket", "name")
)
_HOW_MANY = Prepared[tuple[int, int]](
    lambda customer: (
        Ticket.objects.filter(customer=customer)
        .values("customer")
        .annotate(total=Count("pk"), unresolved=Count("pk", filter=Q(status__in=UNRESOLVED)))
        .values_list("total", "unresolved")
    )
)
# What rows are drawn from: with all that belongs to a ticket it would be eight times as many columns.
_SHOWN = (
    "subject", "status", "priority", "due_at", "waiting_since", "place", *SORTS.values(), "customer__key",
    "customer__name", "customer__email", "customer__plan", "customer__erased_at", "organization__name",
    "assignee__name", "assignee__email",
)  # fmt: skip


def waiting() -> QuerySet[Ticket]:
    """Tickets whose customer waits for an answer of ours."""
    return Ticket.objects.filter(
        status__in=(Status.OPEN, Status.PENDING, Status.IN_PROGRESS), waiting_since__isnull=False
    )


def inbox(found: QuerySet[Ticket], *, sort: str = DUE, cursor: str = "", limit: int = PAGE) -> Page[Ticket]:
    """One page with what a row is drawn from, in one of `ORDERS`: what is due next stands first, or the newest.
    Tags are `tags_of`. One query.

    Raises `BadFilter` for an unknown sort, `BadCursor`.
    """
    return in_order(_with_shown(found), sort=sort, cursor=cursor, limit=limit)


def view(name: str, *, sort: str = DUE, limit: int = PAGE) -> Page[Ticket]:
    """The first page of a tab but "mine", as `inbox` has it, without writing its SQL anew. Raises `BadFilter`."""
    rows = _of_view(name, _known(sort), limit)()
    return first_page(rows, by=ORDERS[sort], limit=limit, ascending=sort == DUE)


def view_count(name: str, *, most: int) -> int:
    """How many are in a tab but "mine", at most `most`."""
    return len(_pks_of_view(name, most)())


@functools.cache
def _pks_of_view(name: str, most: int) -> Prepared[int]:
    found = TICKETS.narrow(Ticket.objects.all(), query.Query(VIEWS[name], ""))
    return Prepared(lambda: found.order_by().values_list("pk", flat=True)[:most])


@functools.cache
def _of_view(name: str, sort: str, limit: int) -> Prepared[Ticket]:
    order = ("place", "pk") if sort == DUE else (f"-{ORDERS[sort]}", "-pk")
    found = TICKETS.narrow(Ticket.objects.all(), query.Query(VIEWS[name], ""))
    return Prepared(lambda: _with_shown(found).order_by(*order)[: limit + 1])


def _with_shown(found: QuerySet[Ticket]) -> QuerySet[Ticket]:
    return found.select_related("customer", "organization", "assignee").only(*_SHOWN)


def in_order(found: QuerySet[Ticket], *, sort: str, cursor: str, limit: int) -> Page[Ticket]:
    """One page of whatever was asked for. Raises as `inbox`."""
    return page(found, by=ORDERS[_known(sort)], cursor=cursor, limit=limit, ascending=sort == DUE)


def _known(sort: str) -> str:
    if sort not in ORDERS:
        raise BadFilter("sort", f"There is no order {sort!r}; use {', '.join(ORDERS)}.")
    return sort


def tags_of(numbers: Iterable[int]) -> dict[int, list[str]]:
    """By ticket, for those that have some. One query."""
    found: dict[int, list[str]] = defaultdict(list)
    for number, name in _TAGS(list(numbers)):
        found[number].append(name)
    return dict(found)


def count(found: QuerySet[Ticket], *, most: int) -> int:
    """How many there are, at most `most`."""
    return found.order_by()[:most].count()


def first(found: QuerySet[Ticket], *, sort: str = DUE, most: int) -> list[int]:
    """The numbers of the first `most` of a list."""
    order = ["place", "pk"] if sort == DUE else [f"-{SORTS[sort]}", "-pk"]
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
    tags = tags_of(wanted)
    rows = Ticket.objects.filter(pk__in=wanted).select_related("assignee")
    return {
        row.pk: Was(
            status=row.status,
            priority=row.priority,
            category=row.category,
            team=row.team,
            assignee=row.assignee.email if row.assignee else "",
            tags=frozenset(tags.get(row.pk, ())),
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
    return next((Tickets(*told) for told in _HOW_MANY(customer)), Tickets(0, 0))
