"""What was said is forgotten: because a customer asked for it, or because it is old."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction

from daytwo_server.core import blobs, live, search
from daytwo_server.desk.services import forget_drafts
from daytwo_server.mail import services as mail
from daytwo_server.tickets.drafts import note_key, reply_key
from daytwo_server.tickets.models import Attachment, Mailed, Message, Pace, Participant, Tag, Ticket, Todo
from daytwo_server.tickets.services import notices, outgoing
from daytwo_server.tickets.services.common import LISTS_TOPIC, held, ticket_topic

ERASED = "Erased"


def forget_customer(customer: int) -> None:
    """Take everything that a customer said, and that was said to and about them, out of the tickets. The empty rows
    stay, with their times and statuses, so that reports stay true. Doing it again changes nothing.
    """
    _let_out_everywhere(customer)
    Pace.objects.filter(customer=customer).delete()
    for number in Ticket.objects.filter(customer=customer).order_by("pk").values_list("pk", flat=True):
        _forget_words(number)
    _forget_elsewhere(customer)


def delete_tickets(numbers: Collection[int]) -> int:
    """Remove tickets with everything in them, in the current transaction; returns how many there were."""
    _delete_messages(Message.objects.filter(ticket__in=numbers).values_list("pk", flat=True))
    _forget_beside(numbers)
    search.remove("ticket", list(numbers))
    gone = Ticket.objects.filter(pk__in=numbers).delete()[1].get(Ticket._meta.label, 0)
    live.bump(LISTS_TOPIC)
    return gone


@transaction.atomic
def _let_out_everywhere(customer: int) -> None:
    """The addresses from which they wrote, wherever one of us let them in: by then nothing else tells which they are,
    so this comes before their messages go.
    """
    wrote_from = Mailed.objects.filter(message__customer=customer).values("sender")
    Participant.objects.filter(address__in=wrote_from).delete()


@transaction.atomic
def _forget_elsewhere(customer: int) -> None:
    """What they said in tickets of others, which are found by other words then."""
    said = Message.objects.filter(customer=customer)
    numbers = set(said.values_list("ticket", flat=True))
    _delete_messages(said.values_list("pk", flat=True))
    search.refresh("ticket", numbers)
    live.bump(*map(ticket_topic, numbers))


@transaction.atomic
def _forget_words(number: int) -> None:
    ticket = held(number)
    said = Message.objects.filter(ticket=ticket).exclude(kind=Message.Kind.SYSTEM)
    _delete_messages(said.values_list("pk", flat=True))
    _forget_beside([number])
    Participant.objects.filter(ticket=ticket).delete()
    Tag.objects.filter(ticket=ticket).delete()
    Ticket.objects.filter(pk=number).update(
        subject=ERASED, organization=None, metadata={}, rating_comment="", idempotency_key=""
    )
    search.remove("ticket", [number])
    live.bump(LISTS_TOPIC, ticket_topic(number))


def _delete_messages(ids: Collection[int]) -> None:
    messages = list(ids)
    kinds = (outgoing.ABOUT, notices.ABOUT)
    mail.forget(refs=[f"{kind}:{one}" for one in messages for kind in kinds])  # before the bytes that its mails carry
    files = Attachment.objects.filter(message__in=messages)
    bytes_of_them = list(files.values_list("blob", flat=True))
    files.delete()
    blobs.discard(bytes_of_them)
    Message.objects.filter(pk__in=messages).delete()


def _forget_beside(numbers: Collection[int]) -> None:
    """What no message was made of: what is to be done, what is held, mails about the whole ticket, what is being
    written, and what we were told of the events that stay.
    """
    refs = [*(f"ticket:{one}" for one in numbers), *outgoing.about_tickets(numbers)]
    events = Message.objects.filter(ticket__in=numbers, kind=Message.Kind.SYSTEM).values_list("pk", flat=True)
    mail.forget(refs=[*refs, *(f"{notices.ABOUT}:{one}" for one in events)])
    Todo.objects.filter(ticket__in=numbers).delete()
    forget_drafts(key(one) for one in numbers for key in (reply_key, note_key))
