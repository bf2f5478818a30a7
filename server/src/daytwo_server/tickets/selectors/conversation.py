"""What was said in a ticket, a window at a time, and what stands beside it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Max, Q, QuerySet

from daytwo_server.core.pages import Page, page
from daytwo_server.tickets.models import Attachment, Message, Ticket

WINDOW = 20  # messages
EARLIER = 5  # tickets


@dataclass(frozen=True)
class Window:
    """Messages in the order in which they were said. `earlier` are as many before them, `cursor` leads there."""

    messages: list[Message]
    earlier: int
    cursor: str


def window(ticket: Ticket, *, cursor: str = "") -> Window:
    """The latest messages of a ticket and of those merged into it, or those before `cursor`, with people and files.
    Four queries.

    Internal messages are among them. Raises `BadCursor`.
    """
    found: Page[Message] = page(said_in(ticket), by="created_at", cursor=cursor, limit=WINDOW)
    messages = found.rows[::-1]
    if not found.next:
        return Window(messages, 0, "")
    oldest = messages[0]
    before = Q(created_at__lt=oldest.created_at) | Q(created_at=oldest.created_at, pk__lt=oldest.pk)
    return Window(messages, said_in(ticket).filter(before).count(), found.next)


def since(ticket: Ticket, seen: int) -> list[Message]:
    """What was said in the ticket after a message, at most a window of it."""
    return list(said_in(ticket).filter(pk__gt=seen).order_by("created_at", "pk")[:WINDOW])


def last_place(ticket: Ticket) -> int:
    """The place of the latest message of the ticket itself, for `services.reply`; 0 when there is none.

    Those of merged tickets do not count: theirs grow on their own.
    """
    return Message.objects.filter(ticket=ticket).aggregate(last=Max("pk"))["last"] or 0


def message(ticket: Ticket, pk: int) -> Message | None:
    """One message of the ticket or of one merged into it."""
    return said_in(ticket).filter(pk=pk).first()


def attachment(ticket: Ticket, uid: str) -> Attachment | None:
    """A file of the ticket or of one merged into it."""
    return Attachment.objects.filter(_here(ticket, "message__"), uid=uid).first()


def said_in(ticket: Ticket) -> QuerySet[Message]:
    found = Message.objects.filter(_here(ticket)).select_related("author", "customer")
    return found.prefetch_related("attachments")


def _here(ticket: Ticket, to: str = "") -> Q:
    merged = Ticket.objects.filter(merged_into=ticket).values("pk")
    return Q(**{f"{to}ticket": ticket.pk}) | Q(**{f"{to}ticket__in": merged})


def earlier_of(ticket: Ticket) -> list[Ticket]:
    """What else this customer asked, the latest first."""
    others = Ticket.objects.filter(customer=ticket.customer_id).exclude(pk=ticket.pk)
    return list(others.order_by("-created_at", "-pk")[:EARLIER])


def belonging_to(ticket: Ticket) -> list[Ticket]:
    """The tickets that were merged into this one, and those that follow it."""
    return list(Ticket.objects.filter(Q(merged_into=ticket.pk) | Q(follow_up_of=ticket.pk)).order_by("pk")[:WINDOW])
