"""Calendars and their hours."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from daytwo_server.calendars.hours import ALWAYS, Hours, NoWorkingTime, opening
from daytwo_server.calendars.models import Calendar
from daytwo_server.calendars.words import Day


def calendars(*, archived: bool = False) -> list[Calendar]:
    """All in use, or all that were put away, by name, with intervals and holidays. Three queries."""
    found = Calendar.objects.filter(archived_at__isnull=not archived).order_by("name")
    return list(found.prefetch_related("intervals", "holidays"))


def calendar(pk: int) -> Calendar | None:
    """One with its intervals and holidays."""
    return Calendar.objects.filter(pk=pk).prefetch_related("intervals", "holidays").first()


def hours(calendars: Collection[int | None]) -> dict[int | None, Hours]:
    """When people work, by calendar; None is around the clock. Three queries when there is another one."""
    wanted = {pk for pk in calendars if pk is not None}
    rows = Calendar.objects.filter(pk__in=wanted).prefetch_related("intervals", "holidays") if wanted else []
    found: dict[int | None, Hours] = {row.pk: hours_of(row) for row in rows}
    return found | {None: ALWAYS}


def hours_of(calendar: Calendar) -> Hours:
    """Of a calendar as it was loaded, with what belongs to it."""
    by_day: list[list[tuple[int, int]]] = [[] for _ in range(7)]
    for interval in calendar.intervals.all():
        by_day[interval.weekday].append((interval.begins, interval.ends))
    days = days_of(calendar)
    return Hours(
        zone=calendar.time_zone,
        week=tuple(tuple(sorted(one)) for one in by_day),
        once=frozenset(day.date for day in days if not day.yearly),
        yearly=frozenset((day.date.month, day.date.day) for day in days if day.yearly),
    )


def days_of(calendar: Calendar) -> list[Day]:
    """Its holidays."""
    return [Day(one.date, one.name, one.yearly) for one in calendar.holidays.all()]


def next_opening(calendar: Calendar, now: dt.datetime) -> dt.datetime | None:
    """When work begins next: `now` while people work, None when it never does."""
    try:
        return opening(hours_of(calendar), now)
    except NoWorkingTime:
        return None
