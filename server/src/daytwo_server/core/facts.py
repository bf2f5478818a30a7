"""What happened, kept as rows, and who reacts to it. See docs/why/facts-and-jobs.md.

@fact
@dataclass(frozen=True)
class IssueOpened:
    issue: int

facts.record(IssueOpened(issue=7))      # inside a transaction

@reaction(IssueOpened)                  # in wiring/
def raise_alert(fact: IssueOpened) -> None: ...
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from django.db import connection

from daytwo_server.core import clock, jobs, sql
from daytwo_server.core.jobs import selectors
from daytwo_server.core.models import Fact, Job
from daytwo_server.core.stores import DEFAULT

C = TypeVar("C", bound=type)
F = TypeVar("F", bound=Callable[[Any], None])

_classes: dict[str, type] = {}
_reactions: dict[str, Callable[[Any], None]] = {}
_reactions_to: dict[str, list[str]] = defaultdict(list)
_wanted: dict[str, Callable[[], bool]] = {}


class OutsideTransaction(Exception):
    """A fact was recorded where nothing ties it to the change it tells of."""


class FactGone(Exception):
    """The fact of this reaction is no longer kept or no longer known."""

    permanent = True


@dataclass(frozen=True)
class UnknownFact:
    """A stored fact that this version has no class for, or whose fields changed. Shown, not crashed on."""

    name: str
    data: Any


def fact(cls: C) -> C:
    """Make a frozen dataclass of plain values a fact, stored under its class name.

    Names are unique over all rooms. A field added later needs a default, so that rows from before can be read.
    A fact carries the moment it happened if that matters: a reaction may run much later.
    """
    if not dataclasses.is_dataclass(cls) or not cls.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise TypeError(f"{cls.__qualname__} must be a frozen dataclass: put @fact above @dataclass(frozen=True).")
    known = _classes.setdefault(cls.__name__, cls)
    if known.__module__ != cls.__module__:
        raise TypeError(f"There is a fact {cls.__name__} in {known.__module__} already; pick another name.")
    _classes[cls.__name__] = cls
    return cls


def reaction(*facts: type, when: Callable[[], bool] | None = None) -> Callable[[F], F]:
    """Run the function after each of these facts, in a transaction of its own on the store `default`; with `when` after
    those alone that were recorded while it said so. It is asked often, so it must be quick.

    What it writes there takes effect exactly once; when it fails it is run again, and ends as a dead letter. Speaking
    to the world belongs into a job that it enqueues.
    """

    def register(function: F) -> F:
        name = f"{function.__module__}.{function.__qualname__}"
        _reactions[name] = function
        if when is not None:
            _wanted[name] = when
        for cls in facts:
            if _classes.get(cls.__name__) is not cls:
                raise TypeError(f"{cls.__qualname__} is no fact; decorate it with @fact.")
            if name not in _reactions_to[cls.__name__]:
                _reactions_to[cls.__name__].append(name)
        return function

    return register


def record(*facts: object) -> None:
    """Add the facts, and a job for each reaction to them, to the current transaction.

    Raises `OutsideTransaction` when there is none.
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction(
            "Record a fact in the transaction that makes it true: wrap both in transaction.atomic()."
        )
    if not facts:
        return
    now = clock.now()
    rows = [_row(fact, now) for fact in facts]
    columns = ("at", "name", "data", "reactions")
    ids = [row_id for (row_id,) in sql.insert(DEFAULT, "core_fact", columns, rows, returning="id")]
    # SQLite promises no order of RETURNING; ids grow in the order of the rows on both stores.
    deliveries = [
        {"fact": row_id, "reaction": name}
        for row_id, (_, fact_name, *_) in zip(sorted(ids), rows, strict=True)
        for name in _now_to(fact_name)
    ]
    # First in line: reactions are short, and an alarm may be what they raise.
    jobs.enqueue_many(react, deliveries, priority=Job.Priority.URGENT)


def _row(fact: object, now: dt.datetime) -> tuple[dt.datetime, str, str, str]:
    name = type(fact).__name__
    if _classes.get(name) is not type(fact):
        raise TypeError(f"{type(fact).__qualname__} is no fact; decorate it with @fact.")
    return now, name, msgspec.json.encode(fact).decode(), " ".join(_now_to(name))


def _now_to(name: str) -> list[str]:
    """The reactions that a fact of this name has now."""
    return [one for one in _reactions_to.get(name, ()) if one not in _wanted or _wanted[one]()]


@jobs.job("core.react", atomic=True)
def react(fact: int, reaction: str) -> None:
    """Run one reaction to one fact. The row of this job is the receipt: it goes in the reaction's own transaction."""
    # Raw, because this stands before everything that happens: the ORM takes four times as long to write it down.
    row = next(iter(Fact.objects.raw("SELECT * FROM core_fact WHERE id = %s", [fact])), None)
    if row is None:
        raise FactGone(f"Fact {fact} is no longer kept.")
    loaded = load(row)
    if isinstance(loaded, UnknownFact):
        raise FactGone(f"This version cannot read fact {fact} ({row.name}).")
    if reaction not in _reactions:
        raise FactGone(f"There is no reaction {reaction} in this version.")
    _reactions[reaction](loaded)


def load(row: Fact) -> Any:
    """The fact as it was recorded, or an `UnknownFact`."""
    cls = _classes.get(row.name)
    if cls is not None:
        try:
            return msgspec.json.decode(row.data, type=cls)
        except msgspec.DecodeError:
            pass  # recorded by another version
    return UnknownFact(row.name, data_of(row))


def data_of(row: Fact) -> Any:
    """What was recorded, for any version to show: decoded JSON, or the text when it is none."""
    try:
        return msgspec.json.decode(row.data)
    except msgspec.DecodeError:
        return row.data


@dataclass(frozen=True)
class Outcome:
    """What became of one reaction. `state` is "done" or that of its job, whose id is `job`."""

    reaction: str
    state: str
    job: int | None = None


def names() -> list[str]:
    """Those of this version and those of stored facts."""
    return sorted({*_classes, *sql.distinct(DEFAULT, "core_fact", "name")})


def outcomes(rows: Sequence[Fact]) -> dict[int, list[Outcome]]:
    """By fact what became of its reactions. Costs one query.

    Of a fact that does not say what was to react to it, only reactions that are not done are known.
    """
    asked = {
        (row.pk, name): json.dumps({"fact": row.pk, "reaction": name}, separators=(",", ":"))
        for row in rows
        for name in (row.reactions.split() if row.reactions is not None else _reactions_to.get(row.name, ()))
    }
    open_jobs = {job.args: job for job in selectors.jobs_by_args("core.react", asked.values())} if asked else {}
    noted = {row.pk for row in rows if row.reactions is not None}
    found: dict[int, list[Outcome]] = {row.pk: [] for row in rows}
    for (pk, name), args in asked.items():
        job = open_jobs.get(args)
        if job is not None:
            found[pk].append(Outcome(name, job.state, job.pk))
        elif pk in noted:
            found[pk].append(Outcome(name, "done"))
    return found


def wired() -> dict[str, list[str]]:
    """Every fact and the reactions to it, by name: the table of the reference."""
    return {name: list(_reactions_to.get(name, ())) for name in sorted(_classes)}
