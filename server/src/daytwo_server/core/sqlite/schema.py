"""Changes of tables: numbers that were given once are not given again."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.sqlite3.schema import DatabaseSchemaEditor


class SchemaEditor(DatabaseSchemaEditor):
    """SQLite changes most of a table by making it anew, and then counts on from the highest row that is there. Where
    that one was erased, its number would be another's next: a ticket's number stands in mails.
    """

    def _remake_table(self, model: type[models.Model], *args: Any, **fields: Any) -> None:
        table = model._meta.db_table
        given = self._given(table)
        super()._remake_table(model, *args, **fields)  # type: ignore[misc]  # the stubs leave it out
        if given > self._given(table):
            self.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
            self.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, given])

    def _given(self, table: str) -> int:
        """The highest number that a row of the table ever had; 0 where the table does not count."""
        with self.connection.cursor() as cursor:
            if not cursor.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").fetchone():
                return 0
            row = cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table]).fetchone()
        return int(row[0]) if row else 0
