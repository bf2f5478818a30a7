"""What is promised about tickets, told by the room above that knows it; here it is shown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from daytwo_server.core import clock

_NEAR = dt.timedelta(hours=4)


@dataclass(frozen=True, kw_only=True)
class Promise:
    """One promise: `state` is running, paused, met or breached, `kind` first_response, next_response or resolution.

    `due_at` is when it runs out or ran out, None while it is paused or when it was kept. `target`, `elapsed` and
    `remaining` are working time, the last two as of when the clock last stopped. `ended_at` is when the answer came.
    """

    kind: str
    label: str
    state: str
    policy: str
    target: dt.timedelta
    elapsed: dt.timedelta
    remaining: dt.timedelta
    started_at: dt.datetime
    due_at: dt.datetime | None
    warn_at: dt.datetime | None
    ended_at: dt.datetime | None

    @property
    def is_near(self) -> bool:
        """Whether it runs out within hours: then each minute counts."""
        return self.due_at is not None and self.due_at - clock.now() < _NEAR

    @property
    def soon_s(self) -> int:
        """How many seconds before it runs out it is at risk."""
        return int((self.due_at - self.warn_at).total_seconds()) if self.due_at and self.warn_at else 600


Source = Callable[[Collection[int]], Mapping[int, Sequence[Promise]]]
_source: Source = lambda _tickets: {}  # noqa: E731 - until a room tells


def register(source: Source) -> None:
    """Have this function tell what is promised, by ticket; one query for all of them."""
    global _source  # noqa: PLW0603 - there is one
    _source = source


def promises(tickets: Collection[int]) -> dict[int, Sequence[Promise]]:
    """By ticket, the latest of each kind; of those without any, nothing."""
    found = _source(tickets) if tickets else {}
    return {number: found.get(number, ()) for number in tickets}
