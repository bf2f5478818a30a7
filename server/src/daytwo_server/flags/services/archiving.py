"""Putting flags away and bringing them back."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from daytwo_server.core import clock
from daytwo_server.flags.actors import Actor
from daytwo_server.flags.facts import FlagArchived
from daytwo_server.flags.models import Change, Flag, Ramp
from daytwo_server.flags.services import checking
from daytwo_server.flags.services.common import Conflict, Refused, Told, demand_reason, note, take

__all__ = ["Conflict", "Refused", "archive", "restore"]


def archive(flags: Iterable[Flag], *, by: Actor, reason: str = "") -> list[Change]:
    """Answer them no more: apps use their own defaults. Their ramps stop, everything else stays for `restore`.

    All or none. Raises `Refused` when another flag that is in use hangs on one of them.
    """
    return _set(flags, archived=True, by=by, reason=reason)


def restore(flags: Iterable[Flag], *, by: Actor, reason: str = "") -> list[Change]:
    """Answer them again as before. Raises `Refused` when what they refer to is gone meanwhile."""
    return _set(flags, archived=False, by=by, reason=reason)


@transaction.atomic
def _set(flags: Iterable[Flag], *, archived: bool, by: Actor, reason: str) -> list[Change]:
    wanted = list(flags)
    projects = sorted({one.project_id for one in wanted})
    changes: list[Change] = []
    for project in projects:
        turn = take(project)
        ids = [one.pk for one in wanted if one.project_id == project]
        found = list(Flag.objects.filter(pk__in=ids, archived_at__isnull=archived).select_related("project", "owner"))
        if not found:
            continue
        kept = demand_reason(reason, by)
        Flag.objects.filter(pk__in=[one.pk for one in found]).update(archived_at=clock.now() if archived else None)
        if archived:
            _stop_ramps(found, by)
        for flag in found:
            checking.check(flag, checking.concerned(flag.pk, turn.environments))
        for flag in sorted(found, key=lambda one: one.key):
            told = Told(
                action="archived" if archived else "restored", by=by, reason=kept, before={"archived": not archived},
                after={"archived": archived},
            )  # fmt: skip
            changes.append(note(flag, turn, told, *([FlagArchived(flag=flag.pk, by=by.code)] if archived else [])))
    return changes


def _stop_ramps(flags: Iterable[Flag], by: Actor) -> None:
    Ramp.objects.filter(
        state__flag__in=[one.pk for one in flags], status__in=[Ramp.Status.RUNNING, Ramp.Status.HELD]
    ).update(status=Ramp.Status.STOPPED, next_at=None, ended_at=clock.now(), note=f"{by.name} archived the flag"[:500])
