"""What broke since a moment in one environment, or with one release: what a deploy's page asks.

An error is new at its first event ever, in whatever environment: one that was known elsewhere before counts as known.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, QuerySet

from daytwo_server.core import clock, sql
from daytwo_server.core.stores import DEFAULT
from daytwo_server.errors.models import Activity, Facet, Issue

MOST = 100  # where `tallies` stops counting
RARE = 500  # an environment that no more issues were seen in is looked up from its issues
_AHEAD = dt.timedelta(days=1)  # clocks of senders differ; a window that is open ends later than any event


@dataclass(frozen=True, slots=True)
class Window:
    """A time in one environment of a project; without `end` it lasts still."""

    project: int
    environment: str
    start: dt.datetime
    end: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many errors are new and how many came back; both stop counting at `MOST`."""

    opened: int
    regressed: int

    @property
    def total(self) -> int:
        return self.opened + self.regressed


def opened(window: Window, limit: int = 20) -> list[Issue]:
    """The errors that first happened in this time and were seen in this environment, newest first."""
    found = Issue.objects.filter(project=window.project, first_seen__gte=window.start, first_seen__lt=_end(window))
    return list(_seen_in(found, window).order_by("-first_seen", "-pk")[:limit])


def regressed(window: Window, limit: int = 20) -> list[Issue]:
    """The errors that were resolved and came back in this time, seen in this environment; latest first."""
    found = Issue.objects.filter(project=window.project, regressed_at__gte=window.start, regressed_at__lt=_end(window))
    return list(_seen_in(found, window).order_by("-regressed_at", "-pk")[:limit])


def tallies(windows: Sequence[Window]) -> list[Tally]:
    """One for each window, by at most three statements, whatever there is."""
    rare = _rare({window.environment for window in windows})
    found: dict[int, Tally] = {}
    for seen, few in ((_FROM_FEW, True), (_FROM_MANY, False)):
        of_kind = [(n, window) for n, window in enumerate(windows) if (window.environment in rare) is few]
        if of_kind:
            rows = [value for n, w in of_kind for value in (n, w.project, w.environment, w.start, _end(w))]
            values = ", ".join(["(%s, %s, %s, %s, %s)"] * len(of_kind))
            counts = ", ".join(f"(SELECT count(*) FROM ({seen.format(moment=moment)}) AS a)" for moment in _MOMENTS)
            # One row a window and not one SELECT: PostgreSQL plans it once.
            statement = (
                f"WITH w (n, project, environment, start, finish) AS (VALUES {values}) SELECT n, {counts} FROM w"
            )
            found |= {n: Tally(*counted) for n, *counted in sql.fetch(DEFAULT, statement, rows)}
    return [found[n] for n in range(len(windows))]


_MOMENTS = ("first_seen", "regressed_at")
_SEEN = "f.key = 'environment' AND f.value = w.environment AND f.last_seen >= w.start"
_WHEN = f"i.project_id = w.project AND i.{{moment}} >= w.start AND i.{{moment}} < w.finish LIMIT {MOST}"
# The order of the joins is that of the words: CROSS keeps SQLite from another one. The index leads from the moment to
# the issues; where few issues were seen in the environment, it is quicker to begin with those.
_FROM_FEW = (
    f"SELECT 1 FROM errors_facet AS f CROSS JOIN errors_issue AS i WHERE i.id = f.issue_id AND {_SEEN} AND {_WHEN}"
)
# Not by EXISTS: PostgreSQL would make a join of it, and for each window read the whole environment.
_FROM_MANY = (
    "SELECT 1 FROM errors_issue AS i WHERE "
    f"(SELECT f.id FROM errors_facet AS f WHERE f.issue_id = i.id AND {_SEEN} LIMIT 1) IS NOT NULL AND {_WHEN}"
)


def _rare(environments: Collection[str]) -> dict[str, list[int]]:
    """The issues seen in each of these environments, but for those that more than `RARE` were seen in."""
    if not environments:
        return {}
    names = sorted(environments)
    one = "SELECT value, issue_id FROM errors_facet WHERE key = 'environment' AND value = %s LIMIT %s"
    # A SELECT with a LIMIT stands in a UNION only inside another one.
    union = " UNION ALL ".join([f"SELECT * FROM ({one}) AS t"] * len(names))
    found: dict[str, list[int]] = {name: [] for name in names}
    for name, issue in sql.fetch(DEFAULT, union, [value for one_name in names for value in (one_name, RARE + 1)]):
        found[name].append(issue)
    return {name: issues for name, issues in found.items() if len(issues) <= RARE}


def opened_by_release(project: int, versions: Collection[str]) -> Mapping[str, int]:
    """How many errors first happened in each of these releases; those that brought none are not there."""
    found = Issue.objects.filter(project=project, first_release__in=list(versions))
    return dict(found.values_list("first_release").annotate(n=Count("pk")).order_by())


def opened_in_release(project: int, version: str, limit: int = 20) -> list[Issue]:
    """The errors that first happened in a release, newest first."""
    found = Issue.objects.filter(project=project, first_release=version)
    # The release is the same in all rows; named here, it leads SQLite to the index that has both.
    return list(found.order_by("first_release", "-pk")[:limit])


def regressed_in_release(
    project: int, version: str, *, first_seen: dt.datetime, last_seen: dt.datetime, limit: int = 20
) -> list[Issue]:
    """The errors whose last return was with a release that reported between these moments, latest first."""
    returned = Activity.objects.filter(
        issue=OuterRef("pk"), at=OuterRef("regressed_at"), kind=Activity.Kind.REGRESSED, after__release=version
    )
    found = Issue.objects.filter(
        Exists(returned), project=project, regressed_at__range=(first_seen, last_seen + _AHEAD)
    )
    return list(found.order_by("-regressed_at", "-pk")[:limit])


def _end(window: Window) -> dt.datetime:
    return window.end or clock.now() + _AHEAD


def _seen_in(found: QuerySet[Issue], window: Window) -> QuerySet[Issue]:
    few = _rare({window.environment}).get(window.environment)
    if few is not None:
        found = found.filter(pk__in=few)
    seen = Facet.objects.filter(
        issue=OuterRef("pk"), key="environment", value=window.environment, last_seen__gte=window.start
    )
    return found.filter(Exists(seen))  # joined to nothing: SQLite would begin with the other table, and sort them all
