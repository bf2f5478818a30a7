"""Which flags are watched, and how they stand."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from daytwo_server.core import clock, sql
from daytwo_server.core.stores import DEFAULT
from daytwo_server.flags.models import Ramp, State
from daytwo_server.rollouts import rules
from daytwo_server.rollouts.evidence import Tally
from daytwo_server.rollouts.models import Guard, Verdict

LEAST_ERRORS = 5
TOLD_FOR = dt.timedelta(days=1)
_WATCHED = (
    "SELECT e.id, e.project_id, e.name, f.key FROM rollouts_guard g JOIN flags_state s ON s.id = g.state_id "
    "JOIN flags_flag f ON f.id = s.flag_id JOIN catalog_environment e ON e.id = s.environment_id WHERE g.watching"
)


def watched() -> Mapping[tuple[int, str], Collection[str]]:
    """The keys of the flags whose errors are counted, by project and name of the environment. One query."""
    found: dict[tuple[int, str], set[str]] = defaultdict(set)
    for _, project, environment, key in sql.fetch(DEFAULT, _WATCHED, []):
        found[project, environment].add(key)
    return found


def watched_in() -> Mapping[int, Collection[str]]:
    """The same flags by environment, for their exposures. One query."""
    found: dict[int, set[str]] = defaultdict(set)
    for environment, _, _, key in sql.fetch(DEFAULT, _WATCHED, []):
        found[environment].add(key)
    return found


def latest_ramps(states: Sequence[State]) -> dict[int, Ramp]:
    """The latest ramp of each state that ever had one. One query."""
    return {one.state_id: one for one in Ramp.objects.filter(state__in=states).order_by("pk")}


@dataclass(frozen=True)
class Watch:
    """How a flag stands in an environment. `guard` is None, and `tally` empty, when it was never watched."""

    rule: rules.Rule
    is_watching: bool
    guard: Guard | None
    tally: Tally
    verdict: Verdict | None
    is_killed: bool
    ramp: Ramp | None

    @property
    def off(self) -> tuple[int, int, str]:
        """Exposures, first errors, and those of a thousand exposures, where it is off."""
        return self.tally.all_off, self.tally.errors_off, _rate(self.tally.errors_off, self.tally.all_off)

    @property
    def on(self) -> tuple[int, int, str]:
        """The same where it is on."""
        return self.tally.all_on, self.tally.errors_on, _rate(self.tally.errors_on, self.tally.all_on)

    @property
    def times(self) -> str:
        """How many times as many errors; empty where that cannot be said, or of too few errors to say it."""
        times = self.tally.times
        return "" if times is None or self.tally.errors < LEAST_ERRORS else _plain(times, 2)

    @property
    def hurts(self) -> bool:
        """Whether that many more errors are no chance."""
        return self.tally.is_conclusive

    @property
    def waiting(self) -> int:
        """Errors whose exposures have not come in."""
        return self.tally.waiting_on + self.tally.waiting_off

    @property
    def told(self) -> Verdict | None:
        """The last verdict while it is news. A kill switch is told of at the top of the page, with the same reason."""
        if self.verdict is None or self.is_killed or self.verdict.at < clock.now() - TOLD_FOR:
            return None
        return self.verdict

    @property
    def is_left(self) -> bool:
        """Whether it hurts and the guard has left it where it is, so that people have to decide."""
        return self.is_watching and (self.hurts or self._is_still_held)

    @property
    def _is_still_held(self) -> bool:
        """Whether the ramp waits where the guard held it. Holding makes a new revision, counted from the beginning."""
        told, ramp = self.told, self.ramp
        if told is None or ramp is None or told.did != Verdict.Did.HELD:
            return False
        return ramp.status == Ramp.Status.HELD and ramp.note == told.reason

    @property
    def back_to(self) -> float | None:
        """The percentage that a step back of its ramp leads to; None where there is no step to take."""
        return rules.step_back_to(self.ramp)


def _rate(errors: int, exposures: int) -> str:
    return _plain(errors * 1000 / exposures, 3) if exposures else ""


def _plain(number: float, digits: int) -> str:
    """So many digits that count, and never an exponent."""
    return f"{number:,.0f}" if number >= 10 ** (digits - 1) else f"{number:.{digits}g}"


def of_state(state: State, ramp: Ramp | None) -> Watch:
    """How this state and its latest ramp stand. Two queries."""
    guard = Guard.objects.filter(pk=state.pk).first()
    return Watch(
        rule=rules.rule(state, ramp),
        is_watching=rules.is_watched(state, ramp),
        guard=guard,
        tally=Tally.of(guard.tally if guard else {}),
        verdict=Verdict.objects.filter(state=state).order_by("-revision").first(),
        is_killed=state.killed,
        ramp=ramp,
    )
