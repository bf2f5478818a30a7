"""Business calendars among the settings."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from daytwo_server.accounts.http import form_page, go_to, viewer
from daytwo_server.accounts.permissions import can, require
from daytwo_server.calendars import selectors, services
from daytwo_server.calendars.forms import USUAL, WEEKDAYS, CalendarForm, ImportForm
from daytwo_server.calendars.ical import MAX_BYTES, holidays_in
from daytwo_server.calendars.models import Calendar
from daytwo_server.calendars.services import CalendarError
from daytwo_server.calendars.words import Day, Unreadable, write_day
from daytwo_server.core import clock
from daytwo_server.ui import htmx, toasts
from daytwo_server.ui.listing import Address, archive_tabs, refusing_bad_filters

SHOWN = 5  # holidays that come next


@require("calendars.view")
@require_safe
@refusing_bad_filters(box="")
def calendar_list(request: HttpRequest) -> HttpResponse:
    """Those in use; `?archived=1` shows the others."""
    listing = Address.of(reverse("calendars:list"), request.GET, more=("archived",))
    archived = listing.get("archived") == "1"
    words = {
        "calendars": [_row(one) for one in selectors.calendars(archived=archived)],
        "archived": archived,
        "tabs": archive_tabs(listing, archived=archived),
        "may_manage": can(request.user, "calendars.manage"),
    }
    return render(request, "calendars/list.html", words)


@require("calendars.view")
@require_safe
def calendar_page(request: HttpRequest, calendar: int) -> HttpResponse:
    """Its week, its holidays, and whether people work right now."""
    return _page(request, _find(calendar), ImportForm())


@require("calendars.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """A new calendar, and then its page."""
    usual = {"time_zone": viewer(request).time_zone} | dict.fromkeys(WEEKDAYS[:5], USUAL)
    form = CalendarForm(request.POST if request.method == "POST" else None, initial=usual)
    try:
        if form.is_valid():
            made = services.create_calendar(form.words(), actor=viewer(request))
            messages.success(request, f"{made.name} is ready")
            return go_to(request, reverse("calendars:calendar", args=[made.pk]))
    except CalendarError as problem:
        form.add_error(problem.field, str(problem))
    return _form_page(request, form, None)


@require("calendars.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, calendar: int) -> HttpResponse:
    """The same form for one that is there."""
    found = _find(calendar)
    form = CalendarForm(request.POST if request.method == "POST" else None, initial=CalendarForm.initial_of(found))
    try:
        if form.is_valid():
            services.change_calendar(found, form.words(), actor=viewer(request))
            messages.success(request, "Saved")
            return go_to(request, reverse("calendars:calendar", args=[calendar]))
    except CalendarError as problem:
        form.add_error(problem.field, str(problem))
    return _form_page(request, form, found)


@require("calendars.manage")
@require_POST
def import_holidays(request: HttpRequest, calendar: int) -> HttpResponse:
    """Add the all-day events of an iCalendar file."""
    found, form = _find(calendar), ImportForm(request.POST, request.FILES)
    try:
        if form.is_valid():
            days = holidays_in(form.cleaned_data["file"].read(MAX_BYTES + 1))
            added = services.add_holidays(found, days, actor=viewer(request))
            messages.success(request, _imported(added, len(days)))
            return go_to(request, reverse("calendars:calendar", args=[calendar]))
    except (Unreadable, CalendarError) as problem:
        form.add_error("file", str(problem))
    return _page(request, found, form, status=422)


@require("calendars.manage")
@require_POST
def archive(request: HttpRequest, calendar: int, *, archived: bool) -> HttpResponse:
    """Put a calendar away or bring it back; each offers the other as its undo."""
    found = _find(calendar)
    services.archive_calendar(found, archived=archived, actor=viewer(request))
    text = f"{found.name} is archived" if archived else f"{found.name} is back"
    undo = "calendars:restore" if archived else "calendars:archive"
    toasts.undoable(request, text, reverse(undo, args=[calendar]))
    return go_to(request, reverse("calendars:calendar", args=[calendar]))


def _imported(added: int, found: int) -> str:
    if not added:
        return "All of these holidays are there already"
    return f"{added} holiday{'' if added == 1 else 's'} added" + (f", {found - added} known" if found > added else "")


def _page(request: HttpRequest, found: Calendar, form: ImportForm, *, status: int = 200) -> HttpResponse:
    hours = selectors.hours_of(found)
    words = {
        **_row(found),
        "week": [(name.capitalize(), write_day(hours.week[number])) for number, name in enumerate(WEEKDAYS)],
        "coming": _coming(selectors.days_of(found), clock.now().date()),
        "form": form,
        "may_manage": can(request.user, "calendars.manage"),
    }
    return htmx.render(request, "calendars/calendar.html", "calendars/_import.html", words, status=status)


def _row(one: Calendar) -> dict[str, Any]:
    now = clock.now()
    opens = selectors.next_opening(one, now)
    hours = selectors.hours_of(one)
    return {
        "calendar": one,
        "open": opens == now,
        "opens": opens,
        "hours_a_week": sum(ends - begins for day in hours.week for begins, ends in day) / 60,
        "holidays": len(hours.once) + len(hours.yearly),
    }


def _coming(days: list[Day], today: dt.date) -> list[tuple[dt.date, Day]]:
    """The holidays that come next, each with its date."""
    dated = [(date, day) for day in days for date in _dates(day, today) if date >= today]
    return sorted(dated, key=lambda one: one[0])[:SHOWN]


def _dates(day: Day, today: dt.date) -> list[dt.date]:
    if not day.yearly:
        return [day.date]
    found = []
    for year in range(today.year, today.year + 9):  # until the next leap year, which may be eight years away
        try:
            found.append(day.date.replace(year=year))
        except ValueError:
            continue
        if found[-1] >= today:
            break
    return found[-1:]


def _find(calendar: int) -> Calendar:
    found = selectors.calendar(calendar)
    if found is None:
        raise Http404
    return found


def _form_page(request: HttpRequest, form: CalendarForm, calendar: Calendar | None) -> HttpResponse:
    words: dict[str, Any] = {
        "action": request.path,
        "back": reverse("calendars:list"),
        "submit": "Create calendar",
        "title": "New calendar",
        "lead": "Lunch breaks and shifts are several times in a day.",
        "crumb": "New",
    }
    if calendar:
        words |= {
            "back": reverse("calendars:calendar", args=[calendar.pk]),
            "submit": "Save",
            "title": f"Edit {calendar.name}",
            "lead": "What was promised by this calendar is counted anew for tickets that are not resolved.",
            "crumb": calendar.name,
        }
    return form_page(request, "ui/settings_form.html", form, **words)


app_name = "calendars"
urlpatterns = [
    path("settings/calendars/", calendar_list, name="list"),
    path("settings/calendars/new/", create, name="create"),
    path("settings/calendars/<id:calendar>/", calendar_page, name="calendar"),
    path("settings/calendars/<id:calendar>/edit/", edit, name="edit"),
    path("settings/calendars/<id:calendar>/import/", import_holidays, name="import"),
    path("settings/calendars/<id:calendar>/archive/", archive, {"archived": True}, name="archive"),
    path("settings/calendars/<id:calendar>/restore/", archive, {"archived": False}, name="restore"),
]
