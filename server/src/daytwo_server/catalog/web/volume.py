"""The chart of a deploy: events of its environment before and after it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from daytwo_server.catalog import selectors
from daytwo_server.catalog.models import Deploy
from daytwo_server.core import clock
from daytwo_server.ui.charts import BarChart, Marker, Series

# name: (label, length of a bar, number of bars); half of them lie before the deploy
RANGES = {
    "2h": ("2 h", dt.timedelta(minutes=5), 24),
    "24h": ("24 h", dt.timedelta(minutes=30), 48),
    "7d": ("7 d", dt.timedelta(hours=3), 56),
}
DEFAULT = "24h"
MAX_MARKERS = 4


@dataclass(frozen=True)
class _Frame:
    """The time that the chart shows: `steps` bars of `step` from `start`."""

    start: dt.datetime
    step: dt.timedelta
    steps: int

    @property
    def end(self) -> dt.datetime:
        return self.start + self.step * self.steps

    def position(self, moment: dt.datetime) -> float:
        return (moment - self.start) / self.step


def chart(request: HttpRequest, deploy: Deploy) -> dict[str, Any]:
    """The bars of the range that the address names, and links to the other ranges."""
    chosen = request.GET.get("range", DEFAULT)
    chosen = chosen if chosen in RANGES else DEFAULT
    label, step, steps = RANGES[chosen]
    frame = _frame(deploy.started_at, step, steps)
    counts = selectors.volume(deploy.environment_id, frame.start, step=step, steps=steps)
    cut = int(frame.position(deploy.started_at))
    return {
        "range": label,
        "bars": BarChart(
            series=[
                Series([*counts[:cut], *[0] * (steps - cut)], "muted", "Before"),
                Series([*[0] * cut, *counts[cut:]], "1", "Since"),
            ],
            label=f"{sum(counts[:cut]):,} events before the deploy and {sum(counts[cut:]):,} since, within {label}",
            markers=_markers(deploy, frame),
            ticks=_ticks(frame),
            titles=[f"{count:,} from {_when(frame, i, hours=True)}" for i, count in enumerate(counts)],
        ),
        "ranges": [
            {"label": words, "url": f"{request.path}?range={name}", "current": name == chosen}
            for name, (words, _, _) in RANGES.items()
        ],
    }


def _frame(moment: dt.datetime, step: dt.timedelta, steps: int) -> _Frame:
    """Around the moment, or up to now when there is not yet so much after it."""
    last = min(moment + step * (steps // 2), clock.now())
    width = int(step.total_seconds())
    first = int(last.timestamp()) // width - steps + 1
    return _Frame(dt.datetime.fromtimestamp(first * width, dt.UTC), step, steps)


def _markers(deploy: Deploy, frame: _Frame) -> list[Marker]:
    """This deploy, and those of the same environment around it that are not too close to be told apart."""
    around = selectors.deploys_within(deploy.project_id, frame.start, frame.end, environments=[deploy.environment.name])
    return apart([deploy, *(one for one in around if one.pk != deploy.pk)], frame.position, frame.steps)


def apart(deploys: Sequence[Deploy], position: Any, steps: int) -> list[Marker]:
    """A marker for each deploy; of those that stand too close, the first in the sequence. `position` is a moment's."""
    kept: list[Marker] = []
    for one in deploys:
        marker = Marker(position(one.started_at), one.release.short)
        if all(abs(marker.at - other.at) >= steps / MAX_MARKERS for other in kept):
            kept.append(marker)
    return kept


def _ticks(frame: _Frame) -> list[tuple[float, str]]:
    return [(frame.steps * quarter / 4, _when(frame, frame.steps * quarter // 4)) for quarter in range(5)]


def _when(frame: _Frame, step: int, *, hours: bool = False) -> str:
    at = timezone.localtime(frame.start + frame.step * step)
    if frame.step < dt.timedelta(hours=1):
        return f"{at:%H:%M}"
    return f"{at.day} {at:%b %H:%M}" if hours else f"{at.day} {at:%b}"
