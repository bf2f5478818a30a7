"""A report as the rows of a table for spreadsheets: one figure a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from daytwo_server.tickets.selectors.reports import Group
from daytwo_server.tickets.web.reports.figures import DIMENSIONS, Duration, Figures, named

COLUMNS = ("table", "group", "figure", "unit", "value", "before")
Row = Sequence[object]


def rows(found: Figures) -> Iterator[Row]:
    """`before` is the figure of as many days before, where it is known. Numbers are no text, shares are in percent."""
    yield COLUMNS
    yield from _totals(found)
    for one in found.durations:
        yield from _duration(one)
    for day in found.report.days:
        for name in ("opened", "resolved", "reopened", "backlog"):
            yield "days", day.date.isoformat(), name, "tickets", getattr(day, name), None
    for dimension in DIMENSIONS:
        for name, group in named(dimension, found.report.groups[dimension]):
            yield from _group(f"by {dimension}", name, group)


def _totals(found: Figures) -> Iterator[Row]:
    now, was = found.report.totals, found.before
    yield "totals", "", "opened", "tickets", now.opened, was.opened
    yield "totals", "", "resolved", "tickets", now.resolved, was.resolved
    yield "totals", "", "reopened", "tickets", now.reopened, was.reopened
    yield "totals", "", "reopen rate", "percent", _share(now.reopen_rate), _share(was.reopen_rate)
    yield "totals", "", "satisfied", "percent", _share(now.satisfaction.share), _share(was.satisfaction.share)
    for rating in range(1, 6):
        counts = now.satisfaction.counts.get(rating, 0), was.satisfaction.counts.get(rating, 0)
        yield "ratings", str(rating), "count", "ratings", *counts


def _duration(one: Duration) -> Iterator[Row]:
    yield "durations", one.label, "count", "answers", one.wall.count, one.wall_before.count
    yield "durations", one.label, "median", "seconds", one.wall.median, one.wall_before.median
    yield "durations", one.label, "p90", "seconds", one.wall.p90, one.wall_before.p90
    yield "durations", one.label, "median in working time", "seconds", one.working.median, None
    yield "durations", one.label, "p90 in working time", "seconds", one.working.p90, None
    yield "durations", one.label, "within promise", "percent", _share(one.kept.share), _share(one.kept_before.share)
    yield "durations", one.label, "late", "answers", one.kept.late, one.kept_before.late


def _group(table: str, name: str, group: Group) -> Iterator[Row]:
    first, resolved = group.first_reply, group.resolved
    yield table, name, "opened", "tickets", group.opened, None
    yield table, name, "first reply median", "seconds", first.median, None
    yield table, name, "first reply p90", "seconds", first.p90, None
    yield table, name, "resolved", "tickets", resolved.count, None
    yield table, name, "resolution median", "seconds", resolved.median, None
    yield table, name, "resolution p90", "seconds", resolved.p90, None
    yield table, name, "ratings", "ratings", group.satisfaction.total, None
    yield table, name, "satisfied", "percent", _share(group.satisfaction.share), None


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
