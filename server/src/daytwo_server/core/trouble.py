"""Telling a store that cannot be used now from data that it will never take."""

from __future__ import annotations

import sqlite3

from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError

# Primary result codes of SQLite: locked, out of memory, read-only, interrupted, unreadable, full, gone.
_SQLITE = frozenset(
    {
        sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_SCHEMA, sqlite3.SQLITE_NOTADB,
    }
)  # fmt: skip
# Classes of SQLSTATE that speak of the data or the statement: not supported, cardinality, data, constraints, syntax and
# names, limits of one row. https://www.postgresql.org/docs/current/errcodes-appendix.html
_OF_THE_DATA = frozenset({"0A", "21", "22", "23", "42", "54"})
# Of those: no such table, column or schema, no permission. A store that is not ours, or not yet.
_OF_THE_SCHEMA = frozenset({"42P01", "42703", "42501", "3F000"})


def is_trouble(error: BaseException) -> bool:
    """Whether a store cannot be used now: down, locked, full, read-only, damaged, without its tables.

    The same work may succeed later, so wait and say so. False for everything else: trying again would not help.
    """
    if isinstance(error, InterfaceError):
        return True
    if not isinstance(error, DatabaseError) or isinstance(error, DataError | IntegrityError):
        return False
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", None)
        return code is not None and (code & 0xFF in _SQLITE or str(cause).startswith("no such"))
    state = getattr(cause, "sqlstate", None)
    if state is None:  # said by the driver itself: a connection that broke, or a value that it cannot send
        return isinstance(error, OperationalError)
    return state[:2] not in _OF_THE_DATA or state in _OF_THE_SCHEMA


def words(error: BaseException) -> str:
    """What a store said, in one line: PostgreSQL puts advice, and rows, into the following ones."""
    return str(error).partition("\n")[0] or type(error).__name__
