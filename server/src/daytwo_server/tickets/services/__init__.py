"""Every write about tickets. Whoever calls has already asked `permissions.can`, or knows whose ticket it is."""

from daytwo_server.tickets.checks import Invalid
from daytwo_server.tickets.files import File
from daytwo_server.tickets.machine import Impossible
from daytwo_server.tickets.services.ageing import close_resolved, mail_went_on, undelivered
from daytwo_server.tickets.services.changes import (
    MAX_BULK,
    Bulk,
    Change,
    assign,
    change,
    change_many,
    set_status,
    take_by_writing,
)
from daytwo_server.tickets.services.common import LISTS_TOPIC, Actor, TicketGone, ticket_topic
from daytwo_server.tickets.services.conversation import Answered, Said, customer_reply, note, note_from_outside, reply
from daytwo_server.tickets.services.forgetting import delete_tickets, forget_customer
from daytwo_server.tickets.services.marking import POSSIBLE_SPAM, SPAM, mark
from daytwo_server.tickets.services.merging import merge
from daytwo_server.tickets.services.opening import NewTicket, open_ticket
from daytwo_server.tickets.services.promising import remark, set_due
from daytwo_server.tickets.services.rating import TooFast, rate
from daytwo_server.tickets.services.saved_replies import (
    ReplyWords,
    TooLate,
    delete_reply,
    filled_for,
    note_use,
    restore_reply,
    save_reply,
)
from daytwo_server.tickets.services.telling import (
    tell_of_assignment,
    tell_of_lateness,
    tell_of_note,
    tell_of_opening,
    tell_of_reply,
    tell_of_risk,
)
from daytwo_server.tickets.services.todos import TodoGone, add_todos, remove_todo, restore_todo, tick

__all__ = [
    "LISTS_TOPIC", "MAX_BULK", "POSSIBLE_SPAM", "SPAM", "Actor", "Answered", "Bulk", "Change", "File", "Impossible",
    "Invalid", "NewTicket", "ReplyWords", "Said", "TicketGone", "TodoGone", "TooFast", "TooLate", "add_todos",
    "assign", "change", "change_many", "close_resolved", "customer_reply", "delete_reply", "delete_tickets",
    "filled_for", "forget_customer", "mail_went_on", "mark", "merge", "note", "note_from_outside", "note_use",
    "open_ticket", "rate", "remark", "remove_todo", "reply", "restore_reply", "restore_todo", "save_reply", "set_due",
    "set_status", "take_by_writing", "tell_of_assignment", "tell_of_lateness", "tell_of_note", "tell_of_opening",
    "tell_of_reply", "tell_of_risk", "tick", "ticket_topic", "undelivered",
]  # fmt: skip
