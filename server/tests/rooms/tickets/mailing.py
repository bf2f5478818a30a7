"""Mails as they arrive, and what is mailed because of them."""

from __future__ import annotations

import itertools
import re
from typing import Any

from daytwo_server.accounts.models import User
from daytwo_server.core import jobs
from daytwo_server.mail import intake, threads
from daytwo_server.mail.letter import Envelope, Outcome
from daytwo_server.mail.models import Delivery, InboundMail
from daytwo_server.tickets import services
from daytwo_server.tickets.models import HeldMail, Message, Ticket

_numbers = itertools.count(1)
SUPPORT = "support@acme.test"
STRANGER = "Mallory <mallory@evil.test>"
OURS = "mx.acme.test"


def raw(text: str = "It is empty again.", *, sender: str = "Dana <dana@example.com>", **headers: str) -> bytes:
    """A mail of a person; a header given as "" is left out."""
    given = {
        "From": sender, "To": SUPPORT, "Subject": "Exports are empty",
        "Message-ID": f"<m{next(_numbers)}@example.com>",
    } | {name.replace("_", "-"): value for name, value in headers.items()}  # fmt: skip
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value)
    return f"{head}\r\n{text}\r\n".encode()


def arrives(*args: Any, to: str = "", genuine: bool | None = None, **given: Any) -> Outcome:
    """A mail comes in; `to` is the address of its envelope, `genuine` what our mail server found out."""
    if genuine is not None:
        given["Authentication_Results"] = f"{OURS}; dmarc={'pass' if genuine else 'fail'}"
    return intake.accept(raw(*args, **given), Envelope("", (to,) if to else ()))


def settle() -> None:
    """Run reactions, and what they leave to be done, but send nothing."""
    for _ in range(3):
        jobs.run_due_jobs(tick=False)


def ticket_of(outcome: Outcome) -> Ticket:
    return Ticket.objects.select_related("customer").get(pk=outcome.thread.partition(":")[2])


def message_of(outcome: Outcome) -> Message:
    return Message.objects.get(pk=outcome.message.partition(":")[2])


def said_in(ticket: Ticket, kind: str = "public") -> list[str]:
    return list(Message.objects.filter(ticket=ticket, kind=kind).order_by("pk").values_list("content", flat=True))


def mails(*, to: str = "") -> list[Delivery]:
    """What was to be mailed, the oldest first."""
    found = Delivery.objects.order_by("pk")
    return list(found.filter(to=to) if to else found)


def address_in(mail: Delivery) -> str:
    """Where an answer to this mail goes."""
    assert re.fullmatch(r"support\+[a-z2-7]+@acme\.test", mail.reply_to), mail.reply_to
    return mail.reply_to


def held(ticket: Ticket, text: str = "Let me in.", sender: str = "Mallory <mallory@evil.test>") -> HeldMail:
    """A mail of somebody who takes no part in the ticket, and found the way."""
    first = Message.objects.filter(ticket=ticket).earliest("pk")
    assert arrives(text, sender=sender, In_Reply_To=threads.message_id(ticket.pk, first.pk)).result == "held"
    return HeldMail.objects.latest("pk")


def inbound(outcome: Outcome) -> InboundMail:
    return InboundMail.objects.get(thread=outcome.thread, message=outcome.message)


def answered(ticket: Ticket, agent: User, text: str = "Which month?") -> Delivery:
    """The mail with the answer."""
    services.reply(ticket, text, actor=agent)
    return mails(to="dana@example.com")[-1]


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)
