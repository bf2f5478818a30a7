"""What time does to tickets, and mail that does not arrive."""

from __future__ import annotations

from django.db import transaction

from daytwo_server.core import clock
from daytwo_server.tickets import machine
from daytwo_server.tickets.machine import Event, Impossible
from daytwo_server.tickets.models import Message, Ticket
from daytwo_server.tickets.services.common import Step, announce, held, take
from daytwo_server.tickets.services.outgoing import ABOUT

CHUNK = 200


def close_resolved() -> int:
    """Close what was resolved longer than the reopen window ago, each in a transaction of its own; returns how many."""
    before, closed = clock.now() - machine.REOPEN_WINDOW, 0
    due = Ticket.objects.filter(resolved_at__lt=before, closed_at=None).order_by("resolved_at")
    while numbers := list(due.values_list("pk", flat=True)[:CHUNK]):
        closed += sum(_close(number) for number in numbers)
    return closed


def _close(number: int) -> bool:
    with transaction.atomic():
        ticket = held(number)
        if ticket.resolved_at is None or machine.can_be_reopened(ticket.status, ticket.resolved_at, clock.now()):
            return False  # somebody opened it again between the look and the lock
        try:
            told = take(ticket, Step(event=Event.EXPIRED, now=clock.now()))
        except Impossible:
            return False  # closed meanwhile
        announce(told, number)
    return True


def undelivered(about: str) -> None:
    """A mail about this did not arrive. If it was the last answer in a ticket, that waits for nobody any more."""
    kind, _, number = about.partition(":")
    if kind != ABOUT or not number.isdecimal():
        return
    message = Message.objects.filter(pk=int(number)).first()
    if message is None:
        return
    with transaction.atomic():
        ticket = held(message.ticket_id)
        answers = Message.objects.filter(ticket=ticket, kind=Message.Kind.PUBLIC, author_type=Message.Author.AGENT)
        if answers.filter(pk__gt=message.pk).exists():
            return  # a later answer may have arrived
        try:
            announce(take(ticket, Step(event=Event.BOUNCED, now=clock.now())), ticket.pk)
        except Impossible:
            return  # closed or merged meanwhile: nobody waits
