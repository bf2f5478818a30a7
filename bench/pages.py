"""How long pages and the palette take over 100,000 issues, 1,000 members and much else, and how large they are."""

from __future__ import annotations

import argparse
import contextlib
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from installation import PASSWORD, Installation

sys.path.insert(0, str(Path(__file__).parents[1] / "server/tests"))

from postgres import Postgres, PostgresMissing  # noqa: E402 - found through the line above

REPEAT = 60
OTHERS = (
    "/customers/", "/deploys/", "/projects/", "/components/", "/settings/", "/settings/members/", "/settings/tokens/",
    "/settings/sessions/", "/settings/permissions/", "/settings/jobs/?tab=dead", "/settings/facts/", "/settings/audit/",
    "/settings/ingest/", "/settings/ingest/?range=7d", "/settings/ingest/?range=30d", "/settings/retention/", "/settings/backup/", "/search?q=invoice",
    "/palette?q=", "/palette?q=ch", "/palette?q=checkout", "/palette?q=member7", "/palette?q=ERR-77", "/palette?q=user123@example.com",
)  # fmt: skip


def measure(folder: Path, _options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """On SQLite, and on PostgreSQL where it is installed."""
    for store, site in stores(folder):
        yield from _measure(site, store) if site else [{"what": store}]


def stores(folder: Path) -> Iterator[tuple[str, Installation | None]]:
    """An installation on each store; None, and why, in place of PostgreSQL where that is not installed."""
    yield "sqlite", Installation(folder / "data")
    try:
        server = Postgres(folder / "postgres")
    except PostgresMissing as missing:
        yield str(missing), None
        return
    try:
        yield "postgres", Installation(folder / "other", env={"DATABASE_URL": server.url("daytwo")})
    finally:
        server.stop()


def _measure(site: Installation, store: str) -> Iterator[dict[str, Any]]:
    site.setup()
    seed = [sys.executable, str(Path(__file__).parent / "seed.py"), str(site.data_dir)]
    issue = subprocess.run(seed, env=site.env, check=True, capture_output=True, text=True).stdout.strip()
    yield {"store": store, "what": "start over this data", "first_page_s": site.start()}
    try:
        site.wait_for_jobs()
        with contextlib.closing(signed_in(site)) as client:
            for path in (
                "/errors", "/errors?sort=events", "/errors?query=checkout", "/errors?query=invoice+price&status=all",
                "/errors?query=is:unresolved+level:error", f"/errors/{issue}", f"/errors/{issue}?range=14d",
                f"/errors/{issue}/events", f"/errors/{issue}/tags", *OTHERS,
            ):  # fmt: skip
                yield {"store": store, **timed(site, client, path.replace(issue, "ID"), path)}
        yield {"store": store, "what": "memory after", "rss_mb": site.memory_mb()}
    finally:
        site.stop()


def signed_in(site: Installation) -> httpx.Client:
    """A client with the owner's session."""
    client = httpx.Client(base_url=site.url, follow_redirects=True, timeout=30)
    form = client.get("/login/").text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
    answer = client.post(
        "/login/",
        data={"login": "alice@example.com", "password": PASSWORD, "csrfmiddlewaretoken": token[1] if token else ""},
    )
    if "/accounts/login" in str(answer.url):
        raise RuntimeError("could not sign in")
    return client


def timed(site: Installation, client: httpx.Client, name: str, path: str) -> dict[str, Any]:
    """`cpu_ms` is what the server computed for one request: on a busy machine it says more than the clock."""
    before = site.cpu_s()
    row = clocked(client, name, path)
    return {**row, "cpu_ms": 1000 * (site.cpu_s() - before) / REPEAT}


def clocked(client: httpx.Client, name: str, path: str) -> dict[str, Any]:
    """The same page again and again."""
    took, size = [], 0
    for _ in range(REPEAT):
        begun = time.perf_counter()
        answer = client.get(path)
        took.append(1000 * (time.perf_counter() - begun))
        answer.raise_for_status()
        size = len(answer.content)
    took.sort()
    return {"page": name, "p50_ms": took[REPEAT // 2], "p95_ms": took[int(REPEAT * 0.95)], "html_kb": size / 1000}
