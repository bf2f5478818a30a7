"""What the operations of this room share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ninja.errors import ValidationError

from daytwo_server.catalog.models import Project
from daytwo_server.catalog.selectors import project_by_slug

MAX_LIMIT = 100


def invalid(fields: Mapping[str, Sequence[str]]) -> ValidationError:
    """400 with these sentences by field."""
    return ValidationError([
        {"type": "value_error", "loc": ("body", field), "msg": one, "ctx": {"error": one}}
        for field, words in fields.items()
        for one in words
    ])  # fmt: skip


def checked_limit(limit: int) -> int:
    """The size of a page that was asked for, else 400."""
    if not 1 <= limit <= MAX_LIMIT:
        raise invalid({"limit": [f"The limit is a number from 1 to {MAX_LIMIT}."]})
    return limit


def project_or_400(slug: str) -> Project:
    project = project_by_slug(slug)
    if project is None:
        raise invalid({"project": [f"There is no project {slug!r}; name one by its slug."]})
    return project
