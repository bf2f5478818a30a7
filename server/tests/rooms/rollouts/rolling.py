"""A flag that rolls out, the people who are answered by it, and the errors they run into: by the real ways in."""

from __future__ import annotations

import itertools
import time
from typing import Any

import make
from rooms.errors import happen

from daytwo_server.core import clock
from daytwo_server.core.jobs import run_due_jobs
from daytwo_server.core.models import Job
from daytwo_server.errors.prepare import Prepared
from daytwo_server.flags.actors import Actor
from daytwo_server.flags.app.batches import Batch, Exposure
from daytwo_server.flags.models import Ramp, State
from daytwo_server.flags.services import archiving, exposures, ramps, saving
from daytwo_server.rollouts.evidence import Tally
from daytwo_server.rollouts.models import Guard, Verdict

KEY = "new-checkout"
ALICE = Actor("Alice")
STEPS = ({"percent": 1, "holdSeconds": 3600}, {"percent": 10, "holdSeconds": 86_400}, {"percent": 100})
_numbers = itertools.count(1)


def flag(*, percent: float = 10, key: str = KEY, name: str = "production", **body: Any) -> State:
    """A flag that is on for so many, not by a ramp."""
    body = {"enabled": True, "rolloutPercentage": percent} | body
    saved = saving.put(make.project(), name, key, body, by=ALICE)
    settle()
    assert saved.state is not None
    return saved.state


def ramp(*, step: int = 1, steps: Any = STEPS, **body: Any) -> Ramp:
    """A flag on its way up that came to this step by itself."""
    state = flag(percent=0, **body)
    started = ramps.start(state, steps, by=ALICE)
    for _ in range(step):
        Ramp.objects.filter(pk=started.pk).update(next_at=make.moment())
        ramps.advance_due()
    settle()
    return Ramp.objects.select_related("state__flag", "state__environment__project").get(pk=started.pk)


def change(state: State, **fields: Any) -> None:
    """Change the flag, as people do."""
    saving.patch(state.flag, state.environment, fields, by=ALICE)
    settle()


def archive(state: State) -> None:
    archiving.archive([state.flag], by=ALICE)
    settle()


def expose(state: State, *, on: int, off: int, revision: int | None = None) -> None:
    """An SDK reports what it answered, and everything reacts."""
    report(state, on=on, off=off, revision=revision)
    settle()


def report(state: State, *, on: int, off: int, revision: int | None = None) -> None:
    """An SDK reports what it answered."""
    number = next(_numbers)
    state.refresh_from_db()
    revision = state.revision if revision is None else revision
    rows = [(on, state.flag.default_variant or "on", True), (off, state.flag.off_variant or "off", False)]
    batch = Batch(
        environment=state.environment_id, instance=f"app-{number}", sequence=1, service="shop",
        since=time.time() - 4, until=time.time(), missing=[],
        exposures=[Exposure(state.flag.key, n, revision, variant, enabled) for n, variant, enabled in rows if n],
    )  # fmt: skip
    exposures.count([batch])


def event(state: State, value: bool | str, *, user: str | None = None, **fields: Any) -> dict[str, Any]:
    """What an app sends about an error of somebody new, whose flag was so."""
    user = user if user is not None else f"user-{next(_numbers)}"
    return happen.payload(
        environment=state.environment.name,
        contexts={"flags": {"values": [{"flag": state.flag.key, "result": value}]}},
        **({"user": {"id": user}} if user else {}),
        **fields,
    )


def fail(state: State, *, on: int, off: int) -> list[Prepared]:
    """So many people run into an error for the first time."""
    events = [event(state, True) for _ in range(on)] + [event(state, False) for _ in range(off)]
    return send(state, *events)


def send(state: State, *events: dict[str, Any]) -> list[Prepared]:
    """One batch of the digest."""
    found = happen.send(state.environment.project, *events)
    settle()
    return found


def settle() -> None:
    """Have everything react that has something to react to."""
    run_due_jobs(tick=False)


def retry() -> None:
    """What failed is tried again, after its pause."""
    Job.objects.update(run_at=clock.now())
    settle()


def tally(state: State) -> Tally:
    return Tally.of(Guard.objects.get(pk=state.pk).tally)


def counted(state: State) -> tuple[int, int]:
    """Errors with it on and off, tested or not."""
    found = tally(state)
    return found.errors_on + found.waiting_on, found.errors_off + found.waiting_off


def is_watched(state: State) -> bool:
    return Guard.objects.filter(pk=state.pk, watching=True).exists()


def verdicts(state: State) -> list[Verdict]:
    return list(Verdict.objects.filter(state=state).order_by("revision"))
