"""Tickets for people of the workspace."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable

from django.db.models import QuerySet

from daytwo_server.core.pages import Page, page
from daytwo_server.core.query import BadFilter
from daytwo_server.tickets.models import Message, Ticket

PAGE = 50
_NUMBER = re.compile(r"(?:T-|#)?([0-9]{1,18})", re.IGNORECASE)
# Newest first is the order of both lists and of the indexes behind them; agents may ask for others.
SORTS = {"created": "created_at", "updated": "updated_at"}


def tickets(found: QuerySet[Ticket], *, sort: str = "created", cursor: str = "", limit: int = PAGE) -> Page[Ticket]:
    """One page, newest first, with everything that a row shows. Two queries.

    Raises `BadFilter` for an unknown sort, `BadCursor`.
    """
    if sort not in SORTS:
        raise BadFilter("sort", f"There is no order {sort!r}; use {', '.join(SORTS)}.")
    return page(with_all(found), by=SORTS[sort], cursor=cursor, limit=limit)


def with_all(found: QuerySet[Ticket]) -> QuerySet[Ticket]:
    """With whom and what they belong to."""
    related = ("customer", "organization", "project", "assignee", "follow_up_of", "merged_into")
    return found.select_related(*related).prefetch_related("tags")


def ticket(code: str) -> Ticket | None:
    """One ticket by its id, its number, or as T-1042."""
    return with_all(named(Ticket.objects.all(), code)).first()


def named(found: QuerySet[Ticket], code: str) -> QuerySet[Ticket]:
    """The one of `found` that is called so, or none."""
    if match := _NUMBER.fullmatch(code):
        return found.filter(pk=int(match[1]))
    try:
        return found.filter(uid=uuid.UUID(code))
    except ValueError:
        return found.none()


def numbers(codes: Iterable[str]) -> dict[str, int]:
    """The numbers of tickets by what they were called; those that do not exist are left out. One query."""
    by_number = {code: int(match[1]) for code in codes if (match := _NUMBER.fullmatch(code))}
    by_uid: dict[uuid.UUID, str] = {}
    for code in codes:
        try:
            if code not in by_number:
                by_uid[uuid.UUID(code)] = code
        except ValueError:
            continue
    rows = Ticket.objects.filter(uid__in=by_uid).values_list("uid", "pk")
    return by_number | {by_uid[uid]: number for uid, number in rows}


def place_of(ticket: Ticket, message: uuid.UUID) -> int:
    """The place of a message in its ticket, for `services.reply`; 0, before all of them, for one that is not there."""
    found = Message.objects.filter(ticket=ticket, uid=message).values_list("pk", flat=True).first()
    return found or 0


def conversation(ticket: Ticket) -> list[Message]:
    """All that was said in a ticket and in those merged into it, in its order, with people and files. Three queries.

    Internal messages are among them: for customers there is `selectors.customers`.
    """
    return list(_said_in(ticket).order_by("created_at", "pk"))


def _said_in(ticket: Ticket) -> QuerySet[Message]:
    merged = list(Ticket.objects.filter(merged_into=ticket).values_list("pk", flat=True))
    found = Message.objects.filter(ticket__in=[ticket.pk, *merged])
    return found.select_related("author", "customer", "ticket").prefetch_related("attachments")
