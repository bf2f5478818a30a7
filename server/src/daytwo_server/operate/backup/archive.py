"""The file format: a tar of a manifest and the members it names, compressed with zstd.

`tar --zstd -xf FILE` unpacks it by hand. `manifest.json` comes first, then the members in its order.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import io
import os
import re
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Literal, NamedTuple, cast

import msgspec
import zstandard

from daytwo_server.operate.backup.files import MIB, Durable
from daytwo_server.operate.backup.problems import BackupError, Damaged
from daytwo_server.operate.backup.progress import Progress

FORMAT = 1
MANIFEST = "manifest.json"
SECRET_KEY = "secret-key"  # noqa: S105 - a file name
_MANIFEST_BYTES = 64 * MIB
_LEVEL = 3  # bodies are compressed already; the higher levels take longer and save next to nothing
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*){0,2}", re.ASCII)


class Member(msgspec.Struct, frozen=True):
    """A file of the archive. `size` is in bytes, `sha256` in hex."""

    name: str
    size: int
    sha256: str


class Store(msgspec.Struct, frozen=True):
    """What one store was, and the member that holds it. `migrations` are those applied, as app.name.

    `schema` is PostgreSQL's, empty for SQLite.
    """

    kind: Literal["sqlite", "postgresql"]
    member: str
    schema: str
    migrations: list[str]


class Manifest(msgspec.Struct, frozen=True):
    """What the archive holds. `fingerprint` tells secret keys apart without telling them.

    `holds_key` is false where DAYTWO_SECRET_KEY gave the key: then it is kept where that comes from.
    """

    format: int
    version: str
    taken_at: dt.datetime
    holds_key: bool
    fingerprint: str
    stores: dict[str, Store]
    members: list[Member]

    @property
    def size(self) -> int:
        """Bytes of all members, unpacked."""
        return sum(member.size for member in self.members)


class Staged(NamedTuple):
    """A file that will be the member `name`."""

    name: str
    path: Path


def measure(staged: Iterable[Staged], progress: Progress) -> list[Member]:
    """The members' sizes and checksums."""
    return [_measured(name, path, progress) for name, path in staged]


def _measured(name: str, path: Path, progress: Progress) -> Member:
    digest, size = hashlib.sha256(), 0
    with path.open("rb", buffering=0) as file:
        while data := file.read(MIB):
            digest.update(data)
            size += len(data)
            progress.add(len(data))
    return Member(name, size, digest.hexdigest())


def write(handle: int, manifest: Manifest, staged: Iterable[Staged], progress: Progress) -> None:
    """Write the archive to an open file, durably. The handle stays open."""
    with os.fdopen(handle, "wb", buffering=0, closefd=False) as file:
        packer = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
        with (
            packer.stream_writer(cast("IO[bytes]", Durable(file))) as packing,
            tarfile.open(fileobj=packing, mode="w|", bufsize=MIB, copybufsize=MIB) as tar,  # type: ignore[call-overload]
        ):
            encoded = _encode(manifest)
            _add(tar, manifest, MANIFEST, io.BytesIO(encoded), len(encoded))
            for member, (_, path) in zip(manifest.members, staged, strict=True):
                with path.open("rb", buffering=0) as content:
                    _add(tar, manifest, member.name, _Counted(content, progress), member.size)
        os.fsync(handle)


def _encode(manifest: Manifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def _add(tar: tarfile.TarFile, manifest: Manifest, name: str, content: IO[bytes] | _Counted, size: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, 0o600, int(manifest.taken_at.timestamp())
    tar.addfile(info, cast("IO[bytes]", content))


class _Counted(io.RawIOBase):
    """Reads and tells how much."""

    def __init__(self, file: io.FileIO, progress: Progress) -> None:
        self._file = file
        self._progress = progress

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._progress.add(len(data))
        return data


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """The archive, ready to be unpacked once. Raises `Damaged`, and `BackupError` for one of a newer format."""
    try:
        file = path.open("rb")
    except OSError as problem:
        raise BackupError(f"{path} cannot be read: {problem.strerror}.") from problem
    with file:
        reading = zstandard.ZstdDecompressor().stream_reader(file, read_size=MIB)
        try:
            tar = tarfile.open(fileobj=reading, mode="r|", bufsize=MIB)  # noqa: SIM115 - closed with the file below it
            first = tar.next()
            content = tar.extractfile(first) if first and first.name == MANIFEST else None
            raw = content.read(_MANIFEST_BYTES) if content else b""
        except (zstandard.ZstdError, tarfile.TarError, EOFError):
            raw = b""
        yield Archive(path, tar if raw else None, _decode(path, raw))


def _decode(path: Path, raw: bytes) -> Manifest:
    try:
        version = msgspec.json.decode(raw, type=_AnyFormat)
    except msgspec.MsgspecError:
        raise Damaged(f"{path} is no backup of Daytwo, or its beginning is damaged.") from None
    if version.format > FORMAT:
        raise BackupError(
            f"{path} was written by Daytwo {version.version}, in a format that this version cannot read. "
            "Install that version, or a later one."
        )
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
    except msgspec.MsgspecError as problem:
        raise Damaged(f"The manifest of {path} is damaged: {problem}.") from None
    if strange := [member.name for member in manifest.members if not _NAME.fullmatch(member.name)]:
        raise Damaged(f"{path} names a file that no backup has: {strange[0]!r}.")
    return manifest


class _AnyFormat(msgspec.Struct):
    format: int
    version: str = "?"


class Archive:
    """An open archive; see `opened`."""

    def __init__(self, path: Path, tar: tarfile.TarFile | None, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest
        self._tar = tar

    def unpack(self, folder: Path, progress: Progress) -> Iterator[Member]:
        """Write the members below `folder`, each yielded once it is there and its checksum right. Raises `Damaged`.

        `folder` is ours and new: no name in it leads elsewhere.
        """
        assert self._tar is not None  # an archive without a manifest was never opened
        for member in self.manifest.members:
            try:
                found = self._tar.next()
                if found is None:
                    raise Damaged(f"{self.path} is cut off: {member.name} is missing. Use another backup.")
                if (found.name, found.size, found.isreg()) != (member.name, member.size, True):
                    raise self._damaged(member, "it is not what the manifest announces")
                content = self._tar.extractfile(found)
                assert content is not None  # of a regular file there is always something to read
                self._unpack_one(member, content, folder / member.name, progress)
            except (zstandard.ZstdError, tarfile.TarError, EOFError) as problem:
                raise self._damaged(member, str(problem)) from problem
            yield member

    def _unpack_one(self, member: Member, content: IO[bytes], path: Path, progress: Progress) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        digest, handle = hashlib.sha256(), os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb", buffering=0) as file:
            out = Durable(file)
            while data := content.read(MIB):
                digest.update(data)
                out.write(data)
                progress.add(len(data))
        if digest.hexdigest() != member.sha256:
            raise self._damaged(member, "its checksum is wrong")

    def _damaged(self, member: Member, why: str) -> Damaged:
        return Damaged(f"{self.path} is damaged at {member.name}: {why}. Use another backup.")
