"""The time between SIGTERM and the end: still serving, no longer ready."""

import _thread
import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType


class Sigterm:
    """Comes before whoever handles SIGTERM: calls `begin` at once, and lets the signal through some seconds later."""

    def __init__(self, begin: Callable[[], None]) -> None:
        self._begin = begin
        self._seconds: float | None = None  # None: nobody asked for it
        self._begun = self._due = False
        self._process = os.getpid()
        self._next: object = signal.SIG_DFL

    def hold(self, seconds: float) -> None:
        """Hold back what comes from now on for that long. ValueError outside the main thread, as Python has it."""
        self._seconds = seconds
        self._install()

    def keep(self) -> None:
        """Be first again. A server may put its own handler in place after the app was imported (uvicorn does)."""
        if self._seconds is not None and threading.current_thread() is threading.main_thread():
            self._install()

    def _install(self) -> None:
        self._process = os.getpid()
        there = signal.getsignal(signal.SIGTERM)
        if there != self._handle:
            self._next = there
            signal.signal(signal.SIGTERM, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._process != os.getpid():  # a child forked off for a task of its own inherits the handler
            self._pass_on(number, frame)
            return
        if not self._begun:
            self._begun = True
            self._begin()
            self._due = not (self._seconds and self._wait(self._seconds))
        if self._due:
            self._pass_on(number, frame)
        # Else it came while waiting: service managers signal a worker, and so does the master above it.

    def _wait(self, seconds: float) -> bool:
        process = os.getpid()

        def come_again() -> None:
            time.sleep(seconds)
            self._due = True
            os.kill(process, signal.SIGTERM)

        try:
            # Not threading.Thread: its start takes a lock that the interrupted code may be holding.
            _thread.start_new_thread(come_again, ())
        except RuntimeError:  # no more threads: do not wait
            return False
        return True

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        if callable(self._next):
            self._next(number, frame)
        elif self._next is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
