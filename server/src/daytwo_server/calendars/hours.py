"""Working time: when it is due, and how much of it passed. Pure arithmetic, exact in every time zone.

An instant is working time when the clock on the wall shows an interval of that weekday, and the day is no holiday. So
an hour that the wall clock leaves out in spring is never worked, and one that it shows twice in autumn is worked twice.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

HORIZON = dt.timedelta(days=366 * 20)  # beyond it nobody promised anything: see `NoWorkingTime`
DAY_MINUTES = 24 * 60
_DAY = dt.timedelta(days=1)
Interval = tuple[int, int]  # minutes since midnight, the end not included
Span = tuple[dt.datetime, dt.datetime]  # instants in UTC, the end not included


class NoWorkingTime(ValueError):
    """The calendar never comes to that much working time; the text says so for people."""


@dataclass(frozen=True)
class Hours:
    """When people work: for each weekday from Monday its intervals, sorted and apart; and the days that are off.

    `once` are dates, `yearly` are (month, day).
    """

    zone: str
    week: tuple[tuple[Interval, ...], ...]
    once: frozenset[dt.date] = frozenset()
    yearly: frozenset[tuple[int, int]] = frozenset()

    @functools.cached_property
    def always(self) -> bool:
        """Around the clock, so that no day needs to be looked at."""
        return not self.once and not self.yearly and all(day == ((0, DAY_MINUTES),) for day in self.week)

    def __hash__(self) -> int:
        return self._hash

    @functools.cached_property
    def _hash(self) -> int:  # asked for each day of each answer, and holidays are many
        return hash((self.zone, self.week, self.once, self.yearly))


ALWAYS = Hours("UTC", (((0, DAY_MINUTES),),) * 7)


def add(hours: Hours, start: dt.datetime, working: dt.timedelta) -> dt.datetime:
    """The first instant by which that much working time has passed since `start`, in UTC; `start` itself for none.

    Raises `NoWorkingTime` when that does not happen within twenty years, ValueError for less than nothing.
    """
    if working < dt.timedelta():
        raise ValueError(f"Working time is added forward, not {working}.")
    start = start.astimezone(dt.UTC)
    if not working or hours.always:
        return start + working
    left = working
    for begins, ends in _spans_from(hours, start):
        if left <= ends - begins:
            return begins + left
        left -= ends - begins
    raise NoWorkingTime(f"This calendar does not come to {working} of working time within twenty years.")


def between(hours: Hours, one: dt.datetime, other: dt.datetime) -> dt.timedelta:
    """How much working time passes from one instant to the other; negative when the other is before."""
    if other < one:
        return -between(hours, other, one)
    one, other = one.astimezone(dt.UTC), other.astimezone(dt.UTC)
    if hours.always:
        return other - one
    passed, day = dt.timedelta(), one.date()
    while day <= other.date():
        for begins, ends in spans(hours, day):
            passed += max(dt.timedelta(), min(ends, other) - max(begins, one))
        day += _DAY
    return passed


def opening(hours: Hours, moment: dt.datetime) -> dt.datetime:
    """`moment` if it is working time, else when that begins next, in UTC. Raises `NoWorkingTime`."""
    moment = moment.astimezone(dt.UTC)
    if hours.always:
        return moment
    for begins, _ in _spans_from(hours, moment):
        return begins
    raise NoWorkingTime("This calendar has no working time within twenty years.")


def _spans_from(hours: Hours, start: dt.datetime) -> Iterator[Span]:
    """What is left of working time from `start` on, for twenty years."""
    if not any(hours.week):
        return
    last = start.date() + HORIZON
    day = start.date()
    while day <= last:
        for begins, ends in spans(hours, day):
            if ends > start:
                yield max(begins, start), ends
        day += _DAY


@functools.lru_cache(maxsize=20_000)
def spans(hours: Hours, day: dt.date) -> tuple[Span, ...]:
    """The working time within one day of UTC, in its order."""
    midnight = dt.datetime.combine(day, dt.time(), dt.UTC)
    found = []
    for begins, ends, offset in _stretches(hours.zone, midnight, midnight + _DAY):
        local, until = (begins + offset).replace(tzinfo=None), (ends + offset).replace(tzinfo=None)
        date = local.date()
        while dt.datetime.combine(date, dt.time()) < until:
            for first, last in _intervals(hours, date):
                start = max(_wall(date, first), local)
                end = min(_wall(date, last), until)
                if start < end:
                    found.append((start.replace(tzinfo=dt.UTC) - offset, end.replace(tzinfo=dt.UTC) - offset))
            date += _DAY
    return tuple(found)


def _intervals(hours: Hours, date: dt.date) -> tuple[Interval, ...]:
    off = date in hours.once or (date.month, date.day) in hours.yearly
    return () if off else hours.week[date.weekday()]


def _wall(date: dt.date, minutes: int) -> dt.datetime:
    return dt.datetime.combine(date, dt.time()) + dt.timedelta(minutes=minutes)


def _stretches(
    zone: str, begins: dt.datetime, ends: dt.datetime
) -> Iterator[tuple[dt.datetime, dt.datetime, dt.timedelta]]:
    """The stretches of at most a day in which the zone keeps one distance from UTC, with that distance."""
    place = ZoneInfo(zone)
    while begins < ends:
        offset = _offset(place, begins)
        until = ends if _offset(place, ends - dt.timedelta(seconds=1)) == offset else _change(place, begins, ends)
        yield begins, until, offset
        begins = until


def _change(place: ZoneInfo, begins: dt.datetime, ends: dt.datetime) -> dt.datetime:
    """The second at which the distance from UTC is not that of `begins` any more. Zones change on whole seconds."""
    before, low, high = _offset(place, begins), 0, int((ends - begins).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(place, begins + dt.timedelta(seconds=middle)) == before:
            low = middle
        else:
            high = middle
    return begins + dt.timedelta(seconds=high)


def _offset(place: ZoneInfo, moment: dt.datetime) -> dt.timedelta:
    offset = moment.astimezone(place).utcoffset()
    assert offset is not None
    return offset
