from typing import Any

from daytwo_server.core.facts import reaction
from daytwo_server.tickets.facts import (
    TicketAssigned,
    TicketOpened,
    TicketPriorityChanged,
    TicketRated,
    TicketReplied,
    TicketStatusChanged,
)
from daytwo_server.webhooks.services import anybody, tell


@reaction(
    TicketOpened, TicketReplied, TicketStatusChanged, TicketAssigned, TicketPriorityChanged, TicketRated, when=anybody
)  # fmt: skip
def tell_other_systems(fact: Any) -> None:
    """Ids alone: what they are told is made when they are."""
    match fact:
        case TicketOpened():
            tell("ticket.opened", {"ticket": fact.ticket, "message": fact.message})
        case TicketReplied():
            tell("ticket.replied", {"ticket": fact.ticket, "message": fact.message, "by": fact.by})
        case TicketStatusChanged():
            tell("ticket.status_changed", {"ticket": fact.ticket, "before": fact.before, "after": fact.after})
        case TicketAssigned():
            tell("ticket.assigned", {"ticket": fact.ticket})
        case TicketPriorityChanged():
            tell("ticket.priority_changed", {"ticket": fact.ticket, "before": fact.before, "after": fact.after})
        case TicketRated():
            tell("ticket.rated", {"ticket": fact.ticket, "rating": fact.rating})
