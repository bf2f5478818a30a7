"""The doors of intake: rate, spool, disk, memory. Each is asked before a body is read, and answers 429 when shut."""

import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from daytwo_server.ingest.keys import Key
from daytwo_server.ingest.limits import MIB
from daytwo_server.ingest.refused import Refused, try_later

_DISK_RETRY_S = 30
_BUSY_RETRY_S = 2
_WRITE_RETRY_S = 5
_LONGEST_RATE_RETRY_S = 5
_LOOK_AT_DISK_S = 1.0


class _Size(Protocol):
    @property
    def bytes(self) -> int: ...


class Spool(Protocol):
    """What the guards ask of the spool's writer."""

    @property
    def directory(self) -> Path: ...
    @property
    def problem(self) -> str: ...
    def size(self) -> _Size: ...
    def full(self) -> bool: ...


def free_bytes(directory: Path) -> int:
    """What an ordinary process may still write on the disk of `directory`; 0 when it cannot be reached."""
    try:
        # The parent's when it was deleted: the writer makes it again, if it is let.
        stat = os.statvfs(directory if directory.exists() else directory.parent)
    except OSError:
        return 0
    return stat.f_bavail * stat.f_frsize


class _Bucket:
    """A token bucket: `burst` at once, `rate` a second for ever."""

    __slots__ = ("at", "tokens")

    def __init__(self, tokens: float, at: float) -> None:
        self.tokens = tokens
        self.at = at

    def take(self, now: float, rate: float, burst: float) -> float:
        """Take one token: 0, or the seconds until there is one."""
        self.tokens = min(burst, self.tokens + (now - self.at) * rate)
        self.at = now
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / rate if rate > 0 else math.inf


class Guards:
    """Says no before work is done. Used on one event loop only, but for `limit`.

    `check(key)` raises a 429 `Refused`, or takes one request off the key's bucket. `hold` and `release` account for
    the payloads of all requests that are being read or written to disk at one time: `max_held_bytes`. `rate_per_s` and
    `burst` are in requests and hold for each key that has none of its own.
    """

    def __init__(
        self,
        spool: Spool,
        *,
        rate_per_s: float = 2000,
        burst: int = 60_000,
        spool_max_bytes: int = 2048 * MIB,
        min_free_bytes: int = 500 * MIB,
        max_held_bytes: int = 64 * MIB,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spool = spool
        self.limit(rate_per_s=rate_per_s, burst=burst, spool_max_bytes=spool_max_bytes, min_free_bytes=min_free_bytes)
        self._max_held = max_held_bytes
        self._monotonic = monotonic
        self._buckets: dict[str, _Bucket] = {}
        self._free_now = 0
        self._look_at = -math.inf
        self._held = 0

    def limit(self, *, rate_per_s: float, burst: int, spool_max_bytes: int, min_free_bytes: int) -> None:
        """Hold to these from now on. May be called on any thread: each of them is replaced whole."""
        self._default_rate = (rate_per_s, float(burst))
        self._spool_max = spool_max_bytes
        self._min_free = min_free_bytes

    @property
    def held_bytes(self) -> int:
        return self._held

    def check(self, key: Key) -> None:
        now = self._monotonic()
        self._check_spool(now)
        wait = self._bucket(key, now).take(now, *self._rate(key))
        if wait > 0:
            raise try_later(
                "The key sends faster than its rate.",
                reason="rate_limit",
                retry_after_s=math.ceil(min(_LONGEST_RATE_RETRY_S, max(1, wait))),
                scope="key",
            )

    def hold(self, size: int) -> None:
        """Account for `size` more bytes in memory (fewer when negative). Raises 429, then nothing was added."""
        if size > 0 and self._held + size > self._max_held:
            raise _busy("too much is being received at once")
        self._held += size

    def release(self, size: int) -> None:
        self._held -= size

    def status(self) -> str:
        """Why intake refuses now, in words for people; "" while it accepts."""
        now = self._monotonic()
        words = (self._disk(now), self._spool_size(), self._spool_trouble(), self._queue())
        return "; ".join(filter(None, words))

    def _check_spool(self, now: float) -> None:
        if words := self._disk(now):
            raise _later(words, "disk_space")
        if words := self._spool_size():
            raise _later(words, "spool_full")
        if words := self._queue():
            raise _busy(words)

    # Each of these is one half sentence, or "".

    def _disk(self, now: float) -> str:
        if now - self._look_at >= _LOOK_AT_DISK_S:
            self._look_at = now
            self._free_now = free_bytes(self._spool.directory)
        if self._free_now >= self._min_free:
            return ""
        return f"free disk {self._free_now // MIB} MB is under the minimum of {self._min_free // MIB} MB"

    def _spool_size(self) -> str:
        size = self._spool.size().bytes
        if size <= self._spool_max:
            return ""
        return f"the spool holds {size // MIB} MB, more than the {self._spool_max // MIB} MB allowed"

    def _spool_trouble(self) -> str:
        # Only told, no guard: the next batch has to be let through to find out that the trouble is over.
        return f"the spool cannot be written: {self._spool.problem}" if self._spool.problem else ""

    def _queue(self) -> str:
        return "the queue in front of the disk is full" if self._spool.full() else ""

    def _rate(self, key: Key) -> tuple[float, float]:
        rate, burst = self._default_rate
        return rate if key.rate_per_s is None else key.rate_per_s, burst if key.burst is None else key.burst

    def _bucket(self, key: Key, now: float) -> _Bucket:
        bucket = self._buckets.get(key.public_key)
        if bucket is None:
            bucket = self._buckets[key.public_key] = _Bucket(self._rate(key)[1], now)
        return bucket


def _later(words: str, reason: str) -> Refused:
    return try_later(f"Intake is closed: {words}.", reason=reason, retry_after_s=_DISK_RETRY_S)


def _busy(words: str) -> Refused:
    return try_later(f"Intake is busy: {words}.", reason="busy", retry_after_s=_BUSY_RETRY_S)


def write_failed(cause: str) -> Refused:
    """The answer when accepted items could not be made durable."""
    return try_later(f"Nothing was stored: {cause}.", reason="write_failed", retry_after_s=_WRITE_RETRY_S)
