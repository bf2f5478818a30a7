"""Records that the digest cannot take: kept aside so that one of them never stops the others."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from daytwo_server.core.files import sync_directory
from daytwo_server.ingest.spool import Position, Record
from daytwo_server.ingest.spool.record import Content

_decode = msgspec.msgpack.Decoder(Content).decode
_RECORD, _REASON = ".record", ".json"


class Quarantine:
    """A folder with one file per record and why it failed beside it. Readable by its owner only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, record: Record, problem: Exception) -> None:
        """Write the record durably; the cursor may then pass it. Raises OSError."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        reason = msgspec.json.encode({"error": type(problem).__name__, "message": str(problem)[:500]})
        _write(self._path(record.position, _REASON), reason)
        _write(self._path(record.position, _RECORD), msgspec.msgpack.encode(record.content))
        sync_directory(self._folder)

    def positions(self) -> list[Position]:
        """Of the records that are kept, oldest first. Other files in the folder are left alone."""
        names = (path.stem.partition("-") for path in self._folder.glob(f"*{_RECORD}"))
        return sorted(
            Position(int(segment), int(sequence))
            for segment, _, sequence in names
            if segment.isdecimal() and sequence.isdecimal()
        )

    def load(self, position: Position) -> Record | None:
        """The record that is kept for this position; None when its file is gone or damaged."""
        try:
            return Record(position, _decode(self._path(position, _RECORD).read_bytes()))
        except (FileNotFoundError, msgspec.MsgspecError):
            return None

    def release(self, record: Record) -> None:
        """Forget a record that could be digested after all."""
        for suffix in (_RECORD, _REASON):
            self._path(record.position, suffix).unlink(missing_ok=True)

    def size(self) -> int:
        """How many records wait for a person."""
        return sum(1 for _ in self._folder.glob(f"*{_RECORD}"))

    def _path(self, position: Position, suffix: str) -> Path:
        return self._folder / f"{position.segment}-{position.sequence}{suffix}"


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing: a file that a full disk or a power cut left half written would look like a record."""
    draft = path.with_name(f"{path.name}.draft")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
