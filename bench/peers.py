"""The same load on Bugsink, the nearest neighbour, in an environment of its own: only a ratio travels between machines."""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import load
import throughput
from installation import free_port

EVENTS = 1000
VERSION = "2.6.1"


def measure(folder: Path, _options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Turn about: Bugsink, Daytwo, Bugsink, Daytwo, with the same envelopes."""
    binaries = _install(folder / "bugsink-venv")
    for turn in range(2):
        yield {"peer": f"bugsink {VERSION}", **_bugsink(binaries, folder / f"bugsink-{turn}")}
        with throughput.running(folder / f"daytwo-{turn}", {}) as site:
            yield {"peer": "daytwo", **throughput.flood(site, EVENTS, connections=16)}


def _install(venv: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    subprocess.run([venv / "bin" / "pip", "install", "-q", f"bugsink=={VERSION}"], check=True)
    return venv / "bin"


def _bugsink(binaries: Path, home: Path) -> dict[str, Any]:
    home.mkdir()
    port = free_port()
    env = os.environ | {
        "SECRET_KEY": secrets.token_urlsafe(50), "BASE_URL": f"http://127.0.0.1:{port}", "PORT": str(port),
        "BEHIND_HTTPS_PROXY": "false", "CREATE_SUPERUSER": "admin:admin", "PHONEHOME": "false",
        "MAX_EVENTS_PER_PROJECT_PER_5_MINUTES": "10000000", "MAX_EVENTS_PER_PROJECT_PER_HOUR": "10000000",
        "MAX_EVENTS_PER_5_MINUTES": "10000000", "MAX_EVENTS_PER_HOUR": "10000000",
    }  # fmt: skip
    run = lambda *command: subprocess.run(
        [str(part) for part in command], cwd=home, env=env, check=True, capture_output=True, text=True
    )  # noqa: E731
    run(binaries / "bugsink-create-conf", "--template=local", f"--port={port}", "--base-dir", home)
    manage = binaries / "bugsink-manage"
    run(manage, "migrate")
    run(manage, "migrate", "--database=snappea")
    run(manage, "shell", "-c", _MAKE_PROJECT)
    key = run(
        manage, "shell", "-c", "from projects.models import Project; print(Project.objects.get().sentry_key.hex)"
    ).stdout.split()[-1]
    processes = [
        subprocess.Popen([str(binaries / "gunicorn"), f"--bind=127.0.0.1:{port}", "--workers=2", "--timeout=60", "--access-logfile=/dev/null", "bugsink.wsgi"], cwd=home, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL),
        subprocess.Popen([str(binaries / "bugsink-runsnappea")], cwd=home, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL),
    ]  # fmt: skip
    try:
        _wait(f"http://127.0.0.1:{port}/login/")
        return _flood(home, f"http://{key}@127.0.0.1:{port}/1", processes)
    finally:
        for process in processes:
            process.terminate()
            process.wait(20)


_MAKE_PROJECT = (
    "from projects.models import Project; from teams.models import Team; "
    "Project.objects.create(name='bench', team=Team.objects.create(name='bench'))"
)


def _flood(home: Path, dsn: str, processes: list[Any]) -> dict[str, Any]:
    import psutil

    requests = load.requests(dsn, EVENTS)
    begun = time.perf_counter()
    outcome = asyncio.run(
        load.send(dsn.replace(dsn.split("//")[1].split("@", maxsplit=1)[0] + "@", ""), requests, connections=16)
    )
    accepted = outcome.codes["200"]
    while _events(home) < accepted and time.perf_counter() - begun < 300:
        time.sleep(0.2)
    drained_s = time.perf_counter() - begun
    trees = [
        member
        for process in processes
        for root in [psutil.Process(process.pid)]
        for member in [root, *root.children(recursive=True)]
    ]
    return {
        "codes": dict(outcome.codes), "accepted_per_s": outcome.accepted_per_s, "drained_per_s": _events(home) / drained_s,
        "p99_ms": outcome.percentile_ms(0.99), "rss_mb": sum(member.memory_info().rss for member in trees) / 1e6,
    }  # fmt: skip


def _events(home: Path) -> int:
    path = next((path for path in home.rglob("*.sqlite3") if "snappea" not in path.name), None)
    if path is None:
        return 0
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    try:
        return int(connection.execute("SELECT count(*) FROM events_event").fetchone()[0])
    finally:
        connection.close()


def _wait(url: str) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("Bugsink did not start within 30 s")
