from daytwo_server.core.facts import reaction
from daytwo_server.sla import services
from daytwo_server.tickets.facts import (
    TicketMerged,
    TicketOpened,
    TicketPriorityChanged,
    TicketReplied,
    TicketStatusChanged,
)


@reaction(TicketOpened, TicketReplied, TicketStatusChanged, TicketPriorityChanged)
def set_the_clocks_of_a_ticket(
    fact: TicketOpened | TicketReplied | TicketStatusChanged | TicketPriorityChanged,
) -> None:
    """What was promised starts, stops and ends by what happens in a ticket."""
    services.recompute(fact.ticket)


@reaction(TicketMerged)
def count_what_was_merged_where_it_went(fact: TicketMerged) -> None:
    """From then on it is as if it had been written there."""
    services.recompute(fact.ticket)
    services.recompute(fact.into)
