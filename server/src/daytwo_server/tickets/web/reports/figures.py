"""The figures of a report, from this room and from what was promised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from daytwo_server.accounts.models import User
from daytwo_server.sla import selectors as sla
from daytwo_server.sla.selectors import Kept
from daytwo_server.tickets.models import Category, Channel, Priority
from daytwo_server.tickets.selectors import reports
from daytwo_server.tickets.selectors.reports import Group, Report, Spread, Stretch, Totals, percentile

DIMENSIONS = {
    "category": "Category", "agent": "Agent", "priority": "Priority", "team": "Team", "channel": "Channel"
}  # fmt: skip
# What each duration is. docs/how-to/sla.md says the same.
DURATIONS = {
    "first_response": ("First reply", "From the question to our first public answer; answers of these days."),
    "next_response": (
        "Next reply",
        "From when a customer wrote again to our answer; answers of these days, where one was promised.",
    ),
    "resolution": (
        "Resolution",
        "From the question to when it was resolved last; tickets resolved in these days that still are.",
    ),
}
_CHOICES: Mapping[str, Any] = {"category": Category, "priority": Priority, "channel": Channel}


@dataclass(frozen=True)
class Duration:
    """One of `DURATIONS`: by the wall clock (and in the days before), in working time, and how the promise was kept."""

    kind: str
    label: str
    text: str
    wall: Spread
    wall_before: Spread
    working: Spread
    kept: Kept
    kept_before: Kept


@dataclass(frozen=True)
class Figures:
    """A whole report. `before` are the same figures for as many days before."""

    over: Stretch
    report: Report
    before: Totals
    durations: list[Duration]


def figures(over: Stretch, dimensions: Sequence[str]) -> Figures:
    """With the groups of these `DIMENSIONS`. A constant number of statements."""
    earlier = over.before()
    found, before = reports.report(over, dimensions), reports.totals(earlier)
    kept, kept_before = sla.kept(over.since, over.until), sla.kept(earlier.since, earlier.until, spread=False)
    walls = {
        "first_response": (found.totals.first_reply, before.first_reply),
        "resolution": (found.totals.resolution, before.resolution),
        "next_response": (_spread(kept["next_response"].wall_s), _spread(kept_before["next_response"].wall_s)),
    }
    durations = [
        Duration(kind, label, text, *walls[kind], _spread(kept[kind].working_s), kept[kind], kept_before[kind])
        for kind, (label, text) in DURATIONS.items()
    ]
    return Figures(over, found, before, durations)


def _spread(ordered: Sequence[int]) -> Spread:
    return Spread(len(ordered), percentile(ordered, 0.5), percentile(ordered, 0.9))


def named(dimension: str, groups: Sequence[Group]) -> list[tuple[str, Group]]:
    """Groups with what people call them."""
    names = _names(dimension, [group.value for group in groups])
    return [(names.get(group.value) or str(group.value or "None"), group) for group in groups]


def _names(dimension: str, values: Sequence[Any]) -> dict[Any, str]:
    if dimension in _CHOICES:
        return dict(_CHOICES[dimension].choices)
    if dimension != "agent":
        return {}
    people = User.objects.filter(pk__in=[value for value in values if value])
    return {person.pk: str(person) for person in people} | {None: "Nobody"}
