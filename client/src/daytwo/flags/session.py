"""The threads of a process: one keeps the definitions fresh, one hears when to, one delivers counts."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any

from daytwo.flags.link import Failed, Link
from daytwo.logs.logger import get_logger

_FIRST_PAUSE_S = 1.0  # between attempts until there is something to work with
_LONGEST_PAUSE_S = 300.0  # that a server can ask for
_GONE_AFTER_S = 5.0
_NO_STREAM_S = 300.0  # until a server that has none is asked again
_LONGEST_WAIT_S = 60.0  # for a stream that broke off

log = get_logger("daytwo.flags")


class Session:
    """Runs until `close`. `take` is given each new body, or None where nothing changed, and raises for garbage.

    `batch` gives the counts to send, `arrived` is called when they are settled.
    """

    def __init__(
        self,
        link: Link,
        *,
        poll_s: float,
        flush_s: float,
        stream: bool,
        take: Callable[[bytes | None], None],
        tried: Callable[[], None],
        batch: Callable[[], dict[str, Any] | None],
        arrived: Callable[[], None],
    ) -> None:
        self._link, self._poll_s, self._flush_s = link, poll_s, flush_s
        self._take, self._tried, self._batch, self._arrived = take, tried, batch, arrived
        self._stopped = threading.Event()
        self._flushing = threading.Lock()
        self._etag = ""
        self._has_any = self._is_told_to_wait = False
        self._told: dict[str, str] = {}  # what was last said of each kind of trouble
        self._woken = threading.Event()  # ask at once
        self._heard = self._had = 0  # the last revision that a stream told of, and that was asked for since
        works = {"daytwo-flags-poll": self._poll, "daytwo-flags-exposures": self._flush}
        if stream:
            works["daytwo-flags-stream"] = self._follow
        for name, work in works.items():
            threading.Thread(target=work, name=name, daemon=True).start()

    def close(self, patience_s: float) -> None:
        """Stop, and deliver what was counted, in that many seconds at most."""
        self._stopped.set()
        self._woken.set()
        until = time.monotonic() + patience_s
        if self._flushing.acquire(timeout=patience_s):
            try:
                self._deliver(max(0.1, until - time.monotonic()))
            finally:
                self._flushing.release()
        self._link.close()

    def _poll(self) -> None:
        while not self._stopped.is_set():
            self._woken.clear()
            pause = self._refresh()
            self._tried()
            if self._is_told_to_wait:
                self._stopped.wait(pause)
            else:
                self._woken.wait(pause)

    def _follow(self) -> None:
        """Have the other thread ask as soon as something changes. Without a stream, it still asks every so often."""
        failures = 0
        while not self._stopped.is_set():
            try:
                for revision in self._link.changes():
                    failures = 0
                    self._heard = revision or self._heard
                    self._woken.set()
                    if self._stopped.is_set():
                        return
            except Exception as error:  # noqa: BLE001 - the thread has to go on
                refused = isinstance(error, Failed) and 400 <= error.status < 500 and error.status != 429
                failures = 20 if refused else failures
            failures += 1
            wait = _NO_STREAM_S if failures > 20 else min(_LONGEST_WAIT_S, 0.5 * 2 ** min(failures, 10))
            self._stopped.wait(wait * random.uniform(0.5, 1.0))  # noqa: S311 - so that not all come back at once

    def _refresh(self) -> float:
        """Ask once; the seconds until the next time."""
        self._is_told_to_wait = False
        try:
            heard = self._heard
            body, etag = self._link.snapshot(self._etag, heard if heard != self._had else 0)
            self._had = heard
            self._take(body)
        except Failed as error:
            self._say("the flags could not be refreshed", str(error))
            asked = min(error.retry_after, _LONGEST_PAUSE_S)
            self._is_told_to_wait = asked > 0
            return max(asked, self._poll_s if self._has_any else min(_FIRST_PAUSE_S, self._poll_s))
        except Exception as error:  # noqa: BLE001 - whatever came is no snapshot, and the thread has to go on
            self._say("the flags could not be refreshed", f"what came makes no sense: {type(error).__name__}: {error}")
        else:
            self._etag, self._has_any = etag, True
            self._say("the flags could not be refreshed", "")
        return self._poll_s * random.uniform(0.9, 1.1)  # noqa: S311 - so that processes do not ask all at once

    def _flush(self) -> None:
        while not self._stopped.wait(self._flush_s):
            with self._flushing:
                if not self._stopped.is_set():
                    self._deliver(_GONE_AFTER_S)

    def _deliver(self, patience_s: float) -> None:
        try:
            batch = self._batch()
            if batch is None:
                return
            self._link.tell(batch, patience_s=patience_s)
        except Failed as error:
            self._say("the counts of flags could not be delivered", str(error))
            if 400 <= error.status < 500 and error.status not in {408, 429}:
                self._arrived()  # it would be refused again
        except Exception as error:  # noqa: BLE001 - the thread has to go on
            self._say("the counts of flags could not be delivered", f"{type(error).__name__}: {error}")
        else:
            self._arrived()
            self._say("the counts of flags could not be delivered", "")

    def _say(self, trouble: str, reason: str) -> None:
        """Write a line when a trouble begins, changes or is over; not each time."""
        if self._told.get(trouble, "") == reason:
            return
        self._told[trouble] = reason
        if reason:
            log.warning(trouble, reason=reason)
        else:
            log.info("Daytwo answers again")
