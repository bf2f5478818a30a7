from daytwo_server.core.facts import reaction
from daytwo_server.flags.services import overrides
from daytwo_server.tickets.facts import TicketStatusChanged
from daytwo_server.tickets.models import Status, Ticket


@reaction(TicketStatusChanged)
def end_what_was_switched_for_a_ticket_once_it_is_closed(fact: TicketStatusChanged) -> None:
    """Whoever was excepted while they waited for an answer gets what everybody gets."""
    if fact.after == "closed":
        overrides.remove_of_ticket(fact.ticket)


def _is_closed(ticket: int) -> bool:
    return not Ticket.objects.filter(pk=ticket).exclude(status=Status.CLOSED).exists()


overrides.ask_of_tickets(_is_closed)
