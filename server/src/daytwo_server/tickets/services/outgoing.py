"""What leaves for a customer by mail."""

from __future__ import annotations

from daytwo_server.mail import threads
from daytwo_server.mail.services import BadAddress, queue
from daytwo_server.tickets.models import Message, Ticket

ABOUT = "ticket_message"  # the kind of ref by which a delivery names its message
_ANSWER = "Answer this mail to reply."


def send(ticket: Ticket, message: Message) -> None:
    """Have a public answer mailed, in the transaction that wrote it.

    Nobody is mailed whose address is not known to be theirs: such a customer reads the answer where they asked.
    """
    customer = ticket.customer
    if not (customer.email and customer.email_verified):
        return
    reply_to = threads.address(ticket.pk, customer.pk, agent=False)
    footer = [line for line in (_ANSWER if reply_to else "", threads.marker(reply_to)) if line]
    try:
        queue(
            to=customer.email,
            subject=f"Re: {ticket.subject} [#{ticket.pk}]",
            text="\n\n".join([message.content, "\n".join(["-- ", *footer])] if footer else [message.content]),
            about=about(message.pk),
            message_id=threads.message_id(ticket.pk, message.pk),
            references=_before(ticket, message),
            reply_to=reply_to,
            from_name=str(message.author) if message.author else "",
            attachments=[(file.name, file.content_type, file.blob_id) for file in message.attachments.all()],
        )
    except BadAddress:
        return  # whoever vouched for the customer vouched for no address; the answer is in the ticket


def about(message: int) -> str:
    """The ref of a message, as `mail` knows it."""
    return f"{ABOUT}:{message}"


def _before(ticket: Ticket, message: Message) -> list[str]:
    """The ids of what the customer may have in their mailbox, oldest first, so that it becomes one thread there."""
    public = Message.objects.filter(ticket=ticket, kind=Message.Kind.PUBLIC, pk__lt=message.pk).order_by("pk")
    return [threads.message_id(ticket.pk, earlier) for earlier in public.values_list("pk", flat=True)]
