"""Environments, how many events came from them, and what names were too many."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import F, Max, Q, QuerySet, Sum

from daytwo_server.catalog.models import VOLUME_SLOT_S, Environment, NewNames, Project, Volume
from daytwo_server.core import clock, query
from daytwo_server.core.pages import Page, page
from daytwo_server.core.query import Query

MAX_NAMES = 100
PAGE = 100
ENVIRONMENTS = query.language(
    "environments",
    {
        "name": query.exactly("name"),
        "kind": query.one_of("kind", {kind: Q(kind=kind) for kind in Environment.Kind.values}),
        "since": query.since("first_seen"),
        "until": query.until("first_seen"),
    },
    words=query.parts_of("name"),  # the index knows no hidden ones
)


def environments_of(project: Project, *, hidden: bool = False) -> QuerySet[Environment]:
    """Those that are shown, or the hidden ones, by name."""
    return project.environments.filter(hidden_at__isnull=not hidden).order_by("name")


def environment_page(
    project: Project, asked: Query | None = None, *, hidden: bool = False, cursor: str = "", limit: int = PAGE
) -> Page[Environment]:
    """One page of `environments_of`. Raises `BadFilter`, `BadCursor`."""
    found = ENVIRONMENTS.narrow(environments_of(project, hidden=hidden), asked or Query())
    return page(found, by="name", ascending=True, cursor=cursor, limit=limit)


def environment_names(limit: int = MAX_NAMES) -> list[str]:
    """The names of all projects' environments that are not hidden, for filters."""
    shown = Environment.objects.filter(hidden_at=None, project__archived_at=None)
    return list(shown.order_by("name").values_list("name", flat=True).distinct()[:limit])


def production_environments() -> QuerySet[Environment]:
    """Where customers are: of kind production and not hidden, in projects that are in use."""
    return Environment.objects.filter(
        kind=Environment.Kind.PRODUCTION, hidden_at=None, project__archived_at=None
    ).order_by("project", "name")


def volume(environment: int, start: dt.datetime, *, step: dt.timedelta, steps: int) -> list[int]:
    """Events of an environment in equal steps from `start`, which lies on a multiple of five minutes as `step` does."""
    slots, first = int(step.total_seconds()) // VOLUME_SLOT_S, int(start.timestamp()) // VOLUME_SLOT_S
    counts = [0] * steps
    rows = (
        Volume.objects.filter(environment=environment, slot__gte=first, slot__lt=first + slots * steps)
        .values_list((F("slot") - first) / slots)
        .annotate(n=Sum("count"))
    )
    for index, n in rows:
        counts[index] = n
    return counts


def volumes_since(environments: Iterable[int], since: dt.datetime) -> Mapping[int, int]:
    """Events since then, by environment; those without any are not there."""
    rows = Volume.objects.filter(environment__in=list(environments), slot__gte=int(since.timestamp()) // VOLUME_SLOT_S)
    return dict(rows.values_list("environment").annotate(n=Sum("count")))


@dataclass(frozen=True)
class LeftOut:
    """Events that named more environments or releases than are kept. `kind` is "environment" or "release"."""

    kind: str
    events: int
    last_day: dt.date


def left_out(project: Project, days: int = 7) -> list[LeftOut]:
    """What was too much in the last days, by kind."""
    rows = NewNames.objects.filter(
        project=project, day__gt=clock.now().date() - dt.timedelta(days=days), left_out__gt=0
    )
    sums = rows.values_list("kind").annotate(n=Sum("left_out"), last=Max("day")).order_by("kind")
    return [LeftOut(kind, n, last) for kind, n, last in sums]
