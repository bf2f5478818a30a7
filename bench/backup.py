"""A backup of a large installation while events arrive: how long, how much intake feels it, and whether all is in it."""

from __future__ import annotations

import argparse
import asyncio
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import crash
import load
from installation import MODULE, Installation

RATE_PER_S = 300
CALM_S = 10
STORM_S = 90  # longer than the backup takes
BODIES_MB = 700  # stores of about 1.1 GB
SEED = Path(__file__).with_name("seed_bodies.py")


def measure(folder: Path, _options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    site = Installation(folder / "data")
    site.keys = site.setup()
    seed(site, BODIES_MB)
    site.start()
    try:
        yield {"what": f"calm {RATE_PER_S}/s", **_storm(site, CALM_S)}
        row, before, acked, file = backup_in_a_storm(site, folder)
        yield row
        yield {"what": "live side", **_verdict(site, acked)}
        yield {"what": "verify", **timed(site, "backup", "--verify", file)}
    finally:
        site.stop()
    yield from restored(folder, site, file, before)


def seed(site: Installation, size_mb: int) -> None:
    """Events with bodies until `telemetry.db` has about that size."""
    env = site.env | {"DAYTWO_DATA_DIR": str(site.data_dir)}
    subprocess.run([sys.executable, str(SEED), str(size_mb)], env=env, check=True)


def backup_in_a_storm(site: Installation, folder: Path) -> tuple[dict[str, Any], set[str], set[str], Path]:
    """300 events a second from before to after the backup; what was acknowledged before it began, and in all."""
    file = folder / "daytwo.tar.zst"
    outcome = load.Outcome()
    over = threading.Event()
    requests = load.requests(site.keys["dsn"], RATE_PER_S * STORM_S)
    sender = threading.Thread(target=lambda: asyncio.run(_until(over, site, requests, outcome)))
    sender.start()
    time.sleep(3)
    before, first = set(outcome.acked), len(outcome.latencies)
    told = timed(site, "backup", file)
    during = sorted(outcome.latencies[first:])
    over.set()
    sender.join()
    stores_mb = sum((site.data_dir / name).stat().st_size for name in ("daytwo.db", "telemetry.db")) / 1e6
    return (
        {
            "what": f"backup at {RATE_PER_S}/s", **told, "stores_mb": stores_mb,
            "mb_per_s": stores_mb / told["seconds"], "archive_mb": file.stat().st_size / 1e6,
            "codes": dict(outcome.codes), **_percentiles(during),
        },
        before,
        set(outcome.acked),
        file,
    )  # fmt: skip


async def _until(over: threading.Event, site: Installation, requests: list[load.Request], into: load.Outcome) -> None:
    sending = asyncio.create_task(load.send(site.url, requests, connections=16, rate_per_s=RATE_PER_S, into=into))
    await asyncio.to_thread(over.wait)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)


def _storm(site: Installation, seconds: int) -> dict[str, Any]:
    outcome = asyncio.run(
        load.send(
            site.url, load.requests(site.keys["dsn"], RATE_PER_S * seconds), connections=16, rate_per_s=RATE_PER_S
        )
    )
    return {"codes": dict(outcome.codes), **_percentiles(sorted(outcome.latencies))}


def _percentiles(ordered: list[float]) -> dict[str, float]:
    return {
        "p50_ms": 1000 * ordered[len(ordered) // 2], "p99_ms": 1000 * ordered[int(len(ordered) * 0.99)],
        "max_ms": 1000 * ordered[-1],
    }  # fmt: skip


def timed(site: Installation, *arguments: object) -> dict[str, Any]:
    """A verb of the command line: how long it took, and the memory it used at most."""
    begun = time.perf_counter()
    command = [*MODULE, *map(str, arguments), "--data-dir", str(site.data_dir)]
    with tempfile.TemporaryFile() as said:
        started = subprocess.Popen(command, env=site.env, stdout=subprocess.DEVNULL, stderr=said)
        highest = 0
        while started.poll() is None:
            highest = max(highest, _peak_kb(started.pid))
            time.sleep(0.05)
        said.seek(0)
        if started.returncode:
            raise RuntimeError(said.read().decode())
    return {"seconds": time.perf_counter() - begun, "rss_mb": highest / 1e3}


def _peak_kb(pid: int) -> int:
    """What the kernel has seen of a process at most; 0 when it has just ended."""
    try:
        found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) if found else 0


def _verdict(site: Installation, acked: set[str]) -> dict[str, Any]:
    """Seeded events have no issue counters of their own, so only what was sent is compared."""
    site.wait_for_spool(seconds=300)
    there = {event_id for (event_id,) in site.query("SELECT event_id FROM errors_event")}
    return {"acked": len(acked), "lost": len(acked - there)}


def restored(folder: Path, site: Installation, file: Path, before: set[str]) -> Iterator[dict[str, Any]]:
    other = Installation(folder / "restored")
    yield {"what": "restore", **timed(other, "restore", file)}
    yield {"what": "first page after it", "seconds": other.start()}
    try:
        yield {"what": "in the backup", **_verdict(other, before)}
        done = subprocess.run(
            [*MODULE, "doctor", "--data-dir", str(other.data_dir)], env=other.env, capture_output=True
        )
        sums = crash.sums(other)
        yield {"what": "doctor", "exit_code": done.returncode, "bodies": sums["bodies"], "events": other.events()}
    finally:
        other.stop()
