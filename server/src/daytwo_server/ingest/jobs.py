"""Keeps the counts of what arrived small: after a day only whole days matter."""

from __future__ import annotations

import datetime as dt
import time

from django.db import transaction
from django.db.models import Min

from daytwo_server.core import clock, jobs, sql
from daytwo_server.core.stores import DEFAULT
from daytwo_server.ingest.models import ItemCount

HOURS_KEPT = dt.timedelta(days=1)  # what is shown by the hour is the last 24
PAUSE_S = 0.02
_KEY = ("project_id", "item_type", "sdk", "outcome", "reason")
_TAKE = f"DELETE FROM ingest_itemcount WHERE hour = %s RETURNING {', '.join(_KEY)}, count"
_ADD = f"(hour, {', '.join(_KEY)}) DO UPDATE SET count = ingest_itemcount.count + excluded.count"
_BEGINNING = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@jobs.periodic("41 * * * *")
@jobs.job("ingest.merge_counts")
def merge_counts() -> None:
    """Add the counts of hours older than a day to those of their day, in UTC, which stand at midnight."""
    until = clock.now().replace(minute=0, second=0, microsecond=0) - HOURS_KEPT
    hour = _next_hour(_BEGINNING, until)
    while hour is not None:
        if hour.hour:
            _merge(hour)
            time.sleep(PAUSE_S)
        hour = _next_hour(hour, until)


def _next_hour(after: dt.datetime, until: dt.datetime) -> dt.datetime | None:
    found: dt.datetime | None = ItemCount.objects.filter(hour__gt=after, hour__lt=until).aggregate(at=Min("hour"))["at"]
    return found


def _merge(hour: dt.datetime) -> None:
    """One hour, in one transaction. What comes late for it becomes a new row, and is merged the next time."""
    with transaction.atomic():
        rows = [(hour.replace(hour=0), *row) for row in sorted(sql.fetch(DEFAULT, _TAKE, [hour]))]
        sql.insert(DEFAULT, "ingest_itemcount", ("hour", *_KEY, "count"), rows, on_conflict=_ADD)
