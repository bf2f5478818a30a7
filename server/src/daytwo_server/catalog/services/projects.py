"""Projects come to be by a person on a page or by `daytwo setup`."""

from __future__ import annotations

import re

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from daytwo_server.accounts.models import User
from daytwo_server.catalog.models import Project
from daytwo_server.catalog.services.archiving import set_archived
from daytwo_server.catalog.services.common import CatalogError, checked_name, free_slugs, project_topic
from daytwo_server.catalog.services.keys import KEYS_TOPIC, create_key
from daytwo_server.core import audit, live, search
from daytwo_server.core.ref import Ref

MAX_PLATFORM = 40


def create_project(name: str, *, actor: User | None, platform: str = "") -> Project:
    """A project with its first key. The slug is made from the name, with a number when that one is taken.

    The name is trimmed and must have 1-100 characters; raises `CatalogError`. `actor` None stands for the operator.
    """
    with transaction.atomic():
        project = _insert(checked_name(name), _checked_platform(platform))
        search.refresh("project", [project.pk])
        audit.record("catalog:project:created", actor=actor, ref=Ref("project", project.pk))
        create_key(project, "Default", actor=actor)
    return project


def ensure_project(name: str) -> Project:
    """The oldest project of this name, created when there is none. For `daytwo setup`.

    One that was made under this name and renamed since is found by its slug, which its derived key is made of too.
    """
    name = checked_name(name)
    existing = Project.objects.filter(name=name).order_by("pk").first()
    if existing is None:
        by_slug = Project.objects.filter(slug=slugify(name)).first()
        existing = by_slug if by_slug and _was_renamed(by_slug) else None
    return existing or create_project(name, actor=None)


def _was_renamed(project: Project) -> bool:
    """Whether the slug is not the one its name would get, with or without a number."""
    return not re.fullmatch(rf"{re.escape(slugify(project.name))}(-\d+)?", project.slug)


def change_project(project: Project, *, name: str, platform: str, actor: User) -> None:
    """Rename it and say what it is built with; the slug stays. Raises `CatalogError`."""
    after = {"name": checked_name(name), "platform": _checked_platform(platform)}
    before = {field: getattr(project, field) for field in after}
    if before == after:
        return
    with transaction.atomic():
        Project.objects.filter(pk=project.pk).update(**after)
        ref = Ref("project", project.pk)
        search.refresh("project", [project.pk])
        _refresh_environments(project)
        audit.record("catalog:project:changed", actor=actor, ref=ref, before=before, after=after)
        live.bump(project_topic(project.pk))


def archive_project(project: Project, *, actor: User) -> None:
    """Put it away: it leaves lists and choices, and its events are refused with 403 whatever its keys say.

    Refused rather than dropped in silence, because an app that still reports has been forgotten somewhere, and SDKs
    log a 403; what is refused is counted. Errors, releases and deploys stay. `restore_project` undoes it.
    """
    _archive(project, archived=True, actor=actor)


def restore_project(project: Project, *, actor: User) -> None:
    """Undo `archive_project`: its keys let events in as they did before."""
    _archive(project, archived=False, actor=actor)


def _archive(project: Project, *, archived: bool, actor: User) -> None:
    with transaction.atomic():
        set_archived(project, archived=archived, actor=actor, topics=(KEYS_TOPIC, project_topic(project.pk)))
        _refresh_environments(project)


def _refresh_environments(project: Project) -> None:
    """They are found by its name too, and not while it is archived."""
    search.refresh("environment", list(project.environments.values_list("pk", flat=True)))


def _checked_platform(platform: str) -> str:
    return checked_name(platform, "platform", MAX_PLATFORM) if platform.strip() else ""


def _insert(name: str, platform: str) -> Project:
    for slug in free_slugs(Project.objects.all(), name, "project"):
        try:
            with transaction.atomic():
                return Project.objects.create(name=name, slug=slug, platform=platform)
        except IntegrityError:
            continue  # somebody took it between the look and the insert
    raise CatalogError(f"No address is free for {name!r}; choose another name.", field="name")
