"""Rows as the API of agents tells them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.urls import reverse

from daytwo_server.accounts.http import absolute
from daytwo_server.mail.models import Delivery
from daytwo_server.mail.selectors import deliveries_about
from daytwo_server.tickets.models import Attachment, Message, Ticket, Todo
from daytwo_server.tickets.promises import Promise, promises
from daytwo_server.tickets.schemas import (
    AttachmentOut,
    CustomerOut,
    DeliveryOut,
    MessageOut,
    PromiseOut,
    TicketDetailOut,
    TicketOut,
    TodoOut,
)
from daytwo_server.tickets.selectors import tickets as selectors
from daytwo_server.tickets.selectors.conversation import todos
from daytwo_server.tickets.services.outgoing import about


def tickets_told(tickets: Sequence[Ticket]) -> list[TicketOut]:
    """Of tickets as `selectors.inbox` gives them."""
    made = promises([ticket.pk for ticket in tickets])
    return [TicketOut.model_validate(_fields(ticket, made[ticket.pk])) for ticket in tickets]


def ticket_told_in_full(ticket: Ticket) -> TicketDetailOut:
    """With all that was said."""
    messages = selectors.conversation(ticket)
    deliveries = deliveries_about(about(one.pk) for one in messages)
    first = next((one for one in messages if one.ticket_id == ticket.pk and not one.is_internal), None)
    return TicketDetailOut.model_validate({
        **_fields(ticket, promises([ticket.pk])[ticket.pk]),
        "description": first.content if first else "",
        "metadata": ticket.metadata,
        "rating_comment": ticket.rating_comment,
        "checklist": [todo_told(one) for one in todos(ticket)],
        "messages": [message_told(one, ticket, deliveries[about(one.pk)]) for one in messages],
    })  # fmt: skip


def todo_told(todo: Todo) -> TodoOut:
    """Something to be done for a ticket."""
    by = todo.done_by.email if todo.done_by else None
    return TodoOut(id=todo.pk, text=todo.text, done_at=todo.done_at, done_by=by)


def message_told(message: Message, ticket: Ticket, deliveries: Sequence[Delivery] = ()) -> MessageOut:
    """Of a message as it stands in `ticket`, with what was mailed of it."""
    return MessageOut.model_validate({
        "id": message.uid,
        "ticket_id": ticket.uid if message.ticket_id == ticket.pk else message.ticket.uid,
        "author_type": message.author_type,
        "author_id": _author_id(message),
        "author_name": _author_name(message),
        "content": message.content,
        "stripped_text": message.content,
        "body_text": message.body_text or message.content,
        "body_html": message.body_html,
        "is_internal": message.is_internal,
        "attachments": [_file(file, ticket) for file in message.attachments.all()],
        "delivery": DeliveryOut(state=deliveries[-1].fate, reason=deliveries[-1].problem) if deliveries else None,
        "created_at": message.created_at,
    })  # fmt: skip


def _author_id(message: Message) -> str | None:
    if message.customer:
        return message.customer.user_id
    return str(message.author_id) if message.author_id else None


def _author_name(message: Message) -> str:
    if message.customer:
        return message.customer.title
    return str(message.author) if message.author else ""


def _file(file: Attachment, ticket: Ticket) -> AttachmentOut:
    url = absolute(reverse("api:get_ticket_attachment", args=[str(ticket.uid), str(file.uid)]))
    return AttachmentOut(id=file.uid, name=file.name, content_type=file.content_type, size=file.size, url=url)


def _fields(ticket: Ticket, made: Sequence[Promise]) -> dict[str, Any]:
    customer = ticket.customer
    return {
        "id": ticket.uid,
        "number": ticket.code,
        "subject": ticket.subject,
        "status": ticket.status,
        "priority": ticket.priority,
        "category": ticket.category,
        "channel": ticket.channel,
        "tags": sorted(tag.name for tag in ticket.tags.all()),
        "team": ticket.team,
        "assigned_to": ticket.assignee.email if ticket.assignee else None,
        "user_id": customer.user_id,
        "customer": CustomerOut(
            id=customer.pk, user_id=customer.user_id, name=customer.name, email=customer.email, plan=customer.plan
        ),
        "organization_id": ticket.organization.external_id if ticket.organization else None,
        "project": ticket.project.slug if ticket.project else None,
        "created_at": ticket.created_at,
        "updated_at": ticket.updated_at,
        "resolved_at": ticket.resolved_at,
        "closed_at": ticket.closed_at,
        "first_response_at": ticket.first_response_at,
        "waiting_since": ticket.waiting_since,
        "reopened_count": ticket.reopened_count,
        "follow_up_of": ticket.follow_up_of.uid if ticket.follow_up_of else None,
        "merged_into": ticket.merged_into.uid if ticket.merged_into else None,
        "rating": ticket.rating,
        "due_at": ticket.due_at,
        "sla": [_promise(one) for one in made],
    }


def _promise(one: Promise) -> PromiseOut:
    return PromiseOut.model_validate({
        "kind": one.kind,
        "state": one.state,
        "policy": one.policy,
        "target_seconds": int(one.target.total_seconds()),
        "remaining_seconds": int(one.remaining.total_seconds()),
        "started_at": one.started_at,
        "warn_at": one.warn_at,
        "due_at": one.due_at,
        "ended_at": one.ended_at,
    })  # fmt: skip
