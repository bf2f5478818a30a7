"""kill -9 in the middle of a storm, again and again: every acknowledged event is there afterwards, and none twice."""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import load
from installation import Installation

STORM_PER_S = 500


def measure(folder: Path, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    site = Installation(folder / "data")
    keys = site.setup()
    acked: set[str] = set()
    for number in range(options.rounds):
        acked |= storm(site, keys["dsn"], seconds=random.uniform(0.5, 2.0))  # noqa: S311 - when to kill
        if number % 10 == 9 or number == options.rounds - 1:
            site.start()
            verdict = check(site, acked)
            site.stop()
            yield {"rounds": number + 1, **verdict}


def storm(site: Installation, dsn: str, *, seconds: float) -> set[str]:
    """Start, send 500 events a second, kill after `seconds`; the ids that were acknowledged."""
    site.start()
    requests = load.requests(dsn, int(STORM_PER_S * (seconds + 1)))

    async def both() -> load.Outcome:
        sending = asyncio.create_task(load.send(site.url, requests, connections=16, rate_per_s=STORM_PER_S))
        await asyncio.sleep(seconds)
        site.kill()
        return await sending

    return set(asyncio.run(both()).acked)


def check(site: Installation, acked: set[str]) -> dict[str, Any]:
    """Wait for the digest, then compare what was acknowledged with what is there and with every counter."""
    site.wait_for_spool()
    there = [event_id for (event_id,) in site.query("SELECT event_id FROM errors_event")]
    return {
        "acked": len(acked), "there": len(there), "lost": len(acked - set(there)),
        "twice": len(there) - len(set(there)),
        "miscounted": sum(abs(sum_ - len(there)) for sum_ in sums(site).values()),
    }  # fmt: skip


def sums(site: Installation) -> dict[str, int]:
    """What each counter adds up to; all of them are the number of events, each of which names a user."""
    counters = {
        "issues": "SELECT sum(count) FROM errors_issue",
        "buckets": "SELECT sum(count) FROM errors_bucket",
        "users": "SELECT sum(count) FROM errors_issueuser",
        "stored": "SELECT sum(count) FROM ingest_itemcount WHERE outcome = 'stored'",
    }
    found = {name: int(site.query(sql)[0][0] or 0) for name, sql in counters.items()}
    of_users = site.query("SELECT sum(users), (SELECT count(*) FROM errors_issueuser) FROM errors_issue")[0]
    found["distinct users"] = found["users"] + int(of_users[0] or 0) - int(of_users[1])
    tags = "SELECT key, sum(count) FROM errors_facet WHERE key IN ('environment', 'level') GROUP BY key"
    for key, count in site.query(tags):  # every event has these
        found[f"facet {key}"] = int(count)
    found["bodies"] = int(site.query_telemetry("SELECT count(*) FROM errors_eventbody")[0][0])
    return found
