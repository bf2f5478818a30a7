"""The one way in which flags change: the turn of a project is taken, rows are written, and what changed is noted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from daytwo_server.catalog.models import Environment
from daytwo_server.core import audit, clock, facts, live, preferences, search
from daytwo_server.core.ref import Ref
from daytwo_server.flags.actors import MAX_BY, Actor
from daytwo_server.flags.facts import FlagChanged
from daytwo_server.flags.models import MAX_REASON, Change, Edition, Flag, State

LISTS_TOPIC = "flags"
# What an audit entry may say of a change: nothing that somebody typed, and nobody's id.
_PLAIN = ("enabled", "killed", "rolloutPercentage", "kind", "clientExposed", "archived", "ramp")


class Refused(ValueError):
    """It cannot be so, and nothing was written. `fields` says why by the path of each field that is wrong."""

    def __init__(self, fields: Mapping[str, Collection[str]]) -> None:
        super().__init__(" ".join(f"{path}: {one}" if path else one for path, said in fields.items() for one in said))
        self.fields = {path: list(said) for path, said in fields.items()}


class Conflict(Exception):
    """Somebody else changed the flag meanwhile; nothing was written."""


@dataclass
class Turn:
    """Who writes to a project's flags has it alone until the transaction ends. `revision` is what the change is."""

    project: int
    environments: tuple[int, ...]
    revision: int


def take(project: int) -> Turn:
    """Wait for the turn, in a transaction. Every change takes it before anything else, so nobody waits in a circle.

    Revisions grow through all environments of a project: two changes of it never have the same.
    """
    ids = list(Environment.objects.filter(project=project).order_by("pk").values_list("pk", flat=True))
    known = set(Edition.objects.filter(environment__in=ids).values_list("pk", flat=True))
    if missing := [pk for pk in ids if pk not in known]:
        Edition.objects.bulk_create([Edition(environment_id=pk) for pk in missing], ignore_conflicts=True)
    held = Edition.objects.select_for_update(no_key=True).filter(environment__in=ids).order_by("pk")
    latest = max(held.values_list("revision", flat=True), default=0)
    return Turn(project, tuple(ids), latest + 1)


def demand_reason(reason: str, by: Actor) -> str:
    """The reason as it is kept. Raises `Refused` where the workspace wants one and there is none."""
    text = " ".join(reason.split())
    if not text and not by.is_automatic and preferences.current().flags_require_comment:
        raise Refused({"reason": ["Say why: this workspace wants a reason for each change of a flag."]})
    if len(text) > MAX_REASON:
        raise Refused({"reason": [f"That has {len(text)} characters; at most {MAX_REASON} fit."]})
    if not text.isprintable():
        raise Refused({"reason": ["It holds characters that cannot be printed; type it again."]})
    return text


@dataclass(frozen=True, kw_only=True)
class Told:
    """What is noted of a change. `environment` is None for what holds in all of them."""

    action: str
    by: Actor
    reason: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    environment: int | None = None


def note(flag: Flag, turn: Turn, told: Told, *more: object) -> Change:
    """What changed, for people, for other rooms (`more` are further facts), for open pages and for those that evaluate.

    The last thing in a transaction.
    """
    now = clock.now()
    where = turn.environments if told.environment is None else (told.environment,)
    change = Change.objects.create(
        flag=flag, environment_id=told.environment, at=now, user=told.by.user, by=told.by.name[:MAX_BY],
        action=told.action, reason=told.reason, before=dict(told.before), after=dict(told.after),
        revision=turn.revision,
    )  # fmt: skip
    Edition.objects.filter(environment__in=where).update(revision=turn.revision, changed_at=now)
    State.objects.filter(flag=flag, environment__in=where).update(revision=turn.revision, changed_at=now)
    facts.record(
        FlagChanged(
            flag=flag.pk, environment=told.environment, revision=turn.revision, action=told.action, by=told.by.code
        ),
        *more,
    )
    ref = Ref("flag", flag.pk)
    audit.record(
        f"flags:flag:{told.action}",
        actor=told.by.row,
        ref=ref,
        before=_plain(told.before),
        after={"environment": told.environment, "fields": sorted({*told.before, *told.after}), **_plain(told.after)},
    )
    search.refresh("flag", [flag.pk])
    announce([flag.pk], where)
    return change


def announce(flags: Iterable[int], environments: Iterable[int]) -> None:
    """Tell the open pages of these flags."""
    live.bump(LISTS_TOPIC, *(f"flag.{pk}" for pk in flags), *(f"flags.{pk}" for pk in environments))


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of two wordings the fields that differ, as they were and as they are."""
    names = [name for name in after if before.get(name) != after[name]]
    return {name: before.get(name) for name in names}, {name: after[name] for name in names}


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: fields[name] for name in _PLAIN if name in fields}
