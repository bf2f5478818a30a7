"""Putting things away and taking them out again."""

from __future__ import annotations

from django.db import transaction

from daytwo_server.accounts.models import ApiToken, User
from daytwo_server.catalog.models import Component, Project
from daytwo_server.core import audit, clock, live, search
from daytwo_server.core.ref import Ref


def set_archived(
    thing: Component | Project, *, archived: bool, actor: User | ApiToken | None, topics: tuple[str, ...]
) -> None:
    """Put it away or take it out, unless it is so already; whoever follows `topics` is told."""
    kind, at = thing._meta.model_name or "", clock.now() if archived else None
    with transaction.atomic():
        if type(thing).objects.filter(pk=thing.pk, archived_at__isnull=archived).update(archived_at=at):
            audit.record(
                f"catalog:{kind}:{'archived' if archived else 'restored'}",
                actor=actor,
                ref=Ref(kind, thing.pk),
                before={"archived": not archived},
                after={"archived": archived},
            )
            search.refresh(kind, [thing.pk])
            live.bump(*topics)
    thing.archived_at = at
