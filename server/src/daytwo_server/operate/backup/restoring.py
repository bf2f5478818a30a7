"""Putting an archive into a data directory. A kill at any moment leaves what was there, or something that is known
as unfinished by its name.

Everything is made ready in `.restoring`. Then that folder is renamed twice: to `.replacing` while what was there before
moves into a folder of its own, and to `.restored` while the new moves up. Either of the two is finished by whoever
finds it, a start or another restore.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from daytwo_server.core import clock
from daytwo_server.core.files import sync_directory
from daytwo_server.operate.backup import files, parts, sqlite
from daytwo_server.operate.backup.problems import BackupError, Busy

BUILDING, REPLACING, RESTORED = ".restoring", ".replacing", ".restored"
ASIDE = "before-restore-"
_MOVING_ASIDE = f"{ASIDE}unfinished"
_STORES = ("daytwo.db", "telemetry.db")


@contextlib.contextmanager
def into(data_dir: Path, archive: Path, *, force: bool) -> Iterator[Path]:
    """A folder in which to make the restored data directory ready; in place after `settle`, gone otherwise.

    Raises `BackupError` when the directory is in use, or not empty without `force`.
    """
    existed = data_dir.is_dir()
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with files.alone(data_dir):
            _roll_forward(data_dir)
            _refuse_in_use(data_dir)
            if not force and (found := _content(data_dir, archive)):
                raise BackupError(
                    f"{data_dir} is not empty ({', '.join(sorted(path.name for path in found)[:3])}). Name an empty "
                    "directory, or move what is there aside with --force."
                )
            with files.scratch(data_dir / BUILDING) as building:
                yield building
    finally:
        if not existed:
            with contextlib.suppress(OSError):  # restored, so it is not empty
                data_dir.rmdir()


def _refuse_in_use(data_dir: Path) -> None:
    for part in parts.registered():
        if owner := part.is_held(data_dir / part.folder):
            raise BackupError(f"Daytwo runs on {data_dir} ({owner}). Stop it first.")
    for name in _STORES:
        if sqlite.is_used(data_dir / name):
            raise BackupError(f"Another process uses {data_dir / name}. Stop every `daytwo` that works there first.")


def _content(data_dir: Path, archive: Path | None = None) -> list[Path]:
    """What is there but ours, the archive itself, and what a file system puts into its root."""
    mine = {BUILDING, REPLACING, RESTORED, files.STAGING, _MOVING_ASIDE, "lost+found"}
    return [
        path
        for path in data_dir.iterdir()
        if path.name not in mine
        and not path.name.startswith(ASIDE)
        and not (archive is not None and path.resolve() == archive.resolve())
    ]


def settle(data_dir: Path, archive: Path) -> Path | None:
    """Put what is ready in place; returns where that is which was there before. Everything in it must be closed."""
    building = data_dir / BUILDING
    _own_like(data_dir, building)
    files.sync_tree(building)
    keep = archive if archive.parent.resolve() == data_dir.resolve() else None
    building.rename(data_dir / REPLACING)
    sync_directory(data_dir)
    return _roll_forward(data_dir, keep)


def finish(data_dir: Path) -> str:
    """Before a start: end a restore that was cut off while it put things in place. Words when that cannot be done."""
    if not any((data_dir / name).exists() for name in (BUILDING, REPLACING, RESTORED)):
        return ""
    try:
        with files.alone(data_dir):
            _roll_forward(data_dir)
    except Busy as busy:
        return str(busy)
    if (data_dir / BUILDING).exists():
        return (
            f"A restore into {data_dir} was cut off before anything was put in place. Run `daytwo restore` again, or "
            f"remove {data_dir / BUILDING} to start with what was there before."
        )
    return ""


def _roll_forward(data_dir: Path, keep: Path | None = None) -> Path | None:
    """Go on from wherever it was cut off. Returns the folder that holds what was there before, if anything was."""
    aside = None
    if (data_dir / REPLACING).exists():
        aside = _move_aside(data_dir, keep)
        (data_dir / REPLACING).rename(data_dir / RESTORED)
        sync_directory(data_dir)
    if (data_dir / RESTORED).exists():
        for path in (data_dir / RESTORED).iterdir():
            path.rename(data_dir / path.name)
        (data_dir / RESTORED).rmdir()
        sync_directory(data_dir)
    return aside


def _move_aside(data_dir: Path, keep: Path | None) -> Path | None:
    unfinished = data_dir / _MOVING_ASIDE
    if content := _content(data_dir, keep):
        unfinished.mkdir(mode=0o700, exist_ok=True)
        for path in content:
            path.rename(unfinished / path.name)
    if not unfinished.exists():
        return None
    aside = data_dir / f"{ASIDE}{stamp(clock.now())}"
    unfinished.rename(aside)
    sync_directory(data_dir)
    return aside


def stamp(at: dt.datetime) -> str:
    """A moment as file names have it, in UTC."""
    return f"{at.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"


def _own_like(data_dir: Path, building: Path) -> None:
    """As root, give everything to whom the data directory belongs to: that is who will run Daytwo."""
    owner = data_dir.stat()
    if os.geteuid() != 0 or (owner.st_uid, owner.st_gid) == (0, 0):
        return
    for path in [building, *building.rglob("*")]:
        shutil.chown(path, owner.st_uid, owner.st_gid)
