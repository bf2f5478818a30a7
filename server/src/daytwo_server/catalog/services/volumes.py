"""How many events come from where, and by which key: counters that the digest adds to a batch at a time."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping

from daytwo_server.catalog.models import VOLUME_SLOT_S, DsnKey, KeyUse, Volume
from daytwo_server.core import sql
from daytwo_server.core.stores import DEFAULT

HOUR_S = 3600
Use = tuple[str, int, bool]  # public key, the minute as unix seconds, whether the request was let in


def count_events(times: Mapping[int, list[dt.datetime]]) -> None:
    """Add events to the volume of their environments; `times` are those of the events, by environment."""
    slots = Counter(
        (environment, int(at.timestamp()) // VOLUME_SLOT_S) for environment, moments in times.items() for at in moments
    )
    if slots:
        table = Volume._meta.db_table
        sql.insert(
            DEFAULT,
            table,
            ("environment_id", "slot", "count"),
            [(environment, slot, n) for (environment, slot), n in sorted(slots.items())],
            on_conflict=f"(environment_id, slot) DO UPDATE SET count = {table}.count + excluded.count",
        )


def note_uses(uses: Mapping[Use, int]) -> None:
    """Add requests to the counts of the keys they named, and move when each was last used.

    Keys that are gone are ignored. Call inside a transaction.
    """
    keys = dict(DsnKey.objects.filter(public_key__in={key for key, _, _ in uses}).values_list("public_key", "pk"))
    let_in: Counter[tuple[int, int]] = Counter()
    refused: Counter[tuple[int, int]] = Counter()
    last: dict[int, int] = {}
    for (public_key, minute, came_in), n in uses.items():
        if key := keys.get(public_key):
            (let_in if came_in else refused)[key, minute // HOUR_S * HOUR_S] += n
            last[key] = max(minute, last.get(key, 0))
    if not last:
        return
    table = KeyUse._meta.db_table
    sql.insert(
        DEFAULT,
        table,
        ("key_id", "hour", "let_in", "refused"),
        [(key, _moment(hour), let_in[key, hour], refused[key, hour]) for key, hour in sorted({*let_in, *refused})],
        on_conflict="(key_id, hour) DO UPDATE SET "
        f"let_in = {table}.let_in + excluded.let_in, refused = {table}.refused + excluded.refused",
    )
    sql.execute_many(
        DEFAULT,
        f"UPDATE {DsnKey._meta.db_table} SET last_used_at = %s "
        "WHERE id = %s AND (last_used_at IS NULL OR last_used_at < %s)",
        [(_moment(minute), key, _moment(minute)) for key, minute in sorted(last.items())],
    )


def _moment(unix_s: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(unix_s, dt.UTC)
