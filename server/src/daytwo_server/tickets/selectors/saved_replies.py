"""Answers that are given often, as somebody may use them."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from daytwo_server.accounts.models import User
from daytwo_server.core.pages import Page, page
from daytwo_server.tickets.models import SavedReply

OFFERED = 12  # in the menu of a ticket; the rest is found by typing


def saved_replies_for(viewer: User | None) -> QuerySet[SavedReply]:
    """Those of this person and those that are everybody's."""
    mine = Q(shared=True) | (Q(owner=viewer) if viewer else Q(pk=None))
    return SavedReply.objects.filter(mine, deleted_at=None)


def saved_reply(viewer: User | None, number: str) -> SavedReply | None:
    """One of those, by its number."""
    if not (number.isascii() and number.isdecimal()) or len(number) > 18:
        return None
    return saved_replies_for(viewer).filter(pk=int(number)).first()


def listed(viewer: User | None, *, cursor: str = "", limit: int = 50) -> Page[SavedReply]:
    """One page, the most used first. Raises `BadCursor`."""
    return page(saved_replies_for(viewer).select_related("owner"), by="used", cursor=cursor, limit=limit)


def offered(viewer: User, *, text: str = "", category: str = "") -> list[SavedReply]:
    """What the menu of a ticket shows: those with these words, the most used first, and before them those that are
    meant for its category. One query.
    """
    found = saved_replies_for(viewer)
    for word in text.replace("\x00", "").split()[:5]:
        found = found.filter(Q(name__icontains=word) | Q(shortcut__istartswith=word) | Q(text__icontains=word))
    rows = list(found.order_by("-used", "name", "pk")[: OFFERED * 4])
    exact = text.strip().lower()
    rows.sort(key=lambda one: (one.shortcut != exact if exact else False, bool(category) and one.category != category))
    return rows[:OFFERED]
