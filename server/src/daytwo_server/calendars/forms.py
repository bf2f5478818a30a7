"""The form of a calendar: everything on one page and in plain text, so that it works without a script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms

from daytwo_server.accounts.forms import time_zones
from daytwo_server.calendars.models import MAX_NAME, Calendar
from daytwo_server.calendars.selectors import days_of, hours_of
from daytwo_server.calendars.services import CalendarWords
from daytwo_server.calendars.words import (
    Day,
    Unreadable,
    checked_name,
    read_day,
    read_holidays,
    write_day,
    write_holidays,
)

T = TypeVar("T")

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
USUAL = "09:00-17:00"
MAX_TEXT = 120_000


class CalendarForm(forms.Form):
    name = forms.CharField(max_length=MAX_NAME, label="Name", help_text="For example Support in Berlin.")
    time_zone = forms.ChoiceField(label="Time zone", help_text="Summer time is followed by itself.")
    holidays = forms.CharField(
        required=False,
        max_length=MAX_TEXT,
        label="Holidays",
        help_text="One a line: 12-25 Christmas is every year, 2026-12-24 Company outing is once.",
        widget=forms.Textarea({"rows": 8, "spellcheck": "false", "class": "mono"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"].choices = [(zone, zone) for zone in time_zones()]  # type: ignore[attr-defined]
        for name in WEEKDAYS:
            self.fields[name] = forms.CharField(required=False, max_length=300, label=name.capitalize())
        self.order_fields(["name", "time_zone", *WEEKDAYS, "holidays"])
        self.fields["monday"].help_text = "Like 09:00-12:30, 13:30-18:00. Nothing is a day off; midnight is 24:00."

    def clean_name(self) -> str:
        return _readable(checked_name, self.cleaned_data["name"])

    def clean_holidays(self) -> list[Day]:
        return _readable(read_holidays, self.cleaned_data["holidays"])

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        for name in WEEKDAYS:
            if name in values:
                try:
                    values[name] = read_day(values[name])
                except Unreadable as problem:
                    self.add_error(name, str(problem))
        return values

    def words(self) -> CalendarWords:
        """What was said, once it is valid."""
        said = self.cleaned_data
        return CalendarWords(
            name=said["name"],
            time_zone=said["time_zone"],
            week={number: said[name] for number, name in enumerate(WEEKDAYS)},
            holidays=said["holidays"],
        )

    @staticmethod
    def initial_of(calendar: Calendar) -> dict[str, Any]:
        hours = hours_of(calendar)
        return {
            "name": calendar.name,
            "time_zone": calendar.time_zone,
            "holidays": write_holidays(days_of(calendar)),
            **{name: write_day(hours.week[number]) for number, name in enumerate(WEEKDAYS)},
        }


class ImportForm(forms.Form):
    file = forms.FileField(
        label="iCalendar file",
        help_text="All-day events become holidays; those that are there already stay.",
        widget=forms.FileInput({"accept": ".ics,text/calendar"}),
    )


def _readable(read: Callable[[str], T], text: str) -> T:
    try:
        return read(text)
    except Unreadable as problem:
        raise forms.ValidationError(str(problem)) from None
