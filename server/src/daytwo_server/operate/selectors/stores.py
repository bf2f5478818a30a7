"""How large the stores are and how fast they grow."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connections

from daytwo_server.core import clock, sql
from daytwo_server.core.stores import DEFAULT
from daytwo_server.operate.models import StoreSize

LOOK_BACK = dt.timedelta(days=7)
SHORTEST_SPAN = dt.timedelta(hours=24)
_USED_SQLITE = (
    "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
)
# Of the schema and not of the database: both stores may be schemas of one.
_USED_POSTGRES = (
    "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class c "
    "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'm')"
)


@dataclass(frozen=True)
class Growth:
    """How the stores grew lately. `per_day` is in bytes, and None until there are samples of a whole day.

    `on_this_disk` is false when a database server keeps the stores, whose disk nobody here can see.
    """

    bytes: int
    per_day: float | None
    on_this_disk: bool

    def days_left(self, room_bytes: int) -> float | None:
        """How long that much room lasts; None when nobody can say, or when the stores do not grow."""
        if not self.on_this_disk or self.per_day is None or self.per_day <= 0:
            return None
        return max(0, room_bytes) / self.per_day


def growth() -> Growth:
    """Measured over up to seven days, from the hourly samples."""
    samples = StoreSize.objects.filter(at__gte=clock.now() - LOOK_BACK).order_by("at")
    first, last = samples.first(), samples.last()
    per_day = None
    if first and last and last.at - first.at >= SHORTEST_SPAN:
        per_day = (_bytes(last) - _bytes(first)) / ((last.at - first.at) / dt.timedelta(days=1))
    on_this_disk = connections[DEFAULT].vendor == "sqlite"
    return Growth(_bytes(last) if last else 0, per_day, on_this_disk)


def _bytes(sample: StoreSize) -> int:
    return sample.default_bytes + sample.telemetry_bytes


def used_bytes(alias: str) -> int:
    """What the data of a store takes up now."""
    statement = _USED_SQLITE if connections[alias].vendor == "sqlite" else _USED_POSTGRES
    return int(sql.fetch(alias, statement, ())[0][0])
