"""Mail that tells those of us who should know. An answer to it is an answer to the customer, or a note: the address for
answers says which. None of it ever goes to a customer.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Sequence
from email.utils import parseaddr

from django.urls import reverse

from daytwo_server.accounts import selectors as accounts
from daytwo_server.accounts.http import absolute
from daytwo_server.accounts.models import User
from daytwo_server.accounts.permissions import can
from daytwo_server.core import preferences
from daytwo_server.mail import threads
from daytwo_server.mail.reading.quotes import DELIMITER
from daytwo_server.mail.services import ABOUT as ABOUT_MAIL
from daytwo_server.mail.services import BadAddress, queue
from daytwo_server.tickets.models import HeldMail, Mention, Message, Ticket
from daytwo_server.tickets.services import outgoing

ABOUT = "ticket_notice"  # the kind of ref by which a delivery names the message that it tells of
SHOWN = 5000  # characters of what was said
_ANSWERS = "Answer this mail to answer the customer."
_NOTES = "Answer this mail to add an internal note; the customer does not see it."


def told_of_opening(ticket: Ticket, message: Message) -> None:
    """A question has arrived: for the support address, and for whom it was given to already."""
    headline = f"{ticket.customer.title} asks by {ticket.get_channel_display()}:"
    to = [*_assignee(ticket), *_support()]
    _tell(to, ticket, message, headline)


def told_of_reply(ticket: Ticket, message: Message) -> None:
    """The customer wrote again: for the assignee, else for the team, else for the support address, else for who
    answered last.
    """
    author = message.customer or ticket.customer
    _tell(_responsible(ticket), ticket, message, f"{author.title} wrote:")


def told_of_note(ticket: Ticket, message: Message) -> None:
    """For everybody whom the note names."""
    named = Mention.objects.filter(message=message).select_related("user__membership__workspace").order_by("pk")
    to = [one.user for one in named if _may_be_told(one.user)]
    _tell(to, ticket, message, f"{message.author or 'Somebody'} named you in an internal note:", private=True)


def told_of_assignment(ticket: Ticket, assignee: User, by: User | None) -> None:
    """For the new assignee, with what the customer said last."""
    said = Message.objects.filter(ticket=ticket, kind=Message.Kind.PUBLIC, author_type=Message.Author.CUSTOMER)
    last = said.exclude(mailed__automatic=True).order_by("-pk").first()
    if last is not None and _may_be_told(assignee):
        _tell([assignee], ticket, last, f"{by or 'A program'} gave you this ticket. The customer wrote:")


def told_of_failure(ticket: Ticket, event: Message) -> None:
    """A mail to the customer did not arrive; `event` says which. For whoever has to find another way."""
    _tell(_responsible(ticket), ticket, event, "The customer did not get our mail:", private=True)


def told_of_lateness(ticket: Ticket, event: Message) -> None:
    """A promise to the customer was missed; `event` says which. For whoever has to answer now."""
    _tell(_responsible(ticket), ticket, event, "The customer waits for longer than we promised:")


def told_of_risk(ticket: Ticket, promised: str, due_at: dt.datetime) -> None:
    """A promise runs out soon: for the assignee, else for the team; while nobody has the ticket, for nobody."""
    words = ["A promise to the customer runs out soon:", f"{promised}, due {due_at:%Y-%m-%d %H:%M} UTC"]
    _mail(_assignee(ticket) or _team(ticket), ticket, words, about=f"ticket:{ticket.pk}")


def told_of_held(ticket: Ticket, held: HeldMail) -> None:
    """Mail waits beside the ticket until one of us decides about it: for whoever looks after the ticket."""
    if not preferences.current().mail_url:
        return
    where = absolute(reverse("tickets:ticket", args=[ticket.pk]))
    text = f"A mail of {held.sender} is held beside this ticket.\n\n{held.reason}\n\nAccept or discard it: {where}"
    for one in _responsible(ticket):
        address = one.email if isinstance(one, User) else one
        with contextlib.suppress(BadAddress):
            subject = outgoing.subject_of(ticket)
            queue(to=address, subject=subject, text=text, about=f"{ABOUT_MAIL}:{held.mail_id}", automatic=True)


def told_of_refusal(ticket: Ticket, writer: User, why: str) -> None:
    """What one of us answered by mail was not sent: for the writer. What they wrote is held beside the ticket."""
    if not preferences.current().mail_url:
        return
    words = ["Your answer was not sent:", why, f"It is kept at {absolute(reverse('tickets:ticket', args=[ticket.pk]))}"]
    queue(
        to=writer.email, subject=outgoing.subject_of(ticket), text="\n\n".join(words), about=f"ticket:{ticket.pk}",
        automatic=True,
    )  # fmt: skip


def _tell(to: Sequence[User | str], ticket: Ticket, message: Message, headline: str, *, private: bool = False) -> None:
    """One mail to each, in the current transaction. Of the files in a message only their number is told."""
    files = message.attachments.count()
    shown = message.content[:SHOWN] + (" …" if len(message.content) > SHOWN else "")
    words = [headline, shown, f"({files} file{'s' if files > 1 else ''})" if files else ""]
    _mail(to, ticket, words, about=f"{ABOUT}:{message.pk}", private=private)


def _mail(to: Sequence[User | str], ticket: Ticket, words: Sequence[str], *, about: str, private: bool = False) -> None:
    if not preferences.current().mail_url:
        return
    by_address = {(one.email if isinstance(one, User) else one): one for one in reversed(to)}
    for address, recipient in by_address.items():
        party = recipient.pk if isinstance(recipient, User) else 0
        reply_to = threads.address(ticket.pk, party, agent=True, private=private)
        foot = ["-- ", absolute(reverse("tickets:ticket", args=[ticket.pk])), (_NOTES if private else _ANSWERS)]
        foot = [*foot, threads.marker(reply_to)] if reply_to else foot[:2]
        try:
            queue(
                to=address,
                subject=outgoing.subject_of(ticket),
                text="\n\n".join([*filter(None, [DELIMITER if reply_to else "", *words]), "\n".join(foot)]),
                about=about,
                references=[f"<ticket.{ticket.pk}@{threads.domain()}>"],
                reply_to=reply_to,
                from_name=f"{ticket.code} {ticket.customer.title}",
                automatic=True,
            )
        except BadAddress:
            continue  # an account that was made without one; the page shows it all


def _responsible(ticket: Ticket) -> list[User | str]:
    return _assignee(ticket) or _team(ticket) or _support() or _last_to_answer(ticket)


def _assignee(ticket: Ticket) -> list[User | str]:
    found = User.objects.filter(pk=ticket.assignee_id).first() if ticket.assignee_id else None
    return [found] if found and _may_be_told(found) else []


def _team(ticket: Ticket) -> list[User | str]:
    """By its address, or each of its members; nobody for a name that no team has."""
    team = accounts.team_named(ticket.team)
    if team is None:
        return []
    if team.address and not threads.is_inbound(team.address):
        return [team.address]
    return [one for one in accounts.members_of(team) if _may_be_told(one)]


def _support() -> list[User | str]:
    address = parseaddr(preferences.current().support_email)[1]
    return [address] if address and not threads.is_inbound(address) else []


def _last_to_answer(ticket: Ticket) -> list[User | str]:
    answers = Message.objects.filter(ticket=ticket, author_type=Message.Author.AGENT, author__isnull=False)
    last = answers.order_by("-pk").values_list("author", flat=True).first()
    found = User.objects.filter(pk=last).first() if last else None
    return [found] if found and _may_be_told(found) else []


def _may_be_told(user: User) -> bool:
    return can(user, "tickets.view")
