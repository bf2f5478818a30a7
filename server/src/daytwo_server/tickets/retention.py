"""How long tickets are kept: closed ones by when they were closed; one that was merged goes with where it went."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db import transaction
from django.db.models import Q, QuerySet

from daytwo_server.core import retention
from daytwo_server.tickets.models import Attachment, Message, Tag, Ticket
from daytwo_server.tickets.services.forgetting import delete_tickets

CHUNK = 50


def sweep(before: dt.datetime) -> Iterator[int]:
    """Tickets count."""
    while numbers := list(_old(before).order_by("closed_at").values_list("pk", flat=True)[:CHUNK]):
        with transaction.atomic():
            gone = delete_tickets(numbers)
        yield gone


def _old(before: dt.datetime) -> QuerySet[Ticket]:
    # The messages of a merged one are shown in the ticket that goes on.
    over = Q(merged_into=None) | Q(merged_into__closed_at__lt=before)
    return Ticket.objects.filter(over, closed_at__lt=before)


retention.register(
    retention.Kind(
        name="tickets", label="Closed tickets", text="Closed tickets with what was said in them, and its files",
        noun="ticket", nouns="tickets", setting="retention_tickets_days", sweep=sweep, by="closed_at",
        only=Q(closed_at__isnull=False), tables=(Ticket, Message, Tag, Attachment),
    )
)  # fmt: skip
