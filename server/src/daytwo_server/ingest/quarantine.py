"""Records that the digest cannot take: kept aside so that one of them never stops the others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from daytwo_server.ingest.spool import Position, Record
from daytwo_server.ingest.spool.record import Content

_decode = msgspec.msgpack.Decoder(Content).decode


class Quarantine:
    """A folder with one file per record and why it failed beside it. Readable by its owner only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, record: Record, problem: Exception) -> None:
        """Write the record durably; the cursor may then pass it."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        reason = msgspec.json.encode({"error": type(problem).__name__, "message": str(problem)[:500]})
        _write(self._path(record, ".json"), reason)
        _write(self._path(record, ".record"), msgspec.msgpack.encode(record.content))

    def records(self) -> Iterator[Record]:
        """What is kept, in no order."""
        for path in self._folder.glob("*.record"):
            segment, _, sequence = path.stem.partition("-")
            yield Record(Position(int(segment), int(sequence)), _decode(path.read_bytes()))

    def release(self, record: Record) -> None:
        """Forget a record that could be digested after all."""
        for suffix in (".record", ".json"):
            self._path(record, suffix).unlink(missing_ok=True)

    def size(self) -> int:
        """How many records wait for a person."""
        return sum(1 for _ in self._folder.glob("*.record")) if self._folder.exists() else 0

    def _path(self, record: Record, suffix: str) -> Path:
        return self._folder / f"{record.position.segment}-{record.position.sequence}{suffix}"


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
