"""Tickets for customers. Everything they read begins with `tickets_for`, and of messages they see the public ones."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import OuterRef, Q, QuerySet, Subquery

from daytwo_server.core import clock
from daytwo_server.core.pages import Page, page
from daytwo_server.tickets.models import Attachment, Message, Ticket
from daytwo_server.tickets.selectors.tickets import named, with_merged

PAGE = 50


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Whose tickets may be read: those of a customer, and where a server key asks so, of an organization (its id).
    With both, what belongs to both. None of them reads nothing.

    `address` is for somebody who has shown that they read the mail to it: they read the tickets of every customer of
    whom exactly this address is verified, or all that is known. Not those of a user of whom it was only told, nor of
    anybody else in their organization.
    """

    user_id: str = ""
    organization_id: str = ""
    address: str = ""


def tickets_for(reader: Reader) -> QuerySet[Ticket]:
    """The tickets this reader may know of."""
    own = Q(customer__key=f"id:{reader.user_id}") if reader.user_id else Q()
    theirs = Q(organization__external_id=reader.organization_id) if reader.organization_id else Q()
    at = Q(customer__email=reader.address, customer__email_verified=True) | Q(customer__key=f"email:{reader.address}")
    if not (reader.user_id or reader.organization_id or reader.address):
        return Ticket.objects.none()
    return Ticket.objects.filter(own, theirs, at if reader.address else Q())


def own_tickets(reader: Reader, *, cursor: str = "", limit: int = PAGE) -> Page[Ticket]:
    """One page, newest first, each with its `description`. One query. Raises `BadCursor`."""
    return page(_shown(tickets_for(reader)), by="created_at", cursor=cursor, limit=limit)


def own_ticket(reader: Reader, code: str) -> Ticket | None:
    """One of the reader's tickets, by id or number, with its `description`."""
    return _shown(named(tickets_for(reader), code)).first()


def conversation(ticket: Ticket) -> list[Message]:
    """What was said in public in a ticket and in those merged into it, with files."""
    theirs = with_merged(ticket.pk).filter(customer=ticket.customer_id)
    public = Message.objects.filter(ticket__in=theirs, kind=Message.Kind.PUBLIC)
    return list(
        public.select_related("ticket", "customer").prefetch_related("attachments").order_by("created_at", "pk")
    )


def attachment(reader: Reader, code: str, uid: str) -> Attachment | None:
    """A file of a public message that the reader may see."""
    ticket = own_ticket(reader, code)
    files = (file for message in (conversation(ticket) if ticket else ()) for file in message.attachments.all())
    return next((file for file in files if str(file.uid) == uid), None)


def seconds_to_wait(customer: int, *, most: int, window_s: int) -> float:
    """How long until this customer may say something again, who may say `most` things in `window_s` seconds; 0 when
    they may now. One query.
    """
    said = Message.objects.filter(customer=customer).order_by("-created_at").values_list("created_at", flat=True)
    last_that_counts = said[most - 1 : most].first()
    if last_that_counts is None:
        return 0
    return max(0.0, window_s - (clock.now() - last_that_counts).total_seconds())


def _shown(found: QuerySet[Ticket]) -> QuerySet[Ticket]:
    first = Message.objects.filter(ticket=OuterRef("pk"), kind=Message.Kind.PUBLIC).order_by("pk")
    shown = found.select_related("customer", "organization", "follow_up_of", "merged_into")
    return shown.annotate(description=Subquery(first.values("content")[:1]))
