"""What the rooms that promise something about tickets write to them."""

from __future__ import annotations

import datetime as dt

from daytwo_server.core import clock, live
from daytwo_server.tickets.machine import Event, Impossible
from daytwo_server.tickets.models import Message, Ticket
from daytwo_server.tickets.services.common import LISTS_TOPIC, Step, held, take, ticket_topic


def set_due(number: int, due_at: dt.datetime | None) -> None:
    """When the next promise about a ticket runs out; pages that show it are told. Needs a transaction."""
    Ticket.objects.filter(pk=number).update(due_at=due_at)
    live.bump(LISTS_TOPIC, ticket_topic(number))


def remark(number: int, words: str) -> Message | None:
    """Write something internal to a ticket in the name of the system. Needs a transaction; None for one that is closed,
    which does not change any more.
    """
    ticket = held(number)
    said = Message(ticket=ticket, kind=Message.Kind.SYSTEM, author_type=Message.Author.SYSTEM, content=words)
    try:
        take(ticket, Step(event=Event.CHANGED, now=clock.now(), said=said))
    except Impossible:
        return None
    live.bump(LISTS_TOPIC, ticket_topic(number))
    return said
