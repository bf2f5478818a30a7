"""Deploys, and which of them was in force when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import OuterRef, Q, QuerySet, Subquery

from daytwo_server.catalog.models import Deploy, Environment, Project, Release
from daytwo_server.catalog.selectors.projects import project_by_slug
from daytwo_server.core.pages import Page, page
from daytwo_server.core.query import BadFilter

PAGE = 50
MAX_WITHIN = 20


def deploys(
    *, project: str = "", environment: str = "", status: str = "", cursor: str = "", limit: int = PAGE
) -> Page[Deploy]:
    """One page, the last to start first, each with `superseded_at`: when the next one of its environment started.

    `project` is a slug and `environment` a name. Raises `BadFilter` for a filter that does not exist, `BadCursor`.
    """
    found = _whole(Deploy.objects.all())
    if project:
        found = found.filter(project=_project(project))
    if environment:
        found = found.filter(environment__in=_environments(environment))
    if status:
        if status not in Deploy.Status.values:
            raise BadFilter("status", f"There is no status {status!r}; use {', '.join(Deploy.Status.values)}.")
        found = found.filter(status=status)
    return page(found, by="started_at", cursor=cursor, limit=limit)


def deploy(number: int) -> Deploy | None:
    """One deploy, with `superseded_at` as in `deploys`."""
    return _whole(Deploy.objects.filter(pk=number)).first()


def deploys_of(release: Release, limit: int = PAGE) -> QuerySet[Deploy]:
    """The deploys of a release, the last to start first."""
    return _whole(Deploy.objects.filter(release=release)).order_by("-started_at", "-pk")[:limit]


@dataclass(frozen=True)
class Neighbours:
    """The deploys of the same environment around one."""

    previous: Deploy | None
    next: Deploy | None


def neighbours(deploy: Deploy) -> Neighbours:
    """What was replaced by this deploy, and what replaced it. Two queries."""
    at, around = deploy.started_at, _whole(Deploy.objects.filter(environment=deploy.environment_id))
    before = around.filter(Q(started_at__lt=at) | Q(started_at=at, pk__lt=deploy.pk), started_at__lte=at)
    after = around.filter(Q(started_at__gt=at) | Q(started_at=at, pk__gt=deploy.pk), started_at__gte=at)
    return Neighbours(before.order_by("-started_at", "-pk").first(), after.order_by("started_at", "pk").first())


def deploys_within(
    project: int, start: dt.datetime, end: dt.datetime, *, environments: Collection[str] = (), limit: int = MAX_WITHIN
) -> list[Deploy]:
    """The last deploys of a project that started in [start, end), latest first: markers for charts.

    `environments` are names; none given means any.
    """
    found = Deploy.objects.filter(project=project, started_at__gte=start, started_at__lt=end)
    if environments:
        found = found.filter(environment__name__in=environments)
    return list(found.select_related("environment", "release").order_by("-started_at", "-pk")[:limit])


def deploy_before(
    project: int, moment: dt.datetime, *, within: dt.timedelta, environments: Collection[str] = ()
) -> Deploy | None:
    """The last deploy that started at most `within` before a moment, as the likely cause of what happened then."""
    found = deploys_within(
        project, moment - within, moment + dt.timedelta(microseconds=1), environments=environments, limit=1
    )
    return found[0] if found else None


def _whole(found: QuerySet[Deploy]) -> QuerySet[Deploy]:
    at, pk = OuterRef("started_at"), OuterRef("pk")
    later = Deploy.objects.filter(
        Q(started_at__gt=at) | Q(started_at=at, pk__gt=pk), environment=OuterRef("environment"), started_at__gte=at
    ).order_by("started_at", "pk")
    superseded = Subquery(later.values("started_at")[:1])
    return found.select_related("project", "environment", "release", "token__created_by").annotate(
        superseded_at=superseded
    )


def _project(slug: str) -> Project:
    project = project_by_slug(slug)
    if project is None:
        raise BadFilter("project", f"There is no project {slug!r}.")
    return project


def _environments(name: str) -> list[int]:
    """Those of this name, of all projects."""
    found = Environment.objects.filter(name=name).values_list("pk", flat=True) if "\x00" not in name else []
    if not found:
        raise BadFilter("environment", f"There is no environment {name!r}.")
    return list(found)
