"""Locks, durability and room on disk."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import io
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

from daytwo_server.core.files import sync_directory
from daytwo_server.operate.backup.problems import BackupError, Busy

MIB = 1024 * 1024
# Where parts are set aside, in the data directory: a segment can only be linked to within one file system.
STAGING = ".backup"
# Written out piece by piece: a large backlog of dirty pages would hold up the fdatasync of intake.
_SYNC_EVERY = 16 * MIB
_BACKGROUND = 10  # the nice value of work that nobody waits for


@contextlib.contextmanager
def alone(data_dir: Path) -> Iterator[None]:
    """One backup or restore of a data directory at a time. Raises `Busy`.

    The directory itself is the lock: a file of our own would belong to whoever came first, root perhaps, and keep
    the others out.
    """
    handle = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _lock(handle, f"A backup or restore of {data_dir} is under way. Wait for its end.")
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def draft(path: Path) -> Iterator[int]:
    """A handle of the file `path`, empty and readable by its owner only; removed at the end if it is still there.

    One that a killed run left behind is used again. Raises `Busy` while another process holds it.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        _lock(handle, f"Another backup writes {path}. Wait for its end, or name another file.")
        os.ftruncate(handle, 0)
        os.fchmod(handle, 0o600)
        try:
            yield handle
        finally:
            path.unlink(missing_ok=True)
    finally:
        os.close(handle)


def _lock(handle: int, words: str) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Busy(words) from None
    except OSError as problem:
        # A network file system may have no locks. Then two backups to one file are the operator's to avoid.
        if problem.errno not in {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS}:
            raise


@contextlib.contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """An empty folder for its owner only, removed at the end. What a killed run left there goes first.

    Call it under a lock that keeps others out of `folder`.
    """
    clear(folder)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def clear(folder: Path) -> None:
    """Remove a folder of ours and what is in it. Raises `BackupError` in words."""
    if not folder.exists():
        return
    try:
        shutil.rmtree(folder)
    except OSError as problem:
        raise BackupError(
            f"{folder} was left by a run that was cut off and cannot be removed ({problem.strerror}). Remove it."
        ) from problem


def require_room(folder: Path, size: int, purpose: str, *, reserve: int = 0) -> None:
    """Raises `BackupError` unless `size` bytes fit beside what else must stay free (`reserve`)."""
    free = shutil.disk_usage(folder).free
    if free < size + reserve:
        kept = f", of which {reserve // MIB} MB must stay free (DAYTWO_MIN_FREE_DISK_MB)" if reserve else ""
        raise BackupError(
            f"{purpose} needs {size // MIB + 1} MB on the disk of {folder}; {free // MIB} MB are free{kept}. "
            "Make room, or use another disk."
        )


def same_disk(one: Path, other: Path) -> bool:
    return one.stat().st_dev == other.stat().st_dev


def sync_tree(folder: Path) -> None:
    """Make everything below durable. The files must not be open in SQLite: closing them here would drop its locks."""
    for parent, _, names in os.walk(folder):
        for name in names:
            handle = os.open(Path(parent) / name, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        sync_directory(Path(parent))


def in_background() -> None:
    """Let this thread wait for all others: intake is what must not. For a thread of its own, there is no way back."""
    with contextlib.suppress(OSError, AttributeError):  # on Linux a thread has a nice value of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _BACKGROUND)


class Durable(io.RawIOBase):
    """Writes through to disk as it goes."""

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self._dirty = 0

    def writable(self) -> bool:
        return True

    def write(self, data: memoryview | bytes) -> int:  # type: ignore[override]
        view = memoryview(data)
        size = len(view)
        while view:
            view = view[self._file.write(view) :]
        self._dirty += size
        if self._dirty >= _SYNC_EVERY:
            os.fdatasync(self._file.fileno())
            self._dirty = 0
        return size
