"""The writing side: batches of records, durable before anyone is told so."""

import asyncio
import contextlib
import errno
import logging
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from daytwo_server.core.files import sync_directory
from daytwo_server.core.groupcommit import GroupCommit
from daytwo_server.ingest.spool import segments
from daytwo_server.ingest.spool.record import Content, Position, encode

log = logging.getLogger(__name__)

# Once this many segments wait, the reader is behind and sealing every second only makes more files.
MANY_SEGMENTS = 32
_SLOW_SEAL = 60  # times the usual age
_LOCK = "writer.lock"
_RETRY_S = 0.25
_MEASURE_S = 1.0
_PIECE = 1024 * 1024


class SpoolSize(NamedTuple):
    """What waits for the reader, as last measured (at most about a second ago)."""

    bytes: int
    segments: int


class SpoolUnavailable(Exception):
    """There is no segment to write to. The message is the system's word for why."""


class _Segment:
    """The active file. `good` is the offset up to which everything is durable."""

    def __init__(self, directory: Path, number: int) -> None:
        self.number = number
        self.path = segments.path_of(directory, number)
        self.made_at = time.monotonic()
        self.good = 0
        self.sequence = 0
        self._handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        try:
            sync_directory(directory)
        except OSError:
            self.abandon()
            raise

    def append(self, records: Iterable[bytes]) -> int:
        """Write and flush to disk, or raise OSError. Returns the number of bytes.

        A batch of large records is never in memory as one piece.
        """
        written = size = 0
        pieces: list[bytes] = []
        for record in records:
            pieces.append(record)
            size += len(record)
            if size >= _PIECE:
                written += self._write(b"".join(pieces))
                pieces, size = [], 0
        written += self._write(b"".join(pieces))
        os.fdatasync(self._handle)
        if self.is_gone():
            raise FileNotFoundError(errno.ENOENT, "The segment was deleted")
        self.good += written
        return written

    def _write(self, data: bytes) -> int:
        view = memoryview(data)
        while view:
            view = view[os.write(self._handle, view) :]
        return len(data)

    def is_gone(self) -> bool:
        """Whether somebody removed the file: what is written to it then, no reader will find."""
        return os.fstat(self._handle).st_nlink == 0

    def close(self) -> None:
        os.close(self._handle)

    def abandon(self) -> None:
        """Take back what was not acknowledged and never write here again.

        The number and its sequences stay used: the reader may already have seen some of what is taken back, and a
        position must not name a second record.
        """
        with contextlib.suppress(OSError):
            if self.good:
                os.ftruncate(self._handle, self.good)
            else:
                self.path.unlink()
        with contextlib.suppress(OSError):
            os.close(self._handle)


class Writer:
    """Appends records for this process, the only one that may. Raises `SpoolLocked` when another has the spool.

    `submit` returns a future with the record's `Position` once it is on disk (one write and one fdatasync a batch).
    It fails with `CommitFailed` when the disk refuses; exactly that batch is lost, and the writer tries again with a
    new segment for the next one.

    A segment is sealed (a newer one is begun) past `segment_bytes`, or when it is not empty and older than
    `segment_age_ms`, also while nothing arrives: only sealed segments can be removed by the reader, and nothing
    unscrubbed shall stay on disk once digested. No number at or below `floor` is used: pass the segment of the
    reader's saved position, which counts even if all files are gone and the clock was set back.

    `on_commit` is called on the writer thread after each batch, to wake a reader.
    """

    def __init__(
        self,
        directory: Path,
        *,
        floor: int = 0,
        clock: Callable[[], float] = time.time,
        segment_bytes: int = 16 * 1024 * 1024,
        segment_age_ms: int = 1000,
        max_queue: int = 10_000,
        on_commit: Callable[[], None] | None = None,
    ) -> None:
        segments.prepare(directory)
        self.directory = directory
        self._lock = segments.lock(directory, _LOCK)
        self._clock = clock
        self._segment_bytes = segment_bytes
        self._segment_age_s = segment_age_ms / 1000
        self._on_commit = on_commit
        self._used = max([floor, *segments.numbers(directory)])
        self._active: _Segment | None = None
        self._problem = ""
        self._retry_at = 0.0
        self._measure_at = 0.0
        self._size = SpoolSize(0, 0)
        self._measure()
        with contextlib.suppress(OSError):  # told by `problem`; the first batch tries again
            self._begin_segment()
        self._group: GroupCommit[Content, Position] = GroupCommit(
            self._commit, name="spool-writer", max_queue=max_queue, idle=self._keep_house,
        )  # fmt: skip

    @property
    def problem(self) -> str:
        """Why the last batch could not be written, in the system's words; "" while all is well."""
        return self._problem

    def submit(self, content: Content) -> "asyncio.Future[Position]":
        """Queue one record. Raises `QueueFull` or `Closed`."""
        return self._group.submit(content)

    def full(self) -> bool:
        """Whether `submit` would raise `QueueFull` now."""
        return self._group.full()

    def size(self) -> SpoolSize:
        return self._size

    def close(self) -> None:
        """Write what is queued, seal, and let another process write. Blocks; call it off the event loop."""
        self._group.close()
        if self._active is not None:
            with contextlib.suppress(OSError):  # what is written stays readable, it is only sealed by the next start
                self._seal_if(self._active.good > 0)
        if self._active is not None:
            self._active.close()
            self._active = None
        os.close(self._lock)

    # Everything below runs on the writer thread (and in __init__ and close, when that thread is not there).

    def _commit(self, batch: list[Content]) -> list[Position]:
        segment = self._segment_to_write()
        first = segment.sequence
        # Advanced before the write: the numbers of a failed batch are never given to other records.
        segment.sequence += len(batch)
        try:
            size = segment.append(encode(content, first + index) for index, content in enumerate(batch))
        except Exception as error:
            self._active = None
            segment.abandon()
            if isinstance(error, OSError):
                self._note_problem(error)
            raise
        self._problem = ""
        self._size = SpoolSize(self._size.bytes + size, self._size.segments)
        if self._on_commit is not None:
            self._on_commit()
        return [Position(segment.number, first + index) for index in range(len(batch))]

    def _segment_to_write(self) -> _Segment:
        active = self._active
        if active is not None and active.is_gone():
            active.abandon()
            active = self._active = None
        if active is None:
            if time.monotonic() < self._retry_at:
                raise SpoolUnavailable(self._problem)
            return self._begin_segment()
        with contextlib.suppress(OSError):  # the active segment is still good, so go on with it
            self._seal_if(active.good >= self._segment_bytes or self._is_old(active))
        return self._active or active

    def _seal_if(self, due: bool) -> None:  # noqa: FBT001 - reads as a sentence at its three calls
        if due:
            self._begin_segment()
            self._measure()

    def _is_old(self, segment: _Segment) -> bool:
        age = self._segment_age_s * (_SLOW_SEAL if self._size.segments > MANY_SEGMENTS else 1)
        return segment.good > 0 and time.monotonic() - segment.made_at >= age

    def _begin_segment(self) -> _Segment:
        number = max(int(self._clock() * 1000), self._used + 1)
        try:
            self._hold_directory()
            segment = _Segment(self.directory, number)
        except OSError as error:
            self._note_problem(error)
            raise
        self._used = number
        if self._active is not None:
            self._active.close()
        self._active = segment
        return segment

    def _hold_directory(self) -> None:
        """Make the directory anew if somebody has removed it, and lock that one."""
        if (self.directory / _LOCK).exists():
            return
        segments.prepare(self.directory)
        gone, self._lock = self._lock, segments.lock(self.directory, _LOCK)
        os.close(gone)

    def _note_problem(self, error: OSError) -> None:
        if not self._problem:
            log.error("The spool cannot be written: %s. Intake answers 429 until it can.", error)
        self._problem = error.strerror or str(error)
        self._retry_at = time.monotonic() + _RETRY_S

    def _keep_house(self) -> None:
        if self._active is not None:
            with contextlib.suppress(OSError):  # tried again in a moment, and by the next batch
                self._seal_if(self._is_old(self._active))
        self._measure()

    def _measure(self) -> None:
        started = time.monotonic()
        if started < self._measure_at:
            return
        with contextlib.suppress(OSError):  # what is wrong with the directory, writing tells
            self._size = self._measured()
        # With very many files the measuring itself must not eat the writer's time.
        self._measure_at = time.monotonic() + max(_MEASURE_S, 20 * (time.monotonic() - started))

    def _measured(self) -> SpoolSize:
        sizes = []
        for number in segments.numbers(self.directory):
            with contextlib.suppress(FileNotFoundError):  # the reader has just removed it
                sizes.append(segments.path_of(self.directory, number).stat().st_size)
        return SpoolSize(sum(sizes), len(sizes))
