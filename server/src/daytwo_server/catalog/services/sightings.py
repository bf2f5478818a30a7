"""What events tell about projects: that they report, from which environments, in which releases."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Case, Value, When

from daytwo_server.catalog.facts import FirstEventSeen, ReleaseSeen
from daytwo_server.catalog.models import Environment, NewNames, Project, Release
from daytwo_server.catalog.services.common import project_topic
from daytwo_server.catalog.services.environments import kind_of
from daytwo_server.catalog.services.names import Named, left_out
from daytwo_server.catalog.services.volumes import count_events
from daytwo_server.core import facts, live, search, sql
from daytwo_server.core.stores import DEFAULT

MAX_ENVIRONMENT, MAX_VERSION = 64, 250
Times = dict[Named, list[dt.datetime]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What one event said; `environment` and `release` are empty when it said nothing, `at` is aware."""

    project: int
    at: dt.datetime
    environment: str = ""
    release: str = ""


def see(batch: Iterable[Sighting]) -> None:
    """Note first events, environments and releases of a whole batch, with at most 16 queries whatever its size.

    Counts events: give each once. Sightings of projects that are gone are ignored, and names past the limits of
    `services.names` are left out.
    """
    with transaction.atomic():
        sightings = list(batch)
        projects = dict(
            Project.objects.filter(pk__in={s.project for s in sightings}).values_list("pk", "first_event_at")
        )
        sightings = [s for s in sightings if s.project in projects]
        silent = {project for project, first in projects.items() if first is None}
        changed = _note_first_events([s for s in sightings if s.project in silent])
        changed |= _note_environments(_times((s.project, s.environment[:MAX_ENVIRONMENT], s.at) for s in sightings))
        changed |= _note_releases(_times((s.project, s.release[:MAX_VERSION], s.at) for s in sightings))
        if changed:
            live.bump(*sorted(project_topic(project) for project in changed))


def _times(named: Iterable[tuple[int, str, dt.datetime]]) -> Times:
    """When each name was seen. Sorted: two writers that lock rows in one order cannot deadlock."""
    times: Times = defaultdict(list)
    for project, name, at in named:
        if name:
            times[project, name].append(at)
    return dict(sorted(times.items()))


def _note_first_events(sightings: list[Sighting]) -> set[int]:
    if not sightings:
        return set()
    first: dict[int, dt.datetime] = {}
    for sighting in sightings:
        first[sighting.project] = min(sighting.at, first.get(sighting.project, sighting.at))
    moments = Case(*(When(pk=project, then=Value(at)) for project, at in first.items()))
    Project.objects.filter(pk__in=first, first_event_at=None).update(first_event_at=moments)
    facts.record(*(FirstEventSeen(project=project) for project in sorted(first)))
    return set(first)


def _note_environments(times: Times) -> set[int]:
    if not times:
        return set()
    found = Environment.objects.filter(project__in={p for p, _ in times}, name__in={name for _, name in times})
    known = {(project, name): pk for project, name, pk in found.values_list("project", "name", "pk")}
    fresh = _without_the_left_out(NewNames.Kind.ENVIRONMENT, times, known)
    if fresh:
        # DO UPDATE, so that RETURNING names the rows that another digest added meanwhile too.
        added = sql.insert(
            DEFAULT,
            Environment._meta.db_table,
            ("project_id", "name", "kind", "first_seen"),
            [(*named, str(kind_of(named[1])), min(times[named])) for named in fresh],
            on_conflict="(project_id, name) DO UPDATE SET name = excluded.name",
            returning="project_id, name, id",
        )
        known |= {(project, name): pk for project, name, pk in added}
        search.refresh("environment", [pk for *_, pk in added])
    count_events({known[named]: moments for named, moments in times.items() if named in known})
    return {project for project, _ in fresh}


def _note_releases(times: Times) -> set[int]:
    """Add what is new, widen the span of what is known, and count. A release that reports for the first time is
    announced, be it new or known from a deploy.
    """
    if not times:
        return set()
    found = Release.objects.filter(project__in={p for p, _ in times}, version__in={version for _, version in times})
    known = dict.fromkeys(found.values_list("project", "version"))
    fresh = _without_the_left_out(NewNames.Kind.RELEASE, times, known)
    rows = [
        (*named, min(moments), max(moments), len(moments))
        for named, moments in times.items()
        if named in known or named in fresh
    ]
    table = Release._meta.db_table
    counted = sql.insert(
        DEFAULT,
        table,
        ("project_id", "version", "first_seen", "last_seen", "events"),
        rows,
        on_conflict="(project_id, version) DO UPDATE SET "
        f"first_seen = CASE WHEN {table}.events = 0 OR excluded.first_seen < {table}.first_seen "
        f"THEN excluded.first_seen ELSE {table}.first_seen END, "
        f"last_seen = CASE WHEN {table}.events = 0 OR excluded.last_seen > {table}.last_seen "
        f"THEN excluded.last_seen ELSE {table}.last_seen END, "
        f"events = {table}.events + excluded.events",
        returning="project_id, version, id, events",
    )
    # A release that had not reported holds exactly what was just added.
    first = sorted((project, pk) for project, version, pk, n in counted if n == len(times[project, version]))
    search.refresh("release", [pk for _, pk in first])
    facts.record(*(ReleaseSeen(project=project, release=pk) for project, pk in first))
    return {project for project, _ in first}


def _without_the_left_out(kind: NewNames.Kind, times: Times, known: Iterable[Named]) -> list[Named]:
    """The names nobody knows yet and for which there is room, in the order of `times`."""
    fresh = sorted(times.keys() - set(known), key=lambda named: min(times[named]))
    without = left_out(kind, fresh, Counter({named: len(times[named]) for named in fresh}))
    return sorted(set(fresh) - without)
