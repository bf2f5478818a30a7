"""How much room tables take, and giving what became free back to the disk."""

from __future__ import annotations

import time
from collections.abc import Iterable

from django.db import connections, models, router

from daytwo_server.core import sql

STEP_PAGES = 256  # of 4 KB: moving them holds SQLite's one writer for some 10 ms
# Left in the file, because the next day writes about as much as this one removed.
SPARE_PAGES, SPARE_SHARE = 2048, 0.05
# dbstat reads every page of the file.
LARGEST_READ_BYTES = 2 * 1024**3

Model = type[models.Model]


def size_of(tables: Iterable[Model]) -> int:
    """Bytes of these tables and their indexes, as exactly as the store can say without long work."""
    return sum(_size(alias, names) for alias, names in _by_store(tables).items())


def _by_store(tables: Iterable[Model]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for model in tables:
        found.setdefault(router.db_for_write(model), []).append(model._meta.db_table)
    return found


def _size(alias: str, names: list[str]) -> int:
    marks = ", ".join(["%s"] * len(names))
    if connections[alias].vendor == "postgresql":
        total = f"SELECT sum(pg_total_relation_size(name::regclass)) FROM unnest(ARRAY[{marks}]) AS name"
        return int(sql.fetch(alias, total, names)[0][0])
    [[pages, page_size]] = sql.fetch(alias, "SELECT page_count, page_size FROM pragma_page_count, pragma_page_size", ())
    of_tables = f"SELECT name FROM sqlite_master WHERE tbl_name IN ({marks})"
    if not _has_dbstat(alias) or pages * page_size > LARGEST_READ_BYTES:
        return _estimated(alias, names, pages * page_size)
    total = f"SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE aggregate = TRUE AND name IN ({of_tables})"
    return int(sql.fetch(alias, total, names)[0][0])


def _has_dbstat(alias: str) -> bool:
    return bool(sql.fetch(alias, "SELECT 1 FROM pragma_module_list WHERE name = 'dbstat'", ()))


def _estimated(alias: str, names: list[str], file_bytes: int) -> int:
    """Their share of the file by the number of rows: too much for short ones, too little for long ones."""
    tables = [name for (name,) in sql.fetch(alias, "SELECT name FROM sqlite_master WHERE type = 'table'", ())]
    rows = {name: sql.fetch(alias, f'SELECT count(*) FROM "{name}"', ())[0][0] for name in tables}
    return int(file_bytes * sum(rows.get(name, 0) for name in names) // max(1, sum(rows.values())))


def shrink(alias: str, *, until: float) -> bool:
    """Give free pages of an embedded store back in small steps; False when `until` (time.monotonic()) came first.

    PostgreSQL does that by itself. Nothing happens inside a transaction.
    """
    connection = connections[alias]
    if connection.vendor == "postgresql" or connection.in_atomic_block:
        return True
    if sql.fetch(alias, "PRAGMA auto_vacuum", ())[0][0] != 2:  # a store of an unknown hand
        return True
    before = None
    while True:
        [[free]] = sql.fetch(alias, "PRAGMA freelist_count", ())
        [[pages]] = sql.fetch(alias, "PRAGMA page_count", ())
        surplus = free - max(SPARE_PAGES, int(pages * SPARE_SHARE))
        if surplus <= 0 or free == before:
            return True
        before = free
        if time.monotonic() > until:
            return False
        began = time.monotonic()
        # As a script: each step of this statement moves one page, and Python's `execute` makes one step only.
        connection.connection.executescript(f"PRAGMA incremental_vacuum({min(surplus, STEP_PAGES)})")
        time.sleep(max(0.01, time.monotonic() - began))
