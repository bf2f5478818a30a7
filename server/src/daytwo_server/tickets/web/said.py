"""The messages of a conversation as its page shows them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.utils.safestring import SafeString

from daytwo_server.accounts.models import User
from daytwo_server.mail.models import Delivery
from daytwo_server.mail.selectors import deliveries_about
from daytwo_server.tickets.models import Mailed, Message, Status, Ticket
from daytwo_server.tickets.selectors import conversation
from daytwo_server.tickets.services.outgoing import about
from daytwo_server.ui import formats, times
from daytwo_server.ui.remembered import rendered

SHOWN = 2000  # characters of a message; the rest comes when it is asked for
MOST_HEIGHT = 480


@dataclass
class Said:
    """A message as the page of `ticket` shows it. `after` is the status that came with it, `deliveries` are the mails
    that carry it, `told` whom it names.
    """

    message: Message
    ticket: int
    first_reply: dt.timedelta | None = None
    after: str = ""
    deliveries: Sequence[Delivery] = field(default_factory=list)
    told: Sequence[User] = field(default_factory=list)

    @property
    def drawn(self) -> SafeString:
        """All that no later mail changes, as it was drawn before."""
        one, mail = self.message, self.mailed
        if one.kind == Message.Kind.SYSTEM:
            return rendered(
                "tickets/_happened.html",
                before=str(self.by),
                status=one.get_after_display() if one.after else "",
                text=one.content,
                by=str(one.author or ""),
                after=self.after,
                at=times.shown(one.created_at, stop=False),
            )
        return rendered(
            "tickets/_said.html",
            ticket=self.ticket,
            number=one.pk,
            note=one.kind == Message.Kind.NOTE,
            by=str(self.by),
            elsewhere=one.ticket_id if one.ticket_id != self.ticket else 0,
            automatic=bool(mail and mail.automatic),
            forged=bool(mail and mail.authentic is False),
            notices=mail.notices if mail else "",
            first_reply=formats.duration(self.first_reply) if self.first_reply else "",
            text=self.text,
            more=self.more,
            files=tuple((file.name, file.size, file.uid) for file in one.attachments.all()),
            told=tuple(str(person) for person in self.told),
            at=times.shown(one.created_at, stop=False),
        )

    @property
    def text(self) -> str:
        return self.message.content[:SHOWN]

    @property
    def more(self) -> str:
        """Why there is more of it than stands here; empty when there is not."""
        if len(self.message.content) > SHOWN:
            return "Show all of it"
        of_mail = self.message.whole or self.message.designed  # type: ignore[attr-defined]  # see `conversation.said_in`
        return "Show the whole mail" if of_mail else ""

    @property
    def mailed(self) -> Mailed | None:
        """How it came, when it came by mail."""
        return getattr(self.message, "mailed", None)

    @property
    def height(self) -> int:
        """Pixels for a mail as it was designed, by its text: nothing in the frame can tell."""
        if "data-file=" in self.message.body_html:
            return MOST_HEIGHT
        lines = sum(2 + len(line) // 70 for line in (self.message.body_text or self.message.content).split("\n"))
        return min(60 + 16 * lines, MOST_HEIGHT)

    @property
    def by(self) -> object:
        return self.message.customer.title if self.message.customer else self.message.author or "Daytwo"

    @property
    def colour(self) -> str:
        """By which a person has the same colour on every page."""
        who = self.message
        return who.customer.key if who.customer else who.author.email if who.author else "Daytwo"


def fared(found: Ticket, answers: Iterable[Message]) -> list[Said]:
    """Those that were mailed, with what became of that. One query."""
    rows = [Said(message, found.pk) for message in answers]
    mails = deliveries_about(about(row.message.pk) for row in rows)
    for row in rows:
        row.deliveries = mails[about(row.message.pk)]
    return [row for row in rows if row.deliveries]


def shown(found: Ticket, messages: Iterable[Message]) -> list[Said]:
    """What was said, with what became of it. A change of status that came with an answer stands beside that answer.
    One query, and one where there are notes.
    """
    rows: list[Said] = []
    for message in messages:
        last = rows[-1] if rows else None
        if last and message.after and _together(last.message, message):
            last.after = Status(message.after).label
            continue
        rows.append(Said(message, found.pk))
    sent = [row for row in rows if row.message.kind == Message.Kind.PUBLIC and row.message.author_type == "agent"]
    mails = deliveries_about(about(row.message.pk) for row in sent)
    for row in sent:
        row.deliveries = mails[about(row.message.pk)]
        if row.message.created_at == found.first_response_at:
            row.first_reply = found.first_response_at - found.created_at
    notes = [row for row in rows if row.message.kind == Message.Kind.NOTE]
    named = conversation.told_by([row.message for row in notes])
    for row in notes:
        row.told = named[row.message.pk]
    return rows


def _together(said: Message, status: Message) -> bool:
    at_once = said.created_at == status.created_at and said.ticket_id == status.ticket_id
    return at_once and not said.after and said.kind != Message.Kind.NOTE
