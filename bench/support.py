"""How long the pages of tickets take over 10,000 and 100,000 of them, and how fast customers' tickets are taken."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pages
import submissions
from installation import Installation

SIZES = (10_000, 100_000)
PATHS = (
    "/tickets", "/tickets?query=assignee:me", "/tickets?query=status:resolved", "/tickets?query=invoice",
    "/tickets?query=is:unresolved+priority:urgent", "/tickets?query=refund+webhook", "/tickets/ID", "/palette?q=invoice",
)  # fmt: skip
API = ("/api/v1/tickets?query=invoice", "/api/v1/tickets")
SECONDS = 5


def measure(folder: Path, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """On SQLite, and on PostgreSQL where it is installed."""
    for store, site in pages.stores(folder):
        if site is None:
            yield {"what": store}
            continue
        keys = site.setup()
        for size in options.tickets or SIZES:
            number = seed(site, size)
            site.start()
            try:
                site.wait_for_jobs()
                with contextlib.closing(pages.signed_in(site)) as client:
                    for path in PATHS:
                        row = pages.timed(site, client, path, path.replace("ID", number))
                        yield {"store": store, "tickets": size, **row}
                with httpx.Client(
                    base_url=site.url, headers={"Authorization": f"Bearer {keys['api_token']}"}
                ) as client:
                    for path in API:
                        yield {"store": store, "tickets": size, **pages.timed(site, client, path, path)}
                yield {"store": store, "tickets": size, **submitted(site, keys["server_key"])}
            finally:
                site.stop()


def seed(site: Installation, count: int) -> str:
    """Fill up to `count` tickets; returns the number of one in their middle."""
    command = [sys.executable, str(Path(__file__).parent / "seed_tickets.py"), str(site.data_dir), str(count)]
    return subprocess.run(command, env=site.env, check=True, capture_output=True, text=True).stdout.strip()


def submitted(site: Installation, server_key: str, seconds: float = SECONDS) -> dict[str, Any]:
    """What four connections that send one ticket after the other get through."""
    number = itertools.count()

    def ticket(connection: int) -> submissions.Request:
        body = {
            "userId": f"u{connection}", "subject": f"Cannot log in {connection}-{next(number)}", "category": "account",
            "description": "I cannot log in since this morning, please help me out.", "priority": "medium",
        }  # fmt: skip
        headers = {"Authorization": f"Bearer {server_key}", "Content-Type": "application/json"}
        return submissions.Request("/api/support/tickets", json.dumps(body).encode(), headers)

    before = site.cpu_s()
    rates = submissions.flood(site.port, ticket, seconds=seconds, accepted=201)
    return {"what": "submissions", **rates, "cpu_ms": 1000 * (site.cpu_s() - before) / max(1, rates["accepted"])}
