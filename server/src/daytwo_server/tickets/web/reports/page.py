"""How support does: figures over a stretch of days, beside those of as many days before. As a page and as CSV."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from daytwo_server.accounts.http import viewer
from daytwo_server.accounts.permissions import require
from daytwo_server.core.query import BadFilter
from daytwo_server.tickets.selectors import reports
from daytwo_server.tickets.selectors.reports import Day, Stretch
from daytwo_server.tickets.web.reports.figures import DIMENSIONS, Figures, figures, named
from daytwo_server.tickets.web.reports.sheet import rows
from daytwo_server.ui import formats
from daytwo_server.ui.charts import BarChart, Series
from daytwo_server.ui.listing import Address, address, refusing_bad_filters
from daytwo_server.ui.sheets import csv_text

RANGES = {"7": "7 d", "30": "30 d", "90": "90 d"}
USUAL = "30"
MOST_DAYS = 366
_NONE = "\N{EN DASH}"


@require("reports.view")
@require_safe
@refusing_bad_filters("Support report", box="")
def support(request: HttpRequest) -> HttpResponse:
    """`?range=` is 7, 30 or 90 days up to today, or `?from=` and `?to=` days; `?by=` is what the table groups by."""
    if request.headers.get("Accept", "").startswith("text/csv"):
        return _csv(request)
    listing, over = _asked(request)
    by = listing.get("by") or "category"
    if by not in DIMENSIONS:
        raise BadFilter("by", f"There is no {by!r} to group by; use {', '.join(DIMENSIONS)}.")
    found = figures(over, [by])
    counts = found.report.totals.satisfaction.counts
    words = {
        "over": over,
        "address": listing.params,
        "ranges": _ranges(listing),
        "csv": address(reverse("tickets:support-csv"), **listing.params),
        "totals": found.report.totals,
        "tiles": _tiles(found),
        "durations": found.durations,
        "promised": any(one.kept.share is not None for one in found.durations),
        "charts": _charts(found.report.days),
        "days": found.report.days,
        "by": DIMENSIONS[by],
        "tabs": [
            {"label": label, "url": listing.url(by=one), "current": one == by} for one, label in DIMENSIONS.items()
        ],
        "groups": named(by, found.report.groups[by]),
        "ratings": [(rating, counts.get(rating, 0)) for rating in range(5, 0, -1)],
        "comments": reports.comments(over),
    }
    return render(request, "tickets/support.html", words)


@require("reports.view")
@require_safe
@refusing_bad_filters("Support report", box="")
def support_csv(request: HttpRequest) -> HttpResponse:
    """The same figures, with the groups of every dimension, as CSV."""
    return _csv(request)


def _csv(request: HttpRequest) -> HttpResponse:
    _, over = _asked(request)
    answer = HttpResponse(csv_text(rows(figures(over, list(DIMENSIONS)))), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="support-{over.first}-{over.last}.csv"'
    return answer


def _asked(request: HttpRequest) -> tuple[Address, Stretch]:
    listing = Address.of(reverse("tickets:support"), request.GET, more=("range", "from", "to", "by"))
    last = _day("to", listing.get("to")) or timezone.localdate()
    if listing.get("from") or listing.get("to"):
        first = _day("from", listing.get("from")) or last - dt.timedelta(days=int(USUAL) - 1)
    elif _range(listing) in RANGES:
        first = last - dt.timedelta(days=int(_range(listing)) - 1)
    else:
        raise BadFilter("range", f"There is no range {_range(listing)!r}; use {', '.join(RANGES)}, or from and to.")
    if not dt.timedelta() <= last - first < dt.timedelta(days=MOST_DAYS):
        raise BadFilter("from", f"From {first} to {last} is not between one day and {MOST_DAYS}.")
    return listing, Stretch(first, last, ZoneInfo(viewer(request).time_zone))


def _range(listing: Address) -> str:
    return listing.get("range") or USUAL


def _ranges(listing: Address) -> list[dict[str, Any]]:
    chosen = "" if listing.get("from") or listing.get("to") else _range(listing)
    return [
        {"label": label, "url": listing.url(**{"range": days, "from": None, "to": None}), "current": days == chosen}
        for days, label in RANGES.items()
    ]


def _day(name: str, text: str) -> dt.date | None:
    if not text:
        return None
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise BadFilter(name, f"{text} is no day; write it like 2026-11-23.") from None
    if not 1990 <= day.year <= 2200:
        raise BadFilter(name, f"{text} is too far away.")
    return day


def _tiles(found: Figures) -> list[dict[str, Any]]:
    """Label, value, a word about it, and how it went."""
    now, was, days = found.report.totals, found.before, found.report.days
    kept, late = sum(one.kept.within for one in found.durations), sum(one.kept.late for one in found.durations)
    share = kept * 100 / (kept + late) if kept + late else None
    csat, rated = now.satisfaction, now.satisfaction.total
    return [
        _tile("Opened", formats.grouped(now.opened), f"{was.opened:,} before", [day.opened for day in days]),
        _tile("Resolved", formats.grouped(now.resolved), f"{was.resolved:,} before", [day.resolved for day in days]),
        _tile("Backlog", formats.grouped(days[-1].backlog), "at the end", [day.backlog for day in days]),
        _tile("First reply", _length(now.first_reply.median), f"median; {_length(was.first_reply.median)} before"),
        _tile("Resolution", _length(now.resolution.median), f"median; {_length(was.resolution.median)} before"),
        _tile(
            "Within promise", _percent(share), f"{late:,} of {kept + late:,} late" if kept + late else "none was made"
        ),
        _tile("Reopened", _percent(now.reopen_rate), f"of {now.resolved:,}; {_percent(was.reopen_rate)} before"),
        _tile("CSAT", _percent(csat.share), f"of {rated:,}; {_percent(was.satisfaction.share)} before"),
    ]


def _tile(label: str, value: str, note: str, trend: list[int] | None = None) -> dict[str, Any]:
    return {"label": label, "value": value, "note": note, "trend": trend or []}


def _length(seconds: int | None) -> str:
    return _NONE if seconds is None else formats.duration(seconds)


def _percent(share: float | None) -> str:
    return _NONE if share is None else f"{share:.0f}%"


def _charts(days: list[Day]) -> list[tuple[str, str, BarChart]]:
    """Title, definition and picture; none where nothing happened."""
    if not any(day.opened or day.resolved for day in days):
        return []
    names = [f"{day.date.day} {day.date:%b}" for day in days]
    ticks = [(place, names[place]) for place in range(0, len(days), max(1, len(days) // 6))]
    shown = []
    for title, text, fill in (
        ("opened", "By the day on which they were opened.", "1"),
        ("resolved", "Each time that a ticket was resolved.", "1"),
        ("backlog", "Tickets that were neither resolved nor closed at the end of the day.", "muted"),
    ):
        values = [getattr(day, title) for day in days]
        titles = [f"{name}: {value:,}" for name, value in zip(names, values, strict=True)]
        label = (
            f"{title.capitalize()} by the day: {values[0]:,} at first, {values[-1]:,} at last, {max(values):,} at most"
        )
        picture = BarChart([Series(values, fill)], label=label, ticks=ticks, titles=titles, height=120)
        shown.append((title.capitalize(), text, picture))
    return shown
