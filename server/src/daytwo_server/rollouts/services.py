"""Watching flags: who is watched, counting, and acting. docs/why/guarded-rollouts.md"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.db import transaction

import daytwo
from daytwo_server.core import clock, facts, live
from daytwo_server.flags.actors import GUARD
from daytwo_server.flags.models import Flag, Ramp, State
from daytwo_server.flags.services import killing, ramps
from daytwo_server.flags.services.common import Conflict, Refused, take
from daytwo_server.rollouts import rules
from daytwo_server.rollouts.evidence import Tally
from daytwo_server.rollouts.facts import GuardTripped
from daytwo_server.rollouts.models import Guard, Verdict
from daytwo_server.rollouts.selectors import latest_ramps

log = daytwo.get_logger("daytwo.rollouts")
_RUNS = (Ramp.Status.RUNNING, Ramp.Status.HELD)
Did = Verdict.Did


# ---- Whom to watch ----


@transaction.atomic
def watch(flag: int) -> None:
    """Watch a flag, or no longer, as is to be after its latest change; each revision is watched from the beginning."""
    new = [Guard(state=state, watching=False, revision=-1) for state, watched in _states(flag).values() if watched]
    Guard.objects.bulk_create(new, ignore_conflicts=True)
    guards = list(Guard.objects.select_for_update(of=("self",)).filter(state__flag=flag).order_by("pk"))
    # Held first and read then: of two changes that are reacted to at a time, the later one is what holds.
    found = _states(flag) if guards else {}
    for guard in guards:
        state, watched = found[guard.pk]
        if watched and guard.revision < state.revision:
            Guard.objects.filter(pk=guard.pk).update(
                watching=True, revision=state.revision, since=clock.now(), tally={}
            )
        elif guard.watching != watched:
            Guard.objects.filter(pk=guard.pk).update(watching=watched)


def _states(flag: int) -> dict[int, tuple[State, bool]]:
    """What a flag is in each environment, and whether it is to be watched there."""
    states = list(State.objects.filter(flag=flag).select_related("flag"))
    latest = latest_ramps(states)
    return {one.pk: (one, rules.is_watched(one, latest.get(one.pk))) for one in states}


# ---- Counting ----


@transaction.atomic
def count_exposures(environment: int, counted: Iterable[tuple[str, int, str, bool, int]]) -> None:
    """Add what flags answered in an environment to those that are watched, and test the errors that waited for it.

    What is counted is key, revision, variant, whether that is on, and how often.
    """
    by_key: dict[str, list[tuple[int, bool, int]]] = defaultdict(list)
    for key, revision, _, is_on, n in counted:
        by_key[key].append((revision, is_on, n))
    now = clock.now()
    for guard in _watched(pk=environment):
        counts = {(is_current, is_on): 0 for is_current in (True, False) for is_on in (True, False)}
        for revision, is_on, n in by_key.get(guard.state.flag.key, ()):
            counts[revision >= guard.revision, is_on] += n
        if not any(counts.values()):
            continue
        tally = Tally.of(guard.tally)
        tally.expose(
            on=counts[True, True], off=counts[True, False],
            older_on=counts[False, True], older_off=counts[False, False], at=now.timestamp(),
        )  # fmt: skip
        _settle(guard, tally)


@transaction.atomic
def count_errors(counted: Iterable[tuple[float, int, str, str, str, int]]) -> None:
    """Add first errors to the flags that they had, and test them if exposures came in since.

    What is counted is when the last one came in, project, name of the environment, key, value and how often.
    """
    places: dict[tuple[int, str], list[tuple[float, str, str, int]]] = defaultdict(list)
    for at, project, environment, key, value, n in counted:
        places[project, environment].append((at, key, value, n))
    for (project, environment), rows in sorted(places.items()):
        for guard in _watched(project=project, name=environment):
            # What happened before says nothing of this revision.
            began, flag = guard.since.timestamp(), guard.state.flag
            its = [(at, _is_on(value, flag), n) for at, key, value, n in rows if key == flag.key and at >= began]
            if its:
                tally = Tally.of(guard.tally)
                for at, is_on, n in its:
                    tally.fail(on=n if is_on else 0, off=0 if is_on else n, at=at)
                _settle(guard, tally)
                live.bump(f"flag.{flag.pk}")


def _watched(**where: object) -> list[Guard]:
    """Those that are watched in an environment, held until the transaction ends."""
    found = Guard.objects.filter(
        watching=True, **{f"state__environment__{name}": value for name, value in where.items()}
    )
    return list(found.select_related("state__flag").select_for_update(of=("self",)).order_by("pk"))


def _is_on(value: str, flag: Flag) -> bool:
    """Whether what an event says of a flag means that it was on: "on", or a variant that is not the one of off."""
    return value not in {"off", flag.off_variant or "off"}


# ---- Acting ----


def _settle(guard: Guard, tally: Tally) -> None:
    """Write down what was counted, and act if it is enough."""
    Guard.objects.filter(pk=guard.pk).update(tally=tally.kept())
    if tally.is_conclusive and not Verdict.objects.filter(state=guard.pk, revision=guard.revision).exists():
        _act(guard, tally)


def _act(guard: Guard, tally: Tally) -> None:
    """Once for each revision; not when somebody has changed the flag meanwhile."""
    take(guard.state.flag.project_id)
    state = State.objects.select_related("flag", "environment").get(pk=guard.pk)
    ramp = latest_ramps([state]).get(state.pk)
    if state.revision != guard.revision or not rules.is_watched(state, ramp):
        return
    reason = reason_of(tally)
    try:
        with transaction.atomic():
            did = _do(rules.rule(state, ramp).action, state, ramp, reason)
    except (Conflict, Refused) as problem:
        # Counting goes on, so it is tried again with what comes next.
        log.warning("a guard could not act", problem, flag=state.flag.key)
        return
    Verdict.objects.create(state=state, revision=guard.revision, did=did, reason=reason, tally=tally.kept())
    facts.record(
        GuardTripped(
            flag=state.flag_id, environment=state.environment_id, revision=guard.revision, did=did,
            errors_on=tally.errors_on, errors=tally.errors, share=round(tally.share, 6),
        )
    )  # fmt: skip
    live.bump(f"flag.{state.flag_id}")


def reason_of(tally: Tally) -> str:
    """Why, in plain words."""
    percent = tally.share * 100
    usual = f"{percent:.0f}%" if percent >= 10 else f"{percent:.2g}%"
    return f"{tally.errors_on} of {tally.errors} first errors had it on, although {usual} of exposures had."


def _do(action: str, state: State, ramp: Ramp | None, reason: str) -> Verdict.Did:
    """The action; where it cannot be, as when there is no ramp, the nearest that helps."""
    runs = ramp is not None and ramp.status in _RUNS
    if action == rules.HOLD:
        if ramp is None or ramp.status != Ramp.Status.RUNNING:
            return Did.NOTHING  # it goes nowhere by itself
        ramps.hold(ramp, by=GUARD, note=reason)
        return Did.HELD
    if action == rules.STEP_BACK and ramp is not None and runs:
        ramps.step_back(ramp, by=GUARD, note=reason)
        return Did.STEPPED_BACK
    killing.kill(state, by=GUARD, reason=reason)
    return Did.KILLED
