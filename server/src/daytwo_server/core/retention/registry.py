"""The kinds of data that are kept for a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import models

Sweep = Callable[[dt.datetime], Iterator[int]]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Data that goes when it is older than the days in `setting`, a field of `Conf`.

    `tables` are those it fills. The rows of the first are what is counted, or those of them that are `only`;
    `noun` is one of them, `nouns` several.
    `expired` says how many of those are older than a moment and `oldest` when the oldest is from; both must be quick
    on a full store. Where an indexed field of the first table, `by`, says it, they need not be given.

    `sweep` is a generator that removes what is older than a moment: in each step it removes some, in a transaction
    of its own, and yields how many of the counted rows went. It may be left after any step and called again: what it
    did not reach is found the next time, and a kill in the middle of a step has done nothing or all of it.
    """

    name: str
    label: str
    text: str
    noun: str
    nouns: str
    setting: str
    tables: tuple[type[models.Model], ...]
    sweep: Sweep
    only: models.Q = field(default_factory=models.Q)
    by: str = ""
    expired: Callable[[dt.datetime], int] | None = None
    oldest: Callable[[], dt.datetime | None] | None = None

    def rows(self) -> models.QuerySet[Any]:
        """Those that are counted."""
        return models.QuerySet(self.tables[0]).filter(self.only)

    def count_expired(self, before: dt.datetime) -> int:
        """How many of the counted rows a run removes, about."""
        return self.expired(before) if self.expired else self.rows().filter(**{f"{self.by}__lt": before}).count()

    def oldest_at(self) -> dt.datetime | None:
        """When the oldest of them is from; None when there is none."""
        if self.oldest:
            return self.oldest()
        value: dt.datetime | None = self.rows().order_by(self.by).values_list(self.by, flat=True).first()
        return value


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Have this kind kept for its days from now on. Registering a name again replaces it."""
    _kinds[kind.name] = kind


def kinds() -> list[Kind]:
    """All of them, by label."""
    return sorted(_kinds.values(), key=lambda kind: kind.label)


def kind_named(name: str) -> Kind | None:
    """None for one that this version does not have."""
    return _kinds.get(name)
