"""The one step by which tickets change: a locked row, a transition of the machine, what is said, what is told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.db.models import F, Value
from django.db.models.functions import Coalesce

from daytwo_server.accounts.models import ApiToken, User
from daytwo_server.core import audit, blobs, facts, live
from daytwo_server.core.ref import Ref
from daytwo_server.customers.models import Customer
from daytwo_server.tickets import machine
from daytwo_server.tickets.facts import TicketStatusChanged
from daytwo_server.tickets.files import File, named, typed
from daytwo_server.tickets.machine import Event, Impossible
from daytwo_server.tickets.models import Attachment, Message, Status, Ticket

LISTS_TOPIC = "tickets"
Actor = User | ApiToken
_PUBLIC = Message.Kind.PUBLIC


class TicketGone(LookupError):
    """There is no such ticket."""


def ticket_topic(ticket: int) -> str:
    """The live topic of one ticket's pages."""
    return f"tickets.{ticket}"


def person_of(actor: Actor | None) -> User | None:
    """Who is behind it; nobody behind a token that setup derived."""
    return actor.created_by if isinstance(actor, ApiToken) else actor


def held(number: int) -> Ticket:
    """The ticket, locked until the transaction ends: what is decided on it stays true. Raises `TicketGone`.

    Whoever holds several takes them in the order of their numbers.
    """
    # NO KEY: messages point at the row, and adding one must not wait for somebody who only changes a tag.
    ticket = Ticket.objects.select_for_update(of=("self",), no_key=True).filter(pk=number).first()
    if ticket is None:
        raise TicketGone(f"There is no ticket {number}.")
    return ticket


@dataclass(frozen=True, kw_only=True)
class Step:
    """What happens to a ticket: the event that the machine is asked about, what is said, and further fields.

    `by` is who did it where that is a person of ours or their program. With `quietly` what is said does not count as
    somebody's turn.
    """

    event: Event
    now: dt.datetime
    by: Actor | None = None
    said: Message | None = None
    files: Sequence[File] = ()
    goal: Status | None = None  # where the writer sends it along with what they say
    quietly: bool = False


def take(ticket: Ticket, step: Step, **values: Any) -> list[object]:
    """Do the step to a ticket that is `held`, and return the facts of it, for the caller to record with its own.

    Raises `Impossible`, having written nothing.
    """
    before, goal = Status(ticket.status), _goal(ticket, step)
    values |= {"updated_at": step.now, **machine.stamps(ticket, goal, step.now)}
    if step.said is not None:
        step.said.created_at = step.now
    if step.said is not None and step.said.kind == _PUBLIC and not step.quietly:
        values |= _last_words(ticket, step, goal)
    _write(ticket, values)
    system = [] if goal == before else [_told(ticket, goal, before, step)]
    said = [step.said] if step.said is not None else []
    Message.objects.bulk_create([*said, *system])
    if step.said is not None:
        attach(step.said, step.files)
    return [] if goal == before else [TicketStatusChanged(ticket=ticket.pk, before=before.value, after=goal.value)]


def _goal(ticket: Ticket, step: Step) -> Status:
    if ticket.merged_into_id is not None:
        raise Impossible(f"{ticket.code} was merged into T-{ticket.merged_into_id}. Go on there.")
    goal = machine.after(step.event, ticket.status)
    return goal if step.goal is None else machine.after(machine.to(step.goal), ticket.status)


def _last_words(ticket: Ticket, step: Step, goal: Status) -> dict[str, Any]:
    assert step.said is not None
    if step.said.author_type == Message.Author.CUSTOMER:
        return {"last_customer_at": step.now, "waiting_since": ticket.waiting_since or step.now}
    # An answer that leaves it our turn starts the wait anew.
    waiting_since = step.now if goal in machine.OUR_TURN else None
    first = ticket.first_response_at or step.now
    return {"last_agent_at": step.now, "first_response_at": first, "waiting_since": waiting_since}


def _write(ticket: Ticket, values: dict[str, Any]) -> None:
    """Only if the ticket still is where the machine was asked about, and the first response only once: the lock says
    so already, the statement says it where the lock would ever be forgotten.
    """
    written = dict(values)
    if "first_response_at" in written:
        written["first_response_at"] = Coalesce(F("first_response_at"), Value(values["first_response_at"]))
    if not Ticket.objects.filter(pk=ticket.pk, status=ticket.status).update(**written):
        raise Impossible("Somebody else changed this ticket at the same moment. Load it again.")
    for name, value in values.items():
        setattr(ticket, name, value)


def _told(ticket: Ticket, goal: Status, before: Status, step: Step) -> Message:
    """Every change of status leaves one message, so that the conversation is the history too."""
    return Message(
        ticket=ticket,
        kind=Message.Kind.SYSTEM,
        author_type=Message.Author.SYSTEM,
        author=person_of(step.by),
        content=f"Ticket status changed to: {goal.value}",
        before=before,
        after=goal,
        created_at=step.now,
    )


class Words(Protocol):
    """What a customer says; of a mail, `body_text` and `body_html` are all of it."""

    @property
    def content(self) -> str: ...
    @property
    def body_text(self) -> str: ...
    @property
    def body_html(self) -> str: ...


def by_customer(ticket: Ticket, words: Words, *, customer: Customer, key: str, now: dt.datetime) -> Message:
    """A public message of the customer, not saved yet; `key` is what makes it one that is said once."""
    return Message(
        ticket=ticket,
        kind=_PUBLIC,
        author_type=Message.Author.CUSTOMER,
        customer=customer,
        content=words.content,
        body_text=words.body_text,
        body_html=words.body_html,
        idempotency_key=key,
        created_at=now,
    )


def attach(message: Message, files: Sequence[File]) -> None:
    """Keep the files of a message in the current transaction."""
    for file in files:
        blob = blobs.put(file.data, content_type=file.content_type)
        Attachment.objects.create(
            message=message, name=named(file.name), content_type=typed(file.content_type), size=blob.size, blob=blob
        )


def note_audit(verb: str, ticket: Ticket, actor: Actor | None, *, before: Any = None, after: Any = None) -> None:
    """The audit entry of what one of us did: ids and fixed values, never words that somebody typed. What customers do
    is in the ticket, and that says who and when.
    """
    ref = Ref("ticket", ticket.pk)
    audit.record(f"tickets:ticket:{verb}", actor=actor, ref=ref, before=before, after=after)


def announce(told: Sequence[object], *tickets: int) -> None:
    """Record the facts and tell open pages: the last thing in a transaction."""
    facts.record(*told)
    live.bump(LISTS_TOPIC, *(ticket_topic(ticket) for ticket in tickets))
