"""What several pages of this room need."""

from __future__ import annotations

from django.http import Http404

from daytwo_server.tickets.models import Ticket
from daytwo_server.tickets.selectors import tickets


def find(number: str) -> Ticket:
    """The ticket of an address, or 404."""
    found = tickets.ticket(number)
    if found is None:
        raise Http404
    return found
