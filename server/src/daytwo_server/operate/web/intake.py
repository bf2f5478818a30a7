"""What arrived and what became of it, put together for people."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from daytwo_server.ingest import selectors as ingest
from daytwo_server.ingest.selectors import Row
from daytwo_server.operate.web import words


@dataclass(slots=True)
class Kind:
    """One kind of item: how many arrived, were stored, and were dropped although they could have been stored."""

    name: str
    arrived: int = 0
    stored: int = 0
    dropped: int = 0
    not_stored_yet: int = 0


@dataclass(frozen=True, slots=True)
class Loss:
    """Items of a project that were dropped for one reason. `project` is a slug, empty when no valid key was given."""

    project: str
    item: str
    count: int
    what: str
    advice: str


@dataclass(frozen=True, slots=True)
class Sender:
    """One SDK version of one project."""

    project: str
    sdk: str
    version: str
    arrived: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Intake:
    """Everything since a moment."""

    kinds: list[Kind]
    losses: list[Loss]
    senders: list[Sender]

    @property
    def lost(self) -> int:
        return sum(loss.count for loss in self.losses)

    @property
    def not_stored_yet(self) -> list[Kind]:
        return [kind for kind in self.kinds if kind.not_stored_yet]


def intake(since: dt.datetime, *, project: int | None = None) -> Intake:
    """Since an hour, of one project or of all."""
    rows = ingest.totals(since, project=project)
    return Intake(_kinds(rows), _losses(rows), _senders(rows))


def _kinds(rows: Iterable[Row]) -> list[Kind]:
    kinds: dict[str, Kind] = {}
    for row in rows:
        kind = kinds.setdefault(row.item_type, Kind(words.item(row.item_type)))
        if row.outcome == "arrived":
            kind.arrived += row.count
        elif row.outcome == "stored":
            kind.stored += row.count
        elif row.reason == ingest.NOT_STORED_YET:
            kind.not_stored_yet += row.count
        else:
            kind.dropped += row.count
    return sorted(kinds.values(), key=lambda kind: (-kind.arrived, kind.name))


def _losses(rows: Iterable[Row]) -> list[Loss]:
    lost: dict[tuple[str, str, str], int] = defaultdict(int)
    for row in rows:
        if row.outcome == "dropped" and row.reason not in ingest.NO_LOSS:
            lost[row.project, row.item_type, row.reason] += row.count
    losses = [
        Loss(project, words.item(item), count, *words.reason(reason)) for (project, item, reason), count in lost.items()
    ]
    return sorted(losses, key=lambda loss: -loss.count)


def _senders(rows: Iterable[Row]) -> list[Sender]:
    arrived: dict[tuple[str, str], int] = defaultdict(int)
    dropped: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        counts = arrived if row.outcome == "arrived" else dropped if row.outcome == "dropped" else None
        if counts is not None:
            counts[row.project, row.sdk] += row.count
    senders = [_sender(*key, arrived[key], dropped[key]) for key in {*arrived, *dropped}]
    return sorted(senders, key=lambda sender: (-sender.arrived, sender.project, sender.sdk, sender.version))


def _sender(project: str, sdk: str, arrived: int, dropped: int) -> Sender:
    name, _, version = sdk.rpartition("/")
    return Sender(project, name or version, version if name else "", arrived, dropped)
