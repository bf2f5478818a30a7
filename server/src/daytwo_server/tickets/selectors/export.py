"""What tickets keep about one customer, for the document that they may ask for."""

from __future__ import annotations

import base64
from typing import Any

from daytwo_server.core import blobs
from daytwo_server.customers.models import Customer
from daytwo_server.tickets.models import Attachment, Message, Ticket


def of_customer(customer: Customer) -> list[dict[str, Any]]:
    """Their tickets with everything said in them, notes about them too, and the bytes of the files."""
    found = Ticket.objects.filter(customer=customer).order_by("pk").prefetch_related("tags")
    return [_ticket(ticket) for ticket in found]


def _ticket(ticket: Ticket) -> dict[str, Any]:
    said = ticket.messages.exclude(kind=Message.Kind.SYSTEM).order_by("pk").prefetch_related("attachments")
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
        "messages": [_message(message) for message in said],
    }


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
    data = b"".join(blobs.read(file.blob_id))
    return {
        "name": file.name,
        "contentType": file.content_type,
        "size": file.size,
        "contentBase64": base64.b64encode(data).decode(),
    }
