"""What was said in a ticket, a window at a time, and what stands beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from daytwo_server.accounts.models import User
from daytwo_server.core.pages import first_page, page
from daytwo_server.core.prepared import Prepared
from daytwo_server.tickets.models import Attachment, HeldMail, Mention, Message, Participant, Status, Ticket, Todo
from daytwo_server.tickets.selectors.tickets import with_merged
from daytwo_server.tickets.thanks import only_thanks

WINDOW = 20  # messages
EARLIER = 5  # tickets


@dataclass(frozen=True)
class Window:
    """Messages in the order in which they were said. `earlier` are as many before them, `cursor` leads there."""

    messages: list[Message]
    earlier: int
    cursor: str


def window(ticket: Ticket, *, cursor: str = "") -> Window:
    """The latest messages of a ticket and of those merged into it, or those before `cursor`, with people and files.
    Four queries.

    Internal messages are among them. Raises `BadCursor`.
    """
    if cursor:
        found = page(said_in(ticket.pk), by="created_at", cursor=cursor, limit=WINDOW)
    else:
        found = first_page(_SAID(ticket.pk), by="created_at", limit=WINDOW)
    messages = found.rows[::-1]
    if not found.next:
        return Window(messages, 0, "")
    oldest = messages[0]
    before = Q(created_at__lt=oldest.created_at) | Q(created_at=oldest.created_at, pk__lt=oldest.pk)
    return Window(messages, said_in(ticket.pk).filter(before).count(), found.next)


def since(ticket: Ticket, seen: int) -> list[Message]:
    """What was said in the ticket after a message, at most a window of it."""
    return list(said_in(ticket.pk).filter(pk__gt=seen).order_by("created_at", "pk")[:WINDOW])


def answers(ticket: Ticket, *, until: int) -> list[Message]:
    """Our answers among the latest window of messages up to that one."""
    latest = Message.objects.filter(ticket__in=with_merged(ticket.pk), pk__lte=until).order_by("-created_at", "-pk")[
        :WINDOW
    ]
    return [one for one in latest if one.kind == Message.Kind.PUBLIC and one.author_type == Message.Author.AGENT]


def last_place(ticket: Ticket) -> int:
    """The place of the latest message of the ticket itself, for `services.reply`; 0 when there is none.

    Those of merged tickets do not count: theirs grow on their own.
    """
    return next(iter(_LAST(ticket.pk)), 0)


def message(ticket: Ticket, pk: int) -> Message | None:
    """One message of the ticket or of one merged into it."""
    return said_in(ticket.pk).filter(pk=pk).first()


def attachment(ticket: Ticket, uid: str) -> Attachment | None:
    """A file of the ticket or of one merged into it."""
    return Attachment.objects.filter(message__ticket__in=with_merged(ticket.pk), uid=uid).first()


def said_in(ticket: int) -> QuerySet[Message]:
    """With what a page shows of each but the whole of mails, which is read when it is asked for: `whole` and `designed`
    say whether there is more of one than its content.
    """
    found = Message.objects.filter(ticket__in=with_merged(ticket)).select_related("author", "customer", "mailed")
    found = found.annotate(whole=~Q(body_text=""), designed=~Q(body_html="")).defer("body_text", "body_html")
    return found.prefetch_related("attachments")


def told_by(notes: Sequence[Message]) -> dict[int, list[User]]:
    """By note whom it names. No query when there is none."""
    named: dict[int, list[User]] = defaultdict(list)
    if notes:
        for mention in Mention.objects.filter(message__in=notes).select_related("user").order_by("pk"):
            named[mention.message_id].append(mention.user)
    return named


def held(ticket: Ticket) -> list[HeldMail]:
    """Mails beside the ticket that wait for one of us, the oldest first."""
    return _HELD(ticket.pk)


def let_in(ticket: Ticket) -> list[Participant]:
    """Whose mail is taken there beside the customer's."""
    return _LET_IN(ticket.pk)


def reopened_by_thanks(ticket: Ticket) -> bool:
    """Whether the customer opened a resolved ticket again by nothing but a thank-you, and nothing was said since. No
    query but for a ticket that needs a reply and has been opened again.
    """
    at = ticket.status_at
    by_customer = ticket.status == Status.PENDING and ticket.last_customer_at == at and ticket.reopened_count > 0
    if not by_customer or (ticket.last_agent_at and ticket.last_agent_at > at):
        return False
    then = list(Message.objects.filter(ticket=ticket, created_at=at).prefetch_related("attachments"))
    said = [one for one in then if one.kind == Message.Kind.PUBLIC]
    if len(said) != 1 or said[0].attachments.all() or not any(one.before == Status.RESOLVED for one in then):
        return False
    customer = ticket.customer
    agents = User.objects.filter(pk__in=ticket.messages.filter(author_type=Message.Author.AGENT).values("author"))
    names = [customer.name, customer.email.partition("@")[0], *agents.values_list("name", flat=True)]
    return only_thanks(said[0].content, names)


def earlier_of(ticket: Ticket) -> list[Ticket]:
    """What else this customer asked, the latest first."""
    return _OTHERS(ticket.customer_id, ticket.pk)


def todos(ticket: Ticket) -> list[Todo]:
    """What is to be done for it, and what was."""
    return _TODOS(ticket.pk)


def belonging_to(ticket: Ticket) -> list[Ticket]:
    """The tickets that were merged into this one, and those that follow it."""
    return _BELONGING(ticket.pk)


# Of the page of a ticket.
_LAST = Prepared[int](
    lambda ticket: Message.objects.filter(ticket=ticket).order_by("-pk").values_list("pk", flat=True)[:1]
)
_SAID = Prepared[Message](lambda ticket: said_in(ticket).order_by("-created_at", "-pk")[: WINDOW + 1])
_TODOS = Prepared[Todo](
    lambda ticket: Todo.objects.filter(ticket=ticket, removed_at=None).select_related("done_by").order_by("pk")
)
_HELD = Prepared[HeldMail](
    lambda ticket: HeldMail.objects.filter(ticket=ticket, settled_at=None).order_by("pk")[:WINDOW]
)
_LET_IN = Prepared[Participant](lambda ticket: Participant.objects.filter(ticket=ticket).order_by("pk")[:WINDOW])
_OTHERS = Prepared[Ticket](
    lambda customer, pk: (
        Ticket.objects.filter(customer=customer).exclude(pk=pk).order_by("-created_at", "-pk")[:EARLIER]
    )
)
_BELONGING = Prepared[Ticket](
    lambda ticket: Ticket.objects.filter(Q(merged_into=ticket) | Q(follow_up_of=ticket)).order_by("pk")[:WINDOW]
)
