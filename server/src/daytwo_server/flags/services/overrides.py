"""Exceptions: what a flag is for one user or one organization."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from daytwo_server.core import clock
from daytwo_server.core.db import chunked_delete
from daytwo_server.customers.services import is_exact
from daytwo_server.flags import fields
from daytwo_server.flags.actors import MAX_BY, Actor
from daytwo_server.flags.models import Change, Override, State
from daytwo_server.flags.services.common import Refused, Told, Turn, demand_reason, note, take

MAX_OVERRIDES = 10_000  # of a flag in an environment
_SYSTEM = Actor("Daytwo")
_is_closed: Callable[[int], bool] | None = None


def put(  # noqa: PLR0913 - what an override says
    state: State,
    *,
    user_id: str = "",
    organization_id: str = "",
    enabled: bool | None = None,
    variant: str = "",
    expires_at: dt.datetime | None = None,
    ticket: int | None = None,
    by: Actor,
    reason: str = "",
) -> Change | None:
    """Have the flag be something else for one user or one organization, in place of what was said of them before.

    Either `enabled` or a variant. With a ticket it goes when that is closed, unless it was there to stay. None when it
    is so already. Raises `Refused`.
    """
    whose = _whose(user_id, organization_id)
    with transaction.atomic():
        turn, held = take(state.flag.project_id), _held(state)
        wanted = {"enabled": enabled, "variant": _what(held, enabled, variant), "expires_at": _end(expires_at)}
        known = Override.objects.filter(state=held, **whose).first()
        stays = known is not None and known.ticket in {ticket, None}
        if stays and all(getattr(known, name) == value for name, value in wanted.items()):
            return None
        return _write(known, held, turn, {**whose, **wanted, "ticket": ticket}, by=by, reason=reason)


def put_back(state: State, said: Mapping[str, Any], *, by: Actor, reason: str) -> Change | None:
    """Have an override be as a line of the history says, for its ticket alone where it was; gone when it is over.

    Raises `Refused`.
    """
    whose = _whose(said.get("userId", ""), said.get("organizationId", ""))
    until, ticket = said["expiresAt"] and dt.datetime.fromisoformat(said["expiresAt"]), said.get("ticket")
    if until and until <= clock.now():
        return remove(state, **whose, by=by, reason=reason)
    if ticket is not None and (_is_closed is None or _is_closed(ticket)):
        raise Refused({"ticket": [f"It was for T-{ticket} alone, which is closed: add an override that stays."]})
    with transaction.atomic():
        turn, held = take(state.flag.project_id), _held(state)
        enabled = said.get("enabled")
        wanted = {"enabled": enabled, "variant": _what(held, enabled, said.get("variant", "")), "expires_at": until}
        known = Override.objects.filter(state=held, **whose).first()
        return _write(known, held, turn, {**whose, **wanted, "ticket": ticket}, by=by, reason=reason)


def ask_of_tickets(is_closed: Callable[[int], bool]) -> None:
    """Have this say whether a ticket is closed, or gone."""
    global _is_closed  # noqa: PLW0603 - one room has tickets
    _is_closed = is_closed


def line(one: Override) -> dict[str, Any]:
    """As the history has it: with its ticket, which apps are not told."""
    return fields.override_of(one) | ({"ticket": one.ticket} if one.ticket is not None else {})


def remove(state: State, *, user_id: str = "", organization_id: str = "", by: Actor, reason: str = "") -> Change | None:
    """Let them have what everybody gets; None when they do. Raises `Refused`."""
    whose = _whose(user_id, organization_id)
    with transaction.atomic():
        turn = take(state.flag.project_id)
        return _removed(Override.objects.filter(state=state, **whose), turn, by=by, reason=reason)


def remove_of_ticket(ticket: int) -> int:
    """Take back what was said for a ticket, which is over; returns how many there were."""
    found = Override.objects.filter(ticket=ticket).order_by("state__flag__project", "pk")
    rows = list(found.values_list("pk", "state__flag__project"))
    for pk, project in rows:
        with transaction.atomic():
            turn = take(project)
            mine = Override.objects.filter(pk=pk, ticket=ticket)
            _removed(mine, turn, by=_SYSTEM, reason=f"T-{ticket} was closed")
    return len(rows)


def drop_expired() -> int:
    """Delete those that are over; returns how many. They did not count any more, so this is no change of anything."""
    return chunked_delete(Override.objects.filter(expires_at__lte=clock.now()))


def _write(
    known: Override | None, state: State, turn: Turn, wanted: Mapping[str, Any], *, by: Actor, reason: str
) -> Change:
    if known is None and Override.objects.filter(state=state).count() >= MAX_OVERRIDES:
        raise Refused({"": [f"There are {MAX_OVERRIDES} overrides already; a rule or a segment says it shorter."]})
    reason, before = demand_reason(reason, by), [line(known)] if known else []
    row = Override(
        pk=known.pk if known else None, state=state, by=by.name[:MAX_BY], created_at=clock.now(), **wanted
    )  # fmt: skip
    row.save()
    told = Told(
        action="override_set", by=by, reason=reason, environment=state.environment_id, before={"overrides": before},
        after={"overrides": [line(row)]},
    )  # fmt: skip
    return note(state.flag, turn, told)


def _removed(found: QuerySet[Override], turn: Turn, *, by: Actor, reason: str) -> Change | None:
    """Delete one override; None when there is none."""
    one = found.select_related("state__flag__project", "state__flag__owner").first()
    if one is None:
        return None
    told = Told(
        action="override_removed", by=by, reason=demand_reason(reason, by), environment=one.state.environment_id,
        before={"overrides": [line(one)]}, after={"overrides": []},
    )  # fmt: skip
    one.delete()
    return note(one.state.flag, turn, told)


def _held(state: State) -> State:
    held = State.objects.select_related("flag__project", "flag__owner").get(pk=state.pk)
    if held.flag.archived_at is not None:
        raise Refused({"key": [f"{held.flag.key} is archived. Bring it back first."]})
    return held


def _whose(user_id: str, organization_id: str) -> dict[str, Any]:
    if bool(user_id) is bool(organization_id):
        raise Refused({"userId": ["Name either a userId or an organizationId."]})
    name, value = ("userId", user_id) if user_id else ("organizationId", organization_id)
    if not is_exact(value):
        raise Refused({name: ["An id has 1 to 200 characters on one line, without spaces around it."]})
    return {"user_id": user_id, "organization_id": organization_id}


def _what(state: State, enabled: bool | None, variant: str) -> str:  # noqa: FBT001 - what an override says
    if (enabled is None) is not bool(variant):
        raise Refused({"enabled": ["Say either whether it is enabled, or the variant."]})
    names = [one["name"] for one in fields.variants_of(state.flag)]
    if variant and variant not in names:
        raise Refused({"variant": [f"There is no variant {variant!r}; there are {', '.join(names)}."]})
    return variant


def _end(expires_at: dt.datetime | None) -> dt.datetime | None:
    if expires_at is not None and expires_at <= clock.now():
        raise Refused({"expiresAt": ["That is past. Choose a later end, or none."]})
    return expires_at
