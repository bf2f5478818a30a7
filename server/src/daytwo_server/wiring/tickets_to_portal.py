from daytwo_server.core.facts import reaction
from daytwo_server.portal import jobs
from daytwo_server.tickets.facts import TicketStatusChanged


@reaction(TicketStatusChanged)
def ask_how_it_went_once_a_ticket_is_resolved(fact: TicketStatusChanged) -> None:
    """After a while: it may be opened again before."""
    if fact.after == "resolved":
        jobs.ask_later(fact.ticket)
