"""DSN keys, for intake and for people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import QuerySet, Sum

from daytwo_server.catalog.models import ClientKey, DsnKey, KeyUse, Project, ServerKey


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key as intake needs it. None for a limit means the installation's setting, for the end that there is none."""

    project: int
    is_active: bool
    allowed_origins: tuple[str, ...]
    rate_per_s: int | None
    burst: int | None
    ends_at: dt.datetime | None = None
    archived: bool = False


def key_table() -> dict[str, KeyRow]:
    """Every key by its public text, those that let nothing in too: they are answered 403 like unknown ones, but their
    project sees the loss.
    """
    rows = DsnKey.objects.values_list(
        "public_key", "project", "is_active", "allowed_origins", "rate_per_s", "burst", "ends_at",
        "project__archived_at",
    )  # fmt: skip
    return {
        public_key: KeyRow(project, is_active, tuple(origins), rate, burst, ends_at, archived_at is not None)
        for public_key, project, is_active, origins, rate, burst, ends_at, archived_at in rows
    }


def keys_of(project: Project) -> QuerySet[DsnKey]:
    """Active keys first, then by age, each with the key it replaces."""
    return project.keys.select_related("replaces").order_by("-is_active", "pk")


def uses_since(project: Project, since: dt.datetime) -> Mapping[int, tuple[int, int]]:
    """Requests let in and refused by key, in the hours since that one. Keys nobody used are not there."""
    hour = since.replace(minute=0, second=0, microsecond=0)
    rows = (
        KeyUse.objects.filter(key__project=project, hour__gte=hour)
        .values_list("key")
        .annotate(came_in=Sum("let_in"), sent_away=Sum("refused"))
    )
    return {key: (came_in, sent_away) for key, came_in, sent_away in rows}


def server_keys(project: Project) -> list[ServerKey]:
    """Those of its environments, the newest first. One query."""
    found = ServerKey.objects.filter(environment__project=project).select_related("environment")
    return list(found.order_by("-created_at", "-pk"))


def client_keys(project: Project) -> list[ClientKey]:
    """Those of its environments, the newest first. One query."""
    found = ClientKey.objects.filter(environment__project=project).select_related("environment")
    return list(found.order_by("-created_at", "-pk"))
