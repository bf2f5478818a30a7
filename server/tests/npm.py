"""Released packages of npm, for tests that run them with node."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

NODE, NPM = shutil.which("node"), shutil.which("npm")


def installed(folder: Path, *packages: str) -> Path:
    """A folder in which these can be required; skips the test where that is impossible."""
    if not (NODE and NPM):
        pytest.skip("node and npm are not installed; `apt-get install nodejs npm` enables the tests of node's clients")
    (folder / "package.json").write_text("{}")
    command = [NPM, "install", "--no-audit", "--no-fund", "--silent", *packages]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    if done.returncode:
        pytest.skip(f"{packages[0]} could not be installed: {done.stderr.strip()[:200]}")
    return folder


def run(folder: Path, script: str, *arguments: str) -> list[Any]:
    """What the script printed, each line as JSON. Its own errors fail the test."""
    (folder / "app.js").write_text(script)
    done = subprocess.run(
        [str(NODE), "app.js", *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
