"""What pages read about mail."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Min, Q, QuerySet

from daytwo_server.core import clock
from daytwo_server.core.pages import Page, page
from daytwo_server.core.prepared import Prepared
from daytwo_server.mail.letter import Result
from daytwo_server.mail.models import Delivery, InboundMail, Outage

_ABOUT = Prepared[Delivery](
    lambda refs: Delivery.objects.filter(about__in=refs).defer("text", "html", "references").order_by("pk")
)


def deliveries_about(refs: Iterable[str]) -> dict[str, list[Delivery]]:
    """The deliveries of these refs, each one's oldest first; a ref without any has an empty list. One query.

    Without the texts, which are only loaded when they are asked for.
    """
    wanted = list(refs)
    found: dict[str, list[Delivery]] = defaultdict(list)
    named = sorted(set(filter(None, wanted)))
    for row in _ABOUT(named) if named else ():
        found[row.about].append(row)
    return {ref: found[ref] for ref in wanted}


def texts_about(refs: Iterable[str]) -> dict[str, list[Delivery]]:
    """The same with what the mails say, and of those refs alone of which there are any. One query."""
    found: dict[str, list[Delivery]] = defaultdict(list)
    for row in Delivery.objects.filter(about__in=set(refs)).order_by("pk"):
        found[row.about].append(row)
    return found


def delivery(delivery_id: int) -> Delivery | None:
    return Delivery.objects.filter(pk=delivery_id).first()


def sent_since(to: str, about_kind: str, since: dt.datetime) -> bool:
    """Whether anything about a ref of this kind was queued for the address since then, whatever became of it."""
    return Delivery.objects.filter(to=to, about__startswith=f"{about_kind}:", created_at__gt=since).exists()


def outage() -> Outage | None:
    """Since when and why no mail goes out; None while it does."""
    return Outage.objects.first()


def inbound(inbound_id: int) -> InboundMail | None:
    return InboundMail.objects.filter(pk=inbound_id).first()


def inbound_in(state: str, *, cursor: str = "", limit: int = 50) -> Page[InboundMail]:
    """One page of the mails in this state, the newest first. Raises `BadCursor`."""
    return page(InboundMail.objects.filter(state=state), by="received_at", cursor=cursor, limit=limit)


def kept_apart(sender: str) -> QuerySet[InboundMail]:
    """The mails from this address that no message was made of and that are still kept: held, put aside, automatic,
    twice the same, never read. The oldest first.
    """
    address = sender.lower()
    theirs = Q(sender=address) | Q(sender="", envelope_sender=address)
    return InboundMail.objects.filter(theirs, message="", raw__isnull=False).order_by("pk")


def became(thread: str, messages: Iterable[str]) -> dict[str, InboundMail]:
    """The mails that became these messages of a thread and are still kept, by the message. One query."""
    kept = InboundMail.objects.filter(thread=thread, message__in=set(messages), raw__isnull=False)
    return {one.message: one for one in kept.order_by("-pk")}


def undecided() -> Q:
    """Mails that wait for a person and became nothing in another room: in quarantine, or held for being too many.

    Held mail of other rooms has a thread, and is theirs to release.
    """
    held = Q(state=InboundMail.State.DONE, result=Result.HELD)
    return Q(thread="") & (Q(state=InboundMail.State.QUARANTINED) | held)


def awaiting_a_decision() -> QuerySet[InboundMail]:
    return InboundMail.objects.filter(undecided())


def unconfirmed() -> Q:
    """Deliveries that were sent, and whose arrival nobody confirmed; see `Delivery.fate`."""
    return Q(state=Delivery.State.SENT, delivered_at=None, complained_at=None) & ~Q(problem="")


@dataclass(frozen=True)
class Standing:
    """How mail stands. Ages are of the oldest that waits, and None where nothing does."""

    unread: int
    oldest_unread: dt.timedelta | None
    undecided: int
    to_send: int
    oldest_to_send: dt.timedelta | None
    outage: Outage | None


def standing() -> Standing:
    """For pages and `daytwo doctor`; four short queries."""
    now = clock.now()
    unread = InboundMail.objects.filter(state=InboundMail.State.RECEIVED).aggregate(
        n=Count("pk"), since=Min("received_at")
    )
    states = (Delivery.State.QUEUED, Delivery.State.SENDING)
    waiting = Delivery.objects.filter(state__in=states).aggregate(n=Count("pk"), since=Min("created_at"))
    return Standing(
        unread=unread["n"],
        oldest_unread=now - unread["since"] if unread["since"] else None,
        undecided=awaiting_a_decision().count(),
        to_send=waiting["n"],
        oldest_to_send=now - waiting["since"] if waiting["since"] else None,
        outage=outage(),
    )
