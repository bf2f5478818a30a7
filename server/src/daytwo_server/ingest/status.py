"""What the digest says of itself, for pages and `daytwo doctor` that run in other processes."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import msgspec

_MAX_CHARS = 300


class Told(msgspec.Struct, frozen=True):
    """`error` is empty when the last batch went well. Times are unix seconds, 0 for never."""

    error: str = ""
    failing_since: float = 0.0
    succeeded_at: float = 0.0


class DigestStatus:
    """A small file that is replaced when something changes, at most once a second while all is well."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._told = read(path)

    def succeeded(self) -> None:
        now = time.time()
        if self._told.error or now - self._told.succeeded_at >= 1:
            self._tell(Told(succeeded_at=now))

    def idle(self) -> None:
        """There is nothing to do, and what was wrong is over."""
        if self._told.error:
            self._tell(Told(succeeded_at=self._told.succeeded_at))

    def failed(self, error: str) -> None:
        since = self._told.failing_since or time.time()
        self._tell(Told(error=error[:_MAX_CHARS], failing_since=since, succeeded_at=self._told.succeeded_at))

    def _tell(self, told: Told) -> None:
        self._told = told
        content = msgspec.json.encode(told)
        draft = self._path.with_suffix(f".{os.getpid()}")
        try:
            draft.write_bytes(content)
            draft.replace(self._path)
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
            self._write_over(content)

    def _write_over(self, content: bytes) -> None:
        """On a full disk there is no room for a new file, but the block of the old one can still be used."""
        with contextlib.suppress(OSError):  # it is only news: the spool and the stores are what matters
            handle = os.open(self._path, os.O_WRONLY)
            try:
                # Spaces over what was there: cutting the file could give the block away.
                os.pwrite(handle, content.ljust(os.fstat(handle).st_size), 0)
            finally:
                os.close(handle)


def read(path: Path) -> Told:
    """What the digest last said; an empty `Told` when it never ran."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Told)
    except (OSError, msgspec.MsgspecError):
        return Told()
