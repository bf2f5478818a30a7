"""Deploys, and which of them was in force when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import OuterRef, Q, QuerySet, Subquery

from daytwo_server.catalog.models import Deploy, Environment, Release
from daytwo_server.catalog.selectors.projects import of_project
from daytwo_server.core import query
from daytwo_server.core.pages import Page, page
from daytwo_server.core.query import BadFilter, Query

PAGE = 50
MAX_WITHIN = 20


def _in_environment(name: str) -> Q:
    """Of all projects' environments those of this name, or that begin so."""
    found = list(Environment.objects.filter(query.exactly("name")(name)).values_list("pk", flat=True))
    if not found:
        raise BadFilter("environment", f"There is no environment {name!r}.")
    return Q(environment__in=found)


def of_version(field: str) -> query.Condition:
    """A condition on a release's version, with or without the app before its `@`: people say `2.1` for `shop@2.1`."""

    def condition(version: str) -> Q:
        if version.endswith("*"):
            begun = version[:-1]
            return Q(**{f"{field}__istartswith": begun}) | Q(**{f"{field}__icontains": f"@{begun}"})
        return Q(**{field: version}) | Q(**{f"{field}__iendswith": f"@{version}"})

    return condition


def _words(text: str) -> Q:
    """By the index, of which those stay that have every word as it was typed: to the index 2.1 is a 2 and a 1."""
    typed = query.parts_of("release__version", "environment__name", "project__slug", "project__name")
    return query.indexed("deploy")(text) & typed(text)


DEPLOYS = query.language(
    "deploys",
    {
        "project": of_project,
        "environment": _in_environment,
        "status": query.one_of("status", {status: Q(status=status) for status in Deploy.Status.values}),
        "version": of_version("release__version"),
        "since": query.since("started_at"),
        "until": query.until("started_at"),
    },
    words=_words,
    aliases={"env": "environment", "release": "version"},
)


def deploys(asked: Query | None = None, *, cursor: str = "", limit: int = PAGE) -> Page[Deploy]:
    """One page, the last to start first, each with `superseded_at`: when the next one of its environment started.

    Raises `BadFilter` for a filter that does not exist, `BadCursor`.
    """
    found = DEPLOYS.narrow(_whole(Deploy.objects.all()), asked or Query())
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
