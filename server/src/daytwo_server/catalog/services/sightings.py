"""What events tell about projects: that they report, from which environments, in which releases."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Case, Value, When

from daytwo_server.catalog.facts import FirstEventSeen, ReleaseSeen
from daytwo_server.catalog.models import Environment, Project, Release
from daytwo_server.catalog.services.common import project_topic
from daytwo_server.core import facts, live, sql
from daytwo_server.core.stores import DEFAULT

MAX_ENVIRONMENT, MAX_VERSION = 64, 250
Span = tuple[dt.datetime, dt.datetime]
Named = tuple[int, str]  # a project and the name of something in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What one event said; `environment` and `release` are empty when it said nothing, `at` is aware."""

    project: int
    at: dt.datetime
    environment: str = ""
    release: str = ""


def see(batch: Iterable[Sighting]) -> None:
    """Note first events, environments and releases of a whole batch, with at most seven queries whatever its size.

    The same batch again changes nothing. Sightings of projects that are gone are ignored.
    """
    with transaction.atomic():
        sightings = list(batch)
        projects = dict(
            Project.objects.filter(pk__in={s.project for s in sightings}).values_list("pk", "first_event_at")
        )
        sightings = [s for s in sightings if s.project in projects]
        silent = {project for project, first in projects.items() if first is None}
        changed = _note_first_events([s for s in sightings if s.project in silent])
        changed |= _note_environments(_spans((s.project, s.environment[:MAX_ENVIRONMENT], s.at) for s in sightings))
        changed |= _note_releases(_spans((s.project, s.release[:MAX_VERSION], s.at) for s in sightings))
        if changed:
            live.bump(*sorted(project_topic(project) for project in changed))


def _spans(named: Iterable[tuple[int, str, dt.datetime]]) -> dict[Named, Span]:
    """From when to when each name was seen. Sorted: two writers that lock rows in one order cannot deadlock."""
    spans: dict[Named, Span] = {}
    for project, name, at in named:
        if name:
            first, last = spans.get((project, name), (at, at))
            spans[project, name] = (min(first, at), max(last, at))
    return dict(sorted(spans.items()))


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


def _note_environments(spans: Mapping[Named, Span]) -> set[int]:
    known = set(
        Environment.objects.filter(
            project__in={project for project, _ in spans}, name__in={name for _, name in spans}
        ).values_list("project", "name")
    )
    rows = [(project, name, first) for (project, name), (first, _) in spans.items() if (project, name) not in known]
    if not rows:
        return set()
    sql.insert(
        DEFAULT, Environment._meta.db_table, ("project_id", "name", "first_seen"), rows, on_conflict="DO NOTHING"
    )
    return {project for project, _, _ in rows}


def _note_releases(spans: Mapping[Named, Span]) -> set[int]:
    known = {
        (project, version): (first, last)
        for project, version, first, last in Release.objects.filter(
            project__in={project for project, _ in spans}, version__in={version for _, version in spans}
        ).values_list("project", "version", "first_seen", "last_seen")
    }
    fresh = {named: span for named, span in spans.items() if named not in known}
    moved = {
        named: span
        for named, span in spans.items()
        if named in known and (span[0] < known[named][0] or span[1] > known[named][1])
    }
    _move_releases(moved)
    return _add_releases(fresh)


def _add_releases(spans: Mapping[Named, Span]) -> set[int]:
    if not spans:
        return set()
    # DO NOTHING, so that RETURNING names exactly the rows that were not there: each is announced once.
    added = sql.insert(
        DEFAULT,
        Release._meta.db_table,
        ("project_id", "version", "first_seen", "last_seen"),
        [(*named, *span) for named, span in spans.items()],
        on_conflict="DO NOTHING",
        returning="project_id, id",
    )
    facts.record(*(ReleaseSeen(project=project, release=release) for project, release in added))
    return {project for project, _ in added}


def _move_releases(spans: Mapping[Named, Span]) -> None:
    if not spans:
        return
    table = Release._meta.db_table
    sql.insert(
        DEFAULT,
        table,
        ("project_id", "version", "first_seen", "last_seen"),
        [(*named, *span) for named, span in spans.items()],
        on_conflict=f"(project_id, version) DO UPDATE SET "
        f"first_seen = CASE WHEN excluded.first_seen < {table}.first_seen "
        f"THEN excluded.first_seen ELSE {table}.first_seen END, "
        f"last_seen = CASE WHEN excluded.last_seen > {table}.last_seen "
        f"THEN excluded.last_seen ELSE {table}.last_seen END",
    )
