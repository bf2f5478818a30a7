"""Proving that an archive can be restored, by restoring it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from daytwo_server.core.stores import DEFAULT, TELEMETRY
from daytwo_server.operate.backup import archive, files, parts, postgres, sqlite
from daytwo_server.operate.backup.archive import Manifest
from daytwo_server.operate.backup.problems import BackupError, Damaged
from daytwo_server.operate.backup.progress import Progress

# What people know an installation by, and the tables to count it in.
_COUNTED = {
    "people": (DEFAULT, "accounts_membership"),
    "projects": (DEFAULT, "catalog_project"),
    "issues": (DEFAULT, "errors_issue"),
    "events": (DEFAULT, "errors_event"),
    "event bodies": (TELEMETRY, "errors_eventbody"),
}
_SPARE = 16 * files.MIB


@dataclass(frozen=True)
class Checked:
    """What was found. `how` says how far it went: "restored", or "listed" where PostgreSQL did not allow more."""

    manifest: Manifest
    how: Literal["restored", "listed"]
    counts: dict[str, int]


class _Store(Protocol):
    def rows(self, sql: str) -> list[tuple[Any, ...]]: ...
    def damage(self) -> str: ...


def check(path: Path, progress: Progress) -> Checked:
    """Restore the archive into a folder beside it, look at everything, remove that again.

    Raises `Damaged` when it cannot be restored, `BackupError` when that cannot be found out here.
    """
    try:
        return _check(path, progress)
    except OSError as problem:
        raise BackupError(
            f"{path} could not be checked: {problem}. It is restored beside the file; copy that where there is room."
        ) from problem


def _check(path: Path, progress: Progress) -> Checked:
    folder = path.with_name(f"{path.name}.check")
    with (
        archive.opened(path) as packed,
        files.draft(path.with_name(f"{path.name}.check.lock")),
        files.scratch(folder) as restored,
    ):
        manifest = packed.manifest
        files.require_room(folder, manifest.size + _SPARE, "The check")
        progress.expect(manifest.size)
        progress.begin("unpacking")
        for _ in packed.unpack(restored, progress):
            pass
        progress.begin("looking at every page")
        with _stores(manifest, restored, progress) as stores:
            counts = _look(manifest, restored, stores)
        how: Literal["restored", "listed"] = "restored" if len(stores) == len(manifest.stores) else "listed"
    return Checked(manifest, how, counts)


def _look(manifest: Manifest, restored: Path, stores: dict[str, _Store]) -> dict[str, int]:
    """Raises `Damaged` for the first thing that is wrong."""
    for alias, store in stores.items():
        if damage := store.damage():
            raise Damaged(
                f"The store {alias} in the backup is damaged: {damage}. `daytwo doctor` tells of the live one."
            )
        applied = {f"{app}.{name}" for app, name in store.rows("SELECT app, name FROM django_migrations")}
        if applied != set(manifest.stores[alias].migrations):
            raise Damaged(f"The store {alias} in the backup has another schema than its manifest says.")
    counts = {
        words: int(stores[alias].rows(f"SELECT count(*) FROM {table}")[0][0])
        for words, (alias, table) in _COUNTED.items()
        if alias in stores
    }
    if DEFAULT in stores:
        for part in parts.registered():
            folder = restored / part.folder
            folder.mkdir(mode=0o700, exist_ok=True)
            counts |= part.count(folder, stores[DEFAULT].rows)
    return counts


@contextlib.contextmanager
def _stores(manifest: Manifest, restored: Path, progress: Progress) -> Iterator[dict[str, _Store]]:
    """Those stores that can be opened here."""
    with contextlib.ExitStack() as open_ones:
        found: dict[str, _Store] = {}
        for alias, store in manifest.stores.items():
            path = restored / store.member
            if store.kind == "sqlite":
                found[alias] = open_ones.enter_context(contextlib.closing(sqlite.Opened(path)))
            elif opened := open_ones.enter_context(_in_postgres(alias, path, store.schema, progress)):
                found[alias] = opened
        yield found


@contextlib.contextmanager
def _in_postgres(alias: str, dump: Path, schema: str, progress: Progress) -> Iterator[postgres.Opened | None]:
    """The dump in a database of its own, None where our role may not make one: then its listing has to do."""
    from django.db import connections

    settings = connections[alias].settings_dict
    if connections[alias].vendor != "postgresql":
        yield None
        return
    with postgres.scratch_database(settings, alias) as name:
        if not name:
            postgres.listing(settings, dump, progress)
            yield None
            return
        postgres.restore(settings, dump, schema, progress, database=name)
        with contextlib.closing(postgres.Opened(settings, name, schema)) as opened:
            yield opened
