"""Projects."""

from __future__ import annotations

from django.db.models import Count, Q, QuerySet

from daytwo_server.catalog.models import DsnKey, Project
from daytwo_server.core import query
from daytwo_server.core.query import BadFilter, Query

PROJECTS = query.language(
    "projects",
    {
        "platform": query.exactly("platform"),
        "is": query.one_of("is", {"reporting": Q(first_event_at__isnull=False), "waiting": Q(first_event_at=None)}),
    },
    words=query.parts_of("name", "slug", "platform"),  # the index knows no archived ones
)


def projects(asked: Query | None = None, *, archived: bool = False) -> QuerySet[Project]:
    """The projects in use, or the archived ones, by name, each with its number of `active_keys`. Raises `BadFilter`."""
    found = PROJECTS.narrow(Project.objects.filter(archived_at__isnull=not archived), asked or Query())
    return found.annotate(active_keys=Count("keys", filter=Q(keys__is_active=True))).order_by("name", "pk")


def projects_to_choose() -> list[tuple[str, str]]:
    """Slug and name of the projects in use, by name: for filters and forms."""
    return list(Project.objects.filter(archived_at=None).order_by("name", "pk").values_list("slug", "name"))


def project_by_slug(slug: str) -> Project | None:
    """One project, archived or not."""
    return Project.objects.filter(slug=slug).first() if "\x00" not in slug else None


def of_project(slug: str) -> Q:
    """What has this project: a condition for lists of other things. Raises `BadFilter`."""
    project = project_by_slug(slug)
    if project is None:
        raise BadFilter("project", f"There is no project {slug!r}.")
    return Q(project=project)


def projects_with_key() -> list[tuple[Project, DsnKey | None]]:
    """All projects by name, each with its oldest key that lets events in. Two queries."""
    oldest: dict[int, DsnKey] = {}
    for key in DsnKey.objects.filter(is_active=True, project__archived_at=None).order_by("-pk"):
        if not key.has_ended:
            oldest[key.project_id] = key
    return [(project, oldest.get(project.pk)) for project in Project.objects.order_by("name", "pk")]
