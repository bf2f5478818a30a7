"""`daytwo backup` and `daytwo restore` as an operator runs them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import zstandard
from installation import MODULE, Installation


def run(site: Installation, verb: str, *arguments: Any, env: dict[str, str] | None = None) -> Any:
    """A verb on the site's data directory; never a traceback, whatever happens."""
    command = [*MODULE, verb, *map(str, arguments), "--data-dir", str(site.data_dir)]
    done = subprocess.run(command, env=site.env | (env or {}), capture_output=True, text=True)
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    return done


def back_up(site: Installation, file: Path, *more: str) -> Path:
    done = run(site, "backup", file, *more)
    assert done.returncode == 0, done.stderr
    return file


def restore(site: Installation, file: Path, *more: str) -> str:
    """What the command said."""
    done = run(site, "restore", file, *more)
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


def refused(site: Installation, verb: str, *arguments: Any, env: dict[str, str] | None = None) -> str:
    """Why it was."""
    done = run(site, verb, *arguments, env=env)
    assert done.returncode == 1, (done.stdout, done.stderr)
    return str(done.stderr)


def manifest(file: Path) -> Any:
    """As anybody can read it: the first member of the tar."""
    raw = zstandard.ZstdDecompressor().stream_reader(file.read_bytes()).read(1_000_000)
    assert raw[:13] == b"manifest.json"
    size = int(raw[124:135], 8)
    return json.loads(raw[512 : 512 + size])


def leftovers(*folders: Path) -> list[str]:
    """What an unfinished run leaves, by name."""
    names = [path.name for folder in folders if folder.exists() for path in folder.iterdir()]
    marks = (".partial", ".parts", ".check", ".check.lock")
    ours = {".backup", ".restoring", ".replacing", ".restored"}
    return sorted(name for name in names if name.endswith(marks) or name in ours)
