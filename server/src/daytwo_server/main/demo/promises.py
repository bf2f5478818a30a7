"""What Lumenbook promises its customers."""

from __future__ import annotations

import datetime as dt

from daytwo_server.calendars import services as calendars
from daytwo_server.calendars.words import LEAP_YEAR, Day
from daytwo_server.core import clock
from daytwo_server.sla import services as sla
from daytwo_server.sla.models import Policy

_MORNING, _AFTERNOON = (420, 750), (780, 1320)
_YEARS = dt.timedelta(days=365)


def promise() -> None:
    """Working hours, and three policies: on that morning one promise is kept, one at risk, and one was missed."""
    hours = calendars.create_calendar(
        calendars.CalendarWords(
            name="Practice hours",
            time_zone="Europe/Berlin",
            week={weekday: [_MORNING, _AFTERNOON] for weekday in range(6)},
            holidays=[
                Day(dt.date(LEAP_YEAR, 1, 1), "New Year", yearly=True),
                Day(dt.date(LEAP_YEAR, 12, 25), "Christmas", yearly=True),
            ],
        ),
        actor=None,
    )
    for name, priorities, plans, calendar, minutes in (
        ("Business, urgent", ["urgent"], ["business"], None, (20, 30, 240)),
        ("Business", [], ["business"], None, (360, 360, 2880)),
        ("Everything else", [], [], hours, (480, 480, 2400)),
    ):
        first, following, resolution = (number * 60 for number in minutes)
        sla.create_policy(
            sla.PolicyWords(
                name=name, priorities=priorities, plans=plans, calendar=calendar,
                first_response_s=first, next_response_s=following, resolution_s=resolution,
            ),
            actor=None,
        )  # fmt: skip
    Policy.objects.update(since=clock.now() - _YEARS)


def count(ticket: int) -> None:
    """Set the clocks of a ticket. What was over before the demo began is told to nobody."""
    sla.recompute(ticket, quiet=True)
