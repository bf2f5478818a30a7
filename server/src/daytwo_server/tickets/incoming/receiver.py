"""What becomes of a letter: a message, a ticket, something that waits for one of us, or nothing."""

from __future__ import annotations

from daytwo_server.accounts.models import User
from daytwo_server.core.prepared import Prepared
from daytwo_server.mail import Hit, Kind, Letter, Outcome, Result
from daytwo_server.mail.models import InboundMail
from daytwo_server.tickets import services
from daytwo_server.tickets.incoming import speakers
from daytwo_server.tickets.incoming.places import message_answered, places
from daytwo_server.tickets.incoming.words import (
    author_of,
    note_mail,
    question_of,
    reply_of,
    words_of_agent,
)
from daytwo_server.tickets.machine import Impossible
from daytwo_server.tickets.models import HeldMail, Message, Ticket
from daytwo_server.tickets.services import Invalid, holding, notices, outgoing

NOT_GENUINE = "Our mail server found that the sender is not who they say."
_ACCEPTED = Prepared[HeldMail](
    lambda mail: HeldMail.objects.filter(mail=mail, accepted=True).select_related("ticket__customer").order_by("pk")[:1]
)
_SUBJECT_ONLY = "Only its subject names this ticket, which anybody can write, and its sender takes no part in it."


def receive(letter: Letter, inbound: InboundMail) -> Outcome:
    """Take a letter, in the transaction of `mail.intake`. Registered by `wiring.mail_to_tickets`."""
    if accepted := next(iter(_ACCEPTED(inbound.pk)), None):
        return _opened(letter) if accepted.apart else _accepted(letter, inbound, accepted.ticket)
    for hit, ticket in places(letter):
        if hit.by == "subject" and not speakers.takes_part(letter, ticket):
            if letter.kind != Kind.HUMAN:
                continue
            return _held(letter, inbound, ticket, _SUBJECT_ONLY)
        return _in_ticket(letter, inbound, hit, ticket)
    if letter.kind != Kind.HUMAN:
        return Outcome(Result.AUTOMATIC, reason="No person wrote it, and it answers nothing of ours.")
    return _opened(letter)


def _opened(letter: Letter) -> Outcome:
    ticket, message = services.open_ticket(question_of(letter), customer=author_of(letter))
    return _done(Result.CREATED, ticket, message, letter)


def _in_ticket(letter: Letter, inbound: InboundMail, hit: Hit, ticket: Ticket) -> Outcome:
    if writer := speakers.agent(letter, hit):
        return _by_agent(letter, inbound, hit, ticket, writer)
    if speakers.takes_part(letter, ticket):
        return _by_customer(letter, ticket) if _is_public(letter, hit, ticket) else _as_note(letter, inbound, ticket)
    no_part = f"{letter.sender.address or 'The sender'} takes no part in this ticket."
    return _held(letter, inbound, ticket, NOT_GENUINE if letter.authentic is False else no_part)


def _by_customer(letter: Letter, ticket: Ticket) -> Outcome:
    try:
        where, message = services.customer_reply(ticket, reply_of(letter), customer=author_of(letter, ticket))
    except Impossible as problem:  # closed, and no person wrote it: that opens no ticket
        return Outcome(Result.AUTOMATIC, f"ticket:{ticket.pk}", reason=str(problem))
    opened = where.pk != ticket.pk and where.created_at == message.created_at
    return _done(Result.CREATED if opened else Result.APPENDED, where, message, letter)


def _by_agent(
    letter: Letter, inbound: InboundMail, hit: Hit, ticket: Ticket, writer: User, *, accepted: bool = False
) -> Outcome:
    """An answer, or a note where anything says that it is for us alone. What cannot be done is held, and told."""
    if letter.kind != Kind.HUMAN:
        return Outcome(Result.AUTOMATIC, f"ticket:{ticket.pk}", reason="An absence note of one of us.")
    ticket, words = _merged_into(ticket), words_of_agent(letter)
    answered = message_answered(letter, ticket)
    try:
        if hit.private or any(one.private for one in letter.hits) or _is_note(answered):
            message = services.note(ticket, words.content, actor=writer, files=words.files)
        else:
            if not accepted:
                _nobody_answered_since(ticket, answered, writer)
            message = services.reply(ticket, words.content, actor=writer, files=words.files)
    except (Impossible, Invalid) as problem:
        notices.told_of_refusal(ticket, writer, str(problem))
        return _held(letter, inbound, ticket, str(problem), told=True)
    if words.text:
        Message.objects.filter(pk=message.pk).update(body_text=words.text)
    return _done(Result.APPENDED, ticket, message, letter)


def _accepted(letter: Letter, inbound: InboundMail, ticket: Ticket) -> Outcome:
    """One of us has looked at it, and wants it here."""
    hit = next((hit for hit, place in places(letter) if place.pk == ticket.pk and hit.by != "subject"), None)
    if hit is None or _is_public(letter, hit, ticket):
        return _by_customer(letter, ticket)
    if writer := speakers.agent(letter, hit):
        return _by_agent(letter, inbound, hit, ticket, writer, accepted=True)
    return _as_note(letter, inbound, ticket)


def _is_public(letter: Letter, hit: Hit, ticket: Ticket) -> bool:
    """Whether the customer may read what the letter says. What answers a mail that was for us may quote that."""
    return not hit.agent or speakers.is_customer(letter, ticket)


def _as_note(letter: Letter, inbound: InboundMail, ticket: Ticket) -> Outcome:
    ticket = _merged_into(ticket)
    try:
        message = services.note_from_outside(ticket, reply_of(letter), customer=author_of(letter, ticket))
    except Impossible as problem:
        return _held(letter, inbound, ticket, str(problem))
    return _done(Result.APPENDED, ticket, message, letter)


def _held(letter: Letter, inbound: InboundMail, ticket: Ticket, reason: str, *, told: bool = False) -> Outcome:
    holding.hold(ticket, inbound, letter, reason=reason, told=told)
    return Outcome(Result.HELD, f"ticket:{ticket.pk}", reason=reason)


def _done(result: Result, ticket: Ticket, message: Message, letter: Letter) -> Outcome:
    note_mail(message, letter)
    return Outcome(result, f"ticket:{ticket.pk}", outgoing.about(message.pk))


def _merged_into(ticket: Ticket) -> Ticket:
    return ticket if ticket.merged_into is None else ticket.merged_into


def _is_note(message: int | None) -> bool:
    return message is not None and Message.objects.filter(pk=message, kind=Message.Kind.NOTE).exists()


def _nobody_answered_since(ticket: Ticket, answered: int | None, writer: User) -> None:
    """Raises `Impossible` when another of us answered what the writer answers now."""
    if answered is None:
        return
    answers = Message.objects.filter(ticket=ticket, kind=Message.Kind.PUBLIC, author_type=Message.Author.AGENT)
    other = answers.filter(pk__gt=answered).exclude(author=writer).select_related("author").first()
    if other is not None:
        raise services.Answered(f"{other.author or 'A colleague'} answered meanwhile.")
