"""What is promised in these tests, and the clocks that come of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import make

from daytwo_server.calendars import services as calendars
from daytwo_server.calendars.models import Calendar
from daytwo_server.core.facts import load
from daytwo_server.core.jobs import run_due_jobs
from daytwo_server.core.models import Fact
from daytwo_server.sla import services
from daytwo_server.sla.models import Clock, Policy
from daytwo_server.sla.services import PolicyWords

HOUR = 3600
MONDAY = make.moment("2026-11-23T09:00:00")
OFFICE = [(540, 720), (780, 1020)]  # 9 to 12, 13 to 17


def hours(number: float) -> dt.timedelta:
    return dt.timedelta(hours=number)


def calendar(name: str = "Office", zone: str = "UTC", **fields: Any) -> Calendar:
    week = dict.fromkeys(range(5), OFFICE)
    return calendars.create_calendar(
        calendars.CalendarWords(**{"name": name, "time_zone": zone, "week": week} | fields), actor=None
    )


def promise(first: float | None = 1, following: float | None = 2, resolved: float | None = 8, **fields: Any) -> Policy:
    """In hours."""
    lengths = {"first_response_s": first, "next_response_s": following, "resolution_s": resolved}
    seconds = {name: None if value is None else int(value * HOUR) for name, value in lengths.items()}
    words = PolicyWords(**{"name": "Everybody"} | seconds | fields)
    return services.create_policy(words, actor=None)


def clocks(ticket: Any) -> dict[str, Clock]:
    """The latest of each kind, once everything that is due has run."""
    run_due_jobs(tick=False)
    return {one.kind: one for one in Clock.objects.filter(ticket=ticket.pk).order_by("round")}


def states(ticket: Any) -> dict[str, str]:
    return {kind: one.state for kind, one in clocks(ticket).items()}


def told(name: str) -> list[Any]:
    return [load(fact) for fact in Fact.objects.filter(name=name).order_by("pk")]
