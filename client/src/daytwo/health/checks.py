"""One check: runs at most once at a time, off the caller's thread, and remembers what came out."""

import asyncio
import inspect
import os
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from daytwo.health.report import CheckResult, CheckStatus
from daytwo.logs.values import plain, text

Finding = str | Mapping[str, Any] | None
CheckFunction = Callable[[], Finding | Awaitable[Finding]]

_FAILURE_TTL = 1.0  # seconds: a recovery shows soon, a storm of probes still runs the check once a second
_STALE_TTLS = 3  # how many TTLs an answer may stand in for one that does not come
_MESSAGE = 500


class Skip(Exception):
    """Raised by a check that has nothing to look at, for example because the service is not configured."""


@dataclass(frozen=True, slots=True)
class Outcome:
    status: CheckStatus
    message: str | None
    details: Mapping[str, Any] | None
    latency_ms: float
    finished: float  # monotonic seconds


@dataclass(slots=True, eq=False)
class Flight:
    """One run under way. Waiters are woken from the thread that finishes it."""

    started: float
    process: int
    done: threading.Event = field(default_factory=threading.Event)
    wakers: set[Callable[[], object]] = field(default_factory=set)
    task: asyncio.Task[None] | None = None  # the loop keeps only weak references to tasks

    def is_lost(self) -> bool:
        """Say whether nobody is left to finish it: a fork takes the note along but no thread, a loop may end."""
        if self.process != os.getpid():
            return True
        return self.task is not None and (self.task.done() or self.task.get_loop().is_closed())


@dataclass(slots=True, eq=False, kw_only=True)
class Check:
    """A registered function and its last outcome. Times are seconds unless the name says ms.

    A sync function gets a daemon thread for each run, which cannot be stopped: one that hangs keeps
    that thread, and no other is started until it returns. Give the client inside it a timeout of its own.
    """

    name: str
    function: CheckFunction
    required: bool
    timeout: float
    ttl: float
    warn_ms: float | None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _last: Outcome | None = None
    _flight: Flight | None = None

    @contextmanager
    def instead(self, function: CheckFunction) -> Iterator[None]:
        """Run another function for the length of a block, and forget what was known before and in it."""
        kept = self.function
        self._put(function)
        try:
            yield
        finally:
            self._put(kept)

    def _put(self, function: CheckFunction) -> None:
        with self._lock:
            self.function, self._last, self._flight = function, None, None

    def begin(self, now: float, loop: asyncio.AbstractEventLoop | None) -> Flight | None:
        """Start a run unless a fresh outcome is there or a run is under way; return the run to wait for.

        None is returned too for a run past its timeout: there is nothing to wait for.
        """
        with self._lock:
            if self._last and self._is_fresh(self._last, now):
                return None
            flight = self._flight
            if flight and not flight.is_lost():
                return flight if now - flight.started < self.timeout else None
            flight = self._flight = Flight(now, os.getpid())
        if loop is not None and inspect.iscoroutinefunction(self.function):
            # On the loop that asked: an async client's connections belong to it.
            flight.task = loop.create_task(self._run_on_loop(flight, self.function()))
        else:
            self._start_thread(flight)
        return flight

    def result(self, asked: float) -> CheckResult:
        """Return the best answer there is for a caller who asked at that time and has waited long enough."""
        now = time.monotonic()
        with self._lock:
            last, flight = self._last, self._flight
        if last and self._is_fresh(last, asked):
            return self._shown(last)
        overdue = flight is not None and now - flight.started >= self.timeout
        if last and not overdue and now - last.finished <= _STALE_TTLS * self.ttl:
            return self._shown(last, stale=True)
        waited = now - (flight.started if flight else asked)
        return self._shown(Outcome("fail", "timeout", None, _ms(waited), now))

    def _is_fresh(self, outcome: Outcome, asked: float) -> bool:
        kept = min(self.ttl, _FAILURE_TTL) if outcome.status == "fail" else self.ttl
        return asked - outcome.finished < kept

    def _shown(self, outcome: Outcome, *, stale: bool = False) -> CheckResult:
        slow = outcome.status == "pass" and self.warn_ms is not None and outcome.latency_ms > self.warn_ms
        return CheckResult(
            name=self.name,
            required=self.required,
            status=outcome.status,
            latency_ms=outcome.latency_ms,
            message=outcome.message or (f"slower than {self.warn_ms:g} ms" if slow else None),
            details=outcome.details,
            stale=stale,
            slow=slow,
        )

    def _start_thread(self, flight: Flight) -> None:
        name = f"daytwo-health-{self.name}"
        runner = threading.Thread(target=self._run_in_thread, args=(flight,), name=name, daemon=True)
        try:
            runner.start()
        except RuntimeError as error:  # the process may have no more threads
            self._finish(flight, error)

    def _run_in_thread(self, flight: Flight) -> None:
        try:
            found = self.function()
            if inspect.isawaitable(found):
                found = asyncio.run(_limited(found, self.timeout))
        except BaseException as error:  # noqa: BLE001 - whatever a check raises is its way to fail
            self._finish(flight, error)
        else:
            self._finish(flight, None, found)

    async def _run_on_loop(self, flight: Flight, found: Awaitable[Finding]) -> None:
        try:
            said = await _limited(found, self.timeout)
        except Exception as error:  # noqa: BLE001 - whatever a check raises is its way to fail
            self._finish(flight, error)
        except BaseException as error:  # its loop ends
            self._finish(flight, error)
            raise
        else:
            self._finish(flight, None, said)

    def _finish(self, flight: Flight, error: BaseException | None, found: object = None) -> None:
        now = time.monotonic()
        latency_ms = _ms(now - flight.started)
        if now - flight.started >= self.timeout:
            outcome = Outcome("fail", "timeout", None, latency_ms, now)
        elif isinstance(error, Skip):
            outcome = Outcome("skipped", _said(error), None, latency_ms, now)
        elif error is not None:
            outcome = Outcome("fail", _said(error), None, latency_ms, now)
        else:
            outcome = Outcome("pass", *_found(found), latency_ms, now)
        with self._lock:
            self._last = outcome
            if self._flight is flight:
                self._flight = None
        # Done first: who adds a waker from now on sees it and does not wait.
        flight.done.set()
        for wake in tuple(flight.wakers):
            with suppress(RuntimeError):  # the waiter's event loop has ended meanwhile
                wake()


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


async def _limited(found: Awaitable[Finding], timeout: float) -> Finding:  # noqa: ASYNC109 - it is the limit
    async with asyncio.timeout(timeout):
        return await found


def _found(found: object) -> tuple[str | None, Mapping[str, Any] | None]:
    # By type, not isinstance: a proxy may raise when asked for its class, and this must not fail.
    kind, shown = type(found), plain(found)
    return text(shown, _MESSAGE) if issubclass(kind, str) else None, shown if issubclass(kind, Mapping) else None


def _said(error: BaseException) -> str:
    # The type goes with it: str() of an error may be empty (TimeoutError) or mean little alone (KeyError).
    return text(str(plain(error)).removeprefix("Skip: "), _MESSAGE)
