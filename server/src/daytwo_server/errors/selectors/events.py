"""Events and their bodies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import msgspec
import zstandard
from django.db.models import Q, QuerySet

from daytwo_server.core.pages import Page, page
from daytwo_server.errors.models import Event, EventBody
from daytwo_server.errors.prepare import open_body
from daytwo_server.errors.selectors.issues import PAGE

_HEX = re.compile(r"[0-9a-f]{32}\Z")


@dataclass(frozen=True)
class Neighbours:
    """The events of the same issue around one, as ids."""

    newer: str | None
    older: str | None


def events(issue_id: int, *, cursor: str = "", limit: int = PAGE) -> Page[Event]:
    """One page of an issue's events, latest first. Raises `BadCursor`."""
    return page(Event.objects.filter(issue=issue_id), by="timestamp", cursor=cursor, limit=limit)


def latest(issue_id: int) -> Event | None:
    """None when all events of the issue have been deleted; its counters stay."""
    return _ordered(issue_id).first()


def event_of(issue_id: int, event_id: str) -> Event | None:
    """One event of this issue."""
    return Event.objects.filter(issue=issue_id, event_id=event_id).first()


def find(event_id: str) -> Event | None:
    """The event that an SDK reported under this id, with dashes or without; the latest of several projects'."""
    plain = event_id.replace("-", "").lower()
    if not _HEX.match(plain):
        return None
    return Event.objects.filter(event_id=plain).order_by("-received").first()


def neighbours(event: Event) -> Neighbours:
    """The next newer and the next older event."""
    around = Event.objects.filter(issue=event.issue_id).values_list("event_id", flat=True)
    at = event.timestamp
    newer = around.filter(Q(timestamp__gt=at) | Q(timestamp=at, pk__gt=event.pk), timestamp__gte=at)
    older = around.filter(Q(timestamp__lt=at) | Q(timestamp=at, pk__lt=event.pk), timestamp__lte=at)
    return Neighbours(newer.order_by("timestamp", "pk").first(), older.order_by("-timestamp", "-pk").first())


def body(event: Event) -> dict[str, Any] | None:
    """What the SDK sent, scrubbed; None when it is no longer kept or cannot be read."""
    stored = EventBody.objects.filter(event_id=event.event_id, project_id=event.project_id).first()
    if stored is None:
        return None
    try:
        return open_body(bytes(stored.body))
    except (zstandard.ZstdError, msgspec.DecodeError):
        return None  # a damaged row must not take the page of the issue with it


def _ordered(issue_id: int) -> QuerySet[Event]:
    return Event.objects.filter(issue=issue_id).order_by("-timestamp", "-pk")
