"""The same load on Bugsink, the nearest neighbour, in an environment of its own: only a ratio travels between machines."""

from __future__ import annotations

import argparse
import asyncio
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
    """Its documented single-server way: two gunicorn workers, four digest threads, SQLite; limits out of the way."""
    home.mkdir()
    port = free_port()
    manage = binaries / "bugsink-manage"

    def run(*command: object) -> str:
        done = subprocess.run([str(part) for part in command], cwd=home, check=True, capture_output=True, text=True)
        return done.stdout

    run(binaries / "bugsink-create-conf", "--template=singleserver", "--host=127.0.0.1", f"--base-dir={home}")
    with (home / "bugsink_conf.py").open("a") as conf:
        conf.write(_NO_LIMITS)
    run(manage, "migrate")
    run(manage, "migrate", "--database=snappea")
    key = run(manage, "shell", "-c", _MAKE_PROJECT).split()[-1]
    serve = [binaries / "gunicorn", f"--bind=127.0.0.1:{port}", "--workers=2", "--timeout=60", "bugsink.wsgi"]
    quiet = {"cwd": home, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    processes = [subprocess.Popen(command, **quiet) for command in (serve, [binaries / "bugsink-runsnappea"])]
    try:
        _wait(f"http://127.0.0.1:{port}/accounts/login/")
        return _flood(home, f"http://{key}@127.0.0.1:{port}/1", processes)
    finally:
        for process in processes:
            process.terminate()
            process.wait(20)


_NO_LIMITS = """
BUGSINK |= {
    f"MAX_EVENTS_PER_{span}": 10**7
    for span in ("PROJECT_PER_5_MINUTES", "PROJECT_PER_HOUR", "5_MINUTES", "HOUR")
}
"""
_MAKE_PROJECT = (
    "from projects.models import Project; from teams.models import Team; "
    "print(Project.objects.create(name='bench', team=Team.objects.create(name='bench')).sentry_key.hex)"
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
