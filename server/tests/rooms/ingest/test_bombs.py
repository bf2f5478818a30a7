"""A dozen zip bombs at once: little memory, and other requests go on."""

from __future__ import annotations

import asyncio
import gzip
import subprocess
import sys
import time
from pathlib import Path

import brotli
import httpx
import pytest
import zstandard
from intake import EVENT, KEY, envelope

from daytwo_server.ingest.limits import MIB

SERVER = """
import sys, threading
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from intake import running

with running(Path(sys.argv[1])) as intake:
    print(intake.port, flush=True)
    sys.stdin.read()
"""
HEAD = b'{"event_id":"fc6d8c0c43fc4630ad850ee518f1b9d0"}\n'


def bombs() -> list[tuple[str, bytes, int]]:
    """(encoding, body, expected status): just under and just over 100 MiB decoded."""
    under = HEAD + b'{"type":"attachment"}\n' + bytes(100 * MIB - 200)
    over = under + bytes(400)
    one_event = HEAD + b'{"type":"event"}\n{"a":"' + b"a" * (100 * MIB)
    made = []
    for body, status in ((under, 200), (over, 413), (one_event, 413), (over, 413)):
        made += [
            ("gzip", gzip.compress(body, 1), status),
            ("br", brotli.compress(body, quality=2), status),
            ("zstd", zstandard.compress(body), status),
        ]
    return made


def peak_rss_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


@pytest.mark.slow
def test_twelve_bombs_at_once_need_little_memory_and_hold_up_nobody(spool: Path):
    tests = str(Path(__file__).parents[2])
    prepared = bombs()
    assert max(len(body) for _, body, _ in prepared) < MIB
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(spool), tests], stdout=subprocess.PIPE, stdin=subprocess.PIPE
    )
    try:
        port = int(server.stdout.readline())
        codes, waits = asyncio.run(throw(f"http://127.0.0.1:{port}/api/42/envelope/", prepared))
        assert codes == [status for _, _, status in prepared]
        assert peak_rss_mb(server.pid) < 400
        waits.sort()
        assert len(waits) > 20
        assert waits[len(waits) // 2] < 0.25
    finally:
        server.communicate(b"")
    assert server.returncode == 0


async def throw(url: str, prepared: list[tuple[str, bytes, int]]) -> tuple[list[int], list[float]]:
    """The answers to the bombs, and how long small events waited meanwhile, in seconds."""
    headers = {"X-Sentry-Auth": f"Sentry sentry_key={KEY}"}
    small = envelope(("event", EVENT))
    waits: list[float] = []
    async with httpx.AsyncClient(headers=headers, timeout=60) as client:

        async def small_ones() -> None:
            while True:
                started = time.perf_counter()
                assert (await client.post(url, content=small)).status_code == 200
                waits.append(time.perf_counter() - started)

        others = asyncio.create_task(small_ones())
        answers = await asyncio.gather(
            *[client.post(url, content=body, headers={"Content-Encoding": encoding}) for encoding, body, _ in prepared]
        )
        others.cancel()
        return [answer.status_code for answer in answers], waits
