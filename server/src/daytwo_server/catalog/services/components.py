"""Components: the parts of the SaaS that customers know."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from daytwo_server.accounts.models import ApiToken, Membership, User
from daytwo_server.catalog.models import Component, Project
from daytwo_server.catalog.services.archiving import set_archived
from daytwo_server.catalog.services.common import MAX_NAME, CatalogError, checked_name, free_slugs
from daytwo_server.core import audit, live, search
from daytwo_server.core.ref import Ref

COMPONENTS_TOPIC = "catalog.components"
MAX_DESCRIPTION = 2000
MAX_OWNERS = 20
Actor = User | ApiToken | None


@dataclass(frozen=True, kw_only=True)
class ComponentWords:
    """What people say of a component. `owners` are members' ids."""

    name: str
    description: str = ""
    project: Project | None = None
    team: str = ""
    owners: Collection[int] = field(default_factory=tuple)


def create_component(words: ComponentWords, *, actor: Actor) -> Component:
    """A component; its slug is made from the name and stays. Raises `CatalogError` naming the field."""
    values = _checked(words)
    with transaction.atomic():
        component = _insert(values)
        component.owners.set(_owners(words.owners))
        audit.record(
            "catalog:component:created", actor=actor, ref=Ref("component", component.pk), after=_told(component)
        )
        search.refresh("component", [component.pk])
        live.bump(COMPONENTS_TOPIC)
    return component


def change_component(component: Component, words: ComponentWords, *, actor: Actor) -> None:
    """Say everything anew. Nothing happens when nothing differs. Raises `CatalogError` naming the field."""
    values = _checked(words)
    with transaction.atomic():
        before = _told(component)
        old = {name: getattr(component, name) for name in values}
        for name, value in values.items():
            setattr(component, name, value)
        component.save(update_fields=[*values])
        component.owners.set(_owners(words.owners))
        after = _told(component)
        if old != values or before != after:
            audit.record(
                "catalog:component:changed",
                actor=actor,
                ref=Ref("component", component.pk),
                before=before,
                after=after,
            )
            search.refresh("component", [component.pk])
            live.bump(COMPONENTS_TOPIC)


def archive_component(component: Component, *, actor: Actor) -> None:
    """Take it out of lists and choices; what points at it stays. `restore_component` undoes it."""
    set_archived(component, archived=True, actor=actor, topics=(COMPONENTS_TOPIC,))


def restore_component(component: Component, *, actor: Actor) -> None:
    """Undo `archive_component`."""
    set_archived(component, archived=False, actor=actor, topics=(COMPONENTS_TOPIC,))


def _checked(words: ComponentWords) -> dict[str, Any]:
    description = words.description.replace("\r\n", "\n").strip()
    if len(description) > MAX_DESCRIPTION:
        raise CatalogError(
            f"The description has {len(description)} characters; at most {MAX_DESCRIPTION} fit.", field="description"
        )
    if not description.replace("\n", "").replace("\t", "").isprintable():
        raise CatalogError(
            "The description holds characters that cannot be printed; type it again.", field="description"
        )
    return {
        "name": checked_name(words.name),
        "description": description,
        "project": words.project,
        "team": checked_name(words.team, "team", MAX_NAME) if words.team.strip() else "",
    }


def _owners(ids: Iterable[int]) -> list[User]:
    """These people, who must be members who can sign in."""
    wanted = set(ids)
    if len(wanted) > MAX_OWNERS:
        raise CatalogError(f"A component has at most {MAX_OWNERS} owners; name the team instead.", field="owners")
    members = Membership.objects.filter(user__in=wanted, user__is_active=True).select_related("user")
    found = [member.user for member in members]
    if len(found) < len(wanted):
        raise CatalogError("An owner is no member any more; choose others.", field="owners")
    return found


def _insert(values: dict[str, Any]) -> Component:
    for slug in free_slugs(Component.objects.all(), values["name"], "component"):
        try:
            with transaction.atomic():
                return Component.objects.create(slug=slug, **values)
        except IntegrityError:
            continue  # somebody took it between the look and the insert
    raise CatalogError(f"No address is free for {values['name']!r}; choose another name.", field="name")


def _told(component: Component) -> dict[str, Any]:
    """For the audit log, which holds no person's words: ids, and whether there is a description."""
    owners = component.owners.order_by("pk").values_list(F("pk"), flat=True)
    return {
        "name": component.name,
        "project": component.project_id,
        "team": component.team,
        "description": bool(component.description),
        "owners": list(owners),
    }
