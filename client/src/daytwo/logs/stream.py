"""How a whole line reaches a stream, and for how long it waits for a reader."""

from __future__ import annotations

import contextlib
import io
import os
import select
import stat
import sys
import time
from collections.abc import Callable
from typing import IO, Any

try:
    import fcntl
    import termios
except ImportError:  # Windows
    fcntl = termios = None  # type: ignore[assignment]

Put = Callable[[bytes], None]

_PATIENCE_S = 5.0  # for the first line that finds no room; then none, until there is room again
_PIECE = getattr(select, "PIPE_BUF", 512)  # bytes a pipe takes without blocking when it polls writable
_SOCKET_PIECE = 65_536  # a local socket polls writable while most of its buffer, 200 kB, is free


def putter(stream: IO[Any]) -> Put:
    """How to write a line to that stream. What it gives raises OSError or ValueError for a line that did not arrive."""
    if stream is sys.__stdout__ or stream is sys.__stderr__:
        return Descriptor(stream).put
    # Bytes where the stream takes them: its encoding may lack a character, and Windows would change line ends.
    target = getattr(stream, "buffer", stream)
    write, flush = target.write, target.flush
    takes_bytes = isinstance(target, (io.RawIOBase, io.BufferedIOBase))

    def put(line: bytes) -> None:
        write(line if takes_bytes else line.decode())
        flush()

    return put


class Descriptor:
    """stdout or stderr, past the stream's own buffer: one system call for a line, so that processes do not mix theirs.

    A pipe that nobody reads would hold the app up for good. A line waits 5 s for room and is lost then, the ones
    after it at once, until there is room again.
    """

    def __init__(self, stream: IO[Any], *, patience_s: float = _PATIENCE_S) -> None:
        self._stream = stream
        self._patience_s = patience_s
        self._stalled: set[bool] = set()  # holds True while long lines find no room, False while short ones find none
        self._torn = False  # the last line went out in part
        self._poll = _poll_if_it_may_stall(stream)

    def put(self, line: bytes) -> None:
        """Write it all. BlockingIOError when there is no room in time, else what writing raises."""
        descriptor, poll, is_long = self._stream.fileno(), self._poll, len(line) > _PIECE
        left = b"\n" + line if self._torn else line
        before = len(left)
        try:
            while left:
                # Asked with 0 first: that costs a third of a call that might wait.
                if poll is not None and not poll.poll(0):
                    self._wait(poll, is_long=is_long)
                piece = left[: self._room(descriptor, len(left))] if poll is not None and is_long else left
                try:
                    left = left[os.write(descriptor, piece) :]
                except BlockingIOError:  # some runtimes make a shared stdout non-blocking, also one that is no pipe
                    self._wait(_poll_of(descriptor), is_long=is_long)
        finally:
            if left:
                self._stalled.add(is_long)
            elif self._stalled:
                self._stalled.discard(is_long)
            if len(left) < before:
                self._torn = 0 < len(left) < len(line)

    def _wait(self, poll: select.poll, *, is_long: bool) -> None:
        if not poll.poll(self._patience(is_long=is_long) * 1000):
            raise BlockingIOError("nobody reads")

    def _room(self, descriptor: int, wanted: int) -> int:
        """How many bytes of a long line can be written without blocking: all if possible, so that it stays whole."""
        until = time.monotonic() + self._patience(is_long=True)
        while True:
            free, most = _free(descriptor)
            if free >= min(wanted, most):
                return free
            if time.monotonic() >= until:
                raise BlockingIOError("nobody reads, or not enough")
            time.sleep(0.002)  # no system call waits for more than one page

    def _patience(self, *, is_long: bool) -> float:
        return 0.0 if self._stalled & {False, is_long} else self._patience_s


def _poll_if_it_may_stall(stream: IO[Any]) -> select.poll | None:
    """A poll for a pipe or a socket. Files are quick, and whoever stops a terminal wants to see the rest later."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or a system without poll
        descriptor = stream.fileno()
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            return _poll_of(descriptor)
    return None


def _poll_of(descriptor: int) -> select.poll:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return poll


def _free(descriptor: int) -> tuple[int, int]:
    """How many bytes a stream that polls writable surely takes now, and how many when it is empty."""
    if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        return _SOCKET_PIECE, _SOCKET_PIECE
    if not hasattr(fcntl, "F_GETPIPE_SZ"):
        return _PIECE, _PIECE
    # A pipe has room for a number of pages. Two that follow each other hold more than one page's worth together, or
    # they would have been one.
    page = os.sysconf("SC_PAGE_SIZE")
    pages = fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ) // page
    queued = int.from_bytes(fcntl.ioctl(descriptor, termios.FIONREAD, b"\0" * 4), sys.byteorder)
    free = pages - 2 * queued // page - 1 if queued else pages
    return max(_PIECE, free * page), max(_PIECE, pages * page)
