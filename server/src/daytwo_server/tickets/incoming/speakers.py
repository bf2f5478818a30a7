"""As whom the sender of a letter may speak in a ticket. That a letter leads there makes nobody somebody."""

from __future__ import annotations

from daytwo_server.accounts.models import User
from daytwo_server.accounts.permissions import can
from daytwo_server.mail import Hit, Letter
from daytwo_server.tickets.models import Participant, Ticket
from daytwo_server.tickets.selectors.tickets import with_merged


def agent(letter: Letter, hit: Hit) -> User | None:
    """The member who writes: what was given to an agent leads here, and the sender is one who may answer."""
    if not hit.agent or letter.authentic is False:
        return None
    found = User.objects.filter(email=letter.sender.address, is_active=True).first()
    return found if found and can(found, "tickets.reply") else None


def is_customer(letter: Letter, ticket: Ticket) -> bool:
    """Whether the sender is the customer of the ticket, or of one that was merged into it."""
    sender = letter.sender.address
    if not sender or letter.authentic is False:
        return False
    merged = Ticket.objects.select_related("customer").filter(merged_into=ticket)
    return any(sender == one.customer.address for one in (ticket, *merged))


def takes_part(letter: Letter, ticket: Ticket) -> bool:
    """Whether the sender is the customer, or somebody whose mail one of us has accepted in the ticket."""
    if letter.authentic is False:
        return False
    let_in = Participant.objects.filter(ticket__in=with_merged(ticket.pk), address=letter.sender.address)
    return is_customer(letter, ticket) or let_in.exists()
