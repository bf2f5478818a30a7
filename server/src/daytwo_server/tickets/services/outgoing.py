"""What leaves for a customer by mail: public answers, and the word that a question has arrived. Nothing else does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from email.utils import parseaddr

from django.db import transaction

from daytwo_server.core import clock, preferences
from daytwo_server.customers.models import Customer
from daytwo_server.mail import selectors as mail
from daytwo_server.mail import threads
from daytwo_server.mail.services import BadAddress, queue
from daytwo_server.tickets import capability
from daytwo_server.tickets.models import Mailed, Message, Ticket

# The kinds of refs by which a delivery names what it is about; those of a whole ticket are all in the list.
ABOUT, ABOUT_ACKNOWLEDGEMENT = "ticket_message", "ticket_acknowledgement"
_ABOUT_TICKETS = [ABOUT_ACKNOWLEDGEMENT]
ACKNOWLEDGED_EVERY = dt.timedelta(minutes=10)
_ANSWER = "Answer this mail to reply."
_RECEIVED = "We have received your message. Its number is #{number}, and we will answer as soon as we can."
_ADD = "If you want to add something, answer this mail."


def send(ticket: Ticket, message: Message) -> None:
    """Have a public answer mailed, in the transaction that wrote it.

    Nobody is mailed whose address is not known to be theirs: such a customer reads the answer where they asked.
    """
    to = ticket.customer.address
    if not to:
        return
    reply_to = threads.address(ticket.pk, ticket.customer_id, agent=False)
    before = _before(ticket, message)
    try:
        queue(
            to=to,
            subject=subject_of(ticket),
            text=_text(ticket, message.content, _ANSWER, reply_to),
            about=about(message.pk),
            message_id=threads.message_id(ticket.pk, message.pk),
            in_reply_to=_last_mail(ticket) or (before[-1] if before else ""),
            references=before,
            reply_to=reply_to,
            from_name=str(message.author) if message.author else "",
            attachments=[(file.name, file.content_type, file.blob_id) for file in message.attachments.all()],
        )
    except BadAddress:
        return  # whoever vouched for the customer vouched for no address; the answer is in the ticket


@transaction.atomic
def acknowledge(ticket: Ticket) -> bool:
    """Tell the customer that their question has arrived, and its number; false when they are not to be told.

    Nobody is told who was told about another question in the last ten minutes, who may be a machine, or who is
    ourselves: two desks that thank each other for their thanks do so for ever.
    """
    # Held, so that of two questions that arrive together one is acknowledged.
    customer = Customer.objects.select_for_update(of=("self",), no_key=True).get(pk=ticket.customer_id)
    to, mailed = customer.address, Mailed.objects.filter(message__ticket=ticket).order_by("message").first()
    if not to or not preferences.current().mail_url or is_ours(to) or (mailed and not mailed.answerable):
        return False
    if mail.sent_since(to, ABOUT_ACKNOWLEDGEMENT, clock.now() - ACKNOWLEDGED_EVERY):
        return False
    reply_to = threads.address(ticket.pk, customer.pk, agent=False)
    answered = [mailed.mail_id] if mailed and mailed.mail_id else []
    try:
        queue(
            to=to,
            subject=subject_of(ticket),
            text=_text(ticket, _RECEIVED.format(number=ticket.pk), _ADD, reply_to),
            about=f"{ABOUT_ACKNOWLEDGEMENT}:{ticket.pk}",
            in_reply_to=answered[0] if answered else "",
            references=answered,
            reply_to=reply_to,
            automatic=True,
        )
    except BadAddress:
        return False
    return True


def is_ours(address: str) -> bool:
    """Whether mail to this address comes back to us."""
    support = parseaddr(preferences.current().support_email)[1]
    return threads.is_inbound(address) or address.lower() in {threads.sender().lower(), support.lower()} - {""}


def subject_of(ticket: Ticket) -> str:
    """The same in every mail of a ticket: mail programs draw a thread by it."""
    return f"Re: {ticket.subject} [#{ticket.pk}]"


def about(message: int) -> str:
    """The ref of a message, as `mail` knows it."""
    return f"{ABOUT}:{message}"


def about_tickets(numbers: Iterable[int]) -> list[str]:
    """The refs of mails to customers that are about a whole ticket."""
    return [f"{kind}:{number}" for number in numbers for kind in _ABOUT_TICKETS]


def also_about_tickets(kind: str) -> None:
    """Another room mails the customer of a ticket, and this is the kind of its refs."""
    _ABOUT_TICKETS.append(kind)


def _text(ticket: Ticket, words: str, invitation: str, reply_to: str) -> str:
    """The words, and below them how to go on: by mail, and on the customer's page of this ticket."""
    foot = [invitation, threads.marker(reply_to)] if reply_to else []
    if link := capability.link(ticket):
        foot.append(f"All of it on the web: {link}")
    return "\n\n".join([words, "\n".join(["-- ", *foot])]) if foot else words


def _before(ticket: Ticket, message: Message) -> list[str]:
    """The ids of what the customer has in their mailbox, oldest first, so that it becomes one thread there: what came
    by mail has their own.
    """
    public = Message.objects.filter(ticket=ticket, kind=Message.Kind.PUBLIC, pk__lt=message.pk).order_by("pk")
    rows = public.values_list("pk", "mailed__mail_id", "author_type")
    return [
        theirs if theirs and author == Message.Author.CUSTOMER else threads.message_id(ticket.pk, earlier)
        for earlier, theirs, author in rows
    ]


def _last_mail(ticket: Ticket) -> str:
    """The id of the customer's latest mail that a person wrote."""
    came = Mailed.objects.filter(message__ticket=ticket, message__author_type=Message.Author.CUSTOMER, automatic=False)
    found = came.exclude(mail_id="").order_by("-message").values_list("mail_id", flat=True).first()
    return found or ""
