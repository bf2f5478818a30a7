"""Both stores at one moment, whatever keeps them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Protocol

from django.db import connections

from daytwo_server.core.stores import DEFAULT, TELEMETRY
from daytwo_server.operate.backup import postgres, sqlite
from daytwo_server.operate.backup.archive import Store
from daytwo_server.operate.backup.problems import BackupError
from daytwo_server.operate.backup.progress import Progress

# The member of a store is named like its file in the data directory, so that unpacking is restoring.
NAMES = {DEFAULT: "daytwo", TELEMETRY: "telemetry"}


class Snapshot(Protocol):
    """A store as it was at one moment."""

    kind: Literal["sqlite", "postgresql"]
    schema: str
    suffix: str

    def rows(self, sql: str) -> list[tuple[Any, ...]]: ...
    def size(self) -> int: ...
    def copy(self, target: Path, progress: Progress) -> None: ...
    def close(self) -> None: ...


@contextlib.contextmanager
def pinned() -> Iterator[dict[str, Snapshot]]:
    """Both stores, `default` a moment before `telemetry`. Raises `BackupError`, also for one without our tables."""
    with contextlib.ExitStack() as open_ones:
        found: dict[str, Snapshot] = {}
        for alias in (DEFAULT, TELEMETRY):
            found[alias] = _pin(alias, found.get(DEFAULT))
            open_ones.callback(found[alias].close)
            if not _has_tables(found[alias]):
                raise BackupError(
                    f"There is nothing to back up: the store {alias} is empty. Was `daytwo serve` ever run here?"
                )
        yield found


def _pin(alias: str, beside: Snapshot | None) -> Snapshot:
    settings = connections[alias].settings_dict
    if connections[alias].vendor == "postgresql":
        return postgres.Snapshot(settings, beside=beside if isinstance(beside, postgres.Snapshot) else None)
    return sqlite.Snapshot(Path(settings["NAME"]))


def member_of(alias: str, snapshot: Snapshot) -> str:
    return NAMES[alias] + snapshot.suffix


def described(alias: str, snapshot: Snapshot) -> Store:
    """What the manifest says of it."""
    applied = snapshot.rows("SELECT app, name FROM django_migrations ORDER BY app, name")
    names = [f"{app}.{name}" for app, name in applied]
    return Store(snapshot.kind, member_of(alias, snapshot), snapshot.schema, names)


def _has_tables(snapshot: Snapshot) -> bool:
    where = {
        "sqlite": "sqlite_master WHERE name = 'django_migrations'",
        "postgresql": "pg_class WHERE relnamespace = current_schema()::regnamespace AND relname = 'django_migrations'",
    }
    return snapshot.rows(f"SELECT count(*) FROM {where[snapshot.kind]}") != [(0,)]
