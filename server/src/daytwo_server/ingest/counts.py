"""What arrived and what was dropped, counted by minute and sent to the database the same way as the events."""

import asyncio
import logging
import re
import time
from collections.abc import Callable
from typing import Any, Protocol

from daytwo_server.core.groupcommit import Closed, CommitFailed, QueueFull
from daytwo_server.ingest.limits import ITEM_BYTES
from daytwo_server.ingest.spool import CountRow, Counts, KeyUse

log = logging.getLogger(__name__)

ARRIVED = "arrived"
DROPPED = "dropped"
OTHER = "other"
# Item types of the other endpoints, and what is counted when a request is refused before its content is known.
_ITEMS = frozenset(ITEM_BYTES) | {
    "request", "security", "nel", "minidump", "unreal", "statsd", "metric_buckets", "metric_meta", "form_data",
}  # fmt: skip
_MAX_NAMES = 500
_MAX_ROWS = 20_000
_MAX_SDK_CHARS = 64
_MAX_ITEM_CHARS = 40  # as the column is wide: PostgreSQL would refuse the row, and all counts of that second with it
_ODD = re.compile(r"[^\w.@/+:-]", re.ASCII)

_Row = tuple[int, int, str, str, str, str]  # minute, project, item, sdk, outcome, reason


class Submitter(Protocol):
    """What the counts ask of the spool's writer."""

    def submit(self, content: Counts) -> "asyncio.Future[Any]": ...


def clean_sdk(text: str) -> str:
    """An SDK's "name/version" fit for storing: at most 64 plain characters."""
    return _ODD.sub("_", text[:_MAX_SDK_CHARS])


class ItemCounts:
    """Counts items in memory until they are flushed to the spool. Used on one event loop only.

    Rows that could not be written stay in memory and go with the next flush. Names come from the wire, so their
    variety is bounded: unknown item types past the first 50 and SDK names past 500 in an hour are counted as "other".
    """

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._rows: dict[_Row, int] = {}
        self._uses: dict[tuple[int, str, bool], int] = {}  # few: only keys of the table are counted
        self._totals: dict[tuple[str, str, str], int] = {}
        self._sdks: set[str] = set()
        self._sdks_since = 0.0
        self._unknown: set[str] = set()
        self._flushing = asyncio.Lock()

    def totals(self) -> dict[tuple[str, str, str], int]:
        """(item, outcome, reason) -> items since start; for metrics, so none of them ever falls."""
        return dict(self._totals)

    def arrived(self, project: int, item: str, sdk: str, n: int = 1) -> None:
        self._count(project, item, sdk, ARRIVED, "", n)

    def dropped(self, project: int, item: str, sdk: str, reason: str, n: int = 1) -> None:
        self._count(project, item, sdk, DROPPED, reason, n)

    def used(self, public_key: str, *, let_in: bool) -> None:
        """Count a request by a key that is known, so that people see which of their keys are still in use."""
        use = (int(self._clock()) // 60 * 60, public_key, let_in)
        self._uses[use] = self._uses.get(use, 0) + 1

    async def flush(self, spool: Submitter) -> bool:
        """Write the rows now. False when they could not be written and are kept."""
        async with self._flushing:
            rows, self._rows = self._rows, {}
            uses, self._uses = self._uses, {}
            if not rows and not uses:
                return True
            counts = Counts(
                [CountRow(*row, n) for row, n in rows.items()], [KeyUse(*use, n) for use, n in uses.items()]
            )
            try:
                await spool.submit(counts)
            except (CommitFailed, QueueFull, Closed) as error:
                log.debug("Counts are kept in memory: %s", error)
                for row, n in rows.items():
                    self._rows[row] = self._rows.get(row, 0) + n
                for use, n in uses.items():
                    self._uses[use] = self._uses.get(use, 0) + n
                return False
            return True

    def _count(self, project: int, item: str, sdk: str, outcome: str, reason: str, n: int) -> None:
        now = self._clock()
        item = self._known_item(item)
        total = (item, outcome, reason)
        self._totals[total] = self._totals.get(total, 0) + n
        row = (int(now) // 60 * 60, project, item, self._known_sdk(sdk, now), outcome, reason)
        if row not in self._rows and len(self._rows) >= _MAX_ROWS:
            row = (*row[:3], OTHER, outcome, reason)
        self._rows[row] = self._rows.get(row, 0) + n

    def _known_item(self, item: str) -> str:
        if item in _ITEMS:
            return item
        item = clean_sdk(item)[:_MAX_ITEM_CHARS]
        if item not in self._unknown and len(self._unknown) < _MAX_NAMES // 10:
            self._unknown.add(item)
        return item if item in self._unknown else OTHER

    def _known_sdk(self, sdk: str, now: float) -> str:
        if sdk in self._sdks:
            return sdk
        if now - self._sdks_since > 3600:
            self._sdks_since = now
            self._sdks.clear()
        if len(self._sdks) >= _MAX_NAMES:
            return OTHER
        self._sdks.add(sdk)
        return sdk
