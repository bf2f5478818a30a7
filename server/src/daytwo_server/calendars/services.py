"""Every write about calendars. Whoever calls has already asked `permissions.can`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction

from daytwo_server.accounts.models import User
from daytwo_server.calendars.facts import CalendarChanged
from daytwo_server.calendars.hours import Interval
from daytwo_server.calendars.models import Calendar, Holiday
from daytwo_server.calendars.models import Interval as Row
from daytwo_server.calendars.selectors import days_of, hours_of
from daytwo_server.calendars.words import MAX_HOLIDAYS, Day
from daytwo_server.core import audit, clock, facts
from daytwo_server.core.ref import Ref

MAX_CALENDARS = 100


class CalendarError(ValueError):
    """It cannot be so; `field` is what to change, the text says why."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


@dataclass(frozen=True, kw_only=True)
class CalendarWords:
    """What a calendar says. `week` has the intervals of each weekday, 0 being Monday; see `words`."""

    name: str
    time_zone: str
    week: Mapping[int, Sequence[Interval]]
    holidays: Sequence[Day] = field(default_factory=tuple)


def create_calendar(words: CalendarWords, *, actor: User | None) -> Calendar:
    """Raises `CalendarError`."""
    with transaction.atomic():
        if Calendar.objects.count() >= MAX_CALENDARS:
            raise CalendarError("name", f"There are {MAX_CALENDARS} calendars already; change one of them.")
        made = Calendar()
        _write(made, words)
        audit.record("calendars:calendar:created", actor=actor, ref=Ref("calendar", made.pk), after=_told(made))
    return made


def change_calendar(calendar: Calendar, words: CalendarWords, *, actor: User | None) -> None:
    """Say everything anew. Nothing happens when nothing differs. Raises `CalendarError`."""
    with transaction.atomic():
        held = Calendar.objects.select_for_update().get(pk=calendar.pk)
        before, hours = _told(held), hours_of(held)
        days = sorted(days_of(held))
        _write(held, words)
        after = _told(held)
        if before != after or days != sorted(days_of(held)):
            audit.record("calendars:calendar:changed", actor=actor, ref=_ref(held), before=before, after=after)
        if hours != hours_of(held):
            facts.record(CalendarChanged(calendar=held.pk))


def add_holidays(calendar: Calendar, days: Sequence[Day], *, actor: User | None) -> int:
    """Those that are not there yet, of a file for example; returns how many. Raises `CalendarError`."""
    with transaction.atomic():
        held = Calendar.objects.select_for_update().get(pk=calendar.pk)
        known = {day.date for day in days_of(held)}
        new = [day for day in days if day.date not in known]
        if len(known) + len(new) > MAX_HOLIDAYS:
            raise CalendarError("file", f"That would be {len(known) + len(new)} holidays; at most {MAX_HOLIDAYS} fit.")
        if new:
            _add_days(held, new)
            audit.record("calendars:holidays:imported", actor=actor, ref=_ref(held), after={"holidays": len(new)})
            facts.record(CalendarChanged(calendar=held.pk))
    return len(new)


def archive_calendar(calendar: Calendar, *, archived: bool, actor: User | None) -> None:
    """Offer it nowhere any more, or again; what goes by it stays so."""
    with transaction.atomic():
        wanted = Calendar.objects.filter(pk=calendar.pk, archived_at__isnull=archived)
        if wanted.update(archived_at=clock.now() if archived else None):
            audit.record(
                f"calendars:calendar:{'archived' if archived else 'restored'}", actor=actor, ref=_ref(calendar)
            )


def _write(calendar: Calendar, words: CalendarWords) -> None:
    if not any(words.week.values()):
        raise CalendarError("monday", "Somebody has to work at some time: give at least one day its hours.")
    calendar.name, calendar.time_zone = words.name, words.time_zone
    try:
        with transaction.atomic():
            calendar.save()
    except IntegrityError:
        raise CalendarError("name", f"There is a calendar {words.name} already; choose another name.") from None
    calendar.intervals.all().delete()
    Row.objects.bulk_create(
        Row(calendar=calendar, weekday=weekday, begins=begins, ends=ends)
        for weekday, intervals in words.week.items()
        for begins, ends in intervals
    )
    calendar.holidays.all().delete()
    _add_days(calendar, words.holidays)


def _add_days(calendar: Calendar, days: Sequence[Day]) -> None:
    Holiday.objects.bulk_create(
        Holiday(calendar=calendar, date=day.date, name=day.name, yearly=day.yearly) for day in days
    )


def _ref(calendar: Calendar) -> Ref:
    return Ref("calendar", calendar.pk)


def _told(calendar: Calendar) -> dict[str, Any]:
    hours = hours_of(calendar)
    return {
        "name": calendar.name,
        "time_zone": hours.zone,
        "minutes_a_week": sum(ends - begins for day in hours.week for begins, ends in day),
        "holidays": len(hours.once) + len(hours.yearly),
    }
