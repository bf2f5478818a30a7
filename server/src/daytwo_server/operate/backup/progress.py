"""How far a backup is, for whoever looks: a terminal, a page."""

import time


class Progress:
    """Written by the thread that works, read by any other. Counts bytes; a byte counts once for each step it takes."""

    def __init__(self) -> None:
        self.step = ""
        self.done = 0
        self.total = 0
        self._began = time.monotonic()

    def begin(self, step: str) -> None:
        """`step` completes the sentence "It is ...": "copying telemetry"."""
        self.step = step

    def expect(self, size: int) -> None:
        self.total += size

    def add(self, size: int) -> None:
        self.done += size

    @property
    def percent(self) -> int:
        """0 to 99 while it goes on: sizes of PostgreSQL are estimates."""
        return min(99, self.done * 100 // self.total) if self.total else 0

    @property
    def mb_per_s(self) -> float:
        return self.done / 1e6 / max(time.monotonic() - self._began, 1e-9)
