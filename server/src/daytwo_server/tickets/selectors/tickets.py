"""Tickets for people of the workspace."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet

from daytwo_server.core.pages import Page, page
from daytwo_server.core.prepared import Prepared
from daytwo_server.core.query import BadFilter
from daytwo_server.tickets.models import Message, Ticket

PAGE = 50
_NUMBER = re.compile(r"(?:T-|#)?([0-9]{1,18})", re.IGNORECASE)
_KIN = ("follow_up_of", "merged_into")
_NAMES = {"id", "uid", "subject"}
_OTHERS = [field.name for field in Ticket._meta.concrete_fields if field.name not in _NAMES]
_NOT_OF_KIN = [f"{kin}__{name}" for kin in _KIN for name in _OTHERS]
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
    """With whom and what they belong to; of other tickets no more than their names."""
    related = ("customer", "organization", "project", "assignee", *_KIN)
    return found.select_related(*related).defer(*_NOT_OF_KIN).prefetch_related("tags")


def ticket(code: str) -> Ticket | None:
    """One ticket by its id, its number, or as T-1042."""
    if match := _NUMBER.fullmatch(code):
        return next(iter(_NUMBERED(int(match[1]))), None)
    return with_all(named(Ticket.objects.all(), code)).first()


_NUMBERED = Prepared[Ticket](lambda number: with_all(Ticket.objects.filter(pk=number)))


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


def called(thread: str, message: str) -> tuple[str, str]:
    """What of a mail's refs ("ticket:12", "ticket_message:34") is known outside: T-12, and the id of the message."""
    number, place = thread.rpartition(":")[2], message.rpartition(":")[2]
    uid = Message.objects.filter(pk=place).values_list("uid", flat=True).first() if place else None
    return f"T-{number}" if number else "", str(uid or "")


def place_of(ticket: Ticket, message: uuid.UUID) -> int:
    """The place of a message in its ticket, for `services.reply`; 0, before all of them, for one that is not there."""
    found = Message.objects.filter(ticket=ticket, uid=message).values_list("pk", flat=True).first()
    return found or 0


def conversation(ticket: Ticket) -> list[Message]:
    """All that was said in a ticket and in those merged into it, in its order, with people and files. Two queries.

    Internal messages are among them: for customers there is `selectors.customers`.
    """
    return list(_said_in(ticket).order_by("created_at", "pk"))


def with_merged(ticket: int) -> QuerySet[Ticket, Any]:
    """The numbers of a ticket and of those merged into it, for `__in`.

    One list: between a number and a list PostgreSQL would rather read every message there is.
    """
    return Ticket.objects.filter(Q(pk=ticket) | Q(merged_into=ticket)).values("pk")


def _said_in(ticket: Ticket) -> QuerySet[Message]:
    found = Message.objects.filter(ticket__in=with_merged(ticket.pk))
    return found.select_related("author", "customer", "ticket").prefetch_related("attachments")
