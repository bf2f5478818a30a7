"""What the digest says of itself, for pages and `daytwo doctor` that run in other processes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec


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

    def failed(self, error: str) -> None:
        since = self._told.failing_since or time.time()
        self._tell(Told(error=error[:300], failing_since=since, succeeded_at=self._told.succeeded_at))

    def _tell(self, told: Told) -> None:
        self._told = told
        draft = self._path.with_suffix(f".{os.getpid()}")
        try:
            draft.write_bytes(msgspec.json.encode(told))
            draft.replace(self._path)
        except OSError:  # a full disk: the file is only news, the spool and the databases are what matters
            draft.unlink(missing_ok=True)


def read(path: Path) -> Told:
    """What the digest last said; an empty `Told` when it never ran."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Told)
    except (OSError, msgspec.MsgspecError):
        return Told()
