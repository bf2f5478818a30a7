"""Projects."""

from __future__ import annotations

from django.db.models import Count, Q, QuerySet

from daytwo_server.catalog.models import DsnKey, Project


def projects(*, archived: bool = False) -> QuerySet[Project]:
    """The projects in use, or the archived ones, by name, each with its number of `active_keys`."""
    found = Project.objects.filter(archived_at__isnull=not archived)
    return found.annotate(active_keys=Count("keys", filter=Q(keys__is_active=True))).order_by("name", "pk")


def projects_to_choose() -> list[tuple[str, str]]:
    """Slug and name of the projects in use, by name: for filters and forms."""
    return list(Project.objects.filter(archived_at=None).order_by("name", "pk").values_list("slug", "name"))


def project_by_slug(slug: str) -> Project | None:
    """One project, archived or not."""
    return Project.objects.filter(slug=slug).first() if "\x00" not in slug else None


def projects_with_key() -> list[tuple[Project, DsnKey | None]]:
    """All projects by name, each with its oldest key that lets events in. Two queries."""
    oldest: dict[int, DsnKey] = {}
    for key in DsnKey.objects.filter(is_active=True, project__archived_at=None).order_by("-pk"):
        if not key.has_ended:
            oldest[key.project_id] = key
    return [(project, oldest.get(project.pk)) for project in Project.objects.order_by("name", "pk")]
