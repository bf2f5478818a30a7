"""Many waiting callers, one durable write: the group commit that lets every answer wait for the disk."""

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")


class QueueFull(Exception):
    """The writer is behind by `max_queue` items. Nothing was queued; answer the caller with "try later"."""


class Closed(Exception):
    """The writer was closed. Nothing was queued."""


class CommitFailed(Exception):
    """The batch this item was in did not become durable. `__cause__` is what `commit` raised."""


class GroupCommit(Generic[T, R]):
    """One daemon thread that gives everything which waits to `commit`, in batches and in order.

    `submit` is called on an event loop and returns a future that resolves once `commit(batch)` has returned: to the
    item's place in the returned sequence, or to None when `commit` returns None. When `commit` raises, every future
    of that batch raises `CommitFailed` and the thread goes on with the next batch.

    A batch is whatever waits when the thread is free, at most `max_batch` items. The thread never lingers for more:
    while one batch is on its way to disk the next one gathers by itself.

    `idle` is called on the same thread after `idle_after_ms` without an item, for housekeeping that shares the
    writer's state.
    """

    def __init__(
        self,
        commit: Callable[[list[T]], Sequence[R] | None],
        *,
        name: str,
        max_batch: int = 500,
        max_queue: int = 10_000,
        idle: Callable[[], None] | None = None,
        idle_after_ms: int = 250,
    ) -> None:
        self._commit = commit
        self._max_batch = max_batch
        self._max_queue = max_queue
        self._idle = idle
        self._idle_after_s = idle_after_ms / 1000 if idle else None
        self._queue: queue.SimpleQueue[tuple[T, asyncio.Future[R]] | None] = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, item: T) -> "asyncio.Future[R]":
        """Queue `item` for the next batch. Raises `QueueFull` or `Closed`. Call on a running event loop."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        # Without the gate an item could slip in behind close()'s end mark and wait for ever.
        with self._gate:
            if self._closed:
                raise Closed("The writer was closed.")
            if self._queue.qsize() >= self._max_queue:
                raise QueueFull(f"{self._max_queue} items already wait to be written.")
            self._queue.put((item, future))
        return future

    def waiting(self) -> int:
        """How many items no batch has taken yet."""
        return self._queue.qsize()

    def full(self) -> bool:
        """Whether `submit` would raise `QueueFull` now."""
        return self._queue.qsize() >= self._max_queue

    def close(self) -> None:
        """Commit what is queued, then stop the thread. Blocks until done; a second call does nothing."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                first = self._queue.get(timeout=self._idle_after_s)
            except queue.Empty:
                self._keep_house()
                continue
            if first is None:
                return
            batch, ended = self._gather(first)
            self._write(batch)
            if ended:
                return

    def _gather(self, first: tuple[T, "asyncio.Future[R]"]) -> tuple[list[tuple[T, "asyncio.Future[R]"]], bool]:
        """What waits now, and whether the end mark was among it."""
        batch = [first]
        while len(batch) < self._max_batch:
            try:
                entry = self._queue.get_nowait()
            except queue.Empty:
                break
            if entry is None:
                return batch, True
            batch.append(entry)
        return batch, False

    def _write(self, batch: list[tuple[T, "asyncio.Future[R]"]]) -> None:
        futures = [future for _, future in batch]
        try:
            results = self._commit([item for item, _ in batch])
            if results is not None and len(results) != len(batch):
                raise ValueError(f"commit returned {len(results)} results for {len(batch)} items")  # noqa: TRY301 - fails the batch like any other error of commit
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the callers must hear of it and the thread must live
            _settle(futures, [error] * len(futures))
        else:
            _settle(futures, [None] * len(futures) if results is None else results)

    def _keep_house(self) -> None:
        if self._idle is None:
            return
        try:
            self._idle()
        except Exception:
            log.exception("Housekeeping of the writer thread %s failed.", self._thread.name)


def _settle(futures: "list[asyncio.Future[R]]", outcomes: "Sequence[R | Exception | None]") -> None:
    """Resolve all futures with one wake-up for each event loop among them."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[R], R | Exception | None]]] = {}
    for future, outcome in zip(futures, outcomes, strict=True):
        by_loop.setdefault(future.get_loop(), []).append((future, outcome))
    for loop, pairs in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, pairs)
        except RuntimeError:  # that loop has ended, nobody waits there any more
            log.debug("%d callers left before their batch was written.", len(pairs))


def _resolve(pairs: "Iterable[tuple[asyncio.Future[R], R | Exception | None]]") -> None:
    for future, outcome in pairs:
        if future.done():  # the caller was cancelled
            continue
        if isinstance(outcome, Exception):
            # One exception object raised in hundreds of tasks would collect all their tracebacks.
            failure = CommitFailed(str(outcome))
            failure.__cause__ = outcome
            future.set_exception(failure)
        else:
            future.set_result(outcome)  # type: ignore[arg-type]  # None stands for R when commit returns no results
