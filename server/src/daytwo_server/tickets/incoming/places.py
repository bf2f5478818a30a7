"""To which ticket a letter leads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from daytwo_server.core import clock
from daytwo_server.mail import Hit, Letter
from daytwo_server.tickets.models import Message, Ticket
from daytwo_server.tickets.services import notices, outgoing

# So long after a ticket was closed nothing leads to it any more: neither address nor id, which never change.
LEADS_FOR = dt.timedelta(days=90)
_OF_MESSAGES = frozenset({outgoing.ABOUT, notices.ABOUT})
_OF_TICKETS = frozenset({"ticket", outgoing.ABOUT_ACKNOWLEDGEMENT})


def places(letter: Letter) -> Iterator[tuple[Hit, Ticket]]:
    """What in the letter leads to a ticket that there is, and which, the surest first."""
    for hit in letter.hits:
        number = hit.thread or _number_of(hit.ref)
        ticket = Ticket.objects.select_related("customer").filter(pk=number).first() if number else None
        if ticket and (ticket.closed_at is None or clock.now() - ticket.closed_at < LEADS_FOR):
            yield hit, ticket


def message_answered(letter: Letter, ticket: Ticket) -> int | None:
    """The message that the letter answers, where it says so."""
    named = [hit.message or _message_of(hit.ref) for hit in letter.hits]
    found = Message.objects.filter(ticket=ticket, pk__in=filter(None, named)).values_list("pk", flat=True)
    return max(found, default=None)


def _number_of(ref: str) -> int | None:
    kind, _, number = ref.partition(":")
    if kind in _OF_TICKETS and number.isdecimal():
        return int(number)
    message = _message_of(ref)
    return Message.objects.filter(pk=message).values_list("ticket", flat=True).first() if message else None


def _message_of(ref: str) -> int | None:
    kind, _, number = ref.partition(":")
    return int(number) if kind in _OF_MESSAGES and number.isdecimal() else None
