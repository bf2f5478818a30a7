"""What time does to tickets, and mail that does not arrive."""

from __future__ import annotations

from django.db import transaction

from daytwo_server.core import clock, live
from daytwo_server.mail import selectors as mail
from daytwo_server.tickets import machine
from daytwo_server.tickets.machine import Event, Impossible
from daytwo_server.tickets.models import Message, Ticket
from daytwo_server.tickets.services import notices
from daytwo_server.tickets.services.common import Step, announce, held, take, ticket_topic
from daytwo_server.tickets.services.outgoing import ABOUT, ABOUT_ACKNOWLEDGEMENT

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


def undelivered(about: str, delivery: int | None = None) -> None:
    """A mail about this did not arrive. The ticket says so, whoever looks after it is told, and if it was the last
    answer, the ticket waits for the customer no more.
    """
    message, number = _told_of(about)
    if number is None:
        return
    with transaction.atomic():
        ticket = held(number)
        said = _not_arrived(ticket, delivery)
        answers = Message.objects.filter(ticket=ticket, kind=Message.Kind.PUBLIC, author_type=Message.Author.AGENT)
        overtaken = message is not None and answers.filter(pk__gt=message).exists()  # a later one may have arrived
        event = Event.BOUNCED if message is not None and not overtaken else Event.NOTED
        try:
            told = take(ticket, Step(event=event, now=clock.now(), said=said))
        except Impossible:
            return  # closed or merged meanwhile: nobody waits, and beside the answer stands what became of it
        notices.told_of_failure(ticket, said)
        announce(told, ticket.pk)


def mail_went_on(about: str) -> None:
    """How far the mail about this got is another matter now: pages that show it are told. Needs a transaction."""
    message, number = _told_of(about)
    if message is not None and number is not None:
        live.bump(ticket_topic(number))


def _told_of(about: str) -> tuple[int | None, int | None]:
    """The message that was mailed, None for what was no message, and the number of its ticket, None when that is gone
    or the mail was not for the customer.
    """
    kind, _, number = about.partition(":")
    if kind == ABOUT_ACKNOWLEDGEMENT and number.isdecimal():
        return None, Ticket.objects.filter(pk=int(number)).values_list("pk", flat=True).first()
    if kind != ABOUT or not number.isdecimal():
        return None, None
    return int(number), Message.objects.filter(pk=int(number)).values_list("ticket", flat=True).first()


def _not_arrived(ticket: Ticket, delivery: int | None) -> Message:
    """Which mail, and why. It names the customer, so it is theirs as to erasing."""
    sent = mail.delivery(delivery) if delivery else None
    words = "A mail to the customer did not arrive"
    if sent:
        came_back = "came back" if sent.state == sent.State.BOUNCED else "could not be sent"
        what = "The acknowledgement" if sent.about.startswith(ABOUT_ACKNOWLEDGEMENT) else "The answer"
        words = f"{what} to {sent.to} {came_back}: {sent.problem[:300] or 'no reason was given'}"
    return Message(
        ticket=ticket, kind=Message.Kind.SYSTEM, author_type=Message.Author.SYSTEM, customer_id=ticket.customer_id,
        content=words,
    )  # fmt: skip
