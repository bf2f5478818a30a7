import datetime as dt
from dataclasses import dataclass

from daytwo_server.core.facts import fact


@fact
@dataclass(frozen=True)
class SlaWarned:
    """Four fifths of the time for an answer are over. `clock` is its kind, `due_at` when the promise runs out."""

    ticket: int
    clock: str
    due_at: dt.datetime


@fact
@dataclass(frozen=True)
class SlaBreached:
    """A promise was missed: what was due at `due_at` had not been done by then."""

    ticket: int
    clock: str
    due_at: dt.datetime
