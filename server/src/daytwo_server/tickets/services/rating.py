"""What the customer thought of it."""

from __future__ import annotations

from django.db import transaction

from daytwo_server.core import clock
from daytwo_server.tickets.facts import TicketRated
from daytwo_server.tickets.models import Ticket
from daytwo_server.tickets.services.common import announce


def rate(ticket: Ticket, rating: int, comment: str = "") -> Ticket:
    """Keep how it went, 1 to 5, in place of what was said before. Closed ones can be rated: nothing else changes."""
    with transaction.atomic():
        values = {"rating": rating, "rating_comment": comment, "rated_at": clock.now()}
        Ticket.objects.filter(pk=ticket.pk).update(**values)
        announce([TicketRated(ticket=ticket.pk, rating=rating)], ticket.pk)
    for name, value in values.items():
        setattr(ticket, name, value)
    return ticket
