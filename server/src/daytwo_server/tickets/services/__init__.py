"""Every write about tickets. Whoever calls has already asked `permissions.can`, or knows whose ticket it is."""

from daytwo_server.tickets.checks import Invalid
from daytwo_server.tickets.files import File
from daytwo_server.tickets.machine import Impossible
from daytwo_server.tickets.services.ageing import close_resolved, undelivered
from daytwo_server.tickets.services.changes import MAX_BULK, Bulk, Change, assign, change, change_many, set_status
from daytwo_server.tickets.services.common import LISTS_TOPIC, Actor, TicketGone, ticket_topic
from daytwo_server.tickets.services.conversation import Answered, Said, customer_reply, note, reply
from daytwo_server.tickets.services.forgetting import delete_tickets, forget_customer
from daytwo_server.tickets.services.merging import merge
from daytwo_server.tickets.services.opening import NewTicket, open_ticket
from daytwo_server.tickets.services.rating import rate

__all__ = [
    "LISTS_TOPIC", "MAX_BULK", "Actor", "Answered", "Bulk", "Change", "File", "Impossible", "Invalid", "NewTicket",
    "Said", "TicketGone", "assign", "change", "change_many", "close_resolved", "customer_reply",
    "delete_tickets", "forget_customer", "merge", "note", "open_ticket", "rate", "reply", "set_status",
    "ticket_topic", "undelivered",
]  # fmt: skip
