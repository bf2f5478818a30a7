"""Start-up work on the stores: create, check, migrate."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from daytwo_server.core.stores import DEFAULT
from daytwo_server.main.databases import SQLITE_CREATION

_MIGRATING_LOCK = 0x44324D47  # one row in pg_locks


class NewerSchema(Exception):
    """The database was written by a newer Daytwo than this one."""


class MigrationFailed(Exception):
    """A migration failed and was taken back; those before it stay."""


@dataclass(frozen=True)
class Schema:
    """What one store still needs (`pending`) and what it has that this version does not know (`unknown`)."""

    alias: str
    pending: list[str]
    unknown: list[str]


def prepare_data_dir(folder: Path) -> None:
    """Create the data directory, for its owner only."""
    os.umask(0o077)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "spool").mkdir(mode=0o700, exist_ok=True)


def schema(alias: str) -> Schema:
    """Compare a store with this version's migrations."""
    _create_postgres_schema(alias)
    loader = MigrationLoader(connections[alias])
    applied = set(loader.applied_migrations)
    known = set(loader.disk_migrations)
    ours = {label for label, _ in known}
    return Schema(
        alias=alias,
        pending=[".".join(key) for key in sorted(known - applied)],
        unknown=[".".join(key) for key in sorted(applied - known) if key[0] in ours],
    )


def migrate(*, verbosity: int = 0) -> list[str]:
    """Bring both stores to this version's schema; returns what was applied. Waits for others that do the same.

    Raises `NewerSchema`, and then nothing was changed; `MigrationFailed`; or OperationalError when a store cannot be
    reached.
    """
    with alone_everywhere():
        return _migrate(verbosity)


@contextlib.contextmanager
def alone_everywhere() -> Iterator[None]:
    """One process at a time, of all that share this data directory or this PostgreSQL database."""
    with alone(settings.CONF.data_dir), _alone_in_postgres():
        yield


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One process a data directory at a time: two that create the same thing at once fail half way."""
    with (folder / "start.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _alone_in_postgres() -> Iterator[None]:
    """The same for several nodes with one PostgreSQL database. SQLite belongs to one data directory."""
    if connections[DEFAULT].vendor != "postgresql":
        yield
        return
    lock = connections[DEFAULT].copy()  # a connection of its own, since migrations commit
    try:
        lock.set_autocommit(False)
        with lock.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_MIGRATING_LOCK])
        yield
    finally:
        lock.close()


def _create_sqlite(database: dict[str, Any]) -> None:
    """Make the file with the settings that stay with it."""
    if "sqlite" not in database["ENGINE"] or Path(database["NAME"]).exists():
        return
    with contextlib.closing(sqlite3.connect(database["NAME"])) as connection:
        connection.executescript(SQLITE_CREATION)


def _migrate(verbosity: int) -> list[str]:
    for database in settings.DATABASES.values():
        _create_sqlite(database)
    states = [schema(alias) for alias in settings.DATABASES]
    unknown = [f"{state.alias}: {', '.join(state.unknown)}" for state in states if state.unknown]
    if unknown:
        raise NewerSchema(
            "This data was written by a newer Daytwo. Install that version again, or restore a backup made by this "
            f"one. Unknown here: {'; '.join(unknown)}."
        )
    for state in states:
        if state.pending:
            _apply(state, verbosity)
    return [f"{state.alias}: {name}" for state in states for name in state.pending]


def _apply(state: Schema, verbosity: int) -> None:
    try:
        call_command("migrate", database=state.alias, verbosity=verbosity, interactive=False)
    except DatabaseError as problem:
        executor = MigrationExecutor(connections[state.alias])
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if not plan:
            raise
        reason = " ".join(str(problem).split())
        raise MigrationFailed(
            f"The migration {plan[0][0]} failed and was taken back; those before it stay. It says: {reason}"
        ) from problem


def _create_postgres_schema(alias: str) -> None:
    options: dict[str, Any] = settings.DATABASES[alias].get("OPTIONS", {})
    if "search_path=telemetry" in str(options.get("options", "")):
        with connections[alias].cursor() as cursor:
            cursor.execute("CREATE SCHEMA IF NOT EXISTS telemetry")
