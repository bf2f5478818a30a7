"""How tickets are named where other rooms link to them, and by which words they are found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Prefetch, QuerySet
from django.urls import reverse

from daytwo_server.core import search
from daytwo_server.core.ref import Ref, resolver
from daytwo_server.tickets.models import Message, Ticket

INDEXED_MESSAGES = 50  # of one ticket, the latest
INDEXED_CHARACTERS = 20_000


@resolver("ticket")
def tickets(ids: Sequence[str]) -> Mapping[str, Ref]:
    found = Ticket.objects.filter(pk__in=ids).values_list("pk", "subject")
    return {str(pk): Ref("ticket", pk, subject, reverse("tickets:ticket", args=[pk])) for pk, subject in found}


@resolver("ticket_message")
def messages(ids: Sequence[str]) -> Mapping[str, Ref]:
    """A message by its ticket, at its place there."""
    found = Message.objects.filter(pk__in=ids).values_list("pk", "ticket", "ticket__subject")
    return {
        str(pk): Ref("ticket_message", pk, subject, f"{reverse('tickets:ticket', args=[ticket])}#m-{pk}")
        for pk, ticket, subject in found
    }


def words_of(ticket: Ticket, said: Iterable[str]) -> tuple[str, str]:
    """Title and further words, for the search index. They are personal: an erasure takes them out of it."""
    text = " ".join(said)[:INDEXED_CHARACTERS]
    customer = ticket.customer
    return ticket.subject, f"{customer.name} {customer.email} {customer.user_id} {text}"


def _words(ticket: Ticket) -> tuple[str, str]:
    latest: list[Message] = ticket.latest_words  # type: ignore[attr-defined]  # see `_findable`
    # The index keeps some 500 words of an object: those of the tags and of the latest messages go first.
    return words_of(ticket, [*(tag.name for tag in ticket.tags.all()), *(one.content for one in latest)])


def _findable() -> QuerySet[Ticket]:
    latest = Message.objects.exclude(kind=Message.Kind.SYSTEM).order_by("-pk")[:INDEXED_MESSAGES]
    found = Ticket.objects.filter(customer__erased_at=None).select_related("customer")
    return found.prefetch_related("tags", Prefetch("messages", latest, to_attr="latest_words"))


search.source("ticket", _findable, _words)
