"""What was said is forgotten: because a customer asked for it, or because it is old."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction

from daytwo_server.core import blobs, live, search
from daytwo_server.mail import services as mail
from daytwo_server.tickets.models import Attachment, Message, Tag, Ticket
from daytwo_server.tickets.services import outgoing
from daytwo_server.tickets.services.common import LISTS_TOPIC, held, ticket_topic

ERASED = "Erased"


def forget_customer(customer: int) -> None:
    """Take everything that a customer said, and that was said to and about them, out of the tickets. The empty rows
    stay, with their times and statuses, so that reports stay true. Doing it again changes nothing.
    """
    for number in Ticket.objects.filter(customer=customer).order_by("pk").values_list("pk", flat=True):
        _forget_words(number)
    # What they said in tickets of others.
    with transaction.atomic():
        _delete_messages(Message.objects.filter(customer=customer).values_list("pk", flat=True))


def delete_tickets(numbers: Collection[int]) -> int:
    """Remove tickets with everything in them, in the current transaction; returns how many there were."""
    _delete_messages(Message.objects.filter(ticket__in=numbers).values_list("pk", flat=True))
    search.remove("ticket", list(numbers))
    gone = Ticket.objects.filter(pk__in=numbers).delete()[1].get(Ticket._meta.label, 0)
    live.bump(LISTS_TOPIC)
    return gone


@transaction.atomic
def _forget_words(number: int) -> None:
    ticket = held(number)
    said = Message.objects.filter(ticket=ticket).exclude(kind=Message.Kind.SYSTEM)
    _delete_messages(said.values_list("pk", flat=True))
    Tag.objects.filter(ticket=ticket).delete()
    Ticket.objects.filter(pk=number).update(
        subject=ERASED, organization=None, metadata={}, rating_comment="", idempotency_key=""
    )
    search.remove("ticket", [number])
    live.bump(LISTS_TOPIC, ticket_topic(number))


def _delete_messages(ids: Collection[int]) -> None:
    messages = list(ids)
    mail.forget(refs=[outgoing.about(message) for message in messages])  # before the bytes that its mails carry
    files = Attachment.objects.filter(message__in=messages)
    bytes_of_them = list(files.values_list("blob", flat=True))
    files.delete()
    blobs.discard(bytes_of_them)
    Message.objects.filter(pk__in=messages).delete()
