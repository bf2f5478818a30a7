"""Tickets beside something else: what customers asked who ran into it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db.models import Q

from daytwo_server.tickets.models import Ticket

RAN_INTO = dt.timedelta(hours=24)  # before a question: what a customer ran into then may be why they ask
SHOWN = 5
_LOOKED_AT = 100


def of_those_who(ran_into_it: Mapping[int, dt.datetime], *, since: dt.datetime) -> list[Ticket]:
    """The latest tickets of these customers (by id, with when each ran into it last) that may be about it: not resolved
    before it began at `since`, and asked at most a day after the customer met it. The page of a ticket shows the same
    from its side. One query, and none for nobody.
    """
    if not ran_into_it:
        return []
    theirs = Ticket.objects.filter(customer__among=list(ran_into_it), merged_into=None)
    open_then = theirs.filter(Q(resolved_at=None) | Q(resolved_at__gte=since))
    latest = open_then.filter(created_at__lte=max(ran_into_it.values()) + RAN_INTO).order_by("-created_at", "-pk")
    found = [one for one in latest[:_LOOKED_AT] if one.created_at <= ran_into_it[one.customer_id] + RAN_INTO]
    return found[:SHOWN]
