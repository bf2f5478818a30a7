"""Keys in memory: a request with one never waits for a database, but for a key that this process has not seen."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

K = TypeVar("K")
_UNREAD = object()


class KeyTable(Generic[K]):
    """A snapshot of all keys, read by `load` on a thread of its own. `name` is what they are called in the log.

    `version` is asked about once a second; when its answer changes, `load` runs. A key that is not in the snapshot
    makes `load` run at once (one run for all who wait, at most one each `miss_every_ms`), so that a new key works
    with its first event. When either raises, the last snapshot stays and the failure is logged once.

    `answer_within_ms` bounds how long a request with an unknown key waits for a source that hangs.
    """

    def __init__(
        self,
        load: Callable[[], Mapping[str, K]],
        *,
        version: Callable[[], object],
        name: str = "keys",
        check_every_ms: int = 1000,
        miss_every_ms: int = 500,
        answer_within_ms: int = 2000,
    ) -> None:
        self._load = load
        self._name = name
        self._version = version
        self._check_every_s = check_every_ms / 1000
        self._miss_every_s = miss_every_ms / 1000
        self._answer_within_s = answer_within_ms / 1000
        self._keys: Mapping[str, K] = {}
        self._at: object = _UNREAD
        self._failing = False
        self._miss: asyncio.Task[None] | None = None
        self._next_miss = 0.0
        self._watch: asyncio.Task[None] | None = None
        # One thread: a load and a check never overlap, and a database connection it opens is used again.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name.replace(" ", "-"))

    @property
    def knows(self) -> bool:
        """Whether the last look at the source succeeded. While it does not, "unknown key" could be a lie."""
        return self._at is not _UNREAD and not self._failing and self._miss is None

    def get(self, key: str) -> K | None:
        """The key in the snapshot, without waiting."""
        return self._keys.get(key)

    async def find(self, key: str) -> K | None:
        """The key, looked for once more in the source when the snapshot lacks it."""
        found = self._keys.get(key)
        if found is not None:
            return found
        if self._miss is None and time.monotonic() >= self._next_miss:
            self._miss = asyncio.create_task(self._refresh_for_miss())
        if self._miss is not None:
            # `wait` leaves the task alone when the caller goes away or runs out of time: others wait for it too.
            await asyncio.wait([self._miss], timeout=self._answer_within_s)
        return self._keys.get(key)

    async def start(self) -> None:
        """Load for the first time and begin to watch. A failing load is tried again by the watch."""
        await self._in_thread(self._refresh)
        self._watch = asyncio.create_task(self._watch_version())

    async def stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        # Not waited for: a load may hang on its database, and a shutdown must not.
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _watch_version(self) -> None:
        while True:
            await asyncio.sleep(self._check_every_s)
            await self._in_thread(self._refresh_if_changed)

    async def _refresh_for_miss(self) -> None:
        try:
            await self._in_thread(self._refresh)
        finally:
            self._next_miss = time.monotonic() + self._miss_every_s
            self._miss = None

    async def _in_thread(self, work: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _refresh_if_changed(self) -> None:
        self._guarded(only_if_changed=True)

    def _refresh(self) -> None:
        self._guarded(only_if_changed=False)

    def _guarded(self, *, only_if_changed: bool) -> None:
        try:
            # Asked before loading: a change in between is then seen as a change the next time.
            version = self._version()
            if only_if_changed and version == self._at:
                self._failing = False
                return
            self._keys = self._load()
            self._at = version
            self._failing = False
        except Exception:
            if not self._failing:
                log.exception("The %s cannot be read; the %d known so far hold.", self._name, len(self._keys))
            self._failing = True
