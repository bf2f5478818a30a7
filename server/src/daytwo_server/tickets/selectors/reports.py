"""Figures about support over a stretch of time. A constant number of statements, each along an index of that time.

Durations here are by the wall clock, in seconds; those in working time are the clocks of the room sla. Percentiles are
nearest-rank: the median of an even number of values is the lower of the two in the middle.
"""

from __future__ import annotations

import bisect
import datetime as dt
import functools
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from daytwo_server.core import clock, sql
from daytwo_server.core.stores import DEFAULT
from daytwo_server.tickets.models import Ticket
from daytwo_server.tickets.place import DONE

QUARTER_S = 900  # every zone is a whole number of them from UTC
DIMENSIONS = {
    "category": "category", "agent": "assignee_id", "priority": "priority", "team": "team", "channel": "channel"
}  # fmt: skip
SATISFIED = 4  # a rating of four or five
COMMENTS = 10
# Word for word the condition of the index that makes it quick.
_RESOLVED = "(after = 'resolved' OR before = 'resolved')"
_REOPENED = "(before = 'resolved' AND after <> 'closed')"
# Closed by a merge, without being resolved before. Such a condition stands alone, without a range of their times: they
# are few and have an index of their own.
_MERGED_AWAY = "merged_into_id IS NOT NULL AND resolved_at = closed_at"


@dataclass(frozen=True)
class Stretch:
    """From the beginning of one day to the end of another, in a time zone."""

    first: dt.date
    last: dt.date
    zone: ZoneInfo

    @property
    def since(self) -> dt.datetime:
        return dt.datetime.combine(self.first, dt.time(), self.zone).astimezone(dt.UTC)

    @property
    def until(self) -> dt.datetime:
        return dt.datetime.combine(self.last + dt.timedelta(days=1), dt.time(), self.zone).astimezone(dt.UTC)

    @property
    def days(self) -> list[dt.date]:
        return [self.first + dt.timedelta(days=number) for number in range((self.last - self.first).days + 1)]

    def before(self) -> Stretch:
        """As many days before it."""
        length = dt.timedelta(days=len(self.days))
        return Stretch(self.first - length, self.last - length, self.zone)

    @functools.cached_property
    def _midnights(self) -> list[int]:
        midnights = (dt.datetime.combine(day, dt.time(), self.zone).timestamp() for day in self.days)
        return [int(midnight) // QUARTER_S for midnight in midnights]

    def day_of(self, quarter: int) -> dt.date:
        """The day of the stretch in which a quarter of an hour lies, counted from 1970."""
        return self.first + dt.timedelta(days=bisect.bisect_right(self._midnights, quarter) - 1)


@dataclass(frozen=True)
class Spread:
    """Of durations in seconds: how many, the middle one, and what nine in ten stay below. None without any."""

    count: int = 0
    median: int | None = None
    p90: int | None = None

    @classmethod
    def of(cls, seconds: Iterable[int]) -> Spread:
        found = sorted(seconds)
        return cls(len(found), percentile(found, 0.5), percentile(found, 0.9))


def percentile(ordered: Sequence[int], share: float) -> int | None:
    """Nearest-rank."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


@dataclass(frozen=True)
class Satisfaction:
    """Ratings that were given in the stretch: how many of each, from 1 to 5."""

    counts: Mapping[int, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def share(self) -> float | None:
        """Of four and five, in percent."""
        good = sum(count for rating, count in self.counts.items() if rating >= SATISFIED)
        return good * 100 / self.total if self.total else None

    @property
    def average(self) -> float | None:
        return sum(rating * count for rating, count in self.counts.items()) / self.total if self.total else None


@dataclass(frozen=True, kw_only=True)
class Totals:
    """The headline figures of a stretch."""

    opened: int
    resolved: int
    reopened: int
    first_reply: Spread
    resolution: Spread
    satisfaction: Satisfaction

    @property
    def reopen_rate(self) -> float | None:
        """Of a hundred times that a ticket was resolved, how often one was opened again."""
        return self.reopened * 100 / self.resolved if self.resolved else None


@dataclass(frozen=True)
class Day:
    """What came, what was resolved and opened again on a day, and how many were not resolved at its end."""

    date: dt.date
    opened: int
    resolved: int
    reopened: int
    backlog: int


@dataclass
class Group:
    """The tickets of one value of a dimension."""

    value: Any
    opened: int = 0
    first: list[int] = field(default_factory=list)
    resolution: list[int] = field(default_factory=list)
    ratings: Counter[int] = field(default_factory=Counter)

    @property
    def first_reply(self) -> Spread:
        return Spread.of(self.first)

    @property
    def resolved(self) -> Spread:
        return Spread.of(self.resolution)

    @property
    def satisfaction(self) -> Satisfaction:
        return Satisfaction(self.ratings)


@dataclass(frozen=True)
class Report:
    """Everything about a stretch but what is promised. `groups` is by dimension, the largest group first."""

    totals: Totals
    days: list[Day]
    groups: Mapping[str, list[Group]]


def report(over: Stretch, dimensions: Sequence[str]) -> Report:
    """With the groups of these `DIMENSIONS`. Nine statements, and two more for a stretch that is over."""
    columns = [DIMENSIONS[name] for name in dimensions]
    opened = _rows(f"{_epoch('created_at')} / {QUARTER_S}", "created_at", over, columns)
    answered = _rows(_seconds("first_response_at"), "first_response_at", over, columns)
    resolved = _resolved(over, columns)
    rated = _rows("rating", "rated_at", over, columns)
    moves = _moves(over)
    totals = Totals(
        opened=len(opened),
        resolved=sum(count for _, back, count in moves if not back),
        reopened=sum(count for _, back, count in moves if back),
        first_reply=Spread.of(row[0] for row in answered),
        resolution=Spread.of(row[0] for row in resolved),
        satisfaction=Satisfaction(Counter(row[0] for row in rated)),
    )
    groups = {name: _groups(place, opened, answered, resolved, rated) for place, name in enumerate(dimensions, 1)}
    return Report(totals, _days(over, Counter(row[0] for row in opened), moves), groups)


def totals(over: Stretch) -> Totals:
    """The headline figures alone. Six statements."""
    moves = _moves(over)
    return Totals(
        opened=Ticket.objects.filter(created_at__gte=over.since, created_at__lt=over.until).count(),
        resolved=sum(count for _, back, count in moves if not back),
        reopened=sum(count for _, back, count in moves if back),
        first_reply=Spread.of(row[0] for row in _rows(_seconds("first_response_at"), "first_response_at", over)),
        resolution=Spread.of(row[0] for row in _resolved(over)),
        satisfaction=Satisfaction(Counter(row[0] for row in _rows("rating", "rated_at", over))),
    )


def comments(over: Stretch) -> list[Ticket]:
    """The latest ratings with words in the stretch."""
    found = Ticket.objects.filter(rated_at__gte=over.since, rated_at__lt=over.until).exclude(rating_comment="")
    return list(found.select_related("customer").order_by("-rated_at")[:COMMENTS])


def _groups(
    place: int, opened: Sequence[Any], answered: Sequence[Any], resolved: Sequence[Any], rated: Sequence[Any]
) -> list[Group]:
    """`place` is where the dimension stands in the rows."""
    found: dict[Any, Group] = {}
    for value, count in Counter(row[place] for row in opened).items():
        found.setdefault(value, Group(value)).opened = count
    for name, rows in (("first", answered), ("resolution", resolved)):
        lists: dict[Any, list[int]] = defaultdict(list)
        for row in rows:
            lists[row[place]].append(row[0])
        for value, seconds in lists.items():
            setattr(found.setdefault(value, Group(value)), name, seconds)
    for row in rated:
        found.setdefault(row[place], Group(row[place])).ratings[row[0]] += 1
    return sorted(found.values(), key=lambda group: (-group.opened, -len(group.resolution), str(group.value)))


def _days(over: Stretch, opened: Mapping[int, int], moves: Sequence[tuple[int, bool, int]]) -> list[Day]:
    came, done, back = Counter[dt.date](), Counter[dt.date](), Counter[dt.date]()
    for quarter, count in opened.items():
        came[over.day_of(quarter)] += count
    for quarter, is_back, count in moves:
        (back if is_back else done)[over.day_of(quarter)] += count
    merged, end = _merged(over.since), int(over.until.timestamp()) // QUARTER_S
    gone = Counter(over.day_of(quarter) for quarter in merged if quarter < end)
    backlog, days = _backlog(over.until) + len(merged) - gone.total(), []
    for date in reversed(over.days):
        days.append(Day(date, came[date], done[date], back[date], backlog))
        backlog += done[date] + gone[date] - came[date] - back[date]
    return days[::-1]


def _merged(since: dt.datetime) -> list[int]:
    """The quarters of an hour, from then on, in which tickets left the backlog by being merged into others: those are
    closed without being resolved before.
    """
    quarter = f"{_epoch('closed_at')} / {QUARTER_S}"
    rows = sql.fetch(
        DEFAULT,
        f"SELECT {quarter} FROM tickets_ticket WHERE {_MERGED_AWAY} AND {quarter} >= %s",
        [int(since.timestamp()) // QUARTER_S],
    )
    return [int(quarter) for (quarter,) in rows]


def _backlog(at: dt.datetime) -> int:
    """How many were not resolved then: as many as now, less what came of it since, but for what was merged."""
    now = Ticket.objects.filter(place__lt=DONE).count()
    if at >= clock.now():
        return now
    since = sql.fetch(
        DEFAULT,
        f"SELECT COUNT(*), SUM(CASE WHEN {_REOPENED} THEN 1 ELSE 0 END), SUM(CASE WHEN after = 'resolved' THEN 1 ELSE 0 END) "  # noqa: E501
        f"FROM tickets_message WHERE {_RESOLVED} AND created_at >= %s",
        [at],
    )
    _, reopened, resolved = since[0]
    opened = Ticket.objects.filter(created_at__gte=at).count()
    return now - opened - (reopened or 0) + (resolved or 0)


def _moves(over: Stretch) -> list[tuple[int, bool, int]]:
    """By the quarter of an hour: how many tickets were resolved, and how many (true) were opened again."""
    quarter = f"{_epoch('created_at')} / {QUARTER_S}"
    rows = sql.fetch(
        DEFAULT,
        f"SELECT {quarter}, {_REOPENED}, COUNT(*) FROM tickets_message WHERE {_RESOLVED} "
        f"AND (after = 'resolved' OR {_REOPENED}) AND created_at >= %s AND created_at < %s GROUP BY 1, 2",
        [over.since, over.until],
    )
    return [(int(quarter), bool(back), count) for quarter, back, count in rows]


def _rows(value: str, by: str, over: Stretch, columns: Sequence[str] = ()) -> list[tuple[Any, ...]]:
    """A value and columns of the tickets whose time `by` lies in the stretch."""
    selected = ", ".join([value, *columns])
    return sql.fetch(
        DEFAULT,
        f"SELECT {selected} FROM tickets_ticket WHERE {by} >= %s AND {by} < %s",
        [over.since, over.until],
    )


def _resolved(over: Stretch, columns: Sequence[str] = ()) -> list[tuple[Any, ...]]:
    """How many seconds it took until tickets were resolved in the stretch, and columns of them. Not those that a merge
    closed: nobody answered them there. They are asked for apart, so that the others are still read from the index.
    """
    rows = Counter(_rows(_seconds("resolved_at"), "resolved_at", over, columns))
    selected, moment = ", ".join([_seconds("resolved_at"), *columns]), _epoch("resolved_at")
    merged = sql.fetch(
        DEFAULT,
        f"SELECT {selected} FROM tickets_ticket WHERE {_MERGED_AWAY} AND {moment} >= %s AND {moment} < %s",
        [int(over.since.timestamp()), int(over.until.timestamp())],
    )
    return list((rows - Counter(merged)).elements())


def _seconds(until: str) -> str:
    return f"{_epoch(until)} - {_epoch('created_at')}"


def _epoch(column: str) -> str:
    """Whole seconds since 1970, on the store that is there."""
    if connection.vendor == "postgresql":
        return f"FLOOR(EXTRACT(EPOCH FROM {column}))::bigint"
    return f"CAST(strftime('%%s', {column}) AS INTEGER)"
