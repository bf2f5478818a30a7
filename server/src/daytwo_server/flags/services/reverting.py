"""Taking back a change: what it changed is as it was before, unless somebody changed it again since."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from daytwo_server.flags import fields
from daytwo_server.flags.actors import Actor
from daytwo_server.flags.models import Change, Override, State
from daytwo_server.flags.services import archiving, overrides, saving, segments
from daytwo_server.flags.services.common import Conflict, Refused, take

_AGAIN = "Somebody changed that again since: take the later change back first, or change it by hand."


def revert(change: Change, *, by: Actor, reason: str = "") -> Change | None:
    """Have what this change changed be as it was; None when it is. The change that this is can be reverted itself.

    Raises `Conflict` when something of it was changed again since, `Refused` when there is no way back or what was no
    longer makes sense.
    """
    said = reason or f"Takes back change {change.pk}"
    with transaction.atomic():
        take(change.flag.project_id)
        if change.action == "created":
            raise Refused({"": ["A flag that was made is taken back by archiving it."]})
        if "archived" in change.after:
            return _archived(change, by, said)
        if "overrides" in change.after:
            return _override(change, by, said)
        if "segment" in change.after:
            return segments.put_back(change, by=by, reason=said)
        if "ramp" in change.after and change.after.keys() == {"ramp"}:
            raise Refused({"": ["A ramp is held, resumed and stopped on the flag's page."]})
        return _fields(change, by, said)


def _fields(change: Change, by: Actor, reason: str) -> Change | None:
    was = {name: value for name, value in change.before.items() if name != "ramp"}
    became = {name: value for name, value in change.after.items() if name != "ramp"}
    now = _now(change)
    if all(now.get(name) == value for name, value in was.items()):
        return None
    if any(now.get(name) != value for name, value in became.items()):
        raise Conflict(_AGAIN)
    return saving.patch(change.flag, change.environment, was, by=by, reason=reason, action="reverted").change


def _now(change: Change) -> dict[str, Any]:
    flag = type(change.flag).objects.select_related("owner").get(pk=change.flag_id)
    state = (
        State.objects.filter(flag=flag, environment=change.environment_id).first() if change.environment_id else None
    )
    return {**fields.shared_of(flag), **fields.here_of(state, flag.key)}


def _archived(change: Change, by: Actor, reason: str) -> Change | None:
    service = archiving.restore if change.after["archived"] else archiving.archive
    changes = service([change.flag], by=by, reason=reason)
    return changes[-1] if changes else None


def _override(change: Change, by: Actor, reason: str) -> Change | None:
    state = State.objects.select_related("flag").get(flag=change.flag_id, environment=change.environment_id)
    [one] = change.after["overrides"] or change.before["overrides"]
    whose = {"user_id": one.get("userId", ""), "organization_id": one.get("organizationId", "")}
    known = Override.objects.filter(state=state, **whose).first()
    if (overrides.line(known) if known else None) != next(iter(change.after["overrides"]), None):
        raise Conflict(_AGAIN)
    if not change.before["overrides"]:
        return overrides.remove(state, **whose, by=by, reason=reason)
    [was] = change.before["overrides"]
    return overrides.put_back(state, was, by=by, reason=reason)
