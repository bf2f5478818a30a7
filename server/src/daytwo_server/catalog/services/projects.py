"""Projects come to be by a person on a page or by `daytwo setup`."""

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from daytwo_server.accounts.models import User
from daytwo_server.catalog.models import Project
from daytwo_server.catalog.services.common import CatalogError, checked_name
from daytwo_server.catalog.services.keys import create_key
from daytwo_server.core import audit
from daytwo_server.core.ref import Ref

MAX_SLUG = 50  # the slug leaves room for a number within its 60 characters


def create_project(name: str, *, actor: User | None, platform: str = "") -> Project:
    """A project with its first key. The slug is made from the name, with a number when that one is taken.

    The name is trimmed and must have 1-100 characters; raises `CatalogError`. `actor` None stands for the operator.
    """
    with transaction.atomic():
        project = _insert(checked_name(name), platform)
        audit.record("catalog:project:created", actor=actor, ref=Ref("project", project.pk))
        create_key(project, "Default", actor=actor)
    return project


def ensure_project(name: str) -> Project:
    """The oldest project of this name, created when there is none. For `daytwo setup`."""
    existing = Project.objects.filter(name=checked_name(name)).order_by("pk").first()
    return existing or create_project(name, actor=None)


def _insert(name: str, platform: str) -> Project:
    wanted = slugify(name)[:MAX_SLUG].strip("-") or "project"
    taken = set(Project.objects.filter(slug__startswith=wanted).values_list("slug", flat=True))
    for number in range(1, len(taken) + 100):
        slug = wanted if number == 1 else f"{wanted}-{number}"
        if slug in taken:
            continue
        try:
            with transaction.atomic():
                return Project.objects.create(name=name, slug=slug, platform=platform)
        except IntegrityError:
            continue  # somebody took it between the look and the insert
    raise CatalogError(f"No address is free for {name!r}; choose another name.")
