"""How long the counts of what flags answered are kept, and what was changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db import transaction

from daytwo_server.core import clock, retention, sql
from daytwo_server.core.db import delete_some
from daytwo_server.core.stores import DEFAULT
from daytwo_server.flags.models import Asker, Change, ExposureBatch, ExposureCount

CHUNK = 1000
MERGED_AFTER = dt.timedelta(days=1)
# Looked at in each run: what came in while no worker ran for longer stays as it is, which costs space and no more.
LOOKED_BACK = dt.timedelta(days=3)
BATCHES_KEPT = dt.timedelta(hours=25)  # longer than a batch is believed


def exposures(before: dt.datetime) -> Iterator[int]:
    """Counts, and whoever asked last before then."""
    while gone := delete_some(ExposureCount, "minute < %s", [before], limit=CHUNK):
        yield gone
    while delete_some(Asker, "last_at < %s", [before], limit=CHUNK):
        yield 0


def changes(before: dt.datetime) -> Iterator[int]:
    while gone := delete_some(Change, "at < %s", [before], limit=CHUNK):
        yield gone


def drop_batches() -> None:
    """Forget the batches that nobody sends again."""
    while delete_some(ExposureBatch, "at < %s", [clock.now() - BATCHES_KEPT], limit=CHUNK):
        pass


def merge_minutes() -> int:
    """Make one row of the minutes of each hour that is a day old; returns how many hours were merged."""
    until = (clock.now() - MERGED_AFTER).replace(minute=0, second=0, microsecond=0)
    since = until - LOOKED_BACK
    hours = ExposureCount.objects.filter(minute__gte=since, minute__lt=until).exclude(minute__minute=0)
    minutes = hours.values_list("minute", flat=True).distinct()
    found = sorted({one.replace(minute=0, second=0, microsecond=0) for one in minutes})
    for hour in found:
        _merge(hour)
    return len(found)


def _merge(hour: dt.datetime) -> None:
    """In one transaction, so that a count is in one row or the other. What is counted meanwhile comes next time."""
    with transaction.atomic():
        gone = sql.fetch(
            DEFAULT,
            "DELETE FROM flags_exposurecount WHERE minute > %s AND minute < %s "
            "RETURNING environment_id, key, revision, variant, enabled, count",
            [hour, hour + dt.timedelta(hours=1)],
        )
        sums: dict[tuple[object, ...], int] = {}
        for *what, count in gone:
            sums[tuple(what)] = sums.get(tuple(what), 0) + count
        sql.insert(
            DEFAULT,
            "flags_exposurecount",
            ("environment_id", "key", "revision", "variant", "enabled", "minute", "count"),
            [(*what, hour, count) for what, count in sums.items()],
            on_conflict="(environment_id, key, minute, revision, variant, enabled) "
            "DO UPDATE SET count = flags_exposurecount.count + excluded.count",
        )


retention.register(
    retention.Kind(
        name="flags", label="Flag exposures", text="How often feature flags answered what, and which services asked",
        noun="count", nouns="counts", setting="retention_flags_days", tables=(ExposureCount, ExposureBatch, Asker),
        by="minute", sweep=exposures,
    )
)  # fmt: skip
retention.register(
    retention.Kind(
        name="flag_changes", label="Changes of flags",
        text="What was changed of feature flags, for as long as the audit log",
        noun="change", nouns="changes", setting="retention_audit_days", tables=(Change,), by="at", sweep=changes,
    )
)  # fmt: skip
