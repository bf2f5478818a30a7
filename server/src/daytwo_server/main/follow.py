"""What a running process does when somebody changes a setting on a page."""

from __future__ import annotations

from collections.abc import Callable

from daytwo import logs
from daytwo_server.core import preferences
from daytwo_server.core.conf import Conf

FOLLOW_S = 1.0


def follower(start: Conf, *apply: Callable[[Conf], None]) -> Callable[[], None]:
    """A function to be called about once a second, on a thread that may wait for the store.

    It hands the settings to each of `apply` whenever they are others than before, and sets the log level. `start` are
    those that the process began with.
    """
    seen = start

    def follow() -> None:
        nonlocal seen
        before, seen = seen, preferences.current()
        if seen is before:
            return
        if seen.log_level != before.log_level:
            logs.configure(level=seen.log_level)
            logs.install()
        for one in apply:
            one(seen)

    return follow
