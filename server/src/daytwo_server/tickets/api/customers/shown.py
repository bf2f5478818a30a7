"""What customers are told: the one list of fields, by which nothing else can leave. Nothing here reads a whole row."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable

import msgspec
from django.urls import reverse

from daytwo_server.accounts.http import absolute
from daytwo_server.tickets.models import Attachment, Message, Ticket


class FileShown(msgspec.Struct, rename="camel"):
    id: uuid.UUID
    name: str
    content_type: str
    size: int
    url: str


class MessageShown(msgspec.Struct, rename="camel"):
    """`author_id` is the SaaS's own id of a customer; who of us answered is ours to know."""

    id: uuid.UUID
    ticket_id: uuid.UUID
    author_id: str | None
    author_type: str
    content: str
    is_internal: bool
    attachments: list[FileShown]
    created_at: dt.datetime


class TicketShown(msgspec.Struct, rename="camel", omit_defaults=True):
    """`updated_at` moves with what customers can see: a note of ours must not be noticed by it."""

    id: uuid.UUID
    number: str
    user_id: str
    organization_id: str | None
    subject: str
    description: str
    category: str
    priority: str
    status: str
    created_at: dt.datetime
    updated_at: dt.datetime
    resolved_at: dt.datetime | None
    first_response_at: dt.datetime | None
    follow_up_of: uuid.UUID | None
    merged_into: uuid.UUID | None
    rating: int | None
    messages: list[MessageShown] | msgspec.UnsetType = msgspec.UNSET


def ticket_shown(ticket: Ticket, description: str, messages: Iterable[Message] | None = None) -> TicketShown:
    """Of a ticket with its customer and organization."""
    seen = (ticket.created_at, ticket.status_at, ticket.last_customer_at, ticket.last_agent_at, ticket.rated_at)
    return TicketShown(
        id=ticket.uid,
        number=ticket.code,
        user_id=ticket.customer.user_id,
        organization_id=ticket.organization.external_id if ticket.organization else None,
        subject=ticket.subject,
        description=description,
        category=str(ticket.category),
        priority=str(ticket.priority),
        status=str(ticket.status),
        created_at=ticket.created_at,
        updated_at=max(moment for moment in seen if moment),
        resolved_at=ticket.resolved_at,
        first_response_at=ticket.first_response_at,
        follow_up_of=ticket.follow_up_of.uid if ticket.follow_up_of else None,
        merged_into=ticket.merged_into.uid if ticket.merged_into else None,
        rating=ticket.rating,
        messages=msgspec.UNSET if messages is None else [message_shown(message, ticket) for message in messages],
    )


def message_shown(message: Message, ticket: Ticket) -> MessageShown:
    """Of a public message as it stands in `ticket`, be it its own or of one that was merged into it."""
    if message.is_internal:
        raise ValueError("An internal message is on its way to a customer.")  # whoever asked for it made a mistake
    return MessageShown(
        id=message.uid,
        ticket_id=ticket.uid,
        author_id=message.customer.user_id if message.customer else None,
        author_type=str(message.author_type),
        content=message.content,
        is_internal=False,
        attachments=[_file_shown(file, ticket) for file in message.attachments.all()],
        created_at=message.created_at,
    )


def _file_shown(file: Attachment, ticket: Ticket) -> FileShown:
    url = absolute(reverse("support:attachment", args=[str(ticket.uid), str(file.uid)]))
    return FileShown(id=file.uid, name=file.name, content_type=file.content_type, size=file.size, url=url)
