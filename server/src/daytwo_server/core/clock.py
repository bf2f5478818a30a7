"""The only source of now. Tests move it with time-machine, which patches the system clock underneath."""

import datetime as dt

UTC = dt.UTC


def now() -> dt.datetime:
    """The current moment, aware, in UTC."""
    return dt.datetime.now(UTC)
