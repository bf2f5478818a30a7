"""The client library beside structlog, loguru, UnleashClient and GrowthBook, in an environment of its own; what a request and a probe storm cost."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
NEEDS = [
    "structlog==26.1.0", "loguru==0.7.3", "orjson", "starlette", "sentry-sdk>=2.75",
    "UnleashClient==6.9.1", "growthbook==4.0.0", "mmh3>=5",
]  # fmt: skip


def measure(folder: Path, _options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    python = _install(folder / "venv")
    for script in ("client_logs.py", "client_web.py", "client_import.py", "client_flags.py"):
        done = subprocess.run([python, HERE / script], check=True, capture_output=True, text=True)
        yield from (json.loads(line) for line in done.stdout.splitlines())


def _install(venv: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    pip = [venv / "bin" / "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, *NEEDS], check=True)
    subprocess.run([*pip, "--no-deps", HERE.parent / "client"], check=True)
    return venv / "bin" / "python"
