"""The environments that somebody asked for, in memory, each replaced as a whole within a moment of a change."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from daytwo_server.flags.app.answers import later
from daytwo_server.flags.app.environment import Environment

log = logging.getLogger(__name__)

T = TypeVar("T")
Load = Callable[[int], Mapping[str, Any]]  # an environment's document, of docs/reference/flag-snapshot.md
Revisions = Callable[[], Mapping[int, int]]  # of all environments; one that never changed may be left out

POLL_S = 0.25
_SHORTEST_PAUSE_S = 0.05  # between two looks, however many wait for one
_PATIENCE_S = 2.0
_BEHIND_S = 1.0  # that this process may be behind one that told of a change; who invents revisions waits no longer
_LONGEST_PAUSE_S = 5.0


class Environments:
    """Call `start` and `stop` on the event loop of the rest. `changed` is called there with each that was replaced.

    When the store is away, what was known last goes on being answered. `load` and `revisions` run on one thread of
    their own, so that a database connection they open is used again.
    """

    def __init__(
        self, load: Load, revisions: Revisions, *, changed: Callable[[int], None], poll_s: float = POLL_S
    ) -> None:
        self._load, self._revisions, self._changed, self._poll_s = load, revisions, changed, poll_s
        self._known: dict[int, Environment] = {}
        self._loading: dict[int, asyncio.Task[None]] = {}
        self._watch: asyncio.Task[None] | None = None
        self._hurry, self._looked = asyncio.Event(), asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="flags")
        self._failing = False

    def get(self, environment: int) -> Environment | None:
        """What is known of it, without waiting."""
        return self._known.get(environment)

    async def find(self, environment: int) -> Environment:
        """What is known of it, read for the first time if need be. Raises `Refused` 503 while the store is away."""
        found = self._known.get(environment)
        if found is not None:
            return found
        task = self._loading.get(environment)
        if task is None:
            task = self._loading[environment] = asyncio.create_task(self._first(environment))
        # `wait` leaves the task alone when one of those who wait for it goes away.
        await asyncio.wait([task], timeout=_PATIENCE_S)
        found = self._known.get(environment)
        if found is None:
            raise later("The flags cannot be read now.")
        return found

    async def reach(self, environment: int, revision: int) -> Environment:
        """As `find`, of that revision or a later one if this process can have it within a second: whoever heard of it
        from another process must not be told that nothing has changed.
        """
        found = await self.find(environment)
        if found.revision >= revision:
            return found
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_BEHIND_S):
                while self._known[environment].revision < revision:
                    self._hurry.set()
                    await self._looked.wait()
        return self._known[environment]

    async def start(self) -> None:
        self._watch = asyncio.create_task(self._keep_fresh())

    async def stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        # Not waited for: a load may hang on its database, and a shutdown must not.
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def on_thread(self, work: Callable[[], T]) -> T:
        """Run what takes long for an event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _first(self, environment: int) -> None:
        try:
            self._known[environment] = await self.on_thread(lambda: Environment(self._load(environment)))
        except Exception as error:  # noqa: BLE001 - whatever it is, the next request tries again
            self._complain(error)
        finally:
            del self._loading[environment]

    async def _keep_fresh(self) -> None:
        pause_s = self._poll_s
        while True:
            await self._pause(pause_s)
            if not self._known:
                continue
            try:
                fresh = await self.on_thread(self._look)
            except Exception as error:  # noqa: BLE001 - the last known hold, and the next look may succeed
                self._complain(error)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
                continue
            pause_s, self._failing = self._poll_s, False
            for environment, found in fresh.items():
                self._known[environment] = found
                self._changed(environment)
            looked, self._looked = self._looked, asyncio.Event()
            looked.set()

    async def _pause(self, pause_s: float) -> None:
        """Until the next look is due, or somebody knows of a change. Nobody hurries a store that is away."""
        if self._failing:
            await asyncio.sleep(pause_s)
            return
        await asyncio.sleep(min(pause_s, _SHORTEST_PAUSE_S))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, pause_s - _SHORTEST_PAUSE_S)):
                await self._hurry.wait()
        self._hurry.clear()

    def _look(self) -> dict[int, Environment]:
        """Those that changed, read anew; in the thread."""
        revisions = self._revisions()
        return {
            environment: Environment(self._load(environment), known)
            for environment, known in list(self._known.items())
            if revisions.get(environment, 0) != known.revision
        }

    def _complain(self, error: Exception) -> None:
        if not self._failing:
            log.error("The flags cannot be read; those last known hold.", exc_info=error)
        self._failing = True
