"""Spools that are written by hand, as intake writes them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import load
from installation import Installation

from daytwo_server.ingest.spool import Envelope, Writer


def fill(
    site: Installation,
    requests: Sequence[load.Request],
    *,
    per_segment: int = 300,
    clock: Callable[[], float] = time.time,
) -> list[list[str]]:
    """Write the events of these requests to the spool of a server that does not run; the event ids by segment."""
    project = int(site.keys["dsn"].rpartition("/")[2])
    writer = Writer(site.data_dir / "spool", segment_bytes=1, clock=clock)
    groups = [requests[start : start + per_segment] for start in range(0, len(requests), per_segment)]

    async def write() -> None:
        for group in groups:
            await asyncio.gather(*(writer.submit(_envelope(request, project, clock())) for request in group))

    asyncio.run(write())
    writer.close()
    return [[request.event_id for request in group] for group in groups]


def _envelope(request: load.Request, project: int, received: float) -> Envelope:
    payload = request.wire.partition(b"\r\n\r\n")[2].split(b"\n", 2)[2].rstrip(b"\n")
    return Envelope(
        project=project, key="k" * 32, received=received, sent_at=None, event_id=request.event_id,
        client_ip="203.0.113.9", sdk="sentry.python/2.75.0", items=[("event", payload)],
    )  # fmt: skip
