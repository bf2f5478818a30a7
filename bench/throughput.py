"""How fast events come in, become durable and become visible."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import load
import pages
from installation import Installation

LARGE_PAD = 50_000


def measure(folder: Path, _options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The default installation: digest as a child, SQLite with synchronous=FULL."""
    yield from _measure(folder / "default", {})


def compare_hosts(folder: Path, _options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The digest as a child process against a thread of the server, turn about."""
    for turn in range(2):
        for host in ("process", "thread"):
            with running(folder / f"{host}-{turn}", {"DAYTWO_DIGEST": host}) as site:
                yield {"digest": host, **flood(site, 4000, connections=32)}
                yield {"digest": host, **steady(site, 500, 8)}
                yield {"digest": host, **_pages_in_a_storm(site)}


def _measure(folder: Path, env: dict[str, str]) -> Iterator[dict[str, Any]]:
    with running(folder, env) as site:
        yield {"what": "memory at start", "rss_mb": site.memory_mb()}
        for packed in (False, True):
            yield flood(site, 10_000, connections=32, packed=packed)
        yield flood(site, 1_500, connections=16, pad_bytes=LARGE_PAD)
        yield steady(site, 500, 15)
        yield _visible(site, 200, 10)
        yield {"what": "memory after", "rss_mb": site.memory_mb()}
        stop_s = site.stop()
        yield {"what": "restart", "stop_s": stop_s, "first_page_s": site.start()}


class running:  # noqa: N801 - reads as `with running(...)`
    """A set-up and started installation, stopped at the end."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.site = Installation(folder, env=env)

    def __enter__(self) -> Installation:
        self.site.keys = self.site.setup()
        self.site.start()
        return self.site

    def __exit__(self, *_: object) -> None:
        self.site.stop()


def flood(
    site: Installation, count: int, *, connections: int, pad_bytes: int = 0, packed: bool = False
) -> dict[str, Any]:
    """As fast as it goes, then wait until everything is visible."""
    requests = load.requests(site.keys["dsn"], count, pad_bytes=pad_bytes, packed=packed)
    before, cpu = site.events(), site.cpu_s()
    begun = time.perf_counter()
    outcome = asyncio.run(load.send(site.url, requests, connections=connections))
    site.wait_for_events(before + outcome.codes["200"], seconds=300)
    drained_s = time.perf_counter() - begun
    return {
        "what": "flood", "kb": len(requests[0].wire) / 1000, "packed": packed, "codes": dict(outcome.codes),
        "accepted_per_s": outcome.accepted_per_s, "drained_per_s": count / drained_s,
        "p50_ms": outcome.percentile_ms(0.5), "p99_ms": outcome.percentile_ms(0.99),
        "cpu_ms_per_event": 1000 * (site.cpu_s() - cpu) / count, "rss_mb": site.memory_mb(),
    }  # fmt: skip


def steady(site: Installation, rate_per_s: int, seconds: int) -> dict[str, Any]:
    requests = load.requests(site.keys["dsn"], rate_per_s * seconds)
    before = site.events()
    outcome = asyncio.run(load.send(site.url, requests, connections=32, rate_per_s=rate_per_s))
    lag_s = site.wait_for_events(before + outcome.codes["200"], seconds=120)
    return {
        "what": f"steady {rate_per_s}/s", "codes": dict(outcome.codes), "p50_ms": outcome.percentile_ms(0.5),
        "p99_ms": outcome.percentile_ms(0.99), "drained_after_s": lag_s, "rss_mb": site.memory_mb(),
    }  # fmt: skip


def _pages_in_a_storm(site: Installation) -> dict[str, Any]:
    """How long the list of errors takes while 500 events a second arrive."""
    requests = load.requests(site.keys["dsn"], 500 * 8)
    took: list[float] = []

    def read(stop: threading.Event) -> None:
        with contextlib.closing(pages.signed_in(site)) as client:
            while not stop.is_set():
                begun = time.perf_counter()
                client.get("/errors").raise_for_status()
                took.append(1000 * (time.perf_counter() - begun))

    stop = threading.Event()
    reader = threading.Thread(target=read, args=[stop])
    reader.start()
    asyncio.run(load.send(site.url, requests, connections=16, rate_per_s=500))
    stop.set()
    reader.join()
    took.sort()
    return {"what": "/errors in a storm", "p50_ms": took[len(took) // 2], "p95_ms": took[int(len(took) * 0.95)]}


def _visible(site: Installation, rate_per_s: int, seconds: int) -> dict[str, Any]:
    """From the answer to the row being visible, for each event: a watcher asks the store every 10 ms."""
    requests = load.requests(site.keys["dsn"], rate_per_s * seconds)
    seen: dict[str, float] = {}

    async def watch(done: asyncio.Event) -> None:
        last = site.query("SELECT coalesce(max(id), 0) FROM errors_event")[0][0]
        while not (done.is_set() and len(seen) >= len(requests)):
            rows = await asyncio.to_thread(
                site.query, f"SELECT id, event_id FROM errors_event WHERE id > {last} ORDER BY id"
            )  # noqa: S608
            now = time.time()
            for last, event_id in rows:  # noqa: B007 - the last id is where the next look begins
                seen[event_id] = now
            await asyncio.sleep(0.01)

    async def both() -> load.Outcome:
        done = asyncio.Event()
        watching = asyncio.create_task(watch(done))
        outcome = await load.send(site.url, requests, connections=32, rate_per_s=rate_per_s)
        done.set()
        await asyncio.wait_for(watching, 60)
        return outcome

    outcome = asyncio.run(both())
    delays = sorted(1000 * (seen[event_id] - at) for event_id, at in outcome.acked_at.items())
    return {
        "what": f"visible at {rate_per_s}/s", "p50_ms": delays[len(delays) // 2],
        "p95_ms": delays[int(len(delays) * 0.95)], "max_ms": delays[-1],
    }  # fmt: skip
