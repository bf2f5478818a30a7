"""How many new names a project's events may bring: whoever has its public key can make up any number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from django.db.models import Count

from daytwo_server.catalog.models import Environment, NewNames
from daytwo_server.core import clock, sql
from daytwo_server.core.stores import DEFAULT

MAX_ENVIRONMENTS = 200  # of a project, hidden ones not counted
MAX_RELEASES_A_DAY = 500  # of a project, in a day of UTC
Kind = NewNames.Kind
Named = tuple[int, str]  # a project and the name of something in it


def left_out(kind: Kind, fresh: Collection[Named], events: Mapping[Named, int]) -> set[Named]:
    """Those of the `fresh` names, first come first served, for which there is no room any more; notes both sides.

    `events` are how many events named each. Names that are left out are not kept, so their events are counted again
    each time.
    """
    if not fresh:
        return set()
    room = (_room_for_environments if kind is Kind.ENVIRONMENT else _room_for_releases)({p for p, _ in fresh})
    listed: Counter[int] = Counter()
    without: set[Named] = set()
    for project, name in fresh:
        if listed[project] < room[project]:
            listed[project] += 1
        else:
            without.add((project, name))
    if without or kind is Kind.RELEASE:  # how many environments are listed, their own table says
        _note(kind, listed, without, events)
    return without


def _room_for_environments(projects: Collection[int]) -> dict[int, int]:
    shown = Environment.objects.filter(project__in=projects, hidden_at=None)
    taken = dict(shown.values_list("project").annotate(n=Count("pk")).order_by())
    return {project: MAX_ENVIRONMENTS - taken.get(project, 0) for project in projects}


def _room_for_releases(projects: Collection[int]) -> dict[int, int]:
    today = NewNames.objects.filter(project__in=projects, day=clock.now().date(), kind=Kind.RELEASE)
    taken = dict(today.values_list("project", "listed"))
    return {project: MAX_RELEASES_A_DAY - taken.get(project, 0) for project in projects}


def _note(kind: Kind, listed: Mapping[int, int], without: Collection[Named], events: Mapping[Named, int]) -> None:
    lost: Counter[int] = Counter()
    for named in without:
        lost[named[0]] += events[named]
    day, table = clock.now().date(), NewNames._meta.db_table
    sql.insert(
        DEFAULT,
        table,
        ("project_id", "day", "kind", "listed", "left_out"),
        [(project, day, str(kind), listed.get(project, 0), lost[project]) for project in sorted({*listed, *lost})],
        on_conflict="(project_id, day, kind) DO UPDATE SET "
        f"listed = {table}.listed + excluded.listed, left_out = {table}.left_out + excluded.left_out",
    )
