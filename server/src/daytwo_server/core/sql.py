"""Bulk statements for hot writers: one text for SQLite and PostgreSQL, times and JSON passed as Python values.

The ORM stays the default. This exists because `bulk_create` cannot say "add to the counter that is there".
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from django.db import connections

# SQLite takes 32,766 parameters a statement, PostgreSQL 65,535.
MAX_PARAMETERS = 30_000
_LOCK_NOT_AVAILABLE = "55P03"  # https://www.postgresql.org/docs/current/errcodes-appendix.html

T = TypeVar("T")


def insert(
    alias: str,
    table: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    on_conflict: str = "",
    returning: str = "",
) -> list[tuple[Any, ...]]:
    """Insert all rows with as few statements as parameters allow; the rows of `RETURNING` when asked for, else none."""
    answers: list[tuple[Any, ...]] = []
    tail = f" ON CONFLICT {on_conflict}" if on_conflict else ""
    tail += f" RETURNING {returning}" if returning else ""
    row_text = f"({', '.join(['%s'] * len(columns))})"
    head = f"INSERT INTO {table} ({', '.join(columns)}) VALUES "
    with connections[alias].cursor() as cursor:
        for chunk in batches(rows, MAX_PARAMETERS // len(columns)):
            values = [adapt(alias, value) for row in chunk for value in row]
            cursor.execute(head + ", ".join([row_text] * len(chunk)) + tail, values)
            if returning:
                answers.extend(cursor.fetchall())
    return answers


def execute_many(alias: str, sql: str, rows: Iterable[Sequence[Any]]) -> None:
    """The statement once for each row."""
    adapted = [[adapt(alias, value) for value in row] for row in rows]
    if not adapted:
        return
    with connections[alias].cursor() as cursor:
        if len(adapted) == 1:  # psycopg opens a pipeline for many, which costs as much again as the statement
            cursor.execute(sql, adapted[0])
        else:
            cursor.executemany(sql, adapted)


def fetch(alias: str, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, [adapt(alias, value) for value in parameters])
        return list(cursor.fetchall())


def wait_at_most(alias: str, ms: int) -> None:
    """Until the current transaction ends, wait no longer than that for a lock: a transaction of several independent
    parts gives way like this before two that wait for each other are told so, which may fail the other one.

    Only PostgreSQL locks rows; elsewhere this does nothing. `is_lock_timeout` tells the error.
    """
    if connections[alias].vendor == "postgresql":
        with connections[alias].cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {ms:d}")


def is_lock_timeout(error: BaseException) -> bool:
    """Whether a transaction that would `wait_at_most` so long gave way."""
    return getattr(error.__cause__, "sqlstate", None) == _LOCK_NOT_AVAILABLE


def distinct(alias: str, table: str, column: str, **equal: Any) -> list[Any]:
    """The different values of a column, sorted, among the rows whose columns `equal` these values.

    For an index of those columns and then this one: it leaps from each value to the next, where `SELECT DISTINCT`
    reads every row on both stores.
    """
    rows = "".join(f"{name} = %s AND " for name in equal)
    least = f"SELECT MIN({column}) FROM {table} WHERE {rows}"
    found = fetch(
        alias,
        f"WITH RECURSIVE found(value) AS ({least} {column} IS NOT NULL UNION ALL "
        f"SELECT ({least} {column} > found.value) FROM found WHERE found.value IS NOT NULL) "
        "SELECT value FROM found WHERE value IS NOT NULL",
        [*equal.values(), *equal.values()],
    )
    return [value for (value,) in found]


def adapt(alias: str, value: Any) -> Any:
    """What the store's driver takes for `value`: SQLite keeps times as text in UTC."""
    if isinstance(value, dt.datetime):
        return connections[alias].ops.adapt_datetimefield_value(value)
    return value


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The items in runs of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
