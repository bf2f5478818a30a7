"""What tickets keep about one customer, for the document that they may ask for (`customers.exports`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from django.db.models import QuerySet

from daytwo_server.core import blobs, sql
from daytwo_server.core.longjson import Base64
from daytwo_server.customers.exports import came, went
from daytwo_server.customers.models import Customer
from daytwo_server.mail import selectors as mail
from daytwo_server.tickets.models import Attachment, Message, Ticket
from daytwo_server.tickets.services import outgoing

AT_ONCE = 50  # tickets or messages in memory
_Rows = Iterator[dict[str, Any]]


def of_customer(customer: Customer) -> _Rows:
    """Their tickets with everything said in them, notes about them too, the bytes of the files, what they mailed as it
    arrived, and what was mailed to them.
    """
    theirs = Ticket.objects.filter(customer=customer).order_by("pk").values_list("pk", flat=True)
    for numbers in sql.batches(list(theirs), AT_ONCE):
        mailed = mail.texts_about(outgoing.about_tickets(numbers))
        for ticket in Ticket.objects.filter(pk__in=numbers).order_by("pk").prefetch_related("tags"):
            refs = outgoing.about_tickets([ticket.pk])
            yield _ticket(ticket) | {
                "checklist": [{"text": one.text, "doneAt": one.done_at} for one in ticket.todos.order_by("pk")],
                "mailed": [went(one) for ref in refs for one in mailed.get(ref, ())],
                "messages": _messages(ticket.messages.all(), customer),
            }


def elsewhere(customer: Customer) -> _Rows:
    """What they wrote in tickets of others, where they took part. Of those tickets only the number: the rest is not
    theirs.
    """
    said = Message.objects.filter(customer=customer).exclude(ticket__customer=customer)
    for number in list(said.order_by("ticket").values_list("ticket", flat=True).distinct()):
        for message in _messages(said.filter(ticket=number), customer):
            yield {"ticket": f"T-{number}"} | message


def _ticket(ticket: Ticket) -> dict[str, Any]:
    return {
        "id": ticket.uid,
        "number": ticket.code,
        "subject": ticket.subject,
        "category": ticket.category,
        "priority": ticket.priority,
        "status": ticket.status,
        "channel": ticket.channel,
        "tags": sorted(tag.name for tag in ticket.tags.all()),
        "metadata": ticket.metadata,
        "rating": ticket.rating,
        "ratingComment": ticket.rating_comment,
        "createdAt": ticket.created_at,
        "resolvedAt": ticket.resolved_at,
    }


def _messages(said: QuerySet[Message], customer: Customer) -> _Rows:
    """Of one ticket, with the mails that the customer's messages came by, and those that our answers went by. What
    others mailed holds more than they said.
    """
    ids = list(said.exclude(kind=Message.Kind.SYSTEM).order_by("pk").values_list("pk", flat=True))
    for some in sql.batches(ids, AT_ONCE):
        rows = list(Message.objects.filter(pk__in=some).order_by("pk").prefetch_related("attachments"))
        theirs = [row for row in rows if row.customer_id == customer.pk]
        arrived = mail.became(f"ticket:{theirs[0].ticket_id}", _refs(theirs)) if theirs else {}
        mailed = mail.texts_about(_refs([row for row in rows if row.author_type == Message.Author.AGENT]))
        for row in rows:
            ref = outgoing.about(row.pk)
            yield _message(row) | {
                "mail": came(arrived[ref]) if ref in arrived else None,
                "mailed": [went(one) for one in mailed.get(ref, ())],
            }


def _refs(messages: Sequence[Message]) -> list[str]:
    return [outgoing.about(one.pk) for one in messages]


def _message(message: Message) -> dict[str, Any]:
    return {
        "authorType": message.author_type,
        "isInternal": message.is_internal,
        "content": message.content,
        "bodyText": message.body_text,
        "bodyHtml": message.body_html,
        "createdAt": message.created_at,
        "attachments": [_file(file) for file in message.attachments.all()],
    }


def _file(file: Attachment) -> dict[str, Any]:
    return {
        "name": file.name,
        "contentType": file.content_type,
        "size": file.size,
        "contentBase64": Base64(partial(blobs.read, file.blob_id)),
    }
