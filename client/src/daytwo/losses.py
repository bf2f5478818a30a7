"""What was to be reported and could not be delivered: counted, and told in one line at the end of the process."""

from __future__ import annotations

import atexit
from collections import Counter

from daytwo.logs.levels import WARNING
from daytwo.logs.output import output

_INTENDED = {"sample_rate", "before_send", "event_processor", "ignored"}  # left out by decision, not lost

_lost: Counter[str] = Counter()
_told: Counter[str] = Counter()
_watched: list[bool] = []  # whether the end of the process will tell


def lost() -> dict[str, int]:
    """How many items were dropped in this process, by reason: `queue_overflow`, `network_error` and so on.

    An item is an event, a transaction or a log line. With `sample_rate` and `before_send` they were meant to be.
    """
    return dict(_lost)


def watch_the_end() -> None:
    """Tell at the end of the process. Called before sentry-sdk starts: what is registered later runs before."""
    if not _watched:
        _watched.append(True)
        atexit.register(tell)


def count(reason: str, number: int) -> None:
    """Note that so many items were dropped."""
    _lost[reason] += number


def forget() -> None:
    """Begin anew in a forked child: what was lost before is the parent's to tell."""
    _lost.clear()
    _told.clear()


def tell() -> None:
    """Write one line about what was lost and not told yet, if anything."""
    untold = {reason: number for reason, number in (_lost - _told).items() if reason not in _INTENDED}
    _told.update(untold)
    if untold:
        # Past the taps: they would try to send this line, too.
        output.emit("daytwo", WARNING, "some reports were not delivered", {"lost": untold})
