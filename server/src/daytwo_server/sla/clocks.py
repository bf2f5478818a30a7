"""How far each promise about a ticket is, worked out from what happened in it. Pure; see docs/why/sla.md.

The same events, promise and moment always give the same clocks, so they can be worked out again at any time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from daytwo_server.calendars.hours import Hours, NoWorkingTime, add, between
from daytwo_server.sla.models import Kind, State
from daytwo_server.tickets.machine import OUR_TURN
from daytwo_server.tickets.models import Status

WARN_AT = 0.8  # of the promised working time
DONE = (Status.RESOLVED, Status.CLOSED)
Stretch = tuple[dt.datetime, dt.datetime | None]


@dataclass(frozen=True, slots=True)
class Happened:
    """A public message (`by` is customer or agent), or a change of status (`after`).

    `of` tells tickets apart of which one was merged into the other: each has a status of its own.
    """

    at: dt.datetime
    by: str = ""
    after: str = ""
    of: int = 0


@dataclass(frozen=True)
class Promise:
    """What is promised, by kind, in working time of `hours`."""

    hours: Hours
    targets: Mapping[str, dt.timedelta]


@dataclass(frozen=True)
class Reading:
    """One clock as it stands; the fields are those of `models.Clock`."""

    kind: str
    round: int
    state: str
    ticking: bool
    target: dt.timedelta
    elapsed: dt.timedelta
    started_at: dt.datetime
    ended_at: dt.datetime | None
    due_at: dt.datetime | None
    warn_at: dt.datetime | None


def read(opened_at: dt.datetime, happened: Iterable[Happened], promise: Promise, now: dt.datetime) -> list[Reading]:
    """The clocks of a ticket, in the order of their kinds and rounds. `happened` is in its order.

    What happened in tickets that were merged into it counts as if it had been written there: the customer waits for us
    while they do so in any of them, and all of it is done when each of them is.
    """
    story = _Story.of(opened_at, happened)
    found = []
    for kind, questions in story.questions().items():
        target = promise.targets.get(kind)
        if target is not None:
            found += [
                _read(question, kind, number, story, promise.hours, target, now) for number, question in questions
            ]
    return found


@dataclass(frozen=True)
class _Question:
    """Something that waits for an answer of ours."""

    asked_at: dt.datetime
    ended_at: dt.datetime | None = None


@dataclass
class _Story:
    """What counts of what happened."""

    opened_at: dt.datetime
    ours: list[Stretch]  # while the customer waits for us; the last may have no end
    first_answer: dt.datetime | None = None
    done_at: dt.datetime | None = None
    turns: list[_Question] = field(default_factory=list)
    statuses: dict[int, Status] = field(default_factory=dict)  # by ticket; open as long as nothing is said of any

    @classmethod
    def of(cls, opened_at: dt.datetime, happened: Iterable[Happened]) -> _Story:
        story = cls(opened_at, [(opened_at, None)])
        latest = opened_at
        asked: dt.datetime | None = None
        set_aside: dt.datetime | None = None  # what was asked when the ticket was resolved without an answer
        for one in happened:
            at = latest = max(latest, one.at)  # clocks of two machines may differ a little
            if one.by == "agent":
                story.first_answer = story.first_answer or at
                story._settle(set_aside)
                story.turns += [_Question(asked, at)] if asked else []
                asked = set_aside = None
            elif one.by == "customer" and story.first_answer:
                story._settle(set_aside)
                asked, set_aside = asked or at, None
            elif one.after:
                was_done, was_ours = story._is_done(), story._is_ours()
                story.statuses[one.of] = Status(one.after)
                if story._is_done() and not was_done:
                    story.done_at, set_aside, asked = at, asked, None
                elif was_done and not story._is_done():
                    story.done_at, asked, set_aside = None, asked or set_aside, None  # resolved by mistake
                story._turn(at, was_ours=was_ours)
        if asked:
            story.turns.append(_Question(asked))
        else:
            story._settle(set_aside)
        return story

    def _settle(self, asked: dt.datetime | None) -> None:
        """Resolving was the answer to this: what anybody says after it is about something else."""
        if asked:
            self.turns.append(_Question(asked, self.done_at))

    def _turn(self, at: dt.datetime, *, was_ours: bool) -> None:
        if was_ours and not self._is_ours():
            self.ours[-1] = (self.ours[-1][0], at)
        elif not was_ours and self._is_ours():
            self.ours.append((at, None))

    def _is_ours(self) -> bool:
        return not self.statuses or any(status in OUR_TURN for status in self.statuses.values())

    def _is_done(self) -> bool:
        return bool(self.statuses) and all(status in DONE for status in self.statuses.values())

    def questions(self) -> dict[str, list[tuple[int, _Question]]]:
        """By kind what waits for an answer, or waited, with its round."""
        return {
            Kind.FIRST_RESPONSE: [(0, _Question(self.opened_at, self.first_answer or self.done_at))],
            Kind.NEXT_RESPONSE: list(enumerate(self.turns, 1)),
            Kind.RESOLUTION: [(0, _Question(self.opened_at, self.done_at))],
        }

    def stretches(self, question: _Question) -> list[Stretch]:
        """While the customer waited for us and this question was open."""
        found: list[Stretch] = []
        for begins, ends in self.ours:
            start = max(begins, question.asked_at)
            stops = [one for one in (ends, question.ended_at) if one is not None]
            stop = min(stops) if stops else None
            if stop is None or start < stop:
                found.append((start, stop))
        return found


def _read(
    question: _Question, kind: str, number: int, story: _Story, hours: Hours, target: dt.timedelta, now: dt.datetime
) -> Reading:
    stretches = story.stretches(question)
    due, warn = _reached(hours, stretches, target), _reached(hours, stretches, target * WARN_AT)
    elapsed = sum((between(hours, begins, ends) for begins, ends in stretches if ends), dt.timedelta())
    ticking = bool(stretches) and stretches[-1][1] is None
    breached = due is not None and due <= (question.ended_at or now)
    state = State.RUNNING if ticking else State.MET if question.ended_at else State.PAUSED
    return Reading(
        kind=kind,
        round=number,
        state=State.BREACHED if breached else state,
        ticking=ticking,
        target=target,
        elapsed=elapsed,
        started_at=question.asked_at,
        ended_at=question.ended_at,
        due_at=due if ticking or breached else None,
        warn_at=warn,
    )


def _reached(hours: Hours, stretches: Sequence[Stretch], working: dt.timedelta) -> dt.datetime | None:
    """When that much working time has passed in these stretches; None while it has not and none of them is running."""
    left = working
    for begins, ends in stretches:
        try:
            reached = add(hours, begins, left)
        except NoWorkingTime:
            return None
        if ends is None or reached <= ends:
            return reached
        left -= between(hours, begins, ends)
    return None
