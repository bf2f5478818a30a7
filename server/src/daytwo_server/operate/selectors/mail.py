"""Mail that came in and went out, as lists."""

from __future__ import annotations

from django.db.models import Q

from daytwo_server.core import query
from daytwo_server.core.pages import Page, page
from daytwo_server.core.query import Query
from daytwo_server.mail.letter import Result
from daytwo_server.mail.models import Delivery, InboundMail
from daytwo_server.mail.selectors import unconfirmed, undecided

_CAME, _WENT = InboundMail.State, Delivery.State
# What each tab stands for; the first one is shown when the address says nothing.
RECEIVED_TABS: dict[str, Q] = {
    "undecided": undecided(),
    "waiting": Q(state=_CAME.RECEIVED),
    "all": Q(),
    "discarded": Q(state=_CAME.DISCARDED),
}
SENT_TABS: dict[str, Q] = {
    "waiting": Q(state__in=[_WENT.QUEUED, _WENT.SENDING]),
    "problems": Q(state__in=[_WENT.FAILED, _WENT.BOUNCED]) | unconfirmed() | Q(complained_at__isnull=False),
    "all": Q(),
}


RECEIVED = query.language(
    "mail received",
    {
        "result": query.one_of("result", {one.value: Q(result=one.value) for one in Result}),
        "from": lambda text: query.exactly("sender")(text.lower()),
        "via": query.exactly("route"),
        "mail": query.number("mail", "pk", "a mail"),
        "since": query.since("received_at"),
        "until": query.until("received_at"),
    },
    words=query.parts_of("sender", "subject", "message_id", "reason"),
)
SENT = query.language(
    "mail sent",
    {
        "is": query.one_of(
            "is",
            {
                **{one.value: Q(state=one.value) for one in _WENT},
                "unconfirmed": unconfirmed(),
                "delivered": Q(delivered_at__isnull=False),
                "complained": Q(complained_at__isnull=False),
            },
        ),
        "to": query.exactly("to"),
        "mail": query.number("mail", "pk", "a mail"),
        "since": query.since("created_at"),
        "until": query.until("created_at"),
    },
    words=query.parts_of("to", "subject", "message_id", "problem"),
)


def received(tab: str, asked: Query, *, cursor: str = "", limit: int = 50) -> Page[InboundMail]:
    """One page, newest first. Raises `BadFilter`, `BadCursor`."""
    found = RECEIVED.narrow(InboundMail.objects.filter(RECEIVED_TABS[tab]), asked)
    return page(found, by="received_at", cursor=cursor, limit=limit)


def sent(tab: str, asked: Query, *, cursor: str = "", limit: int = 50) -> Page[Delivery]:
    """One page, newest first; without the texts, which hold links that sign people in.

    Raises `BadFilter`, `BadCursor`.
    """
    found = SENT.narrow(Delivery.objects.filter(SENT_TABS[tab]), asked)
    return page(found.defer("text", "html", "references"), by="created_at", cursor=cursor, limit=limit)
