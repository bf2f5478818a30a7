"""What pages read about mail."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from daytwo_server.core.pages import Page, page
from daytwo_server.mail.models import Delivery, InboundMail, Outage


def deliveries_about(refs: Iterable[str]) -> dict[str, list[Delivery]]:
    """The deliveries of these refs, each one's oldest first; a ref without any has an empty list. One query.

    Without the texts, which are only loaded when they are asked for.
    """
    wanted = list(refs)
    found: dict[str, list[Delivery]] = defaultdict(list)
    rows = Delivery.objects.filter(about__in=set(filter(None, wanted))).defer("text", "html", "references")
    for row in rows.order_by("pk"):
        found[row.about].append(row)
    return {ref: found[ref] for ref in wanted}


def delivery(delivery_id: int) -> Delivery | None:
    return Delivery.objects.filter(pk=delivery_id).first()


def outage() -> Outage | None:
    """Since when and why no mail goes out; None while it does."""
    return Outage.objects.first()


def inbound(inbound_id: int) -> InboundMail | None:
    return InboundMail.objects.filter(pk=inbound_id).first()


def inbound_in(state: str, *, cursor: str = "", limit: int = 50) -> Page[InboundMail]:
    """One page of the mails in this state, the newest first. Raises `BadCursor`."""
    return page(InboundMail.objects.filter(state=state), by="received_at", cursor=cursor, limit=limit)
