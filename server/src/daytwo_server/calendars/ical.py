"""Holidays from an iCalendar file, as public holidays are published. Read by the library `icalendar`."""

from __future__ import annotations

import datetime as dt
from typing import Any

from daytwo_server.calendars.words import LEAP_YEAR, MAX_HOLIDAYS, Day, Unreadable, checked_name

MAX_BYTES = 1024 * 1024
MAX_DAYS = 62  # of one event: a company's summer break is a holiday, a year is a mistake
_YEARLY_AND_NO_MORE = {"FREQ", "INTERVAL", "BYMONTH", "BYMONTHDAY", "WKST"}


def holidays_in(data: bytes) -> list[Day]:
    """Its all-day events, a holiday for each of their days; those that repeat each year on their date are yearly.

    Events at a time of day are no holidays. Raises `Unreadable` for what is no such file, for none in it, and for a
    repetition that this calendar cannot keep: to leave it out would promise work on a day off.
    """
    if len(data) > MAX_BYTES:
        raise Unreadable("The file is larger than 1 MB; a calendar of holidays is a few kB.")
    # By the date alone: of that year a day may be there once and yearly, and the yearly one says it all.
    found = {day.date: day for day in sorted(_read(data), key=lambda day: day.yearly)}
    if not found:
        raise Unreadable("There is no all-day event in this file.")
    if len(found) > MAX_HOLIDAYS:
        raise Unreadable(f"There are {len(found)} holidays in this file; at most {MAX_HOLIDAYS} fit.")
    return sorted(found.values())


def _read(data: bytes) -> list[Day]:
    from icalendar import Calendar  # 9 MB of memory that only this needs
    from icalendar.error import BrokenCalendarProperty

    try:
        events = [event for one in Calendar.from_ical(data, multiple=True) for event in one.walk("VEVENT")]
        return [day for event in events for day in _days(event)]
    except Unreadable:
        raise
    except (ValueError, KeyError, IndexError, OverflowError, BrokenCalendarProperty) as problem:
        raise Unreadable("This is no iCalendar file (.ics) that can be read. Nothing was imported.") from problem


def _days(event: Any) -> list[Day]:
    begins = getattr(event.get("DTSTART"), "dt", None)
    if not isinstance(begins, dt.date) or isinstance(begins, dt.datetime) or event.get("STATUS") == "CANCELLED":
        return []
    length = getattr(event.get("DURATION"), "dt", None) or dt.timedelta(days=1)
    ends = getattr(event.get("DTEND"), "dt", None) or begins + length
    days = max(1, (ends - begins).days) if isinstance(ends, dt.date) and not isinstance(ends, dt.datetime) else 1
    name = checked_name(str(event.get("SUMMARY") or "Holiday")[:100])
    if days > MAX_DAYS:
        raise Unreadable(f"{name} lasts {days} days; at most {MAX_DAYS} are taken for a holiday.")
    yearly = _is_yearly(event, name)
    dates = [begins + dt.timedelta(days=number) for number in range(days)]
    return [Day(date.replace(year=LEAP_YEAR) if yearly else date, name, yearly=yearly) for date in dates]


def _is_yearly(event: Any, name: str) -> bool:
    rule, exceptions = event.get("RRULE"), "RDATE" in event or "EXDATE" in event
    if not rule and not exceptions:
        return False
    every_year = rule and rule.get("FREQ") == ["YEARLY"] and rule.get("INTERVAL", [1]) == [1]
    if every_year and not exceptions and set(rule) <= _YEARLY_AND_NO_MORE:
        return True
    raise Unreadable(
        f"{name} repeats by a rule that is no day of every year. Export the calendar with single dates instead."
    )
