"""Helpers over the ORM."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from django.db import connections, models, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql.compiler import SQLCompiler

from daytwo_server.core import sql


@models.ForeignObject.register_lookup
@models.Field.register_lookup
class Among(models.Lookup):
    """`pk__among=[3, 4, 5]` is `pk__in` for hundreds of whole numbers: one parameter, where `in` has one for each,
    which takes longer to write, to read and to plan than to answer.
    """

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        column, parameters = self.process_lhs(compiler, connection)
        if connection.vendor == "postgresql":
            return f"{column} = ANY(%s::bigint[])", [*parameters, list(self.rhs)]
        return f"{column} IN (SELECT value FROM json_each(%s))", [*parameters, json.dumps(list(self.rhs))]


def chunked_delete(queryset: models.QuerySet[Any], *, chunk: int = 1000, pause_s: float = 0.05) -> int:
    """Delete the rows of the queryset in short transactions, and return how many rows it named.

    A thousand rows hold SQLite's one writer for some 30 ms; the pause lets others in. Rows that point at these go too,
    as `on_delete` says.
    """
    plain: models.QuerySet[Any] = models.QuerySet(queryset.model, using=queryset.db)
    deleted = 0
    while keys := list(queryset.values_list("pk", flat=True)[:chunk]):
        plain.filter(pk__in=keys).delete()
        deleted += len(keys)
        if len(keys) < chunk:
            break
        time.sleep(pause_s)
    return deleted


def delete_some(model: type[models.Model], condition: str, parameters: Sequence[Any], *, limit: int) -> int:
    """Delete at most `limit` rows for which the SQL condition holds, in one statement; returns how many.

    For tables that no other one points at: rows that do are not looked for.
    """
    alias, table = router.db_for_write(model), model._meta.db_table
    place = "rowid" if connections[alias].vendor == "sqlite" else "ctid"
    statement = f"DELETE FROM {table} WHERE {place} IN (SELECT {place} FROM {table} WHERE {condition} LIMIT {limit:d})"
    with connections[alias].cursor() as cursor:
        cursor.execute(statement, [sql.adapt(alias, value) for value in parameters])
        return int(cursor.rowcount)
