"""What was deleted leaves the disk as well, not only the answers to questions."""

from __future__ import annotations

import time
from collections.abc import Iterable

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

from daytwo_server.core.stores import DEFAULT, TELEMETRY

MERGE_PAGES = 200  # of the index in one step: a fifth of a second in which nobody else writes
PAUSE_S = 0.02
LOG_PATIENCE_S = 30.0


class StillRead(Exception):
    """Somebody has been reading an old state of the store for so long that its log cannot be emptied."""


def scrub(tables: Iterable[type[models.Model]]) -> None:
    """Have nothing of the rows that were deleted so far left in the stores. Takes seconds; not in a transaction.

    SQLite overwrites what it deletes (`secure_delete`), so what is left is in the full-text index, which only marks
    words as gone until its segments are merged, and in the write-ahead log. On PostgreSQL `tables` are vacuumed: their
    dead rows are gone from every page, and the pages are free to be written again. Raises `StillRead`.
    """
    if connections[DEFAULT].vendor == "sqlite":
        _merge_words(connections[DEFAULT])
        for store in (DEFAULT, TELEMETRY):
            _empty_log(connections[store])
        return
    quote = connections[DEFAULT].ops.quote_name
    for store in (DEFAULT, TELEMETRY):
        ours = sorted({quote(table._meta.db_table) for table in tables if _store_of(table) == store})
        if ours:
            with connections[store].cursor() as cursor:
                cursor.execute(f"VACUUM {', '.join(ours)}")


def _store_of(table: type[models.Model]) -> str:
    return str(table.objects.db)  # type: ignore[attr-defined]


def _merge_words(connection: BaseDatabaseWrapper) -> None:
    """All of the index into one segment, in steps: fts5 wants a negative number first, and is done when a step writes
    less than two rows (sqlite.org/fts5.html, "The 'merge' command").
    """
    step = -MERGE_PAGES
    while True:
        with connection.cursor() as cursor:
            before = cursor.execute("SELECT total_changes()").fetchone()[0]
            cursor.execute("INSERT INTO core_searchwords (core_searchwords, rank) VALUES ('merge', %s)", [step])
            if cursor.execute("SELECT total_changes()").fetchone()[0] - before < 2:
                return
        step = MERGE_PAGES
        time.sleep(PAUSE_S)


def _empty_log(connection: BaseDatabaseWrapper) -> None:
    until = time.monotonic() + LOG_PATIENCE_S
    while True:
        with connection.cursor() as cursor:
            [busy, *_] = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if not busy:
            return
        if time.monotonic() > until:
            raise StillRead(f"The log of {connection.alias} is in use for {LOG_PATIENCE_S:.0f} s; tried again later.")
        time.sleep(PAUSE_S)
