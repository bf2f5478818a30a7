"""What people say of environments."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import transaction

from daytwo_server.accounts.models import User
from daytwo_server.catalog.models import Environment, Project
from daytwo_server.catalog.services.common import CatalogError, project_topic
from daytwo_server.core import audit, clock, live, search
from daytwo_server.core.ref import Ref

Kind = Environment.Kind
_KINDS = {
    Kind.PRODUCTION: frozenset({"production", "prod", "live"}),
    Kind.STAGING: frozenset({"staging", "stage", "preprod", "pre-production", "preproduction", "uat", "qa"}),
    Kind.DEVELOPMENT: frozenset({"development", "develop", "dev", "local", "test", "testing", "ci"}),
}


def kind_of(name: str) -> Kind:
    """What an environment of this name most likely is."""
    return next((kind for kind, names in _KINDS.items() if name.lower() in names), Kind.OTHER)


def ensure_environment(project: Project, name: str, *, first_seen: dt.datetime | None = None) -> Environment:
    """The environment of this name, which is added when it is new, as seen first at that time, else now."""
    found, created = Environment.objects.get_or_create(
        project=project, name=name, defaults={"first_seen": first_seen or clock.now(), "kind": kind_of(name)}
    )
    if created:
        search.refresh("environment", [found.pk])
        live.bump(project_topic(project.pk))
    return found


def hide_environments(project: Project, ids: Collection[int], *, actor: User) -> list[int]:
    """Leave them out of choices from now on, and make room under the limit; returns those that were shown before."""
    return _change(project, ids, "hidden", {"hidden_at": clock.now()}, actor=actor, only={"hidden_at": None})


def show_environments(project: Project, ids: Collection[int], *, actor: User) -> list[int]:
    """Undo `hide_environments`; returns those that were hidden."""
    hidden: dict[str, object] = {"hidden_at__isnull": False}
    return _change(project, ids, "shown", {"hidden_at": None}, actor=actor, only=hidden)


def set_environment_kind(project: Project, ids: Collection[int], kind: str, *, actor: User) -> list[int]:
    """Say what they are; returns those that were something else. Raises `CatalogError` for a kind that is none."""
    if kind not in Kind.values:
        raise CatalogError(f"There is no kind {kind!r}; use {', '.join(Kind.values)}.")
    return _change(project, ids, "kind-set", {"kind": kind}, actor=actor, besides={"kind": kind})


def _change(
    project: Project,
    ids: Collection[int],
    verb: str,
    values: dict[str, object],
    *,
    actor: User,
    only: dict[str, object] | None = None,
    besides: dict[str, object] | None = None,
) -> list[int]:
    """Set `values` on those of `ids` that match `only` and not `besides`, with an audit entry for each."""
    with transaction.atomic():
        found = Environment.objects.select_for_update().filter(project=project, pk__in=ids, **(only or {}))
        changed = list((found.exclude(**besides) if besides else found).order_by("pk"))
        Environment.objects.filter(pk__in=[one.pk for one in changed]).update(**values)
        for one in changed:
            before = {name: _plain(getattr(one, name)) for name in values}
            after = {name: _plain(value) for name, value in values.items()}
            audit.record(
                f"catalog:environment:{verb}", actor=actor, ref=Ref("environment", one.pk), before=before, after=after
            )
        if changed:
            search.refresh("environment", [one.pk for one in changed])
            live.bump(project_topic(project.pk))
    return [one.pk for one in changed]


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, str) else str(value)
