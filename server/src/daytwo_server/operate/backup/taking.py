"""Making an archive of the running installation. The order of steps and its reasons: see the package."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from daytwo_server.core import clock, conf
from daytwo_server.core.files import sync_directory
from daytwo_server.core.secret import derive
from daytwo_server.core.stores import DEFAULT
from daytwo_server.operate.backup import archive, files, parts, stores
from daytwo_server.operate.backup.archive import SECRET_KEY, Manifest, Staged
from daytwo_server.operate.backup.problems import BackupError
from daytwo_server.operate.backup.progress import Progress
from daytwo_server.operate.backup.stores import Snapshot

_SPARE = 16 * files.MIB


@dataclass(frozen=True)
class Taken:
    """A finished archive: its size, and how long it took."""

    path: Path
    bytes: int
    seconds: float


def take(target: Path, progress: Progress, *, reserve: int, force: bool = False) -> Taken:
    """Write an archive of this installation to `target`, which appears there only when it is whole.

    `reserve` are the bytes that intake needs free on the disk of the data directory. With `force` the archive takes
    the place of a file that is there. Raises `BackupError`.
    """
    began = time.monotonic()
    data_dir = conf.current().data_dir
    _refuse(target, data_dir, force=force)
    try:
        _take(target, data_dir, progress, reserve)
    except OSError as problem:
        raise BackupError(f"The backup could not be written: {problem}. Nothing of it is left.") from problem
    return Taken(target, target.stat().st_size, time.monotonic() - began)


def _take(target: Path, data_dir: Path, progress: Progress, reserve: int) -> None:
    with (
        files.alone(data_dir),
        files.draft(_beside(target, ".partial")) as handle,
        files.scratch(_beside(target, ".parts")) as copies,
        files.scratch(data_dir / files.STAGING) as staging,
    ):
        reserved = reserve if files.same_disk(data_dir, copies) else 0
        manifest, staged = _collect(data_dir, staging, copies, progress, reserved)
        progress.begin("packing")
        archive.write(handle, manifest, staged, progress)
        _beside(target, ".partial").replace(target)
        sync_directory(target.parent)


def _beside(target: Path, suffix: str) -> Path:
    return target.with_name(target.name + suffix)


def _refuse(target: Path, data_dir: Path, *, force: bool) -> None:
    if not data_dir.is_dir():
        raise BackupError(f"There is nothing to back up: {data_dir} does not exist. Is this the right data directory?")
    if not target.parent.is_dir():
        raise BackupError(f"The folder {target.parent} does not exist. Make it, for its owner only (mode 700).")
    if target.is_dir():
        raise BackupError(f"{target} is a folder. Name the file that the backup shall be written to.")
    if target.exists() and not force:
        raise BackupError(f"{target} exists already. Name another file, or replace it with --force.")


def _collect(
    data_dir: Path, staging: Path, copies: Path, progress: Progress, reserved: int
) -> tuple[Manifest, list[Staged]]:
    """Everything that goes into the archive, as files, and the manifest that describes it."""
    with _moment(data_dir, staging) as pinned:
        described = {alias: stores.described(alias, snapshot) for alias, snapshot in pinned.items()}
        # The copies and, at worst, an archive of the same size.
        size = 2 * sum(snapshot.size() for snapshot in pinned.values()) + _SPARE
        files.require_room(copies.parent, size, "The backup", reserve=reserved)
        _expect(pinned, staging, progress)
        staged = [*_secret_key(data_dir), *_of_parts(staging)]
        for alias, snapshot in pinned.items():
            progress.begin(f"copying {alias}")
            copy = copies / described[alias].member
            snapshot.copy(copy, progress)
            staged.append(Staged(copy.name, copy))
    progress.begin("computing checksums")
    members = archive.measure(staged, progress)
    given = conf.current().secret_key
    manifest = Manifest(
        format=archive.FORMAT,
        version=version("daytwo-server"),
        taken_at=clock.now(),
        holds_key=not given,
        fingerprint=fingerprint(given or (data_dir / SECRET_KEY).read_text().strip()),
        stores=described,
        members=members,
    )
    return manifest, staged


@contextlib.contextmanager
def _moment(data_dir: Path, staging: Path) -> Iterator[dict[str, Snapshot]]:
    """The stores pinned, and every part complete in `staging`."""
    for part in parts.registered():
        (staging / part.folder).mkdir(mode=0o700)
        part.before(data_dir / part.folder, staging / part.folder)
    with stores.pinned() as pinned:
        for part in parts.registered():
            part.after(data_dir / part.folder, staging / part.folder, pinned[DEFAULT].rows)
        yield pinned


def _expect(pinned: dict[str, Snapshot], staging: Path, progress: Progress) -> None:
    """Stores are copied, read for their checksums and packed; the files of parts are there already."""
    progress.expect(3 * sum(snapshot.size() for snapshot in pinned.values()))
    progress.expect(2 * sum(path.stat().st_size for _, path in _of_parts(staging)))


def _secret_key(data_dir: Path) -> list[Staged]:
    """The key, unless the environment gives it: then it is kept where that comes from."""
    if conf.current().secret_key:
        return []
    if not (data_dir / SECRET_KEY).exists():
        raise BackupError(f"{data_dir / SECRET_KEY} is missing: tokens and keys of this installation depend on it.")
    return [Staged(SECRET_KEY, data_dir / SECRET_KEY)]


def _of_parts(staging: Path) -> list[Staged]:
    found = sorted(path for path in staging.rglob("*") if path.is_file())
    return [Staged(path.relative_to(staging).as_posix(), path) for path in found]


def fingerprint(secret_key: str) -> str:
    """Tells secret keys apart; nothing can be learned from it."""
    return derive(secret_key, "backup-fingerprint").hex()[:16]
