"""The page about what arrives."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from daytwo_server.accounts.permissions import require
from daytwo_server.catalog.models import Project
from daytwo_server.core import clock, preferences
from daytwo_server.core.query import BadFilter
from daytwo_server.ingest import selectors as ingest
from daytwo_server.ingest.selectors import Hour
from daytwo_server.operate import selectors
from daytwo_server.operate.web.intake import intake
from daytwo_server.ui import formats
from daytwo_server.ui.charts import BarChart, Series
from daytwo_server.ui.listing import Address, refusing_bad_filters

MAX_SENDERS = 50
MIB = 1024 * 1024
LATE_S = 60  # as the health check has it: a minute behind is an overload
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
SHORT_DAYS, FEW_DAYS = 7, 30


@dataclass(frozen=True)
class Range:
    """How far back the page looks, and what one bar stands for."""

    label: str
    bars: int
    bar: dt.timedelta

    def since(self) -> dt.datetime:
        """The beginning of the first bar, on the hour or at midnight in UTC; the last one is under way."""
        now = clock.now().replace(minute=0, second=0, microsecond=0)
        last = now if self.bar == HOUR else now.replace(hour=0)
        return last - (self.bars - 1) * self.bar


RANGES = {"24h": Range("24 h", 24, HOUR), "7d": Range("7 d", 7, DAY), "30d": Range("30 d", 30, DAY)}


@require("operate.view")
@require_safe
@refusing_bad_filters(box="")
def ingest_health(request: HttpRequest) -> HttpResponse:
    """What arrives, what is kept and what is lost; `?range=` is 24h, 7d or 30d, `?project=` a slug."""
    address = Address.of(reverse("operate:ingest"), request.GET, more=("range", "project"))
    chosen = address.get("range") if address.get("range") in RANGES else "24h"
    over = RANGES[chosen]
    projects = list(Project.objects.order_by("name", "pk"))
    project = _project(address.get("project"), projects)
    found = intake(over.since(), project=project)
    conf = preferences.current()
    state = ingest.state(conf)
    bars = _bars(over, ingest.hours(over.since(), project=project))
    shown = {
        "intake": found,
        "senders": found.senders[:MAX_SENDERS],
        "state": state,
        "late": state.lag_s > LATE_S,
        "spool_note": f"{state.spool_segments} file{'' if state.spool_segments == 1 else 's'}",
        "disk": _disk(state.free_disk_bytes - conf.min_free_disk_mb * MIB),
        "range": over.label,
        "ranges": [
            {"label": one.label, "url": address.url(range=name), "current": name == chosen}
            for name, one in RANGES.items()
        ],
        "address": address.params,
        "projects": projects,
        "bars": bars if any(bar.arrived or bar.lost for bar in bars) else [],
        "hourly": over.bar == HOUR,
        "chart": _chart(over, bars),
    }
    return render(request, "operate/ingest.html", shown)


def _project(slug: str, projects: Sequence[Project]) -> int | None:
    if not slug:
        return None
    found = next((project.pk for project in projects if project.slug == slug), None)
    if found is None:
        raise BadFilter("project", f"There is no project {slug}.")
    return found


def _disk(room_bytes: int) -> dict[str, Any]:
    """How long the disk lasts: `value`, `note` and `tone` of its tile. `room_bytes` is what intake may still fill."""
    growth = selectors.growth()
    if growth.per_day is None:
        return {"value": "\N{EN DASH}", "note": "known after a day of samples"}
    a_day = f"{filesizeformat(growth.per_day)} a day"
    if not growth.on_this_disk:
        return {"value": "\N{EN DASH}", "note": f"{a_day}; the disk is the database's"}
    days = growth.days_left(room_bytes)
    if days is None:
        return {"value": "Enough", "note": "the stores do not grow"}
    tone = "major" if days < SHORT_DAYS else "partial" if days < FEW_DAYS else ""
    return {"value": formats.grouped(int(days)), "note": a_day, "tone": tone}


def _bars(over: Range, hours: Sequence[Hour]) -> list[Hour]:
    """One for each hour or day of the range, empty ones too."""
    sums: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    since = over.since()
    for hour in hours:
        bar = sums[(hour.at - since) // over.bar]
        for place, count in enumerate((hour.arrived, hour.stored, hour.let_go, hour.lost)):
            bar[place] += count
    return [Hour(since + place * over.bar, *sums[place]) for place in range(over.bars)]


def _chart(over: Range, bars: Sequence[Hour]) -> BarChart:
    names = [_when(over, bar.at) for bar in bars]
    step = max(1, over.bars // 6)
    lost = sum(bar.lost for bar in bars)
    return BarChart(
        series=[
            Series([bar.stored for bar in bars], "1", "Stored"),
            Series([bar.let_go for bar in bars], "muted", "Counted only"),
            Series([bar.lost for bar in bars], "major", "Lost"),
        ],
        label=f"Items in the last {over.label}: {sum(bar.arrived for bar in bars):,} arrived, {lost:,} were lost",
        ticks=[(place, names[place]) for place in range(0, over.bars, step)],
        titles=[
            f"{name}: {bar.stored:,} stored, {bar.let_go:,} counted only, {bar.lost:,} lost"
            for name, bar in zip(names, bars, strict=True)
        ],
    )


def _when(over: Range, at: dt.datetime) -> str:
    # Days are counted in UTC, hours are told in the viewer's time.
    return f"{timezone.localtime(at):%H:%M}" if over.bar == HOUR else f"{at.day} {at:%b}"
