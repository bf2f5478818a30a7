"""Segments, and the flags whose rules ask for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from daytwo_server.core.pages import Page, page
from daytwo_server.flags.models import Flag, Segment, State


def segments(*, cursor: str = "", limit: int = 50) -> Page[Segment]:
    """One page of those of all projects in use, by name. Raises `BadCursor`."""
    found = Segment.objects.filter(project__archived_at=None).select_related("project")
    return page(found, by="name", ascending=True, cursor=cursor, limit=limit)


def segment(pk: int) -> Segment | None:
    """One, with its project."""
    return Segment.objects.select_related("project").filter(pk=pk).first()


def used_by(found: Sequence[Segment]) -> dict[int, list[Flag]]:
    """For each the flags that are in use and name it in a rule, by key. One query, which reads all definitions."""
    used: dict[tuple[int, str], dict[int, Flag]] = {}
    projects = {one.project_id for one in found}
    states = State.objects.filter(flag__project__in=projects, flag__archived_at=None).select_related("flag")
    for state in states.order_by("flag__key"):
        for name in names_in(state.definition):
            used.setdefault((state.flag.project_id, name), {})[state.flag_id] = state.flag
    return {one.pk: list(used.get((one.project_id, one.name), {}).values()) for one in found}


def names_in(definition: Mapping[str, Any]) -> set[str]:
    """The segments that a definition's rules ask for."""
    return {
        str(name)
        for rule in definition.get("rules") or []
        for condition in rule.get("conditions") or []
        if condition.get("operator") == "segment"
        for name in condition.get("values") or []
    }
