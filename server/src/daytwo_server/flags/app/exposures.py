"""Counts on their way to the store: durable before they are acknowledged, many in one transaction."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from daytwo_server.core.groupcommit import Closed, CommitFailed, GroupCommit, QueueFull
from daytwo_server.flags.app.answers import later
from daytwo_server.flags.app.batches import Batch
from daytwo_server.flags.app.tally import Tally

Record = Callable[[list[Batch]], None]  # all of them in one transaction, each instance and number once

FLUSH_S = 2.0
_MOST_KEPT = 50


class Exposures:
    """Takes batches from outside, and counts what is answered here."""

    def __init__(self, record: Record, *, flush_s: float = FLUSH_S) -> None:
        self._writer: GroupCommit[Batch, None] = GroupCommit(
            record, name="flag-exposures", max_batch=100, max_queue=2000
        )
        self._flush_s = flush_s
        self._tallies: dict[int, Tally] = {}
        self._kept: list[Batch] = []  # those of here that could not be written yet
        self._stopping = asyncio.Event()
        self._flushing: asyncio.Task[None] | None = None

    def tally(self, environment: int) -> Tally:
        """Where answers of this environment are counted."""
        found = self._tallies.get(environment)
        if found is None:
            found = self._tallies[environment] = Tally(environment)
        return found

    async def take(self, batch: Batch) -> None:
        """Return when the batch is written. Raises `Refused` 503 when it is not, and should be sent again."""
        try:
            # Shielded: a client that hangs up now does not make the write undone.
            await asyncio.shield(self._writer.submit(batch))
        except (CommitFailed, QueueFull, Closed) as error:
            raise later("The counts cannot be written now.") from error

    async def start(self) -> None:
        self._flushing = asyncio.create_task(self._flush_now_and_then())

    async def stop(self) -> None:
        """Write what was counted. Requests must have ended."""
        self._stopping.set()
        if self._flushing is not None:
            await self._flushing
        await asyncio.to_thread(self._writer.close)

    async def _flush_now_and_then(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._flush_s)
            await self._flush()

    async def _flush(self) -> None:
        taken: Sequence[Batch] = [batch for tally in self._tallies.values() if (batch := tally.take())]
        batches, self._kept = [*self._kept, *taken], []
        written = await asyncio.gather(*map(self._write, batches))
        self._kept = [batch for batch, done in zip(batches, written, strict=True) if not done][-_MOST_KEPT:]

    async def _write(self, batch: Batch) -> bool:
        try:
            await self._writer.submit(batch)
        except (CommitFailed, QueueFull, Closed):
            return False
        return True
