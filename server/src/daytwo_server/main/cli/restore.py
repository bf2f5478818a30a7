import argparse
import contextlib
import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from daytwo_server.core import clock
from daytwo_server.core import conf as configuration
from daytwo_server.core.conf import Conf
from daytwo_server.ingest.backup import SpoolPart
from daytwo_server.main.cli.backup import leave_nothing_when_stopped, shown
from daytwo_server.main.cli.start import Unusable, migrate_stores, start_django
from daytwo_server.main.databases import databases
from daytwo_server.operate.backup import archive, files, parts, postgres, restoring, sqlite
from daytwo_server.operate.backup.archive import SECRET_KEY, Archive, Manifest
from daytwo_server.operate.backup.problems import BackupError
from daytwo_server.operate.backup.progress import Progress

KINDS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
_SPARE = 64 * files.MIB  # for what is migrated, and the logs of both stores


def run(parsed: argparse.Namespace) -> int:
    """`daytwo restore FILE`: into an empty data directory and, on PostgreSQL, an empty database."""
    leave_nothing_when_stopped()
    parts.register(SpoolPart())  # before Django does it: whether a server runs is looked at first
    conf = configuration.current()
    file: Path = parsed.file.absolute()
    try:
        with archive.opened(file) as packed:
            print(*_restored(packed, conf, force=parsed.force), sep="\n")
    except (BackupError, Unusable) as problem:
        print(problem, file=sys.stderr)
        return 1
    except OSError as problem:
        print(f"Nothing was restored: {problem}.", file=sys.stderr)
        return 1
    return 0


def _restored(packed: Archive, conf: Conf, *, force: bool) -> Iterator[str]:
    """Do it; what the operator should know, once all is done."""
    targets = databases(conf)
    _refuse_other_stores(packed.manifest, conf, targets)
    with restoring.into(conf.data_dir, packed.path, force=force) as building, shown(Progress()) as progress:
        _refuse_full_databases(targets, force=force)
        files.require_room(building, packed.manifest.size + _SPARE, "The restore")
        progress.expect(packed.manifest.size)
        _unpack(packed, dataclasses.replace(conf, data_dir=building), building, progress)
        aside = _fill_databases(packed.manifest, targets, building, progress, force=force)
        progress.begin("bringing it to this version")
        waiting = _make_ready()
        damage = list(_damage(packed.manifest, building))
        progress.begin("putting it in place")
        before = restoring.settle(conf.data_dir, packed.path)
    manifest = packed.manifest
    yield f"{conf.data_dir} is as it was at {manifest.taken_at:%Y-%m-%d %H:%M} UTC (Daytwo {manifest.version})."
    if before:
        yield f"What was there before is in {before}. Remove it when you no longer need it."
    yield from aside
    yield from damage
    yield from _of_the_key(manifest, conf)
    if waiting:
        yield (
            f"{waiting} jobs that waited then will run when Daytwo starts, and may mail or call people. "
            "DAYTWO_JOB_THREADS=0 starts it without."
        )
    yield "Start Daytwo, then ask `daytwo doctor`."


def _refuse_other_stores(manifest: Manifest, conf: Conf, targets: dict[str, dict[str, Any]]) -> None:
    """Raises `BackupError` when the archive's stores are not of the kind that is configured here."""
    for alias, store in manifest.stores.items():
        kind = "sqlite" if "sqlite" in targets[alias]["ENGINE"] else "postgresql"
        if kind != store.kind:
            raise BackupError(
                f"The backup holds the store {alias} from {KINDS[store.kind]}, but this installation keeps it in "
                f"{KINDS[kind]}. {_how_to_get(store.kind)}"
            )
        expected = conf.data_dir.absolute() / store.member
        if kind == "sqlite" and Path(targets[alias]["NAME"]) != expected:
            raise BackupError(
                f"A restore makes {expected}, but the settings name {targets[alias]['NAME']}. Restore without "
                "DATABASE_URL and DAYTWO_TELEMETRY_URL, then move the file there."
            )


def _how_to_get(kind: str) -> str:
    how = "Restore without DATABASE_URL and DAYTWO_TELEMETRY_URL." if kind == "sqlite" else "Name an empty database."
    return f"There is no way from one to the other yet. {how}"


def _refuse_full_databases(targets: dict[str, dict[str, Any]], *, force: bool) -> None:
    """Raises `BackupError` for databases in use and, without `force`, for those with tables in them."""
    for settings in targets.values():
        if "sqlite" in settings["ENGINE"]:
            continue
        if others := postgres.others(settings):
            raise BackupError(
                f"The database {settings['NAME']} is in use by {others} other connections. Stop every Daytwo first, "
                "on all machines."
            )
        postgres.schema_of(settings)
        if not force and not postgres.is_empty(settings):
            raise BackupError(
                f"The database {settings['NAME']} is not empty. Name an empty one in DATABASE_URL, or move what is "
                "there into another schema with --force."
            )


def _unpack(packed: Archive, conf: Conf, building: Path, progress: Progress) -> None:
    """Unpack everything; refuse what a newer version made as soon as that can be known."""
    progress.begin("unpacking")
    unpacking = packed.unpack(building, progress)
    if packed.manifest.holds_key and next(unpacking).name != SECRET_KEY:
        raise BackupError(f"{packed.path} has no secret key where it should be. Use another backup.")
    # From here on this process works in the folder that is being made. The key is there already: a migration that
    # derives something from it must not meet another one.
    configuration.use(conf)
    start_django(log_to=sys.stderr)
    _refuse_newer(packed.manifest)
    for _ in unpacking:
        pass


def _refuse_newer(manifest: Manifest) -> None:
    from django.db.migrations.loader import MigrationLoader

    known = set(MigrationLoader(None).disk_migrations)
    rooms = {room for room, _ in known}
    applied = {name for store in manifest.stores.values() for name in store.migrations}
    newer = sorted(name for name in applied if name.split(".")[0] in rooms and tuple(name.split(".", 1)) not in known)
    if newer:
        raise BackupError(
            f"The backup was made by Daytwo {manifest.version}, which is newer than this one. Install that version, "
            f"then restore. Unknown here: {', '.join(newer[:3])}."
        )


def _fill_databases(
    manifest: Manifest, targets: dict[str, dict[str, Any]], building: Path, progress: Progress, *, force: bool
) -> list[str]:
    """Restore the dumps; what was moved aside for it, in words."""
    told = []
    for alias, store in manifest.stores.items():
        if store.kind == "sqlite":
            continue
        progress.begin(f"filling {alias}")
        settings, dump = targets[alias], building / store.member
        schema = postgres.schema_of(settings)
        if schema != store.schema:
            raise BackupError(
                f"The backup holds the store {alias} from the schema {store.schema}; the settings name {schema}. "
                "Set DAYTWO_TELEMETRY_URL as it was."
            )
        if force and not postgres.is_empty(settings):
            aside = f"before_restore_{restoring.stamp(clock.now()).lower()}_{alias}"
            postgres.set_aside(settings, aside)
            told.append(f"What was in the database {settings['NAME']} is in its schema {aside}.")
        postgres.restore(settings, dump, schema, progress)
        dump.unlink()
    return told


def _make_ready() -> int:
    """Migrate, and forget what belongs to the moment of the backup. Returns how many jobs wait."""
    from django.db import connections

    from daytwo_server.operate.backup import runs

    try:
        migrate_stores()
        return runs.tidy_after_restore()
    finally:
        connections.close_all()  # what SQLite keeps beside its files goes with the last connection


def _damage(manifest: Manifest, building: Path) -> Iterator[str]:
    """Told, not refused: damaged data may be all that there is."""
    for alias, store in manifest.stores.items():
        if store.kind == "sqlite":
            with contextlib.closing(sqlite.Opened(building / store.member)) as opened:
                if damage := opened.damage():
                    yield f"WRONG The store {alias} was damaged when the backup was made: {damage}."


def _of_the_key(manifest: Manifest, conf: Conf) -> Iterator[str]:
    from daytwo_server.operate.backup.taking import fingerprint

    if not conf.secret_key:
        if not manifest.holds_key:
            yield (
                "The secret key is not in the backup: DAYTWO_SECRET_KEY gave it. Set it to the same value before the "
                "start, or everybody has to sign in again and derived keys and tokens change."
            )
    elif manifest.fingerprint not in map(fingerprint, (conf.secret_key, *conf.secret_key_fallbacks)):
        yield (
            "DAYTWO_SECRET_KEY is another one than when the backup was made: everybody has to sign in again, and "
            "derived keys and tokens change. Set it as it was"
            + (", or unset it: the backup holds the key." if manifest.holds_key else ".")
        )
