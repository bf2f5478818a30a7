"""A ticket begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction

from daytwo_server.core import clock, search
from daytwo_server.customers.models import Customer
from daytwo_server.tickets.checks import Invalid
from daytwo_server.tickets.facts import TicketOpened
from daytwo_server.tickets.files import File
from daytwo_server.tickets.models import Category, Channel, Message, Priority, Ticket
from daytwo_server.tickets.refs import words_of
from daytwo_server.tickets.services.common import announce, attach, by_customer


@dataclass(frozen=True, kw_only=True)
class NewTicket:
    """What a customer asks, checked by the door it came through; see `checks`. Mail may be shorter than forms.

    `content` is what is shown; `body_text` and `body_html` are all of a mail. A ticket with an `idempotency_key` is
    opened once for each customer and key; `reply_key` is that of the reply which a follow-up begins with.
    """

    subject: str
    content: str
    category: Category = Category.OTHER
    priority: Priority = Priority.MEDIUM
    channel: Channel = Channel.API
    project: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[File] = ()
    body_text: str = ""
    body_html: str = ""
    idempotency_key: str = ""
    reply_key: str = ""


def open_ticket(
    new: NewTicket, *, customer: Customer, follow_up_of: Ticket | None = None, said_by: Customer | None = None
) -> tuple[Ticket, Message]:
    """The ticket and its first message, in one transaction. What was opened under the same key is returned again.

    `said_by` is who wrote, where that is not the customer. Raises `Invalid` when that key was used for something else.
    """
    if new.idempotency_key and (known := _opened_before(new, customer)):
        return known
    try:
        # Within a transaction, a savepoint is needed only where the insert may fail and more be asked afterwards.
        with transaction.atomic(savepoint=bool(new.idempotency_key)):
            return _open(new, customer, follow_up_of, said_by or customer)
    except IntegrityError:
        if new.idempotency_key and (known := _opened_before(new, customer)):  # at the same moment
            return known
        raise


def _open(new: NewTicket, customer: Customer, follow_up_of: Ticket | None, said_by: Customer) -> tuple[Ticket, Message]:
    now = clock.now()
    ticket = Ticket(
        customer=customer,
        organization_id=customer.organization_id,
        project_id=new.project,
        subject=new.subject,
        category=new.category,
        priority=new.priority,
        channel=new.channel,
        metadata=dict(new.metadata),
        idempotency_key=new.idempotency_key,
        follow_up_of=follow_up_of,
        created_at=now,
        updated_at=now,
        status_at=now,
        waiting_since=now,
        last_customer_at=now,
    )
    ticket.save(force_insert=True)
    message = by_customer(ticket, new, customer=said_by, key=new.reply_key, now=now)
    message.save(force_insert=True)
    attach(message, new.files)
    search.index_many("ticket", [(ticket.pk, *words_of(ticket, [new.content]))])
    told = TicketOpened(
        ticket=ticket.pk,
        message=message.pk,
        customer=customer.pk,
        channel=ticket.channel,
        follow_up_of=follow_up_of.pk if follow_up_of else None,
    )
    announce([told], ticket.pk)
    return ticket, message


def _opened_before(new: NewTicket, customer: Customer) -> tuple[Ticket, Message] | None:
    found = Ticket.objects.filter(customer=customer, idempotency_key=new.idempotency_key).first()
    if found is None:
        return None
    first = found.messages.order_by("pk")[0]
    if (found.subject, first.content) != (new.subject, new.content):
        raise Invalid({"Idempotency-Key": [f"It was used for {found.code}, which says something else; use another."]})
    found.customer = customer
    return found, first
