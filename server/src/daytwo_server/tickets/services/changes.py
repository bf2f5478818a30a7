"""What agents change about tickets: status, assignee, properties; and what time changes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from daytwo_server.accounts.models import Membership, User
from daytwo_server.accounts.permissions import can
from daytwo_server.core import clock, preferences, search
from daytwo_server.tickets import checks, machine
from daytwo_server.tickets.checks import Invalid
from daytwo_server.tickets.drafts import answered_by
from daytwo_server.tickets.facts import TicketAssigned, TicketPriorityChanged
from daytwo_server.tickets.machine import Event, Impossible
from daytwo_server.tickets.models import Category, Message, Priority, Status, Tag, Ticket
from daytwo_server.tickets.selectors.conversation import reopened_by_thanks
from daytwo_server.tickets.services.common import (
    Actor,
    Step,
    TicketGone,
    announce,
    held,
    note_audit,
    person_of,
    take,
)

MAX_TEAM = 100
MAX_BULK = 200


@dataclass(frozen=True, kw_only=True)
class Change:
    """What shall be different; None leaves it as it is. `assignee` is a member's address, "" for nobody.

    `tags` are all that stay; `add_tags` and `remove_tags` leave the others alone.
    """

    status: Status | None = None
    priority: Priority | None = None
    category: Category | None = None
    team: str | None = None
    assignee: str | None = None
    tags: Sequence[str] | None = None
    add_tags: Sequence[str] = ()
    remove_tags: Sequence[str] = ()


@dataclass(frozen=True)
class Bulk:
    """What became of each: `changed` are numbers, `refused` tells by number why not."""

    changed: list[int]
    refused: dict[int, str]


def change(ticket: Ticket, wanted: Change, *, actor: Actor) -> Ticket:
    """All of it or nothing; what is so already is no change. Giving an open ticket to somebody starts work on it,
    unless a status is wanted too.

    Raises `Impossible` for what the machine forbids, `Invalid` for somebody who is no member, and for bad tags.
    """
    with transaction.atomic():
        now_there = held(ticket.pk)
        told = _properties(now_there, wanted, actor)
        told += _assign(now_there, wanted, actor)
        told += _set_status(now_there, wanted, actor)
        announce(told, ticket.pk)
    return now_there


def set_status(ticket: Ticket, status: Status, *, actor: Actor) -> Ticket:
    """`change` of the status alone."""
    return change(ticket, Change(status=status), actor=actor)


def assign(ticket: Ticket, email: str, *, actor: Actor) -> Ticket:
    """`change` of the assignee alone."""
    return change(ticket, Change(assignee=email), actor=actor)


def take_by_writing(writer: User, key: str) -> None:
    """A ticket of nobody belongs to whoever begins to answer it: `desk.services.when_begun` calls this."""
    number = answered_by(key)
    if number is None or preferences.current().take_by_writing == "off" or not can(writer, "tickets.manage"):
        return
    if not Ticket.objects.filter(pk=number, assignee=None, status__in=machine.ACTIVE).exists():
        return
    with transaction.atomic():
        ticket = held(number)
        if ticket.assignee_id is None and ticket.status in machine.ACTIVE:
            announce(_assign(ticket, Change(assignee=writer.email), writer), number)


def change_many(numbers: Collection[int], wanted: Change, *, actor: Actor) -> Bulk:
    """`change` for each, in a transaction of its own: what is impossible for one does not stop the others.

    Raises `Invalid` for more than 200, and for what would be wrong for all of them.
    """
    if len(numbers) > MAX_BULK:
        raise Invalid({"ids": [f"At most {MAX_BULK} tickets at once."]})
    checks.tags([*(wanted.tags or ()), *wanted.add_tags])
    if wanted.assignee:
        _member(wanted.assignee)
    done = Bulk([], {})
    for number in sorted(set(numbers)):
        try:
            change(Ticket(pk=number), wanted, actor=actor)
        except (Impossible, Invalid, TicketGone) as problem:
            done.refused[number] = str(problem)
        else:
            done.changed.append(number)
    return done


def _set_status(ticket: Ticket, wanted: Change, actor: Actor) -> list[object]:
    if wanted.status is None or wanted.status == ticket.status:
        return []
    before, values = ticket.status, {}
    if wanted.status == Status.RESOLVED and reopened_by_thanks(ticket):
        values["reopened_count"] = ticket.reopened_count - 1  # it never was a question
    told = take(ticket, Step(event=machine.to(wanted.status), now=clock.now(), by=actor), **values)
    note_audit("status-set", ticket, actor, before={"status": before}, after={"status": ticket.status})
    return told


def _assign(ticket: Ticket, wanted: Change, actor: Actor) -> list[object]:
    if wanted.assignee is None:
        return []
    assignee = _member(wanted.assignee) if wanted.assignee else None
    if ticket.assignee_id == (assignee.pk if assignee else None):
        return []
    before = {"assignee": ticket.assignee_id}
    event = Event.ASSIGNED if assignee and wanted.status is None else Event.CHANGED
    said = Message(
        ticket=ticket,
        kind=Message.Kind.SYSTEM,
        author_type=Message.Author.SYSTEM,
        author=person_of(actor),
        content=f"Assigned to {assignee}" if assignee else "Assigned to nobody",
    )
    step = Step(event=event, now=clock.now(), by=actor, said=said)
    told = take(ticket, step, assignee_id=assignee.pk if assignee else None)
    note_audit("assigned", ticket, actor, before=before, after={"assignee": assignee.pk if assignee else None})
    by = person_of(actor)
    assigned = TicketAssigned(ticket=ticket.pk, assignee=assignee.pk if assignee else None, by=by.pk if by else None)
    return [assigned, *told]


def _properties(ticket: Ticket, wanted: Change, actor: Actor) -> list[object]:
    asked = {"priority": wanted.priority, "category": wanted.category, "team": _team(wanted.team)}
    values: dict[str, Any] = {
        name: str(value) for name, value in asked.items() if value is not None and value != getattr(ticket, name)
    }
    fixed = {name: getattr(ticket, name) for name in values if name != "team"}
    tags = _changed_tags(ticket, wanted)
    if not values and not tags:
        return []
    told = take(ticket, Step(event=Event.CHANGED, now=clock.now(), by=actor), **values)
    after = {name: values[name] for name in fixed} | {f"tags_{verb}": len(names) for verb, names in tags.items()}
    note_audit("changed", ticket, actor, before=fixed or None, after=after or None)
    if tags:
        Tag.objects.filter(ticket=ticket, name__in=tags["removed"]).delete()
        Tag.objects.bulk_create([Tag(ticket=ticket, name=name) for name in tags["added"]])
        search.refresh("ticket", [ticket.pk])
    if "priority" in values:
        told.append(TicketPriorityChanged(ticket=ticket.pk, before=fixed["priority"], after=values["priority"]))
    return told


def _changed_tags(ticket: Ticket, wanted: Change) -> dict[str, list[str]]:
    if wanted.tags is None and not wanted.add_tags and not wanted.remove_tags:
        return {}
    before = set(Tag.objects.filter(ticket=ticket).values_list("name", flat=True))
    kept = before if wanted.tags is None else set(checks.tags(wanted.tags))
    after = set(checks.tags(kept | set(checks.tags(wanted.add_tags)))) - set(checks.tags(wanted.remove_tags))
    if before == after:
        return {}
    return {"added": sorted(after - before), "removed": sorted(before - after)}


def _team(team: str | None) -> str | None:
    if team is None:
        return None
    line = checks.one_line(team, MAX_TEAM + 1)
    if len(line) > MAX_TEAM:
        raise Invalid({"team": [f"At most {MAX_TEAM} characters."]})
    return line


def _member(email: str) -> User:
    member = None
    if email.isprintable():  # PostgreSQL refuses to look for a NUL or half a character
        member = Membership.objects.select_related("user").filter(user__email=email.strip().lower()).first()
    if member is None:
        raise Invalid({"assignedTo": ["No member of this workspace has that address; name a member or nobody."]})
    user: User = member.user
    return user
