"""Working hours and holidays as people write them, and back."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from daytwo_server.calendars.hours import DAY_MINUTES, Interval
from daytwo_server.calendars.models import MAX_NAME

MAX_INTERVALS = 12  # of one day
MAX_HOLIDAYS = 1000
LEAP_YEAR = 2024  # yearly holidays are kept as days of it, so that 29 February is one
_INTERVAL = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?\s*(?:-|–|to)\s*(\d{1,2})(?:[:.h](\d{2}))?")  # noqa: RUF001 - people type it
_HOLIDAY = re.compile(r"(?:(\d{4})-)?(\d{1,2})-(\d{1,2})(?:\s+(.*))?")


class Unreadable(ValueError):
    """What was typed means nothing; the text says what would."""


@dataclass(frozen=True, order=True)
class Day:
    """A holiday. A yearly one has the year 2024 in its date."""

    date: dt.date
    name: str
    yearly: bool = False


def read_day(text: str) -> list[Interval]:
    """The times of a day, like "09:00-12:30, 13:30-18:00": in minutes, sorted, those that touch joined. Nothing is a
    day off. Raises `Unreadable`.
    """
    if text.strip().casefold() in ("", "-", "closed", "off"):
        return []
    found = sorted(_interval(part.strip()) for part in text.split(",") if part.strip())
    joined: list[Interval] = []
    for begins, ends in found:
        if joined and begins < joined[-1][1]:
            raise Unreadable(f"{write_day([joined[-1]])} and {write_day([(begins, ends)])} overlap; write them as one.")
        if joined and begins == joined[-1][1]:
            joined[-1] = (joined[-1][0], ends)
        else:
            joined.append((begins, ends))
    if len(joined) > MAX_INTERVALS:
        raise Unreadable(f"At most {MAX_INTERVALS} times a day.")
    return joined


def _interval(text: str) -> Interval:
    match = _INTERVAL.fullmatch(text)
    if match is None:
        raise Unreadable(f"{text[:40]!r} is no time; write it like 09:00-12:30, 13:30-18:00.")
    first, first_minute, last, last_minute = (int(part or 0) for part in match.groups())
    if first_minute > 59 or last_minute > 59 or first > 23 or last > 24:
        raise Unreadable(f"{text!r} is no time of a day; it goes from 00:00 to 24:00.")
    begins, ends = first * 60 + first_minute, last * 60 + last_minute
    if ends > DAY_MINUTES:
        raise Unreadable(f"{text!r} is no time of a day; it goes from 00:00 to 24:00.")
    if ends <= begins:
        raise Unreadable(
            f"{text!r} ends before it begins. Past midnight, write two: until 24:00, and from 00:00 on the next day."
        )
    return begins, ends


def write_day(intervals: Iterable[Interval]) -> str:
    """The same as `read_day` reads."""
    return ", ".join(f"{_clock(begins)}-{_clock(ends)}" for begins, ends in intervals)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def read_holidays(text: str) -> list[Day]:
    """One a line: "2026-12-24 Company outing" once, "12-25 Christmas" every year. Sorted; a day named twice is one."""
    found: dict[dt.date, Day] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        day = _holiday(line)
        found[day.date] = day
    if len(found) > MAX_HOLIDAYS:
        raise Unreadable(f"{len(found)} holidays; at most {MAX_HOLIDAYS} fit.")
    return sorted(found.values(), key=lambda day: (not day.yearly, day.date))


def _holiday(line: str) -> Day:
    match = _HOLIDAY.fullmatch(line)
    if match is None:
        raise Unreadable(f"{line[:60]!r} begins with no day; write 2026-12-24 Company outing, or 12-25 Christmas.")
    year, month, day, name = match.groups()
    try:
        date = dt.date(int(year or LEAP_YEAR), int(month), int(day))
    except ValueError:
        raise Unreadable(f"There is no day {line.split(maxsplit=1)[0]}.") from None
    return Day(date, checked_name(name or "Holiday"), yearly=year is None)


def checked_name(name: str) -> str:
    """On one line and short enough. Raises `Unreadable`."""
    line = " ".join(name.split())
    if not line.isprintable() or len(line) > MAX_NAME:
        raise Unreadable(f"A name has at most {MAX_NAME} characters that can be printed, not {line[:40]!r}.")
    return line


def write_holidays(days: Sequence[Day]) -> str:
    """The same as `read_holidays` reads."""
    ordered = sorted(days, key=lambda day: (not day.yearly, day.date))
    return "\n".join(f"{day.date:%m-%d} {day.name}" if day.yearly else f"{day.date} {day.name}" for day in ordered)
