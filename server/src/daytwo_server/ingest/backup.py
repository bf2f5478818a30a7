"""The spool's share of a backup.

The digest removes segments while the backup is made, so those that are sealed are linked to, which keeps what is in
them. The newest is copied: a second name would hide from the writer that somebody has deleted it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from daytwo_server.ingest.quarantine import Quarantine
from daytwo_server.ingest.spool import Position, Reader, Record, segments
from daytwo_server.ingest.spool.record import HEADER_BYTES, START, body_length
from daytwo_server.operate.backup.parts import Ask

NODE, QUARANTINE = "node", "quarantine"
_LOCKS = ("writer.lock", "digest.lock")


class SpoolPart:
    """See `operate.backup.parts.Part`."""

    folder = "spool"

    def before(self, live: Path, staged: Path) -> None:
        """What is acknowledged by now is either here or counted in every later moment of `default`."""
        _stage(live, staged)

    def after(self, live: Path, staged: Path, ask: Ask) -> None:
        """Add what came since, leave out what is digested, and keep the numbers from being used twice."""
        _stage(live, staged)
        digested = _digested(staged, ask)
        numbers = segments.numbers(staged)
        for number in numbers:
            if number < digested.segment:
                segments.path_of(staged, number).unlink()
        _leave_out_unpassed(staged / QUARANTINE, digested)
        # An empty last segment: after a restore new ones get higher numbers, whatever the clock says then. It also
        # closes the one before it.
        last = max([digested.segment, int(time.time() * 1000), *numbers]) + 1
        segments.path_of(staged, last).touch(0o600)

    def count(self, restored: Path, ask: Ask) -> dict[str, int]:
        """What is still to be digested."""
        with contextlib.closing(Reader(restored)) as reader:
            waiting = sum(len(records) for records in _batches(reader, _digested(restored, ask)))
            damaged = reader.corrupt_bytes
        found = {"records waiting": waiting, "records in quarantine": Quarantine(restored / QUARANTINE).size()}
        return found | ({"damaged bytes in the spool": damaged} if damaged else {})

    def is_held(self, live: Path) -> str:
        """The process that takes or digests events here."""
        for name in _LOCKS:
            if (live / name).exists() and (owner := _owner(live / name)):
                return f"process {owner}"
        return ""


def _stage(live: Path, staged: Path) -> None:
    """Give everything in the spool a place in `staged`, also what was not there or not complete the last time."""
    if not live.is_dir():
        return
    numbers = segments.numbers(live)
    for number in numbers:
        place = _copy_whole_records if number == numbers[-1] else _link
        _unless_gone(place, segments.path_of(live, number), segments.path_of(staged, number))
    if (live / NODE).exists():
        shutil.copyfile(live / NODE, staged / NODE)
    if (live / QUARANTINE).is_dir():
        (staged / QUARANTINE).mkdir(mode=0o700, exist_ok=True)
        for path in [*(live / QUARANTINE).glob("*.record"), *(live / QUARANTINE).glob("*.json")]:
            _unless_gone(_link, path, staged / QUARANTINE / path.name)


def _unless_gone(place: Callable[[Path, Path], None], path: Path, target: Path) -> None:
    # Digested, or released, meanwhile. What was staged of it before stays.
    with contextlib.suppress(FileNotFoundError):
        place(path, target)


def _link(path: Path, target: Path) -> None:
    draft = target.with_name(f"{target.name}.draft")
    try:
        os.link(path, draft)
    except FileNotFoundError:
        raise
    except OSError:  # another file system, or one without links
        shutil.copyfile(path, draft)
    draft.replace(target)
    draft.unlink(missing_ok=True)  # replacing a link by one to the same file does nothing and leaves both


def _copy_whole_records(path: Path, target: Path) -> None:
    """Leaves out the torn end of a record that is being written: nobody was told that it is there."""
    draft = target.with_name(f"{target.name}.draft")
    shutil.copyfile(path, draft)
    with draft.open("r+b") as file:
        file.truncate(_end_of_whole_records(file.fileno()))
    draft.replace(target)


def _end_of_whole_records(handle: int) -> int:
    size, offset = os.fstat(handle).st_size, 0
    while offset < size:
        header = os.pread(handle, HEADER_BYTES, offset)
        if len(header) < HEADER_BYTES:
            return offset
        length = body_length(header)
        if length is None:  # damage: the reader knows what to do with it
            return size
        if offset + HEADER_BYTES + length > size:
            return offset
        offset += HEADER_BYTES + length
    return size


def _digested(staged: Path, ask: Ask) -> Position:
    """Where this spool's digest was at the moment of the store `default`."""
    node = (staged / NODE).read_text().strip()[:32] if (staged / NODE).exists() else ""
    cursors = {name: Position(*rest) for name, *rest in ask("SELECT node, segment, sequence FROM ingest_cursor")}
    return cursors.get(node, START)


def _leave_out_unpassed(quarantine: Path, digested: Position) -> None:
    """A record past the cursor is met again in the spool. Kept in quarantine too, it would be tried twice."""
    for position in Quarantine(quarantine).positions():
        if position > digested:
            for path in quarantine.glob(f"{position.segment}-{position.sequence}.*"):
                path.unlink()


def _batches(reader: Reader, at: Position) -> Iterator[list[Record]]:
    while records := reader.read(at):
        yield records
        at = records[-1].position


def _owner(lock: Path) -> str:
    """The id of the process that holds the lock; empty when nobody does."""
    handle = os.open(lock, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(handle, 20, 0).decode("ascii", "replace").strip() or "unknown"
    finally:
        os.close(handle)
    return ""
