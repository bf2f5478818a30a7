"""Rollouts that go up by themselves, a step at a time."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import transaction

from daytwo_server.core import clock, jobs
from daytwo_server.flags import fields, reading
from daytwo_server.flags.actors import MAX_BY, Actor
from daytwo_server.flags.models import Ramp, State
from daytwo_server.flags.services import saving
from daytwo_server.flags.services.common import Conflict, Refused, Told, Turn, demand_reason, take
from daytwo_server.flags.services.common import note as note_change

ADVANCE = "flags.advance_ramps"
MAX_STEPS = 20
SHORTEST, LONGEST = dt.timedelta(minutes=1), dt.timedelta(days=90)
_RAMP = Actor("ramp")
_ACTIVE = (Ramp.Status.RUNNING, Ramp.Status.HELD)


def start(state: State, steps: Sequence[Mapping[str, Any]], *, by: Actor, reason: str = "") -> Ramp:
    """Set the rollout to the first step now, switching the flag on, and to each following one when the one before was
    held for its `holdSeconds`. `guard` of a step says whether it is watched; it is, unless it says no.

    Raises `Refused` for steps that do not go up, a killed flag, or one that ramps already.
    """
    read = _read(steps)
    with transaction.atomic():
        turn = take(state.flag.project_id)
        held = State.objects.select_related("flag", "environment").get(pk=state.pk)
        if held.killed:
            raise Refused({"steps": ["The kill switch is pulled. Release it first."]})
        if Ramp.objects.filter(state=held, status__in=_ACTIVE).exists():
            raise Refused({"steps": ["There is a ramp already. Stop it first."]})
        demand_reason(reason, by)
        ramp = Ramp(state=held, steps=read, by=by.name[:MAX_BY])
        _arrive(ramp, 0)
        ramp.save()
        _set_rollout(ramp, turn, "ramp_started", read[0]["percent"], by=by, reason=reason, enabled=True)
        _set_timer(ramp)
    return ramp


def hold(ramp: Ramp, *, by: Actor, note: str = "") -> Ramp:
    """Stay at this step until `resume`. `note` says why. Raises `Conflict` when it does not run."""
    return _turn(ramp, "ramp_held", _hold, by=by, note=note)


def resume(ramp: Ramp, *, by: Actor, note: str = "") -> Ramp:
    """Go on: the step it is at is held anew for its whole time. Raises `Conflict` when it is not held."""
    return _turn(ramp, "ramp_resumed", _resume, by=by, note=note)


def stop(ramp: Ramp, *, by: Actor, note: str = "") -> Ramp:
    """End it; the rollout stays where it is. Raises `Conflict` when it has ended."""
    return _turn(ramp, "ramp_stopped", _stop, by=by, note=note)


def step_back(ramp: Ramp, *, by: Actor, note: str = "") -> Ramp:
    """Set the rollout to the step before, before the first one to nobody, and stay there. Raises `Conflict` when it has
    ended.
    """
    return _turn(ramp, "ramp_stepped_back", _step_back, by=by, note=note)


def advance_due() -> int:
    """Set every rollout on whose step is over; returns how many. A step that is overdue is not made up for: the next
    one is held for its whole time.
    """
    due = Ramp.objects.filter(next_at__lte=clock.now()).order_by("state__flag__project", "pk")
    done = 0
    for pk, project in list(due.values_list("pk", "state__flag__project")):
        with transaction.atomic():
            turn = take(project)
            ramp = _with_state(pk)
            if ramp.next_at is None or ramp.next_at > clock.now():
                continue  # somebody held it meanwhile
            _arrive(ramp, ramp.step + 1)
            ramp.save()
            said = f"Step {ramp.step + 1} of {len(ramp.steps)}"
            _set_rollout(ramp, turn, "ramp_stepped", ramp.steps[ramp.step]["percent"], by=_RAMP, reason=said)
            done += 1
    _set_timer(Ramp.objects.filter(next_at__isnull=False).order_by("next_at").first())
    return done


def _turn(ramp: Ramp, action: str, step: Callable[[Ramp], float | None], *, by: Actor, note: str) -> Ramp:
    """Have a step of a ramp's life happen, which says what the rollout is to be if it changes that."""
    with transaction.atomic():
        turn = take(ramp.state.flag.project_id)
        held = _with_state(ramp.pk)
        before = held.status
        percent = step(held)
        held.note = demand_reason(note, by)
        held.save()
        if percent is None:
            _note(held, turn, action, before, by=by, reason=held.note)
        else:
            _set_rollout(held, turn, action, percent, by=by, reason=note, before=before)
        _set_timer(held)
    return held


def _hold(ramp: Ramp) -> None:
    if ramp.status != Ramp.Status.RUNNING:
        raise Conflict("The ramp does not run any more; reload to see where it is.")
    ramp.status, ramp.next_at = Ramp.Status.HELD, None


def _resume(ramp: Ramp) -> float | None:
    if ramp.status != Ramp.Status.HELD:
        raise Conflict("The ramp is not held any more; reload to see where it is.")
    if ramp.state.killed:
        raise Conflict("The kill switch is pulled. Release it first.")
    if not ramp.state.enabled:
        raise Conflict("The flag is switched off. Switch it on first.")
    _arrive(ramp, ramp.step)
    percent: float = ramp.steps[ramp.step]["percent"]
    return percent if ramp.state.rollout != fields.thousandths(percent) else None  # as after a step back to nobody


def _stop(ramp: Ramp) -> None:
    if ramp.status not in _ACTIVE:
        raise Conflict("The ramp has ended already.")
    ramp.status, ramp.next_at, ramp.ended_at = Ramp.Status.STOPPED, None, clock.now()


def _step_back(ramp: Ramp) -> float:
    if ramp.status not in _ACTIVE:
        raise Conflict("The ramp has ended already; set the rollout by hand.")
    percent: float = ramp.steps[ramp.step - 1]["percent"] if ramp.step else 0
    _arrive(ramp, max(ramp.step - 1, 0))
    ramp.status, ramp.next_at, ramp.ended_at = Ramp.Status.HELD, None, None
    return percent


def _arrive(ramp: Ramp, step: int) -> None:
    """Be at a step from now on; at the last one it is done."""
    now = clock.now()
    ramp.step, ramp.stepped_at = step, now
    is_last = step == len(ramp.steps) - 1
    ramp.status = Ramp.Status.DONE if is_last else Ramp.Status.RUNNING
    ramp.next_at = None if is_last else now + dt.timedelta(seconds=ramp.steps[step]["holdSeconds"])
    ramp.ended_at = now if is_last else None


def _set_rollout(
    ramp: Ramp, turn: Turn, action: str, percent: float, *, by: Actor, reason: str, before: str = "", **more: Any
) -> None:
    """Noted also where the rollout is there already: whoever follows changes has to hear of the ramp."""
    wanted = {"rolloutPercentage": percent, **more}
    saved = saving.patch(ramp.state.flag, ramp.state.environment, wanted, by=by, reason=reason, action=action)
    if saved.change is None:
        _note(ramp, turn, action, before, by=by, reason=reason)


def _note(ramp: Ramp, turn: Turn, action: str, before: str, *, by: Actor, reason: str) -> None:
    told = Told(
        action=action, by=by, reason=reason, environment=ramp.state.environment_id, before={"ramp": before},
        after={"ramp": str(ramp.status)},
    )  # fmt: skip
    note_change(ramp.state.flag, turn, told)


def _with_state(pk: int) -> Ramp:
    return Ramp.objects.select_related("state__flag", "state__environment").get(pk=pk)


def _read(steps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The steps as they are kept. Raises `Refused`."""
    if not isinstance(steps, (list, tuple)) or not 1 <= len(steps) <= MAX_STEPS:
        raise Refused({"steps": [f"1 to {MAX_STEPS} steps are expected."]})
    try:
        found = [reading.step(one, f"steps[{number}]") for number, one in enumerate(steps)]
    except reading.Wrong as problem:
        raise Refused({problem.path: [problem.words]}) from None
    for number, (one, following) in enumerate(itertools.pairwise(found)):
        if following["percent"] <= one["percent"]:
            raise Refused({f"steps[{number + 1}].percent": ["A ramp only goes up; this is not above the step before."]})
        seconds = one["holdSeconds"]
        if seconds is None or not SHORTEST.total_seconds() <= seconds <= LONGEST.total_seconds():
            raise Refused({f"steps[{number}].holdSeconds": ["A step is held for a minute to 90 days."]})
    return found


def _set_timer(ramp: Ramp | None) -> None:
    """Have the next step made in its moment. One job waits for all ramps, at the soonest time that was asked for."""
    if ramp is not None and ramp.next_at is not None:
        jobs.enqueue(ADVANCE, run_at=ramp.next_at, unique_key=ADVANCE)
