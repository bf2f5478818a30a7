"""The checks of one process, and how long an answer may take."""

import asyncio
import os
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from daytwo.health.checks import Check, CheckFunction, Flight
from daytwo.health.report import Report
from daytwo.health.sigterm import Sigterm

F = TypeVar("F", bound=CheckFunction)

# Seconds to wait for checks, so that an answer is out within 0.8 s: Kubernetes gives a probe 1 s unless told otherwise.
_DEADLINE = 0.7


class Registry:
    """A set of named checks. `run` and `run_async` wait `deadline` seconds at most, whatever the checks do.

    `version`, `service_id` and `release_id` default to APP_VERSION, DAYTWO_SERVICE and SENTRY_RELEASE.
    """

    def __init__(
        self,
        *,
        version: str | None = None,
        service_id: str | None = None,
        release_id: str | None = None,
        deadline: float = _DEADLINE,
    ) -> None:
        self.checks: dict[str, Check] = {}
        self._version, self._service_id, self._release_id = version, service_id, release_id
        self._deadline = deadline
        self._draining = False
        self._sigterm = Sigterm(self.draining)
        self._created = time.monotonic()

    def check(
        self,
        name: str,
        *,
        required: bool = True,
        timeout: float = 2.0,
        ttl: float = 5.0,
        warn_ms: float | None = None,
    ) -> Callable[[F], F]:
        """Register a sync or async function as a check. It passes by returning and fails by raising.

        It may return a message (str) or details (a mapping), and raise `Skip` when there is nothing to check.
        `timeout` and `ttl` are seconds: a run taking longer fails, an outcome is kept that long (a failure
        at most 1 s). A pass slower than `warn_ms` makes the whole degraded.
        """
        if not name.strip() or "," in name or name in self.checks:
            raise ValueError(f"check {name!r} needs another name: not empty, no comma, not taken already")

        def register(function: F) -> F:
            self.checks[name] = Check(
                name=name, function=function, required=required, timeout=timeout, ttl=ttl, warn_ms=warn_ms
            )
            return function

        return register

    def draining(self) -> None:
        """Say that this process is about to stop: from now on it is not ready, so that no new requests come."""
        self._draining = True

    def drain_on_sigterm(self, seconds: float = 5.0) -> None:
        """Be draining from SIGTERM on, and serve for that many seconds more before whoever handles SIGTERM hears of it.

        In that time `ready` answers 503, so that load balancers look elsewhere, while requests come and finish as
        before; a server that stops at once would refuse them. Give the process that many seconds more to end.

        Call it in the main thread where the app is made. A handler that a server installs later (uvicorn) is found at
        the next probe. Behind gunicorn's --preload with threads, call it in `post_worker_init`.
        """
        self._sigterm.hold(seconds)

    def run(self, names: Iterable[str] | None = None) -> Report:
        """Report on the named checks, default all, running in threads what is not known freshly."""
        self._sigterm.keep()
        asked = time.monotonic()
        checks = self._named(names)
        flights = [check.begin(asked, None) for check in checks]
        for flight in filter(None, flights):
            flight.done.wait(asked + self._deadline - time.monotonic())
        return self._report(checks, asked)

    async def run_async(self, names: Iterable[str] | None = None) -> Report:
        """Like `run`, with async checks on the running loop."""
        self._sigterm.keep()
        asked = time.monotonic()
        checks = self._named(names)
        loop = asyncio.get_running_loop()
        flights = [flight for check in checks if (flight := check.begin(asked, loop))]
        if flights:
            await _land(flights, asked + self._deadline, loop)
        return self._report(checks, asked)

    def _named(self, names: Iterable[str] | None) -> list[Check]:
        wanted = None if names is None else set(names)
        return [check for check in tuple(self.checks.values()) if wanted is None or check.name in wanted]

    def _report(self, checks: list[Check], asked: float) -> Report:
        version = self._version or os.environ.get("APP_VERSION") or "unknown"
        return Report(
            checks=tuple(check.result(asked) for check in checks),
            time=time.time(),
            version=version,
            service_id=self._service_id or os.environ.get("DAYTWO_SERVICE") or "unknown",
            release_id=self._release_id or os.environ.get("SENTRY_RELEASE") or version,
            uptime=time.monotonic() - self._created,
            draining=self._draining,
        )


async def _land(flights: list[Flight], until: float, loop: asyncio.AbstractEventLoop) -> None:
    # Not asyncio.wrap_future: each wait on a hung check would leave its callback there for good.
    woken = asyncio.Event()

    def wake() -> None:
        loop.call_soon_threadsafe(woken.set)

    for flight in flights:
        flight.wakers.add(wake)
    try:
        async with asyncio.timeout(until - time.monotonic()):
            while not all(flight.done.is_set() for flight in flights):
                await woken.wait()
                woken.clear()
    except TimeoutError:
        pass  # result() says what stands in for the answers that did not come
    finally:
        for flight in flights:
            flight.wakers.discard(wake)
