"""A disk that a test can fill."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import psutil
from installation import Installation

MIB = 1024 * 1024


class Disk(Protocol):
    """`fill` leaves nothing to write on for the installation that lives at `path`; `clear` gives it room again."""

    path: Path
    preexec: Callable[[], None] | None  # puts a process that a test starts on the same disk

    def fill(self, site: Installation) -> None: ...
    def clear(self, site: Installation) -> None: ...


class SmallDisk:
    """A tmpfs of 32 MB, which root may mount."""

    preexec = None

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"

    def fill(self, site: Installation) -> None:
        with contextlib.suppress(OSError), self._filler.open("ab", buffering=0) as file:
            while True:
                file.write(bytes(MIB))  # the last one is written in part before it fails

    def clear(self, site: Installation) -> None:
        self._filler.unlink()


class NarrowLimit:
    """For everybody else: the kernel refuses to let any file of these processes grow past 1000 bytes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._size = resource.RLIM_INFINITY

    def fill(self, site: Installation) -> None:
        self._limit(site, 1000)

    def clear(self, site: Installation) -> None:
        self._limit(site, resource.RLIM_INFINITY)

    def preexec(self) -> None:
        self._narrow(os.getpid())

    def _limit(self, site: Installation, size: int) -> None:
        assert site.process
        self._size = size
        root = psutil.Process(site.process.pid)
        for process in [root, *root.children(recursive=True)]:
            self._narrow(process.pid)

    def _narrow(self, pid: int) -> None:
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (self._size, hard))


@contextmanager
def small_disk(path: Path) -> Iterator[Disk]:
    """Which of both is decided by trying."""
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32m,mode=700", "daytwo-test", str(path)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        yield NarrowLimit(path)
        return
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


@contextmanager
def read_only(path: Path) -> Iterator[None]:
    """Nobody writes to this directory; root neither, whom its mode would not keep."""
    mount = ["mount", "-t", "tmpfs", "-o", "ro,mode=700", "daytwo-test", str(path)]
    if os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0:
        try:
            yield
        finally:
            subprocess.run(["umount", "--lazy", str(path)], check=True)
        return
    path.chmod(0o500)
    try:
        yield
    finally:
        path.chmod(0o700)
