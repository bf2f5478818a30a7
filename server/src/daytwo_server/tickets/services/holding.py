"""Mail that leads to a ticket and waits for one of us: its sender takes no part there, or it cannot be taken as is."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from daytwo_server.accounts.models import User
from daytwo_server.core import clock
from daytwo_server.mail import Letter, Outcome, Result, intake
from daytwo_server.mail import services as mail
from daytwo_server.mail.models import InboundMail
from daytwo_server.tickets.checks import cleaned, one_line
from daytwo_server.tickets.models import HeldMail, Participant, Ticket
from daytwo_server.tickets.services import notices
from daytwo_server.tickets.services.common import announce, note_audit

SHOWN = 2000  # characters


class NotTaken(Exception):
    """The mail could not be taken; the text says why, and it is still held."""


def hold(ticket: Ticket, inbound: InboundMail, letter: Letter, *, reason: str, told: bool) -> HeldMail:
    """Keep it beside the ticket for agents to look at, in the current transaction, and tell whoever looks after the
    ticket, unless somebody was `told` or other mail waits there already.
    """
    values = {
        "ticket": ticket,
        "sender": letter.sender.address,
        "name": letter.sender.name[:200],
        "subject": one_line(letter.subject),
        "text": cleaned(letter.stripped_text)[:SHOWN],
        "files": len(letter.attachments),
        "reason": reason[:300],
        "created_at": clock.now(),
        "settled_at": None,
        "accepted": False,
        "apart": False,
    }
    news = not told and not HeldMail.objects.filter(ticket=ticket, settled_at=None).exists()
    held, _ = HeldMail.objects.update_or_create(mail=inbound, defaults=values)
    if news:
        notices.told_of_held(ticket, held)
    announce([], ticket.pk)
    return held


def accept(held: HeldMail, *, actor: User, sender_too: bool = False, apart: bool = False) -> Outcome:
    """Take the mail as its sender's word in the ticket, and with `sender_too` whatever else they wrote and will write
    there; or, `apart`, as a question of its own. Raises `NotTaken`.

    Should the process end in between, a job takes it.
    """
    if held.settled_at is not None:
        raise NotTaken("Somebody has decided about this mail already.")
    if sender_too and not held.sender:
        raise NotTaken("It names no sender, so nobody can be let in by it. Accept the mail alone.")
    with transaction.atomic():
        waiting = [held]
        if sender_too:
            _let_in(held, actor)
            waiting = list(HeldMail.objects.filter(ticket=held.ticket, sender=held.sender, settled_at=None))
        for one in waiting:
            _take(one, apart=apart)
        note_audit("sender-accepted" if sender_too else "mail-accepted", held.ticket, actor, after={"mail": held.pk})
    outcomes = {one.pk: intake.process(one.mail_id) for one in waiting}
    outcome = outcomes[held.pk]
    if outcome.result == Result.QUARANTINED:
        HeldMail.objects.filter(pk=held.pk).update(accepted=False, settled_at=None)
        raise NotTaken(f"The mail could not be read: {outcome.reason}")
    if outcome.result == Result.HELD:
        raise NotTaken(outcome.reason)
    return outcome


def discard(held: HeldMail, *, actor: User) -> None:
    """Put it aside. `keep` takes that back, as long as mail is kept."""
    with transaction.atomic():
        if HeldMail.objects.filter(pk=held.pk, settled_at=None).update(settled_at=clock.now()):
            note_audit("mail-discarded", held.ticket, actor, after={"mail": held.pk})
            announce([], held.ticket_id)


def keep(held: HeldMail, *, actor: User) -> bool:
    """Hold again what was put aside; false when it was not."""
    with transaction.atomic():
        kept = HeldMail.objects.filter(pk=held.pk, accepted=False, settled_at__isnull=False).update(settled_at=None)
        if kept:
            note_audit("mail-kept", held.ticket, actor, after={"mail": held.pk})
            announce([], held.ticket_id)
    return bool(kept)


def let_out(ticket: Ticket, participant: int, *, actor: User) -> None:
    """Hold what this sender writes from now on. What they said stays."""
    with transaction.atomic():
        if Participant.objects.filter(ticket=ticket, pk=participant).delete()[0]:
            note_audit("sender-removed", ticket, actor, after={"participant": participant})
            announce([], ticket.pk)


def _let_in(held: HeldMail, actor: User) -> None:
    try:
        with transaction.atomic():
            Participant.objects.create(ticket=held.ticket, address=held.sender, added_by=actor, added_at=clock.now())
    except IntegrityError:
        return  # they take part already


def _take(held: HeldMail, *, apart: bool) -> None:
    """Raises `NotTaken` when somebody else was quicker, or the mail itself is gone."""
    if not HeldMail.objects.filter(pk=held.pk, settled_at=None).update(
        settled_at=clock.now(), accepted=True, apart=apart
    ):
        raise NotTaken("Somebody has decided about this mail already.")
    if held.mail.raw_id is None:
        raise NotTaken("The mail itself is not kept any more.")
    mail.release(held.mail)
