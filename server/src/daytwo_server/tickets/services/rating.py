"""What the customer thought of it."""

from __future__ import annotations

import datetime as dt
import math

from django.db import transaction

from daytwo_server.core import clock
from daytwo_server.tickets.facts import TicketRated
from daytwo_server.tickets.models import Message, Pace, Ticket
from daytwo_server.tickets.services.common import announce, held

WINDOW = dt.timedelta(minutes=1)


class TooFast(Exception):
    """The customer rates more often than they may. Nothing was kept; `wait_s` is how long to wait."""

    def __init__(self, wait: dt.timedelta) -> None:
        self.wait_s = math.ceil(wait.total_seconds())
        super().__init__(f"Too many ratings; try again in {self.wait_s} s.")


def rate(ticket: Ticket, rating: int, comment: str = "", *, most: int | None = None) -> Ticket:
    """Keep how it went, 1 to 5, in place of what was said before. Closed ones can be rated: nothing else changes.

    The conversation of one that is not closed tells of it, so that whoever has the ticket open sees it come; the same
    number again is no news. `most` is how many the customer may give in a minute; raises `TooFast`.
    """
    with transaction.atomic():
        before, now = held(ticket.pk), clock.now()
        if most is not None:
            _keep_pace(before.customer_id, most, now)
        values = {"rating": rating, "rating_comment": comment, "rated_at": now}
        Ticket.objects.filter(pk=ticket.pk).update(**values)
        if before.rating != rating and before.closed_at is None:
            Message.objects.create(
                ticket_id=ticket.pk,
                kind=Message.Kind.SYSTEM,
                author_type=Message.Author.SYSTEM,
                content=f"The customer rated this {rating} of 5",
                created_at=now,
            )
        announce([TicketRated(ticket=ticket.pk, rating=rating)], ticket.pk)
    for name, value in values.items():
        setattr(ticket, name, value)
    return ticket


def _keep_pace(customer: int, most: int, now: dt.datetime) -> None:
    """Counted in the store, so that it holds for several processes together, and in one row: a rating leaves no other
    trace that could be counted once it was changed.
    """
    pace, _ = Pace.objects.select_for_update().get_or_create(customer_id=customer, defaults={"until": now})
    until = max(pace.until, now) + WINDOW / most
    if until > now + WINDOW:
        raise TooFast(until - now - WINDOW)
    Pace.objects.filter(pk=customer).update(until=until)
