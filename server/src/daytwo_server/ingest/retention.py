"""How long the counts of what arrived are kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from daytwo_server.core import retention
from daytwo_server.core.db import delete_some
from daytwo_server.ingest.models import ItemCount

CHUNK = 1000


def sweep(before: dt.datetime) -> Iterator[int]:
    while gone := delete_some(ItemCount, "hour < %s", [before], limit=CHUNK):
        yield gone


retention.register(
    retention.Kind(
        name="intake", label="Intake counts", text="What arrived and what was dropped, by hour",
        noun="count", nouns="counts",
        setting="retention_intake_days", tables=(ItemCount,), by="hour", sweep=sweep,
    )
)  # fmt: skip
