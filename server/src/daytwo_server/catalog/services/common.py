"""What the writers of this room share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.utils.text import slugify

MAX_NAME = 100
MAX_SLUG = 50  # a slug leaves room for a number within its 60 characters


class CatalogError(Exception):
    """What was asked cannot be done; the text says why and what to do, `field` which answer is wrong if it is one."""

    def __init__(self, words: str, *, field: str = "") -> None:
        super().__init__(words)
        self.field = field


def checked_name(name: str, what: str = "name", longest: int = MAX_NAME) -> str:
    """The trimmed name. Raises `CatalogError` when it is empty, too long, or has characters that do not print."""
    trimmed = " ".join(name.split())
    if not trimmed:
        raise CatalogError(f"Give it a {what}.", field=what)
    if len(trimmed) > longest:
        raise CatalogError(f"The {what} has {len(trimmed)} characters; at most {longest} fit.", field=what)
    if not trimmed.isprintable():
        raise CatalogError(f"The {what} holds characters that cannot be printed; type it again.", field=what)
    return trimmed


def free_slugs(among: QuerySet[Any], name: str, otherwise: str) -> Iterator[str]:
    """Slugs made from the name that no row of `among` has: the plain one first, then with numbers."""
    wanted = slugify(name)[:MAX_SLUG].strip("-") or otherwise
    taken = set(among.filter(slug__startswith=wanted).values_list("slug", flat=True))
    for number in range(1, len(taken) + 100):
        slug = wanted if number == 1 else f"{wanted}-{number}"
        if slug not in taken:
            yield slug


def project_topic(project: int) -> str:
    """The live topic of a project's page."""
    return f"catalog.project.{project}"
