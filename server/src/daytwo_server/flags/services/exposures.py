"""Counting what flags answered: whole deliveries in one transaction, each once."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from django.db import close_old_connections, transaction
from django.db.models import Q

from daytwo_server.catalog.models import Environment
from daytwo_server.core import clock, facts, sql
from daytwo_server.core.stores import DEFAULT
from daytwo_server.flags.app.batches import Batch
from daytwo_server.flags.facts import FlagsExposed
from daytwo_server.flags.models import Asker, State

# What a process could not deliver sooner is counted when it happened; a clock that is further off is not believed.
BELIEVED_FOR = dt.timedelta(hours=24)
NOTED_EVERY = dt.timedelta(minutes=1)
# Of keys that no flag has, for an environment: whoever sends them may invent them.
MAX_MISSING = 1000

_ADD = (
    "INSERT INTO flags_exposurecount (environment_id, key, minute, revision, variant, enabled, count) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (environment_id, key, minute, revision, variant, enabled) "
    "DO UPDATE SET count = flags_exposurecount.count + excluded.count"
)
_ASKED = (
    "INSERT INTO flags_asker (environment_id, key, service, found, last_at) VALUES (%s, %s, %s, %s, %s) "
    "ON CONFLICT (environment_id, key, service) DO UPDATE SET found = excluded.found, last_at = excluded.last_at "
    "WHERE flags_asker.last_at < %s OR flags_asker.found <> excluded.found"
)

_Row = tuple[int, str, dt.datetime, int, str, bool]  # environment, key, minute, revision, variant, whether that is on
_Asked = tuple[int, str, str, bool]  # environment, key, service, whether there is such a flag


_watched: Callable[[], Mapping[int, Collection[str]]] | None = None


def watch(source: Callable[[], Mapping[int, Collection[str]]]) -> None:
    """Have it told how often these flags (keys by environment) answered what. A fact for each delivery, whoever needs
    it or not, would be the most of what there is to store. Asked for each delivery: it has to be quick.
    """
    global _watched  # noqa: PLW0603 - one room watches
    _watched = source


def record(batches: list[Batch]) -> None:
    """`count`, on a thread that keeps its connection."""
    close_old_connections()
    count(batches)


def count(batches: Sequence[Batch]) -> None:
    """Add these batches to the counts of their minutes; one that was counted before adds nothing.

    Notes on flags when they were last asked, and which services asked. One fact for each environment in which flags are
    watched that answered.
    """
    now = clock.now()
    with transaction.atomic():
        new = _not_yet(batches, now)
        if not new:
            return
        _add(new, now)
        _note(new, now)
        facts.record(*_facts(new, now))


def _not_yet(batches: Sequence[Batch], now: dt.datetime) -> list[Batch]:
    """Those of environments that are there, and not counted before, also not in this very delivery."""
    asked = {one.environment for one in batches}
    known = set(Environment.objects.filter(pk__in=asked).values_list("pk", flat=True))
    here = [one for one in batches if one.environment in known]
    named = {(one.environment, one.instance, one.sequence): one for one in here if one.instance}
    columns = ("environment_id", "instance", "sequence", "at")
    new = sql.insert(
        DEFAULT, "flags_exposurebatch", columns, [(*name, now) for name in sorted(named)],
        on_conflict="DO NOTHING", returning="environment_id, instance, sequence",
    )  # fmt: skip
    return [*(one for one in here if not one.instance), *(named[tuple(name)] for name in new)]


def _add(batches: Iterable[Batch], now: dt.datetime) -> None:
    counts: Counter[_Row] = Counter()
    for batch in batches:
        minute = _minute(batch.until, now)
        for one in batch.exposures:
            counts[batch.environment, one.flag, minute, one.revision, one.variant or "", one.enabled] += one.count
    # Sorted, so that two transactions take the rows in the same order and neither waits for the other.
    sql.execute_many(DEFAULT, _ADD, [(*row, n) for row, n in sorted(counts.items())])


def _minute(until: float, now: dt.datetime) -> dt.datetime:
    return _believed(until, now).replace(second=0, microsecond=0)


def _believed(moment: float, now: dt.datetime) -> dt.datetime:
    """A moment by the sender's clock, or now when that is ahead or far behind."""
    seconds = now.timestamp()
    is_possible = seconds - BELIEVED_FOR.total_seconds() < moment < seconds
    return dt.datetime.fromtimestamp(moment, dt.UTC) if is_possible else now


def _note(batches: Iterable[Batch], now: dt.datetime) -> None:
    asked: set[_Asked] = set()
    for batch in batches:
        asked |= {(batch.environment, one.flag, batch.service, True) for one in batch.exposures}
        asked |= {(batch.environment, one.flag, batch.service, False) for one in batch.missing}
    stale = now - NOTED_EVERY
    found = sorted({(environment, key) for environment, key, _, exists in asked if exists})
    for environment in sorted({environment for environment, _ in found}):
        keys = [key for where, key in found if where == environment]
        for some in sql.batches(keys, sql.MAX_PARAMETERS // 2):
            State.objects.filter(
                Q(last_asked_at=None) | Q(last_asked_at__lt=stale), environment=environment, flag__key__in=some
            ).update(last_asked_at=now)
    sql.execute_many(DEFAULT, _ASKED, [(*one, now, stale) for one in sorted(_room_for(asked))])


def _room_for(asked: set[_Asked]) -> set[_Asked]:
    """Without those of missing flags that would be too many."""
    missing = [one for one in asked if not one[3]]
    full = {
        environment for environment in {one[0] for one in missing}
        if Asker.objects.filter(environment=environment, found=False).count() >= MAX_MISSING
    }  # fmt: skip
    return {one for one in asked if one[3] or one[0] not in full}


def _facts(batches: Sequence[Batch], now: dt.datetime) -> list[FlagsExposed]:
    watched = _watched() if _watched else {}
    told = (_fact(environment, keys, batches, now) for environment, keys in sorted(watched.items()))
    return [one for one in told if one.counts]


def _fact(environment: int, keys: Collection[str], batches: Iterable[Batch], now: dt.datetime) -> FlagsExposed:
    own = [one for one in batches if one.environment == environment]
    counts: Counter[tuple[str, int, str, bool]] = Counter()
    for batch in own:
        for one in batch.exposures:
            if one.flag in keys:
                counts[one.flag, one.revision, one.variant or "", one.enabled] += one.count
    return FlagsExposed(
        environment=environment,
        since=_text(min((_believed(one.since, now) for one in own), default=now)),
        until=_text(max((_believed(one.until, now) for one in own), default=now)),
        counts=tuple((*what, n) for what, n in sorted(counts.items())),
    )  # fmt: skip


def _text(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
