"""Two tickets about the same become one."""

from __future__ import annotations

import dataclasses

from django.db import transaction

from daytwo_server.core import clock
from daytwo_server.tickets.facts import TicketMerged
from daytwo_server.tickets.machine import Event, Impossible
from daytwo_server.tickets.models import Message, Status, Ticket, Todo
from daytwo_server.tickets.services.common import Actor, Step, announce, held, note_audit, person_of, take


def merge(ticket: Ticket, into: Ticket, *, actor: Actor) -> Ticket:
    """Close the ticket; its messages are shown in the other one too, and what the customer replies goes there.

    A question that nobody has answered yet makes the other one pending, and has waited there since it was asked.
    What was merged into it before follows, and what is still to be done. Raises `Impossible` for itself, for one that
    is closed on either side, and for tickets of two customers: each would read the other's words.
    """
    if ticket.pk == into.pk:
        raise Impossible("A ticket cannot be merged into itself.")
    with transaction.atomic():
        rows = {number: held(number) for number in sorted((ticket.pk, into.pk))}
        one, other, now = rows[ticket.pk], rows[into.pk], clock.now()
        if one.customer_id != other.customer_id:
            raise Impossible("These are of two customers, and each would read the other's words. Link them instead.")
        told = _take_over(other, one, actor)
        told += take(one, _noted(one, f"Merged into {other.code}", actor, Event.MERGED), merged_into_id=other.pk)
        Ticket.objects.filter(merged_into=one).update(merged_into=other, updated_at=now)
        Todo.objects.filter(ticket=one, done_at=None).update(ticket=other)
        note_audit("merged", one, actor, after={"into": other.pk})
        announce([TicketMerged(ticket=one.pk, into=other.pk), *told], one.pk, other.pk)
    return other


def _take_over(other: Ticket, one: Ticket, actor: Actor) -> list[object]:
    """Whoever waits for an answer in the one waits in the other now."""
    step = _noted(other, f"{one.code} was merged into this ticket", actor, Event.NOTED)
    if one.waiting_since is None:
        return take(other, step)
    if other.waiting_since is not None:
        return take(other, step, waiting_since=min(one.waiting_since, other.waiting_since))
    other.waiting_since = one.waiting_since
    return take(other, dataclasses.replace(step, goal=Status.PENDING))


def _noted(ticket: Ticket, words: str, actor: Actor, event: Event) -> Step:
    said = Message(
        ticket=ticket,
        kind=Message.Kind.SYSTEM,
        author_type=Message.Author.SYSTEM,
        author=person_of(actor),
        content=words,
    )
    return Step(event=event, now=clock.now(), by=actor, said=said)
