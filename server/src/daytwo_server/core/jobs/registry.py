"""Which function runs which kind of job, and which of them run by the clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from cronsim import CronSim, CronSimError

from daytwo_server.core import clock

DEFAULT_LEASE = dt.timedelta(seconds=60)
DEFAULT_MAX_ATTEMPTS = 10

Schedule = str | dt.timedelta
F = TypeVar("F", bound=Callable[..., Any])


class UnknownKind(Exception):
    """No function of this version runs jobs of that kind."""


@dataclass(frozen=True)
class Kind:
    """How jobs of one kind are run. See `job`."""

    name: str
    handler: Callable[..., Any]
    max_attempts: int
    lease: dt.timedelta
    atomic: bool


_kinds: dict[str, Kind] = {}
_kind_of: dict[Callable[..., Any], str] = {}
_schedules: dict[str, Schedule] = {}


def job(
    name: str,
    *,
    max_attempts: int = DEFAULT_MAX_ATTEMPTS,
    lease: dt.timedelta = DEFAULT_LEASE,
    atomic: bool = False,
) -> Callable[[F], F]:
    """Make the function run jobs of this kind. It is called with the job's arguments, by keyword, at least once.

    An error puts the job off and runs it again, at most `max_attempts` times; an error with a true attribute
    `permanent` ends it at once. `lease` is how long a killed process keeps its job from others; a living one renews.
    With `atomic`, the function and the removal of the job are one transaction on the store `default`: what it writes
    there takes effect exactly once. Such a function must not wait for anything else while it holds that transaction.
    """

    def register(function: F) -> F:
        known = _kinds.get(name)
        if known and known.handler.__qualname__ != function.__qualname__:
            raise ValueError(f"Jobs of kind {name} are already run by {known.handler.__qualname__}; pick another name.")
        _kinds[name] = Kind(name, function, max_attempts, lease, atomic)
        _kind_of[function] = name
        return function

    return register


def periodic(schedule: Schedule) -> Callable[[F], F]:
    """Put above `@job` of a function without arguments: enqueue it every `schedule`, once however many workers run.

    A cron expression is in UTC. A timedelta counts from the first start of a worker, which runs it at once.
    Runs that were missed while no worker ran become one.
    """
    next_after(schedule, clock.now(), now=clock.now())  # a wrong expression fails at import

    def register(function: F) -> F:
        if function not in _kind_of:
            raise ValueError(f"{function.__qualname__} is no job; put @periodic above @job.")
        _schedules[_kind_of[function]] = schedule
        return function

    return register


def next_after(schedule: Schedule, planned: dt.datetime, *, now: dt.datetime) -> dt.datetime:
    """The first time after `now` that the schedule names, given a time `planned` that it named before."""
    if isinstance(schedule, dt.timedelta):
        if schedule < dt.timedelta(seconds=1):
            raise ValueError(f"{schedule} is too short; a periodic job runs at most once a second.")
        return planned + schedule * ((now - planned) // schedule + 1)
    try:
        return next(CronSim(schedule, now))
    except CronSimError as error:
        raise ValueError(f"{schedule!r} is no cron expression: {error}.") from None


def periodic_key(job: str | Callable[..., Any]) -> str:
    """The `unique_key` under which a periodic job runs by the clock: whoever wants it sooner enqueues it by this, so
    that it never runs twice at once. Raises `UnknownKind`.
    """
    return f"periodic:{kind_of(job).name}"


def schedules() -> dict[str, Schedule]:
    """The periodic kinds of this process."""
    return dict(_schedules)


def kind_named(name: str) -> Kind:
    """Raises `UnknownKind`."""
    try:
        return _kinds[name]
    except KeyError:
        raise UnknownKind(f"No function runs jobs of kind {name} in this version.") from None


def kind_of(job: str | Callable[..., Any]) -> Kind:
    """The kind of that name or of that function. Raises `UnknownKind`."""
    if isinstance(job, str):
        return kind_named(job)
    if job not in _kind_of:
        raise UnknownKind(f"{job.__qualname__} is no job; decorate it with @job.")
    return _kinds[_kind_of[job]]
