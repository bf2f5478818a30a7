"""Definitions as they come, from a server, from disk or with the app; kept through changes, absence and forks."""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial
from multiprocessing import util
from typing import Any, NamedTuple

from daytwo.flags import disk
from daytwo.flags.compiler import Decide
from daytwo.flags.exposures import Tally
from daytwo.flags.link import Link, parse
from daytwo.flags.ruleset import Ruleset
from daytwo.flags.session import Session, log

_FLUSH_S = 4.0  # with the time of a request, counts are there within 5 s
_END_S = 1.0
_SHORTEST_POLL_S = 0.05
_LIVES = 2  # deliveries after which nobody counts on definitions any more that were replaced

Heard = Callable[["State", list[str]], None]


class State(StrEnum):
    """NOT_READY: no definitions, so every answer is the code's default. STALE: from disk, or Daytwo has been away."""

    NOT_READY = "NOT_READY"
    READY = "READY"
    STALE = "STALE"


class Settings(NamedTuple):
    """Where from, how often, and where to keep it."""

    url: str
    key: str
    poll_s: float
    cache: str | os.PathLike[str] | None
    stream: bool

    def __repr__(self) -> str:
        return f"Settings(url={self.url!r})"  # without the key


class Refreshed:
    """Has in `_decide` what is asked, and keeps it fresh."""

    def __init__(self) -> None:
        self._decide: Mapping[str, Decide] = {}  # what is asked; replaced as a whole
        self._ruleset: Ruleset | None = None
        self._retired: list[tuple[int, Ruleset]] = []
        self._overrides: list[dict[str, Decide]] = []
        self._settings: Settings | None = None
        self._session: Session | None = None
        self._tally = Tally()
        self._lock = threading.RLock()
        self._arrival = threading.Event()
        self._contact: float | None = None  # when Daytwo last said what holds, by the monotonic clock
        self._is_asleep = False  # forked, and not asked yet
        self._turn = object()  # of those who bring definitions, who may: not one of a configuration before
        self._ends = False
        self._heard: list[Heard] = []
        self._announced = State.NOT_READY
        self._complained: set[str] = set()
        if hasattr(os, "register_at_fork"):
            begin_anew = weakref.WeakMethod(self._begin_anew)
            os.register_at_fork(after_in_child=lambda: (found := begin_anew()) and found())

    def state(self) -> State:
        """Whether there are definitions, and whether they are today's. STALE after three missed refreshes."""
        if self._ruleset is None:
            return State.NOT_READY
        if self._settings is None:
            return State.READY
        if self._contact is None or time.monotonic() - self._contact > max(3 * self._settings.poll_s, 2.0):
            return State.STALE
        return State.READY

    def close(self) -> None:
        """Deliver what was counted, within a second, and stop refreshing. What is known goes on being answered."""
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            session.close(_END_S)

    def _complain(self, once: str, message: str, **fields: object) -> None:
        if once not in self._complained and len(self._complained) < 100:
            self._complained.add(once)
            log.warning(message, **fields)

    def _begin(self, settings: Settings, bootstrap: str | os.PathLike[str] | Mapping[str, Any] | None) -> None:
        is_online = bool(settings.url and settings.key)
        with self._lock:
            self._ruleset, self._contact, self._tally, self._arrival = None, None, Tally(), threading.Event()
            self._retired, self._is_asleep, self._turn = [], False, object()
            self._settings = settings._replace(poll_s=max(_SHORTEST_POLL_S, settings.poll_s)) if is_online else None
        if bootstrap is not None:
            self._try(
                "the bootstrap", lambda: bootstrap if isinstance(bootstrap, Mapping) else parse(disk.read(bootstrap))
            )
        if is_online:
            if settings.cache is not None:
                path = disk.cache_path(settings.cache, settings.url, settings.key)
                if path.exists():
                    self._try("the cache", lambda: parse(disk.read(path)))
        elif bootstrap is None:
            log.warning(
                "flags answer the code's defaults: DAYTWO_URL or DAYTWO_KEY is not set, and there is no bootstrap"
            )
        with self._lock:
            self._show()
            self._start()

    def _try(self, what: str, find: Callable[[], Any]) -> None:
        """Take definitions that may be no good, unless what there is is newer."""
        try:
            ruleset = Ruleset(find())
        except Exception as error:  # noqa: BLE001 - not there, half written, or somebody else's file
            log.warning(f"{what} of flags cannot be used", reason=f"{type(error).__name__}: {error}"[:500])
            return
        if self._ruleset is None or ruleset.revision >= self._ruleset.revision:
            self._ruleset = ruleset

    def _start(self) -> None:
        settings = self._settings
        if settings is None:
            return
        if not self._ends:
            self._ends = True
            atexit.register(_close, weakref.ref(self))
        self._session = Session(
            Link(settings.url, settings.key), poll_s=settings.poll_s, flush_s=_FLUSH_S, stream=settings.stream,
            tried=self._announce, take=partial(self._take, self._turn), batch=self._batch, arrived=self._tally.arrived,
        )  # fmt: skip

    def _take(self, turn: object, body: bytes | None) -> None:
        """Make a new snapshot the one that holds; ValueError for garbage."""
        if turn is not self._turn:
            return
        changed: list[str] = []
        if body is not None:
            previous = self._ruleset
            ruleset = Ruleset(parse(body), previous=previous)
            changed = ruleset.changed_since(previous)
            with self._lock:
                if turn is not self._turn:
                    return
                self._ruleset = ruleset
                self._retired += [(_LIVES, previous)] if previous is not None else []
                self._show()
            self._keep(body)
            if ruleset.broken and changed:
                words = [str(error) for error in ruleset.broken.values()][:10]
                log.warning("flags that make no sense here answer the code's default", flags=words)
        self._contact = time.monotonic()
        self._arrival.set()
        self._announce(changed)

    def _keep(self, body: bytes) -> None:
        settings = self._settings
        if settings is None or settings.cache is None:
            return
        try:
            disk.write(disk.cache_path(settings.cache, settings.url, settings.key), body)
        except OSError as error:
            self._complain("cache", "flags cannot be kept on disk", reason=str(error))

    def _show(self) -> None:
        """Put what holds now where it is asked for."""
        known = self._ruleset.decide if self._ruleset is not None else {}
        shown = {} if self._is_asleep else known
        for forced in self._overrides:
            shown = {**shown, **forced}
        self._decide = shown

    def _announce(self, changed: list[str] | None = None) -> None:
        now = self.state()
        if not changed and now is self._announced:
            return
        self._announced = now
        for heard in list(self._heard):
            try:
                heard(now, changed or [])
            except Exception as error:  # noqa: BLE001 - the caller's code
                log.warning("a listener for flags failed", error)

    def _batch(self) -> dict[str, Any] | None:
        if self._tally.is_waiting:
            return self._tally.batch(())  # the rules that were replaced lose no life by it
        with self._lock:
            rulesets = [ruleset for _, ruleset in self._retired] + ([self._ruleset] if self._ruleset else [])
            self._retired = [(left - 1, ruleset) for left, ruleset in self._retired if left > 1]
        return self._tally.batch(answer for ruleset in rulesets for answer in ruleset.answers())

    # ---- Forks ----

    def _begin_anew(self) -> None:
        """In a forked child: no thread of the parent is here, and its locks may be held for ever.

        Nothing is started before a flag is asked for: many children never do.
        """
        self._lock = threading.RLock()
        arrived, self._arrival = self._arrival.is_set(), threading.Event()
        if arrived:
            self._arrival.set()
        if self._session is None:
            return
        self._session = None
        self._is_asleep = True
        self._show()

    def _wake(self) -> None:
        with self._lock:
            if not self._is_asleep:
                return
            self._tally, self._retired = Tally(), []
            for answer in self._ruleset.answers() if self._ruleset else ():
                answer.sent = answer.count  # the parent's to deliver
            self._is_asleep = False
            self._show()
            self._start()
            # Children of multiprocessing leave without what atexit runs, but not without their own finalizers.
            util.Finalize(None, _close, args=(weakref.ref(self),), exitpriority=10)


def _close(client: weakref.ref[Refreshed]) -> None:
    found = client()
    if found is not None:
        found.close()
