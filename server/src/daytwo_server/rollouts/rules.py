"""Whether a flag is watched in an environment, and what is done when it hurts."""

from __future__ import annotations

from dataclasses import dataclass

from daytwo_server.flags.models import Ramp, State

HOLD, STEP_BACK, KILL = ACTIONS = ("hold", "step_back", "kill")
_ALIVE = frozenset({Ramp.Status.RUNNING, Ramp.Status.HELD})


@dataclass(frozen=True)
class Rule:
    """`is_on` is whether the flag would be watched while it is on; `is_usual` when nobody said so."""

    is_on: bool
    action: str
    is_usual: bool


def rule(state: State, ramp: Ramp | None) -> Rule:
    """What holds for this state and its latest ramp: what people said, else ramps of flags that are to go are watched,
    and go a step back. Without a ramp there is only the switch.
    """
    ramps = ramp is not None and ramp.status != Ramp.Status.STOPPED
    action = state.guard.get("action") or (STEP_BACK if ramp is not None and ramp.status in _ALIVE else KILL)
    said = state.guard.get("enabled")
    if said is not None:
        return Rule(bool(said) and not _is_excepted(ramp), action, is_usual=False)
    return Rule(ramps and not state.flag.is_permanent and not _is_excepted(ramp), action, is_usual=True)


def is_watched(state: State, ramp: Ramp | None) -> bool:
    """Whether there is anything to watch, and it is to be."""
    return state.enabled and not state.killed and state.flag.archived_at is None and rule(state, ramp).is_on


def step_back_to(ramp: Ramp | None) -> float | None:
    """The percentage that a step back leads to, 0 before the first step; None where no ramp is under way."""
    if ramp is None or ramp.status not in _ALIVE:
        return None
    percent: float = ramp.steps[ramp.step - 1]["percent"] if ramp.step else 0
    return percent


def _is_excepted(ramp: Ramp | None) -> bool:
    """Whether the step that a ramp is at, or ended at, says that it is not watched."""
    return ramp is not None and ramp.status != Ramp.Status.STOPPED and ramp.steps[ramp.step].get("guard") is False
