"""Asking customers how it went, some time after their ticket was resolved."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet

from daytwo_server.accounts import services as accounts
from daytwo_server.core import preferences
from daytwo_server.mail import services as mail
from daytwo_server.mail import threads
from daytwo_server.mail.selectors import deliveries_about
from daytwo_server.portal import addresses
from daytwo_server.tickets import capability
from daytwo_server.tickets.models import Channel, Mailed, Message, Status, Tag, Ticket
from daytwo_server.tickets.services import POSSIBLE_SPAM, SPAM, outgoing
from daytwo_server.tickets.services.common import TicketGone, held

ABOUT = "ticket_rating"  # the kind of ref of the mails that ask
RATINGS = {5: "Very good", 4: "Good", 3: "So-so", 2: "Bad", 1: "Very bad"}


def due_at(ticket: int) -> tuple[dt.datetime, dt.datetime] | None:
    """When a ticket was resolved, and when its customer is to be asked; None when they are not."""
    preferred = preferences.current()
    found = Ticket.objects.filter(pk=ticket, status=Status.RESOLVED).first()
    if preferred.csat != "on" or found is None or found.resolved_at is None:
        return None
    return found.resolved_at, found.resolved_at + dt.timedelta(minutes=preferred.csat_delay_minutes)


@transaction.atomic
def ask(number: int, resolved_at: dt.datetime) -> bool:
    """Mail the customer, if the ticket has stayed resolved since then. Once for each time that it was resolved, however
    often this is called: the ticket is locked, and the mail itself says that it was asked. True when it was mailed.
    """
    try:
        ticket = held(number)
    except TicketGone:
        return False
    about = ref_of(number)
    asked_before = any(one.created_at >= resolved_at for one in deliveries_about([about])[about])
    if asked_before or not _is_asked_about(ticket, resolved_at):
        return False
    name = accounts.workspace().name
    try:
        mail.queue(
            to=ticket.customer.address, subject=outgoing.subject_of(ticket), text=_text(ticket, name),
            about=about, references=[threads.message_id(ticket.pk, message) for message in _said(ticket)],
            reply_to=threads.address(ticket.pk, ticket.customer_id, agent=False), from_name=name, automatic=True,
        )  # fmt: skip
    except mail.BadAddress:
        return False
    return True


def ref_of(ticket: int) -> str:
    """By which the mails that ask about a ticket are known."""
    return f"{ABOUT}:{ticket}"


def _is_asked_about(ticket: Ticket, resolved_at: dt.datetime) -> bool:
    customer = ticket.customer
    preferred = preferences.current()
    if preferred.csat != "on" or not preferred.mail_url or not addresses.is_open():
        return False
    if ticket.resolved_at != resolved_at or ticket.merged_into_id is not None or ticket.channel == Channel.PHONE:
        return False
    if not customer.address or (ticket.rated_at and ticket.rated_at >= resolved_at):
        return False
    began = Mailed.objects.filter(message__ticket=ticket).order_by("message").first()
    if began and not began.answerable:  # a machine wrote
        return False
    return not Tag.objects.filter(ticket=ticket, name__in=[SPAM, POSSIBLE_SPAM]).exists()


def _said(ticket: Ticket) -> QuerySet[Message, int]:
    """The public answers of the ticket, oldest first."""
    answers = Message.objects.filter(ticket=ticket, kind=Message.Kind.PUBLIC, author_type=Message.Author.AGENT)
    return answers.order_by("pk").values_list("pk", flat=True)


def _text(ticket: Ticket, name: str) -> str:
    token = capability.token(ticket)
    lines = [f"{words}: {addresses.of_rating(token, number)}" for number, words in RATINGS.items()]
    return "\n\n".join([
        "Hello,",
        f"we resolved your request “{ticket.subject}”. How was it? Choose one, and add a word if you like:",
        "\n".join(lines),
        f"Is it not solved? Answer on the page of your request, and it is open again:\n{capability.link(ticket)}",
        name,
    ])  # fmt: skip
