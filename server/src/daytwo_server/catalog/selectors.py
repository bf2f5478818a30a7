"""What pages, the API and intake read about projects."""

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from daytwo_server.catalog.models import DsnKey, Environment, Project, Release


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key as intake needs it. None for a limit means the installation's setting."""

    project: int
    is_active: bool
    allowed_origins: tuple[str, ...]
    rate_per_s: int | None
    burst: int | None


def key_table() -> dict[str, KeyRow]:
    """Every key by its public text, those that are switched off too: they are answered 403, unknown ones 401."""
    rows = DsnKey.objects.values_list("public_key", "project", "is_active", "allowed_origins", "rate_per_s", "burst")
    return {
        public_key: KeyRow(project, is_active, tuple(origins), rate, burst)
        for public_key, project, is_active, origins, rate, burst in rows
    }


def projects() -> QuerySet[Project]:
    """All projects by name, each with its number of `active_keys`."""
    return Project.objects.annotate(active_keys=Count("keys", filter=Q(keys__is_active=True))).order_by("name", "pk")


def keys_of(project: Project) -> QuerySet[DsnKey]:
    """Active keys first, then by age."""
    return project.keys.order_by("-is_active", "pk")


def environments_of(project: Project) -> QuerySet[Environment]:
    return project.environments.order_by("name")


def recent_releases(project: Project, limit: int = 20) -> QuerySet[Release]:
    """The releases that reported last."""
    return project.releases.order_by("-last_seen", "-pk")[:limit]


def projects_with_key() -> list[tuple[Project, DsnKey | None]]:
    """All projects by name, each with its oldest active key. Two queries."""
    oldest: dict[int, DsnKey] = {}
    for key in DsnKey.objects.filter(is_active=True).order_by("-pk"):
        oldest[key.project_id] = key
    return [(project, oldest.get(project.pk)) for project in Project.objects.order_by("name", "pk")]
