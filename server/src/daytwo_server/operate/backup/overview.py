"""How it stands with backups, for people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from daytwo_server.core import clock, conf, preferences
from daytwo_server.core.conf import Keep
from daytwo_server.core.jobs.registry import next_after
from daytwo_server.operate.backup import rotation, runs
from daytwo_server.operate.models import BackupRun

SHOWN = 30


@dataclass(frozen=True)
class Row:
    """A run; `there` is whether its file still is."""

    run: BackupRun
    there: bool
    took: dt.timedelta | None


@dataclass(frozen=True)
class Overview:
    """Now. `folder` is None when no backups are made. `late` is whether the last good one is older than two intervals
    of the schedule; `same_disk` whether one broken disk takes the data and the backups.
    """

    folder: Path | None
    every: str
    keep: Keep
    next_at: dt.datetime
    running: BackupRun | None
    last_good: BackupRun | None
    last: BackupRun | None
    late: bool
    same_disk: bool
    files: int
    bytes: int
    rows: Sequence[Row]


def overview() -> Overview:
    folder, settings = runs.folder(), preferences.current()
    found = list(BackupRun.objects.select_related("actor").order_by("-started_at", "-pk")[:SHOWN])
    good = BackupRun.objects.filter(state=BackupRun.State.DONE).order_by("-started_at", "-pk").first()
    kept = _kept(folder)
    finished = [run for run in found if run.finished_at]
    return Overview(
        folder=folder,
        every=settings.backup_every,
        keep=settings.backup_keep,
        next_at=runs.planned(clock.now()),
        running=runs.unfinished(),
        last_good=good,
        last=finished[0] if finished else None,
        late=folder is not None and _is_late(settings.backup_every, good, found),
        same_disk=folder is not None and _same_disk(folder),
        files=len(kept),
        bytes=sum(path.stat().st_size for path in kept),
        rows=[_row(run) for run in found],
    )


def _is_late(every: str, good: BackupRun | None, found: Sequence[BackupRun]) -> bool:
    """Since the last good one, or the first that was tried, its time has come twice."""
    base = good or (found[-1] if found else None)
    if base is None:
        return False
    once = next_after(every, base.started_at, now=base.started_at)
    return next_after(every, once, now=once) < clock.now()


def _kept(folder: Path | None) -> list[Path]:
    if folder is None or not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if rotation.taken_at(path)]


def _same_disk(folder: Path) -> bool:
    data_dir = conf.current().data_dir
    return folder.is_dir() and data_dir.is_dir() and folder.stat().st_dev == data_dir.stat().st_dev


def _row(run: BackupRun) -> Row:
    took = run.finished_at - run.started_at if run.finished_at else None
    return Row(run, bool(run.file) and Path(run.file).exists(), took)
