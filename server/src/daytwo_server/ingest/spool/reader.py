"""The reading side: records in order after a saved position, and the removal of what is done with."""

import logging
import os
import select
import time
from pathlib import Path
from typing import NamedTuple

from daytwo_server.ingest.spool import segments
from daytwo_server.ingest.spool.record import (
    HEADER_BYTES,
    PACKED,
    PLAIN,
    START,
    Content,
    Position,
    Record,
    body_length,
    decode,
)

log = logging.getLogger(__name__)

_WINDOW = 1024 * 1024
_POLL_S = 0.025


class Backlog(NamedTuple):
    """What is on disk: segments, and their bytes."""

    bytes: int
    segments: int


class _Found(NamedTuple):
    """`size` is that on disk, `weight` that in memory, in bytes."""

    sequence: int
    content: Content
    weight: int
    size: int


class _Segment:
    """One file, read from `offset` on. `last` is the sequence of the last record given out, -1 before the first.

    `lost` counts the records that damage made unreadable: sequences have no gaps but where something is missing.
    """

    def __init__(self, directory: Path, number: int) -> None:
        self.number = number
        self.offset = 0
        self.last = -1
        self.corrupt_bytes = 0
        self.lost = 0
        self._handle = os.open(segments.path_of(directory, number), os.O_RDONLY)
        self._window = b""
        self._window_at = 0

    def size(self) -> int:
        return os.fstat(self._handle).st_size

    def close(self) -> None:
        os.close(self._handle)

    def next(self, *, sealed: bool) -> tuple[Record, int] | None:
        """The next whole record and its weight, or None when there is none (yet).

        A sealed segment will not grow, so what cannot be read in it is damage: it is skipped and counted.
        """
        while True:
            found = self._record_at(self.offset)
            if found is None:
                if not sealed or self.offset >= self.size():
                    return None
                self._skip_damage()
                continue
            self.offset += found.size
            if found.sequence <= self.last:
                continue
            self.last = found.sequence
            return Record(Position(self.number, found.sequence), found.content), found.weight

    def _record_at(self, offset: int) -> _Found | None:
        header = self._bytes(offset, HEADER_BYTES)
        length = body_length(header) if len(header) == HEADER_BYTES else None
        if length is None:
            return None
        body = self._bytes(offset + HEADER_BYTES, length)
        decoded = decode(header, body) if len(body) == length else None
        return None if decoded is None else _Found(*decoded, HEADER_BYTES + length)

    def _skip_damage(self) -> None:
        """Go on to the next place that holds a record newer than the last, or to the end of the file."""
        end = self.size()
        offset = self.offset + 1
        while offset < end:
            offset = self._next_magic(offset, end)
            found = self._record_at(offset)
            if found is not None and found.sequence > self.last:
                self.lost += found.sequence - self.last - 1
                break
            offset += 1
        offset = min(offset, end)
        self.corrupt_bytes += offset - self.offset
        log.error("Spool segment %d: skipped %d damaged bytes at %d.", self.number, offset - self.offset, self.offset)
        self.offset = offset

    def _next_magic(self, offset: int, end: int) -> int:
        while offset < end:
            data = self._bytes(offset, min(_WINDOW, end - offset))
            places = [at for magic in (PLAIN, PACKED) if (at := data.find(magic)) >= 0]
            if places:
                return offset + min(places)
            # Keep the last bytes: the magic may begin in them.
            offset += max(1, len(data) - len(PLAIN) + 1)
        return end

    def _bytes(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset`, fewer where the file ends."""
        start = offset - self._window_at
        if start < 0 or start + length > len(self._window):
            self._window = os.pread(self._handle, max(length, _WINDOW), offset)
            self._window_at = offset
            start = 0
        return self._window[start : start + length]


class Reader:
    """Reads for this process, the only one that may. Raises `SpoolLocked` when another does.

    The caller keeps the position; `read(after)` gives what follows it. Nothing is given out of a torn tail: in the
    newest segment reading stops there until more arrives. When a newer one exists the segment is sealed, the torn or
    damaged part is skipped, logged and counted in `corrupt_bytes`.

    A record of a batch that failed may be seen once in the moment before the writer takes it back. Its sender was
    told 429; no position ever names two records.

    `lost` is how many records the last `read` passed over because they were damaged. What is missing at the end of a
    segment is not among them: it cannot be told from a batch that was never acknowledged.

    `wake_fd` may be the reading end of a non-blocking pipe or an eventfd: a byte there ends `wait` at once.
    """

    def __init__(self, directory: Path, *, wake_fd: int | None = None) -> None:
        segments.prepare(directory)
        self.directory = directory
        self._lock = segments.lock(directory, "digest.lock")
        self._wake_fd = wake_fd
        self._known: list[int] = []
        self._segment: _Segment | None = None
        self._at = START
        self._ends: dict[int, int] = {}  # of segments read to their sealed end: the last sequence, -1 for none
        self._corrupt_before = 0
        self.lost = 0
        self._seen: tuple[int, int] | None = None

    @property
    def corrupt_bytes(self) -> int:
        """Damaged bytes skipped since this reader began."""
        return self._corrupt_before + (self._segment.corrupt_bytes if self._segment else 0)

    def read(self, after: Position, *, max_records: int = 500, max_bytes: int = 8 * 1024 * 1024) -> list[Record]:
        """What follows `after`, oldest first: at most `max_records`, and no further one past `max_bytes` in memory.

        Returns at once, empty when there is nothing.
        """
        signature = self._signature()
        self.lost = 0
        if self._segment is None or after != self._at:
            self._seek(after)
        self._at = after
        records: list[Record] = []
        taken = 0
        while len(records) < max_records and taken < max_bytes:
            step = self._step()
            if step is None:
                self._seen = signature
                break
            records.append(step[0])
            taken += step[1]
        else:
            self._seen = None  # stopped by a limit: there may be more
        if records:
            self._at = records[-1].position
        return records

    def wait(self, timeout_s: float) -> bool:
        """Block until something was written since the last `read` stopped (True), or until the time is over (False)."""
        deadline = time.monotonic() + timeout_s
        while self._seen is not None and self._seen == self._signature():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._pause(min(left, _POLL_S))
        return True

    def unlink_through(self, position: Position) -> int:
        """Remove the segments which nothing after `position` is in. Returns how many.

        Call it with the position that is safely committed, after every `read`, also an empty one: that is what
        notices that a segment was sealed since. The newest segment always stays.
        """
        removed = 0
        for number in segments.numbers(self.directory)[:-1]:
            end = self._ends.get(number)
            passed = number < position.segment
            at_end = number == position.segment and end is not None and position.sequence >= end
            empty = number > position.segment and end == -1
            if not (passed or at_end or empty):
                continue
            segments.path_of(self.directory, number).unlink(missing_ok=True)
            self._ends.pop(number, None)
            removed += 1
        return removed

    def backlog(self) -> Backlog:
        """What is on disk now, read or not. Looks at every file: for pages and metrics, not for loops."""
        sizes = []
        for number in segments.numbers(self.directory):
            try:
                sizes.append(segments.path_of(self.directory, number).stat().st_size)
            except FileNotFoundError:
                continue
        return Backlog(sum(sizes), len(sizes))

    def close(self) -> None:
        self._leave()
        os.close(self._lock)

    def _step(self) -> tuple[Record, int] | None:
        """The next record and its weight, going on to the next segment where one is sealed and read to its end."""
        while True:
            if self._segment is None and not self._enter_after(self._at.segment):
                return None
            segment = self._segment
            if segment is None:
                return None
            sealed = self._is_sealed(segment.number)
            step = segment.next(sealed=sealed)
            self.lost, segment.lost = self.lost + segment.lost, 0
            if step is not None:
                return step
            if not sealed and not self._is_sealed(segment.number, look=True):
                return None
            if sealed:
                self._ends[segment.number] = segment.last
                self._enter_after(segment.number)
            # Sealed only now: records may have come in before the seal, so read to the end once more.

    def _is_sealed(self, number: int, *, look: bool = False) -> bool:
        if look:
            self._known = segments.numbers(self.directory)
        return bool(self._known) and number < self._known[-1]

    def _enter_after(self, number: int) -> bool:
        """Open the first segment above `number`. False when there is none."""
        self._leave()
        if not self._known or self._known[-1] <= number:
            self._known = segments.numbers(self.directory)
        return any(self._open(known) for known in self._known if known > number)

    def _open(self, number: int) -> bool:
        try:
            self._segment = _Segment(self.directory, number)
        except FileNotFoundError:  # a first write failed there, and the writer took the empty file away
            return False
        return True

    def _seek(self, after: Position) -> None:
        """Stand behind `after`, or at the first segment above it when that one is gone."""
        self._leave()
        self._known = segments.numbers(self.directory)
        if self._open(after.segment) and self._segment is not None:
            self._segment.last = after.sequence  # `next` passes over what is not above it
        else:
            self._enter_after(after.segment)

    def _leave(self) -> None:
        if self._segment is not None:
            self._corrupt_before += self._segment.corrupt_bytes
            self._segment.close()
            self._segment = None

    def _signature(self) -> tuple[int, int]:
        """Changes whenever something is written: the newest segment and its size."""
        known = segments.numbers(self.directory)
        if not known:
            return 0, 0
        try:
            return known[-1], segments.path_of(self.directory, known[-1]).stat().st_size
        except FileNotFoundError:
            return known[-1], 0

    def _pause(self, seconds: float) -> None:
        if self._wake_fd is None:
            time.sleep(seconds)
        elif select.select([self._wake_fd], [], [], seconds)[0]:
            os.read(self._wake_fd, 4096)
