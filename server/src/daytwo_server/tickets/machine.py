"""What may happen to a ticket, and where that leads: the one table of transitions. Pure.

Every write of the room goes through `after` and `stamps`, so a rule that is not here is not a rule.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol

from daytwo_server.tickets.models import Status

REOPEN_WINDOW = dt.timedelta(days=7)  # after it a resolved ticket closes, and a reply opens a follow-up

OPEN, PENDING, IN_PROGRESS = Status.OPEN, Status.PENDING, Status.IN_PROGRESS
WAITING, RESOLVED, CLOSED = Status.WAITING_CUSTOMER, Status.RESOLVED, Status.CLOSED
ACTIVE = (OPEN, PENDING, IN_PROGRESS, WAITING)
OUR_TURN = (OPEN, PENDING, IN_PROGRESS)  # the customer waits for us


class Event(StrEnum):
    """What can happen."""

    AGENT_REPLIED = "agent_replied"
    CUSTOMER_REPLIED = "customer_replied"
    NOTED = "noted"
    ASSIGNED = "assigned"
    CHANGED = "changed"  # priority, category, tags, team
    BOUNCED = "bounced"  # our last mail did not arrive
    MERGED = "merged"  # into another ticket
    EXPIRED = "expired"  # the reopen window of a resolved ticket is over
    SET_OPEN = "set:open"
    SET_PENDING = "set:pending"
    SET_IN_PROGRESS = "set:in_progress"
    SET_WAITING_CUSTOMER = "set:waiting_customer"
    SET_RESOLVED = "set:resolved"
    SET_CLOSED = "set:closed"


Row = Mapping[Status, Status]
_STAYS: Row = {status: status for status in (*ACTIVE, RESOLVED)}


def _to(goal: Status, *sources: Status) -> Row:
    return dict.fromkeys(sources, goal)


# Event -> status -> status. What is not in a row cannot happen; nothing ever leads out of closed.
TRANSITIONS: Mapping[Event, Row] = {
    Event.AGENT_REPLIED: {**_to(WAITING, *ACTIVE), RESOLVED: RESOLVED},
    Event.CUSTOMER_REPLIED: _to(PENDING, *ACTIVE, RESOLVED),
    Event.NOTED: _STAYS,
    Event.ASSIGNED: {**_STAYS, **_to(IN_PROGRESS, OPEN, PENDING)},
    Event.CHANGED: _STAYS,
    Event.BOUNCED: {**_STAYS, WAITING: PENDING},
    Event.MERGED: _to(CLOSED, *ACTIVE, RESOLVED),
    Event.EXPIRED: _to(CLOSED, RESOLVED),
    Event.SET_OPEN: _to(OPEN, *ACTIVE, RESOLVED),
    Event.SET_PENDING: _to(PENDING, *ACTIVE, RESOLVED),
    Event.SET_IN_PROGRESS: _to(IN_PROGRESS, *ACTIVE, RESOLVED),
    Event.SET_WAITING_CUSTOMER: _to(WAITING, *ACTIVE, RESOLVED),
    Event.SET_RESOLVED: _to(RESOLVED, *ACTIVE, RESOLVED),
    Event.SET_CLOSED: _to(CLOSED, RESOLVED, CLOSED),
}


class Impossible(ValueError):
    """This cannot happen to a ticket in this status; the text says why and what can be done. Answer 409."""


class Stamped(Protocol):
    """What `stamps` reads of a ticket."""

    status: str
    resolved_at: dt.datetime | None
    waiting_since: dt.datetime | None
    reopened_count: int


def to(status: str) -> Event:
    """The event of setting a status by hand."""
    return Event(f"set:{status}")


def after(event: Event, status: str) -> Status:
    """The status that the event leads to. Raises `Impossible`."""
    goal = TRANSITIONS[event].get(Status(status))
    if goal is None:
        raise Impossible(_why_not(event, Status(status)))
    return goal


def stamps(ticket: Stamped, goal: Status, now: dt.datetime) -> dict[str, Any]:
    """The fields that change with the status. Empty when it stays."""
    was = Status(ticket.status)
    if goal == was:
        return {}
    values: dict[str, Any] = {"status": goal.value, "status_at": now}
    if goal in (RESOLVED, CLOSED):
        values["resolved_at"] = ticket.resolved_at or now  # closing keeps when it was resolved
    elif was == RESOLVED:
        values |= {"resolved_at": None, "reopened_count": ticket.reopened_count + 1}
    if goal == CLOSED:
        values["closed_at"] = now
    values["waiting_since"] = (ticket.waiting_since or now) if goal in OUR_TURN else None
    return values


def can_be_reopened(status: str, resolved_at: dt.datetime | None, now: dt.datetime) -> bool:
    """Whether a customer's reply still belongs to this ticket instead of to a follow-up."""
    if status == CLOSED:
        return False
    return resolved_at is None or now - resolved_at <= REOPEN_WINDOW


def _why_not(event: Event, status: Status) -> str:
    if status == CLOSED:
        return "This ticket is closed, and a closed ticket does not change. A reply of the customer opens a follow-up."
    if event in (Event.SET_CLOSED, Event.EXPIRED):
        return f"Only a resolved ticket can be closed, and this one is {status}. Resolve it first."
    return f"This is not possible while the ticket is {status}."
