"""Which of the scheduled backups stay."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from daytwo_server.core.conf import Keep
from daytwo_server.operate.backup import archive
from daytwo_server.operate.backup.problems import BackupError
from daytwo_server.operate.backup.restoring import stamp

# One that does not pass its check is renamed, so that it is never taken for a good one. It stays until somebody looks.
DAMAGED = ".damaged"
_NAME = re.compile(r"daytwo-(\d{8}T\d{6}Z)\.tar\.zst")


def name_of(at: dt.datetime) -> str:
    """The file name of a backup that is begun now."""
    return f"daytwo-{stamp(at)}.tar.zst"


def kept(taken: Iterable[dt.datetime], keep: Keep) -> set[dt.datetime]:
    """The newest of each of the last days, weeks and months that have one, in UTC, and all of the last 24 hours: one
    that is made after a mishap does not push out the one from before.

    Days without a backup do not count: while none is made, none is removed.
    """
    newest_first = sorted(taken, reverse=True)
    periods: list[tuple[int, Callable[[dt.datetime], object]]] = [
        (keep.days, lambda at: at.date()),
        (keep.weeks, lambda at: at.isocalendar()[:2]),
        (keep.months, lambda at: (at.year, at.month)),
    ]
    stay = {at for at in newest_first if newest_first[0] - at < dt.timedelta(days=1)}
    for number, period in periods:
        newest_of: dict[object, dt.datetime] = {}
        for at in newest_first:
            newest_of.setdefault(period(at), at)
        stay.update(list(newest_of.values())[:number])
    return stay


def rotate(folder: Path, keep: Keep, fingerprints: Collection[str]) -> list[Path]:
    """Remove what need not stay; returns it. Only files with our names, made by this installation."""
    found = {at: path for path in folder.iterdir() if (at := taken_at(path)) and _is_ours(path, fingerprints)}
    gone = [found[at] for at in sorted(found.keys() - kept(found, keep))]
    for path in gone:
        path.unlink(missing_ok=True)
    return gone


def taken_at(path: Path) -> dt.datetime | None:
    """When a scheduled backup was begun, by its name; None for other files."""
    found = _NAME.fullmatch(path.name)
    try:
        return dt.datetime.strptime(found[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC) if found else None
    except ValueError:
        return None


def _is_ours(path: Path, fingerprints: Collection[str]) -> bool:
    """Two installations may share a folder; what cannot be read is nothing to decide about."""
    try:
        with archive.opened(path) as packed:
            return packed.manifest.fingerprint in fingerprints
    except (BackupError, OSError):
        return False
