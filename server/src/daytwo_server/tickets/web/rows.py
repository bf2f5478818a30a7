"""Rows of the inbox."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from daytwo_server.core import clock
from daytwo_server.tickets.models import Status, Ticket
from daytwo_server.tickets.promises import Promise, promises
from daytwo_server.tickets.selectors import inbox as selectors
from daytwo_server.ui import times

TONES = {"open": "accent", "pending": "partial", "in_progress": "maintenance", "resolved": "ok"}
_LABELS = {status.value: status.label for status in Status}
_OURS = ("open", "pending")


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A ticket as a row shows it, in plain values: what was rendered of an equal one is shown again.

    `due` is how its due time looks: `major` when it is late, `partial` when it is at risk.
    """

    number: int
    code: str
    url: str
    subject: str
    title: str
    key: str
    of: str
    priority: str
    tags: tuple[str, ...]
    ours: bool
    tone: str
    status: str
    assignee: str
    assignee_key: str
    due: str
    due_at: SafeString | None
    waits: SafeString | None


def rows(tickets: Sequence[Ticket], url: Callable[[int], str]) -> list[Row]:
    """Two queries."""
    numbers, now = [ticket.pk for ticket in tickets], clock.now()
    made, tags = promises(numbers), selectors.tags_of(numbers)
    return [
        Row(
            number=ticket.pk,
            code=ticket.code,
            url=url(ticket.pk),
            subject=ticket.subject,
            title=ticket.customer.title,
            key=ticket.customer.key,
            of=(ticket.organization and ticket.organization.name) or ticket.customer.plan,
            priority=ticket.priority,
            tags=tuple(tags.get(ticket.pk, ())),
            ours=ticket.status in _OURS,
            tone=TONES.get(ticket.status, ""),
            status=_LABELS[ticket.status],
            assignee=str(ticket.assignee or ""),
            assignee_key=ticket.assignee.email if ticket.assignee else "",
            due=_due_tone(made[ticket.pk], now),
            due_at=_shown(ticket.due_at, "left"),
            waits=_shown(ticket.waiting_since),
        )
        for ticket in tickets
    ]


def _shown(moment: dt.datetime | None, style: str = "short") -> SafeString | None:
    return times.shown(moment, style, bare=True) if moment else None


def _due_tone(made: Sequence[Promise], now: dt.datetime) -> str:
    """How the due time of a row looks: late, at risk, or calm."""
    open_ones = [one for one in made if one.due_at and not one.ended_at]
    if any(one.due_at and one.due_at <= now for one in open_ones):
        return "major"
    return "partial" if any(one.warn_at and one.warn_at <= now for one in open_ones) else ""
