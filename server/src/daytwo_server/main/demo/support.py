"""What Lumenbook's customers ask on that morning, and how far it got."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import make_msgid
from html import escape

from django.db import transaction

from daytwo_server.accounts.models import User
from daytwo_server.core import clock
from daytwo_server.customers.models import Customer, Organization
from daytwo_server.customers.services import Vouched, vouch
from daytwo_server.mail import Envelope, Outcome, threads
from daytwo_server.mail.intake import accept
from daytwo_server.main.demo import promises
from daytwo_server.tickets import services
from daytwo_server.tickets.models import Category, Channel, HeldMail, Message, Priority, Status, Ticket
from daytwo_server.tickets.services import Change, NewTicket, ReplyWords, Said


@dataclass(frozen=True)
class Asked:
    """A ticket: who asks (id, address, name, organization, plan), what, minutes ago, and what was said afterwards.

    Each later word is "customer", "reply", "note", "mail" (the customer by mail, with what it quotes) or "held" (a mail
    of somebody else: the sender in the first line), how many minutes after the question, and the text.
    """

    who: tuple[str, str, str, str, str]
    subject: str
    content: str
    minutes_ago: int
    then: tuple[tuple[str, int, str], ...] = ()
    priority: Priority = Priority.MEDIUM
    category: Category = Category.TECHNICAL
    channel: Channel = Channel.EMAIL
    tags: tuple[str, ...] = ()
    mine: bool = False
    status: Status | None = None


LENA = ("88213", "billing@brightside-dental.example", "Lena Hartmann", "Brightside Dental", "business")
CAMILLE = ("88240", "hello@atelier-nord.example", "Camille Roy", "Atelier Nord", "business")
DIRK = ("90117", "office@kettler-sohn.example", "Dirk Kettler", "Kettler & Sohn", "team")
ANA = ("90342", "front@praxis-lindner.example", "Ana Sousa", "Praxis Lindner", "team")
BEN = ("91002", "team@oak-street-clinic.example", "Ben Okoye", "Oak Street Clinic", "business")
MARTA = ("91377", "accueil@cabinet-moreau.example", "Marta Nowak", "Cabinet Moreau", "free")

# The oldest first: numbers grow with time.
ASKED = (
    Asked(
        LENA, "Invoice shows our old address", "Hello, the invoice of October still shows our old address. Where do I change it?",
        60 * 24 * 19, (("reply", 95, "Hello Lena, it is under Settings > Billing. I have changed it for October as well."),),
        category=Category.BILLING, status=Status.RESOLVED,
    ),
    Asked(
        MARTA, "Change the address for invoices", "Please send invoices to compta@cabinet-moreau.example from now on.", 60 * 26,
        (("reply", 40, "Hello Marta, to change this I need the confirmation of the owner of your account. Could you ask them to write to us?"),),
        category=Category.BILLING, mine=True,
    ),
    Asked(
        BEN, "Export of bookings as CSV", "Is there a way to export all bookings of a quarter? Our accountant asks for it.", 60 * 7,
        category=Category.FEATURE_REQUEST, priority=Priority.LOW, channel=Channel.WEB, tags=("export",),
    ),
    Asked(
        ANA, "Calendar sync duplicates events", "Since yesterday each appointment is in my calendar twice. I use the feed for my phone.", 60 * 5,
        (("reply", 30, "Hello Ana, thank you. Which calendar is it, and do the copies have the same time?"), ("mail", 75, "It is the one of my phone. The same time, and the same title. I can send a picture.")),
        category=Category.BUG_REPORT, tags=("calendar",), mine=True,
    ),
    Asked(
        DIRK, "Bestellung nicht möglich", "Guten Morgen, wir können keine weiteren Plätze bestellen, es kommt immer eine Fehlermeldung.", 42,
        priority=Priority.HIGH, category=Category.BILLING,
    ),
    Asked(
        LENA, "Can't pay from Germany, error after “Place order”",
        "Hi, since this morning nobody in our practice can pay for the new seats. After “Place order” we only see “Something went wrong”. We tried two different cards.\n\nOur reception opens a second location tomorrow, so this is rather urgent. Were the cards charged?",
        33, (
            ("note", 5, "Failed orders stop before capture, so no card was charged. Safe to tell them."),
            ("reply", 7, "Hello Lena, thank you for telling us so quickly. Payments from EU addresses are failing since this morning, and we are reversing the change that caused it. Your cards were not charged.\n\nI will write again the moment it works."),
            ("customer", 19, "Thank you, that is a relief. Please tell me as soon as we can try again."),
            ("held", 24, "Peter Brandt <p.brandt@brandt-advisers.example>\nLena forwarded this to me; I keep the books of the practice. Please send me the list of the cards that were tried."),
        ),
        priority=Priority.URGENT, category=Category.BILLING, tags=("checkout", "eu"), mine=True,
    ),
    Asked(CAMILLE, "Payment page shows error 500", "Bonjour, the payment page shows “error 500” since about nine. Is this known?", 18, priority=Priority.URGENT, category=Category.BILLING),
)  # fmt: skip


SAVED = (
    ReplyWords(
        name="Which browser", shortcut="browser", category="bug_report", shared=True,
        text="Hello {{customer.first_name|there}},\n\nwhich browser is it, and does it happen in a private window too? A picture of the page would help.\n\n{{agent.first_name}}",
    ),
    ReplyWords(
        name="Refund sent", shortcut="refund", category="billing", status="resolved", tags=("refund",), shared=True,
        text="Hello {{customer.first_name|there}},\n\nwe have sent your money back today. It arrives within five days, with {{ticket.code}} as its reference.\n\n{{agent.first_name}}",
    ),
    ReplyWords(
        name="Wish noted", shortcut="wish", category="feature_request", shared=True,
        text="Hello {{customer.first_name|there}},\n\nthank you. This is noted for the product team at Lumenbook, with your words; we write to you when it comes.\n\n{{agent.first_name}}",
    ),
)  # fmt: skip


def ask(agent: User) -> None:
    """Open the tickets, and let the agent work on them with what they have at hand."""
    promises.promise()
    for one in ASKED:
        with transaction.atomic():
            _tell(one, agent)
    for words in SAVED:
        services.save_reply(words, actor=agent)
    if solved := Ticket.objects.filter(status=Status.RESOLVED).first():
        services.rate(solved, 5, "Changed within the hour, and even for the invoice that was out already.")


def _tell(one: Asked, agent: User) -> None:
    opened_at = clock.now() - dt.timedelta(minutes=one.minutes_ago)
    customer = _customer(one.who)
    new = NewTicket(
        subject=one.subject, content=one.content, category=one.category, priority=one.priority, channel=one.channel
    )
    ticket, first = services.open_ticket(new, customer=customer)
    moments = {first.pk: opened_at}
    for kind, minutes, text in one.then:
        at = opened_at + dt.timedelta(minutes=minutes)
        if kind == "held":
            _hold(text, ticket, at)
        else:
            moments[_say(kind, text, ticket=ticket, customer=customer, agent=agent).pk] = at
    wanted = Change(assignee=agent.email if one.mine else None, status=one.status, add_tags=one.tags)
    services.change(ticket, wanted, actor=agent)
    _in_its_time(ticket, moments)
    promises.count(ticket.pk)


def _say(kind: str, text: str, *, ticket: Ticket, customer: Customer, agent: User) -> Message:
    if kind == "mail":
        outcome = _arrives(f"{customer.name} <{customer.email}>", text, ticket)
        return Message.objects.get(pk=outcome.message.partition(":")[2])
    if kind == "customer":
        return services.customer_reply(ticket, Said(content=text, channel=Channel.EMAIL), customer=customer)[1]
    return (services.note if kind == "note" else services.reply)(ticket, text, actor=agent)


def _hold(text: str, ticket: Ticket, at: dt.datetime) -> None:
    sender, _, words = text.partition("\n")
    _arrives(sender, words, ticket)
    HeldMail.objects.filter(ticket=ticket).update(created_at=at)


def _arrives(sender: str, text: str, ticket: Ticket) -> Outcome:
    """A mail that answers what was said last in public, and quotes it, as mail programs do."""
    last = Message.objects.filter(ticket=ticket, kind=Message.Kind.PUBLIC).latest("pk")
    says = f"On {last.created_at:%d %b %Y at %H:%M}, Lumenbook <support@lumenbook.example> wrote:"
    quoted = "\n".join(f"> {line}" for line in last.content.split("\n"))
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = (
        sender,
        "support@lumenbook.example",
        f"Re: {ticket.subject} [#{ticket.pk}]",
    )
    mail["Message-ID"], mail["In-Reply-To"] = make_msgid(), threads.message_id(ticket.pk, last.pk)
    mail.set_content(f"{text}\n\n{says}\n{quoted}\n")
    html = (
        f"<p>{escape(text)}</p><p>{escape(says)}</p><blockquote type='cite'><p>{escape(last.content)}</p></blockquote>"
    )
    mail.add_alternative(html, subtype="html")
    return accept(mail.as_bytes(), Envelope(route="smtp"))


def _customer(who: tuple[str, str, str, str, str]) -> Customer:
    user_id, email, name, organization, plan = who
    known = vouch(Vouched(user_id=user_id, email=email, name=name, plan=plan, organization=f"org-{user_id}"))
    Organization.objects.filter(external_id=f"org-{user_id}").update(name=organization, plan=plan)
    return known


def _in_its_time(ticket: Ticket, moments: dict[int, dt.datetime]) -> None:
    """Set the clock of a conversation back to when the story says that it happened."""
    last = min(moments.values())
    for message in ticket.messages.order_by("pk"):
        last = moments.get(message.pk, last)  # a change of status came with what was said before it
        Message.objects.filter(pk=message.pk).update(created_at=last)
    told = ticket.messages.exclude(kind=Message.Kind.SYSTEM).values_list("author_type", "kind", "created_at")
    by_customer = [at for author, _, at in told if author == Message.Author.CUSTOMER]
    answers = [at for author, kind, at in told if author == Message.Author.AGENT and kind == Message.Kind.PUBLIC]
    now_there = Ticket.objects.get(pk=ticket.pk)
    values = {
        "created_at": min(by_customer),
        "updated_at": last,
        "status_at": last,
        "last_customer_at": max(by_customer),
    }
    if answers:
        values |= {"first_response_at": min(answers), "last_agent_at": max(answers)}
    if now_there.waiting_since:
        unanswered = [at for at in by_customer if not answers or at > max(answers)]
        values["waiting_since"] = min(unanswered, default=last)
    if now_there.resolved_at:
        values["resolved_at"] = last
    Ticket.objects.filter(pk=ticket.pk).update(**values)
