"""What reactions to this room's facts have mailed. By then anything may have been erased: then nobody is told."""

from __future__ import annotations

import datetime as dt

from daytwo_server.accounts.models import User
from daytwo_server.core import preferences
from daytwo_server.tickets.models import Message, Ticket
from daytwo_server.tickets.services import notices, outgoing


def tell_of_opening(ticket: int, message: int) -> None:
    """Acknowledge a question, and tell the support address of it."""
    if not preferences.current().mail_url:
        return
    opened, first = _ticket(ticket), _message(message)
    if opened and first:
        outgoing.acknowledge(opened)
        notices.told_of_opening(opened, first)


def tell_of_reply(message: int) -> None:
    """What a customer said, to whoever looks after the ticket."""
    said = _message(message)
    if said and (ticket := _ticket(said.ticket_id)):
        notices.told_of_reply(ticket, said)


def tell_of_note(message: int) -> None:
    """A note, to those whom it names."""
    said = _message(message)
    if said and (ticket := _ticket(said.ticket_id)):
        notices.told_of_note(ticket, said)


def tell_of_assignment(ticket: int, assignee: int, by: int | None) -> None:
    """A ticket that was given to somebody, to them, unless it is somebody else's by now."""
    given = _ticket(ticket)
    if given and given.assignee_id == assignee:
        who = User.objects.filter(pk=by).first() if by else None
        notices.told_of_assignment(given, User.objects.get(pk=assignee), who)


def tell_of_lateness(message: int) -> None:
    """That a promise was missed, which a message of the system says, to whoever looks after the ticket."""
    said = _message(message)
    if said and (ticket := _ticket(said.ticket_id)):
        notices.told_of_lateness(ticket, said)


def tell_of_risk(ticket: int, promised: str, due_at: dt.datetime) -> None:
    """That a promise runs out soon, to who has the ticket; `promised` says which."""
    if found := _ticket(ticket):
        notices.told_of_risk(found, promised, due_at)


def _ticket(number: int) -> Ticket | None:
    return Ticket.objects.select_related("customer").filter(pk=number).first()


def _message(pk: int) -> Message | None:
    return Message.objects.select_related("author", "customer").filter(pk=pk).first()
