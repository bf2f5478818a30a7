"""Releases."""

from __future__ import annotations

from django.db.models import QuerySet

from daytwo_server.catalog.models import Project, Release
from daytwo_server.core.pages import Page, page


def recent_releases(project: Project, limit: int = 20) -> QuerySet[Release]:
    """The releases that reported last."""
    return project.releases.order_by("-last_seen", "-pk")[:limit]


def releases_of(project: Project, *, cursor: str = "", limit: int = 50) -> Page[Release]:
    """One page of a project's releases, the last to report first. Raises `BadCursor`."""
    return page(Release.objects.filter(project=project), by="last_seen", cursor=cursor, limit=limit)


def release(project: Project, number: int) -> Release | None:
    """One release of this project, by its id."""
    return Release.objects.filter(project=project, pk=number).first()
