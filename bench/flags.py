"""Flags as the server answers them: OFREP beside a bare JSON echo on the same server, all at once, and who listens."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
from flags_site import KEY, flag

HERE = Path(__file__).parent
CONNECTIONS = 8
REQUESTS = 4000
ROUNDS = 7
LISTENERS = 200


def measure(folder: Path, _options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Where it says us, that is time of the processor: of the server for a request, or of one call."""
    yield {"ofrep": "us of the server", **_beside_an_echo()}
    yield {"evaluation of 100 flags": "us", **_bulk()}
    yield {"1,000 flags": "ms", **_thousand()}
    yield {"listeners": LISTENERS, **asyncio.run(_listeners())}


class Child:
    """The site as a process of its own."""

    def __init__(self, flags: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, HERE / "flags_site.py", str(flags)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        self.port = int(self.process.stdout.readline())
        self.known = psutil.Process(self.process.pid)

    def cpu_s(self) -> float:
        times = self.known.cpu_times()
        return times.user + times.system

    def rss(self) -> int:
        return self.known.memory_info().rss

    def change(self) -> None:
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


def _request(path: str, context: dict[str, Any]) -> bytes:
    body = json.dumps({"context": context}).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class _Load(asyncio.Protocol):
    """One connection: a request, its answer, the next request."""

    def __init__(self, wires: list[bytes], done: asyncio.Future[None]) -> None:
        self.wires, self.done, self.next, self.buffer, self.bytes = wires, done, 0, b"", 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self.wires[0])

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found or len(body) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return
        assert b" 200 " in head[:20], self.buffer
        self.buffer, self.bytes = b"", self.bytes + len(body)
        self.next += 1
        if self.next == len(self.wires):
            self.transport.close()
            self.done.set_result(None)
        else:
            self.transport.write(self.wires[self.next])


async def _flood(port: int, wires: list[bytes]) -> float:
    """Requests a second."""
    loop = asyncio.get_running_loop()
    begun = time.perf_counter()
    waits = []
    for place in range(CONNECTIONS):
        done: asyncio.Future[None] = loop.create_future()
        await loop.create_connection(
            lambda place=place, done=done: _Load(wires[place::CONNECTIONS], done), "127.0.0.1", port
        )
        waits.append(done)
    await asyncio.gather(*waits)
    return len(wires) / (time.perf_counter() - begun)


def _beside_an_echo() -> dict[str, Any]:
    """Turn about, so that a machine that is busy elsewhere is so for both."""
    contexts = [{"targetingKey": f"user_{number}", "plan": "pro", "country": "NO"} for number in range(REQUESTS)]
    loads = {
        "echo": [_request("/echo", context) for context in contexts],
        "ofrep": [_request(f"/ofrep/v1/evaluate/flags/flag-{n % 100}", context) for n, context in enumerate(contexts)],
    }
    took: dict[str, list[float]] = {name: [] for name in loads}
    rates: dict[str, list[float]] = {name: [] for name in loads}
    site = Child(100)
    try:
        for turn in range(ROUNDS + 1):
            for name, wires in loads.items():
                before = site.cpu_s()
                rate = asyncio.run(_flood(site.port, wires))
                if turn:  # the first one warms up
                    took[name].append((site.cpu_s() - before) / len(wires) * 1e6)
                    rates[name].append(rate)
    finally:
        site.stop()
    us = {name: statistics.median(found) for name, found in took.items()}
    per_s = {name: statistics.median(found) for name, found in rates.items()}
    return {
        "echo": us["echo"], "single": us["ofrep"], "percent_of_echo": 100 * us["echo"] / us["ofrep"],
        "echo_per_s": per_s["echo"], "single_per_s": per_s["ofrep"],
        "percent_of_echo_per_s": 100 * per_s["ofrep"] / per_s["echo"],
    }  # fmt: skip


def _environment(flags: int) -> Any:
    from daytwo_server.flags.app.environment import Environment

    document = {"format": 1, "environment": "production", "revision": 1, "segments": {}}
    return Environment(document | {"flags": [flag(number) for number in range(flags)]})


def _bulk() -> dict[str, Any]:
    """From the context in the body to the bytes of the answer, with its ETag."""
    from daytwo_server.flags.app import answers, ofrep

    here = _environment(100)
    bodies = [
        json.dumps({"context": {"targetingKey": f"user_{number}", "plan": "pro", "country": "NO"}}).encode()
        for number in range(200)
    ]
    best = {"evaluation": float("inf"), "whole answer": float("inf")}
    for _ in range(15):
        begun = time.thread_time()
        for body in bodies:
            ofrep.bulk(here, ofrep.context_of(body), is_server=True)
        best["evaluation"] = min(best["evaluation"], (time.thread_time() - begun) / len(bodies) * 1e6)
        begun = time.thread_time()
        for body in bodies:
            flags = ofrep.bulk(here, ofrep.context_of(body), is_server=True)
            ofrep.answer_bulk(flags, here, "/s", if_none_match=b"", cors=answers.ANY_ORIGIN)
        best["whole answer"] = min(best["whole answer"], (time.thread_time() - begun) / len(bodies) * 1e6)
    return best


def _thousand() -> dict[str, Any]:
    from daytwo_server.flags.app.environment import Environment

    took = []
    for _ in range(5):
        begun = time.thread_time()
        here = _environment(1000)
        took.append(time.thread_time() - begun)
    begun = time.thread_time()
    Environment(here.document, here)
    again = time.thread_time() - begun
    begun = time.thread_time()
    here.document_of("snapshot")
    snapshot = time.thread_time() - begun
    begun = time.thread_time()
    here.document_of("unleash")
    unleash = time.thread_time() - begun
    return {
        "compile": min(took) * 1000, "again": again * 1000, "snapshot": snapshot * 1000, "unleash": unleash * 1000,
    }  # fmt: skip


async def _listeners() -> dict[str, Any]:
    """From the change to the last one's event, and the memory that all of them take in the server."""
    site = Child(100)
    try:
        await _flood(site.port, [_request("/ofrep/v1/evaluate/flags", {})] * 200)
        before = site.rss()
        open_ones = [await asyncio.open_connection("127.0.0.1", site.port) for _ in range(LISTENERS)]
        for _, writer in open_ones:
            writer.write(f"GET /flags/v1/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode())
        for reader, _ in open_ones:
            await reader.readuntil(b"retry: ")
        await asyncio.sleep(0.5)
        added = site.rss() - before
        slowest = []
        for _ in range(5):
            begun = time.perf_counter()
            site.change()
            await asyncio.gather(*(reader.readuntil(b"data: ") for reader, _ in open_ones))
            slowest.append(time.perf_counter() - begun)
            await asyncio.sleep(0.3)
        for _, writer in open_ones:
            writer.close()
    finally:
        site.stop()
    return {"slowest_ms": max(slowest) * 1000, "added_mb": added / 1e6}


if __name__ == "__main__":
    os.environ.setdefault("PYTHONPATH", "")
    for row in measure(Path(), argparse.Namespace()):
        print(row)
