"""What of a letter is said in a ticket."""

from __future__ import annotations

from dataclasses import dataclass

from daytwo_server.customers.models import Customer
from daytwo_server.customers.services import wrote
from daytwo_server.mail import Kind, Letter, threads
from daytwo_server.tickets.checks import DESCRIPTION, cleaned, one_line
from daytwo_server.tickets.files import File
from daytwo_server.tickets.models import Channel, Mailed, Message, Ticket
from daytwo_server.tickets.services import NewTicket, Said

SHOWN = DESCRIPTION[1]  # characters; the rest is attached
NO_SUBJECT, NO_WORDS = "(no subject)", "(no text)"
REST = "whole-message.txt"
LONGEST_BODY = 200_000  # characters that are kept beside what is shown; the attached text has them all


@dataclass(frozen=True)
class Words:
    """`content` is what is shown, `text` all of it and `html` its design; both are empty where they add nothing."""

    content: str
    text: str
    html: str
    files: list[File]


def words_of(letter: Letter) -> Words:
    """What a customer said: at most 5,000 characters are shown, and all of a longer one is attached as text."""
    content = cleaned(threads.unmarked(letter.stripped_text)) or NO_WORDS
    files = [File(file.name, file.content_type, file.data) for file in letter.attachments]
    if len(content) > SHOWN or len(letter.text) > LONGEST_BODY:
        files.append(File(REST, "text/plain", letter.text.encode()))
    whole = cleaned(letter.text)[:LONGEST_BODY]
    html = letter.html if len(letter.html) <= LONGEST_BODY else ""
    return Words(content[:SHOWN], whole if whole != content else "", html, files)


def words_of_agent(letter: Letter) -> Words:
    """What one of us said: all of it, or a customer would get a part. Marks that were given to an agent stay out."""
    content = cleaned(threads.unmarked(letter.stripped_text)) or NO_WORDS
    whole = cleaned(threads.unmarked(letter.text))[:LONGEST_BODY]
    files = [File(file.name, file.content_type, file.data) for file in letter.attachments]
    return Words(content, whole if whole != content else "", "", files)


def question_of(letter: Letter) -> NewTicket:
    words = words_of(letter)
    return NewTicket(
        subject=one_line(letter.subject) or NO_SUBJECT,
        content=words.content,
        channel=Channel.EMAIL,
        files=words.files,
        body_text=words.text,
        body_html=words.html,
    )


def reply_of(letter: Letter) -> Said:
    words = words_of(letter)
    return Said(
        content=words.content,
        files=words.files,
        channel=Channel.EMAIL,
        body_text=words.text,
        body_html=words.html,
        quietly=letter.kind != Kind.HUMAN,
    )


def author_of(letter: Letter, ticket: Ticket | None = None) -> Customer:
    """Who wrote it: the customer of the ticket where it is their address."""
    if ticket is not None and letter.sender.address == ticket.customer.address:
        return ticket.customer
    return wrote(letter.sender.address, name=letter.sender.name, genuine=letter.authentic)


def note_mail(message: Message, letter: Letter) -> None:
    """Keep with a message that it came by this mail."""
    human = letter.kind == Kind.HUMAN
    Mailed.objects.create(
        message=message,
        sender=letter.sender.address,
        authentic=letter.authentic,
        automatic=not human,
        # A desk that writes to us is answered by one of us, not by a machine: it may be one too.
        answerable=human and letter.authentic is not False and not letter.from_desk,
        mail_id=letter.message_id,
        notices="\n".join(letter.notices),
    )
