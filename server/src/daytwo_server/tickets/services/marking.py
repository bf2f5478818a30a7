"""Tags that Daytwo itself puts on tickets."""

from __future__ import annotations

from daytwo_server.core import search
from daytwo_server.tickets.models import Tag, Ticket

POSSIBLE_SPAM = "possible-spam"  # for people to look at: nothing is ever thrown away because of it
SPAM = "spam"  # what people call it once they have


def mark(ticket: Ticket, tag: str) -> None:
    """Put the tag on the ticket, in the current transaction. No audit entry: nobody did it."""
    if Tag.objects.get_or_create(ticket=ticket, name=tag)[1]:
        search.refresh("ticket", [ticket.pk])
