"""The last good definitions on disk, for a start while Daytwo is away."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path


def cache_path(folder: str | os.PathLike[str], url: str, key: str) -> Path:
    """A file of its own for each server and key, so that two environments never read each other's definitions."""
    name = hashlib.sha256(f"{url}\n{key}".encode("utf-8", "surrogatepass")).hexdigest()[:24]
    return Path(folder) / f"daytwo-flags-{name}.json"


def read(path: str | os.PathLike[str]) -> bytes:
    """What stands there; OSError."""
    return Path(path).read_bytes()


def write(path: Path, body: bytes) -> None:
    """Put it there as a whole or not at all; nobody else may read it, as it names users. OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, unfinished = tempfile.mkstemp(prefix=path.name, suffix=".part", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(descriptor)  # or a power cut could leave the new name with nothing in it
        Path(unfinished).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(unfinished).unlink()
        raise
