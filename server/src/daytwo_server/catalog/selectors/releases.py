"""Releases."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from daytwo_server.catalog.models import Deploy, Project, Release
from daytwo_server.catalog.selectors.deploys import of_version
from daytwo_server.core import query
from daytwo_server.core.pages import Page, page
from daytwo_server.core.query import Query


def _deployed_in(environment: str) -> Q:
    there = Deploy.objects.filter(query.exactly("environment__name")(environment))
    return Q(Exists(there.filter(release=OuterRef("pk"))))


RELEASES = query.language(
    "releases",
    {
        "version": of_version("version"),
        "environment": _deployed_in,
        "is": query.one_of("is", {"reporting": ~Q(events=0), "silent": Q(events=0)}),
    },
    words=query.parts_of("version"),  # the index takes 2.2 and 2.1 for the words 1 and 2
    aliases={"env": "environment"},
)


def recent_releases(project: Project, limit: int = 20) -> QuerySet[Release]:
    """The releases that reported last."""
    return project.releases.order_by("-last_seen", "-pk")[:limit]


def releases_of(project: Project, asked: Query | None = None, *, cursor: str = "", limit: int = 50) -> Page[Release]:
    """One page of a project's releases, the last to report first. Raises `BadFilter`, `BadCursor`."""
    found = RELEASES.narrow(Release.objects.filter(project=project), asked or Query())
    return page(found, by="last_seen", cursor=cursor, limit=limit)


def release(project: Project, number: int) -> Release | None:
    """One release of this project, by its id."""
    return Release.objects.filter(project=project, pk=number).first()
