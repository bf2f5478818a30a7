"""The histogram of an issue's events."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from daytwo_server.catalog.models import Release
from daytwo_server.catalog.selectors import deploys_within
from daytwo_server.errors.models import Issue
from daytwo_server.errors.selectors import issues
from daytwo_server.errors.selectors.issues import Histogram
from daytwo_server.ui.charts import BarChart, Marker, Series

# name: (label, length of a bar, number of bars)
RANGES = {
    "2h": ("2 h", dt.timedelta(minutes=5), 24),
    "24h": ("24 h", dt.timedelta(minutes=30), 48),
    "14d": ("14 d", dt.timedelta(hours=6), 56),
}
DEFAULT = "24h"
MAX_MARKERS = 4
MAX_DEPLOYS = 20


def chart(request: HttpRequest, issue: Issue) -> dict[str, Any]:
    """The bars of the range that the address names, what else happened then, and links to the other ranges."""
    chosen = request.GET.get("range", DEFAULT)
    chosen = chosen if chosen in RANGES else DEFAULT
    label, step, steps = RANGES[chosen]
    histogram = issues.histogram(issue.pk, step=step, steps=steps)
    return {
        "range": label,
        "total": histogram.total,
        "bars": BarChart(
            series=[Series(histogram.counts, "major")],
            label=f"{histogram.total:,} events in {label}, up to {max(histogram.counts):,} in a bar",
            markers=_markers(issue, histogram),
            ticks=_ticks(histogram, days=step >= dt.timedelta(hours=6)),
            titles=_titles(histogram, days=step >= dt.timedelta(hours=6)),
        ),
        "ranges": [
            {"label": words, "url": f"{request.path}?{query(request, range=name)}", "current": name == chosen}
            for name, (words, _, _) in RANGES.items()
        ],
    }


def query(request: HttpRequest, **changes: str) -> str:
    """The address's parameters that choose what an event page shows, with changes."""
    values = {name: request.GET[name] for name in ("range", "frames") if name in request.GET}
    params = request.GET.copy()
    params.clear()
    params.update({**values, **changes})
    return params.urlencode()


def _markers(issue: Issue, histogram: Histogram) -> list[Marker]:
    """When the issue came back, and deploys and releases that first reported in this time.

    Where words would collide, deploys stand before releases and the latest before the others.
    """
    deploys = deploys_within(issue.project_id, histogram.start, histogram.end, limit=MAX_DEPLOYS)
    since = {"project": issue.project_id, "first_seen__gte": histogram.start, "first_seen__lt": histogram.end}
    releases = Release.objects.filter(**since).order_by("-first_seen", "-pk")[:MAX_MARKERS]
    markers = [Marker(histogram.position(one.started_at), one.release.short) for one in deploys]
    markers += [Marker(histogram.position(one.first_seen), one.short) for one in releases]
    if issue.regressed_at and histogram.start <= issue.regressed_at < histogram.end:
        markers.insert(0, Marker(histogram.position(issue.regressed_at), "came back"))
    apart = len(histogram.counts) / MAX_MARKERS
    kept: list[Marker] = []
    for marker in markers:
        if all(abs(marker.at - other.at) >= apart for other in kept):
            kept.append(marker)
    return kept


def _ticks(histogram: Histogram, *, days: bool) -> list[tuple[float, str]]:
    steps = len(histogram.counts)
    ticks = [(steps * quarter / 4, _when(histogram, steps * quarter // 4, days=days)) for quarter in range(4)]
    return [*ticks, (float(steps), "now")]


def _titles(histogram: Histogram, *, days: bool) -> list[str]:
    return [f"{count:,} from {_when(histogram, i, days=days, hours=True)}" for i, count in enumerate(histogram.counts)]


def _when(histogram: Histogram, step: int, *, days: bool, hours: bool = False) -> str:
    at = timezone.localtime(histogram.start + histogram.step * step)
    if not days:
        return f"{at:%H:%M}"
    return f"{at.day} {at:%b %H:%M}" if hours else f"{at.day} {at:%b}"
