"""What is said after the beginning: by customers, by agents to them, and by agents among themselves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from daytwo_server.core import clock, search
from daytwo_server.customers.models import Customer
from daytwo_server.tickets import machine
from daytwo_server.tickets.checks import REPLY, Invalid, Problems
from daytwo_server.tickets.facts import TicketNoted, TicketReplied
from daytwo_server.tickets.files import File
from daytwo_server.tickets.machine import Event, Impossible
from daytwo_server.tickets.models import Category, Channel, Mailed, Mention, Message, Priority, Status, Ticket
from daytwo_server.tickets.services import mentions, outgoing
from daytwo_server.tickets.services.common import Actor, Step, announce, by_customer, held, note_audit, person_of, take
from daytwo_server.tickets.services.opening import NewTicket, open_ticket

MAX_REOPENS, REOPENS_WITHIN = 3, dt.timedelta(days=1)  # of one ticket, by mail
MOST_HOPS = 20  # from a merged or closed ticket to the one that takes replies now


class Answered(Impossible):
    """Somebody said something in this ticket that the writer had not seen; nothing was written. Answer 409."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a customer says in a ticket, checked by the door it came through.

    With `quietly` it is only added: whoever wrote it waits for no answer, or is not to move the ticket again.
    """

    content: str
    files: Sequence[File] = ()
    channel: Channel = Channel.API
    body_text: str = ""
    body_html: str = ""
    idempotency_key: str = ""
    quietly: bool = False


def customer_reply(ticket: Ticket, said: Said, *, customer: Customer) -> tuple[Ticket, Message]:
    """Where the customer's words went, and they: the ticket itself; the one it was merged into; or, of one that is
    closed or was resolved longer than the reopen window, its follow-up, which is opened when there is none.

    What was said under the same key is returned again. Raises `Invalid` when that key was used for something else, and
    `Impossible` for what is said quietly in a ticket that is closed: that opens none.
    """
    with transaction.atomic():
        return _customer_reply(ticket, said, customer)


def reply(
    ticket: Ticket,
    content: str,
    *,
    actor: Actor,
    status: Status | None = None,
    files: Sequence[File] = (),
    seen: int | None = None,
) -> Message:
    """Answer the customer. The ticket then waits for them, or is where `status` sends it in the same step; a resolved
    one stays resolved otherwise.

    `seen` is the id of the last message that the writer had before them. Raises `Answered` when something was said
    since, `Impossible` for a closed ticket, `Invalid` for a text that is empty or too long.
    """
    said = _by_agent(ticket, content, Message.Kind.PUBLIC, actor)
    with transaction.atomic():
        now_there = held(ticket.pk)
        _nothing_unseen(now_there, seen)
        step = Step(event=Event.AGENT_REPLIED, now=clock.now(), by=actor, said=said, files=files, goal=status)
        changed = take(now_there, step)
        outgoing.send(now_there, said)
        note_audit("replied", now_there, actor, after={"message": said.pk})
        search.refresh("ticket", [ticket.pk])
        announce([TicketReplied(ticket=ticket.pk, message=said.pk, by="agent"), *changed], ticket.pk)
    return said


def note(ticket: Ticket, content: str, *, actor: Actor, files: Sequence[File] = ()) -> Message:
    """Write something that never leaves the workspace. Members whom it names are told of it; see `mentions`.

    Raises as `reply`.
    """
    said = _by_agent(ticket, content, Message.Kind.NOTE, actor)
    with transaction.atomic():
        now_there = held(ticket.pk)
        take(now_there, Step(event=Event.NOTED, now=clock.now(), by=actor, said=said, files=files))
        named = mentions.members_named(said.content)
        Mention.objects.bulk_create([Mention(message=said, user=user) for user in named if user.pk != said.author_id])
        note_audit("noted", now_there, actor, after={"message": said.pk})
        search.refresh("ticket", [ticket.pk])
        announce([TicketNoted(ticket=ticket.pk, message=said.pk)], ticket.pk)
    return said


def note_from_outside(ticket: Ticket, said: Said, *, customer: Customer) -> Message:
    """Keep as an internal note what somebody wrote who was not to read here, and whom one of us let in all the same."""
    with transaction.atomic():
        now_there, now = held(ticket.pk), clock.now()
        message = by_customer(now_there, said, customer=customer, key="", now=now)
        message.kind = Message.Kind.NOTE
        take(now_there, Step(event=Event.NOTED, now=now, said=message, files=said.files))
        search.refresh("ticket", [ticket.pk])
        announce([TicketNoted(ticket=ticket.pk, message=message.pk)], ticket.pk)
    return message


def _customer_reply(ticket: Ticket, said: Said, customer: Customer) -> tuple[Ticket, Message]:
    passed = _on_the_way(ticket.pk)
    if said.idempotency_key and (known := _said_before(passed, said)):
        return known
    now_there, now = passed[-1], clock.now()
    if not said.quietly and not machine.can_be_reopened(now_there.status, now_there.resolved_at, now):
        # It stays the customer's, whoever of those who take part wrote first after its end.
        owner = now_there.customer
        return open_ticket(_follow_up(now_there, said), customer=owner, follow_up_of=now_there, said_by=customer)
    message = by_customer(now_there, said, customer=customer, key=said.idempotency_key, now=now)
    quietly = said.quietly or (said.channel == Channel.EMAIL and _reopened_enough(now_there, now))
    event = Event.NOTED if quietly else Event.CUSTOMER_REPLIED
    changed = take(now_there, Step(event=event, now=now, said=message, files=said.files, quietly=quietly))
    search.refresh("ticket", [now_there.pk])
    told = [] if said.quietly else [TicketReplied(ticket=now_there.pk, message=message.pk, by="customer")]
    announce([*told, *changed], now_there.pk)
    return now_there, message


def _reopened_enough(ticket: Ticket, now: dt.datetime) -> bool:
    """Whether mails have opened it again so often that the next one is only added: two machines may be at it."""
    if ticket.status != Status.RESOLVED:
        return False
    opened = Message.objects.filter(ticket=ticket, before=Status.RESOLVED, created_at__gt=now - REOPENS_WITHIN)
    by_mail = Mailed.objects.filter(message__ticket=ticket, message__created_at__in=opened.values("created_at"))
    return by_mail.count() >= MAX_REOPENS


def _on_the_way(number: int) -> list[Ticket]:
    """From the ticket that was answered on to what it was merged into, and on to its latest follow-up while it is
    closed, so that somebody who answers an old mail three times opens one ticket. The last one is where it goes, and
    is held: those before it do not change any more, and locking them could meet a merge in a circle.
    """
    passed: list[Ticket] = []
    following: int | None = number
    while following is not None and len(passed) < MOST_HOPS:
        ticket = Ticket.objects.filter(pk=following).first()
        if ticket is None or _next_after(ticket) is None:
            ticket = held(following)  # and looked at again: it may have been closed meanwhile
        passed.append(ticket)
        following = _next_after(ticket)
    return passed


def _next_after(ticket: Ticket) -> int | None:
    if machine.can_be_reopened(ticket.status, ticket.resolved_at, clock.now()):
        return None
    if ticket.merged_into_id is not None:
        return ticket.merged_into_id
    return Ticket.objects.filter(follow_up_of=ticket).order_by("-pk").values_list("pk", flat=True).first()


def _follow_up(closed: Ticket, said: Said) -> NewTicket:
    return NewTicket(
        subject=closed.subject,
        content=said.content,
        category=Category(closed.category),
        priority=Priority(closed.priority),
        channel=said.channel,
        project=closed.project_id,
        files=said.files,
        body_text=said.body_text,
        body_html=said.body_html,
        reply_key=said.idempotency_key,
    )


def _said_before(passed: Sequence[Ticket], said: Said) -> tuple[Ticket, Message] | None:
    by_id = {ticket.pk: ticket for ticket in passed}
    found = Message.objects.filter(ticket__in=by_id, idempotency_key=said.idempotency_key).order_by("-pk").first()
    if found is None:
        return None
    if found.content != said.content:
        raise Invalid({"Idempotency-Key": ["It was used for another reply in this ticket; use another."]})
    return by_id[found.ticket_id], found


def _by_agent(ticket: Ticket, content: str, kind: Message.Kind, actor: Actor) -> Message:
    problems = Problems()
    clean = problems.text(content, "content", *REPLY)
    problems.raise_any()
    return Message(
        ticket_id=ticket.pk,
        kind=kind,
        author_type=Message.Author.AGENT,
        author=person_of(actor),
        content=clean,
    )


def _nothing_unseen(ticket: Ticket, seen: int | None) -> None:
    if seen is None:
        return
    since = Message.objects.filter(ticket=ticket, pk__gt=seen, kind=Message.Kind.PUBLIC)
    if since.exclude(mailed__automatic=True).exists():
        raise Answered("Somebody answered since you loaded this ticket. Read it, then send what is still true.")
