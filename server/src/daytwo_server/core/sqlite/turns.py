"""One writer at a time, first come, first served.

SQLite has one writer. Whoever finds it taken sleeps, 1 ms at first and 100 ms later, and asks again: with five threads
that write all the time the file stands idle between their questions, and one of them may be passed over for seconds.
Threads of one process therefore wait in line here, and only the first of it asks SQLite, which other processes do too.
"""

from __future__ import annotations

import threading
from collections import deque


class Turn:
    """A lock that is handed to whoever has waited for longest."""

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False

    def take(self, timeout_s: float) -> bool:
        """Wait for one's turn; False when it did not come in time."""
        with self._gate:
            if not self._taken:
                self._taken = True
                return True
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        try:
            if mine.acquire(timeout=timeout_s):
                return True
        except BaseException:  # interrupted, or a time that no lock can wait for
            if self._is_called_up(mine):
                self.leave()
            raise
        return self._is_called_up(mine)  # it may have come in this very moment

    def _is_called_up(self, mine: threading.Lock) -> bool:
        """Whether it is one's turn by now; who is still waiting stands in line no more."""
        with self._gate:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return False
        return True

    def leave(self) -> None:
        """It is the next one's turn. Any thread may say so."""
        with self._gate:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False


_turns: dict[str, Turn] = {}
_gate = threading.Lock()


def turn_of(path: str) -> Turn:
    """The one for this file, in this process."""
    with _gate:
        return _turns.setdefault(path, Turn())
