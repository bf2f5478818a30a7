"""Calendars among the settings."""

from __future__ import annotations

import datetime as dt

import make
import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from rooms.calendars.test_words import ics

from daytwo_server.calendars.models import Calendar
from daytwo_server.calendars.selectors import hours_of
from daytwo_server.core.models import AuditEntry, Fact

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

FORM = {
    "name": "Berlin", "time_zone": "Europe/Berlin", "monday": "9-12, 13-17", "friday": "09:00-15:00",
    "holidays": "12-25 Christmas",
}  # fmt: skip
PART = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def owner(alice, signed_in):
    return signed_in(alice)


def test_a_calendar_is_made_and_changed_without_a_script(owner):
    page = owner.post("/settings/calendars/new/", FORM, follow=True)
    made = Calendar.objects.get()
    assert "09:00-12:00, 13:00-17:00" in page.text
    assert hours_of(made).week[4] == ((540, 900),)
    page = owner.post(f"/settings/calendars/{made.pk}/edit/", FORM | {"monday": "", "name": "Hamburg"}, follow=True)
    assert "Hamburg" in page.text
    assert hours_of(Calendar.objects.get()).week[0] == ()
    assert Fact.objects.filter(name="CalendarChanged").count() == 1
    assert list(AuditEntry.objects.filter(ref_kind="calendar").order_by("pk").values_list("action", flat=True)) == [
        "calendars:calendar:created", "calendars:calendar:changed"
    ]  # fmt: skip


def test_saving_what_is_so_already_changes_nothing(owner):
    made = make.calendar()
    page = owner.get(f"/settings/calendars/{made.pk}/edit/")
    form = page.context["form"].initial
    owner.post(f"/settings/calendars/{made.pk}/edit/", form)
    assert not Fact.objects.filter(name="CalendarChanged").exists()
    assert AuditEntry.objects.filter(ref_kind="calendar").count() == 1


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("monday", "whenever", "write it like"),
        ("time_zone", "Mars/Olympus", "Select a valid choice"),
        ("holidays", "Christmas", "begins with no day"),
        ("name", "", "required"),
        ("name", "Office", "already"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_nothing_is_lost(owner, field, value, words):
    make.calendar("Office")
    answer = owner.post("/settings/calendars/new/", FORM | {field: value}, headers=PART)
    assert answer.status_code == 422
    assert words in answer.text
    assert "12-25 Christmas" in answer.text or field == "holidays"
    assert Calendar.objects.count() == 1


def test_somebody_has_to_work_at_some_time(owner):
    answer = owner.post("/settings/calendars/new/", FORM | {"monday": "", "friday": ""})
    assert answer.status_code == 422
    assert "Somebody has to work" in answer.text


def test_holidays_come_from_a_file_and_those_that_are_there_stay(owner):
    made = make.calendar()
    data = ics("DTSTART;VALUE=DATE:20261225\r\nSUMMARY:Christmas", "DTSTART;VALUE=DATE:20261226\r\nSUMMARY:Boxing Day")
    address = f"/settings/calendars/{made.pk}/import/"
    page = owner.post(address, {"file": SimpleUploadedFile("a.ics", data)}, follow=True)
    assert "2 holidays added" in page.text
    page = owner.post(address, {"file": SimpleUploadedFile("a.ics", data)}, follow=True)
    assert "there already" in page.text
    assert made.holidays.count() == 2
    answer = owner.post(address, {"file": SimpleUploadedFile("a.ics", b"nothing")}, headers=PART)
    assert answer.status_code == 422
    assert "no iCalendar file" in answer.text


def test_the_list_says_who_works_now(owner):
    make.calendar()
    with time_machine.travel(make.moment("2026-11-23T10:00:00"), tick=False):
        assert "Open now" in owner.get("/settings/calendars/").text
    with time_machine.travel(make.moment("2026-11-23T12:30:00") + dt.timedelta(0), tick=False):
        assert "opens" in owner.get("/settings/calendars/").text


def test_an_archived_calendar_is_offered_nowhere_and_undo_brings_it_back(owner):
    made = make.calendar()
    page = owner.post(f"/settings/calendars/{made.pk}/archive/", follow=True)
    assert "Archived" in page.text
    assert "Office" not in owner.get("/settings/sla/new/").text
    owner.post(f"/settings/calendars/{made.pk}/restore/")
    assert "Office" in owner.get("/settings/sla/new/").text
