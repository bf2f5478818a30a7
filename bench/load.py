"""Load for an endpoint that speaks the Sentry protocol: real envelopes with fresh ids, over raw keep-alive HTTP/1.1.

No client library: the load shares two cores with what it measures, so it has to be cheap.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import gzip
import json
import time
import urllib.parse
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).resolve().parents[1] / "server" / "tests" / "fixtures" / "sentry"


@dataclass(frozen=True)
class Request:
    """One event on the wire, and the id it is known by."""

    event_id: str
    wire: bytes


@dataclass
class Outcome:
    """What a run saw. Latencies are seconds from sending the first byte to having the whole answer."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    codes: collections.Counter[str] = field(default_factory=collections.Counter)
    acked: list[str] = field(default_factory=list)
    refusals: list[bytes] = field(default_factory=list)  # heads of the answers other than 200
    acked_at: dict[str, float] = field(default_factory=dict)

    @property
    def accepted_per_s(self) -> float:
        return self.codes["200"] / self.seconds if self.seconds else 0.0

    def percentile_ms(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def requests(  # noqa: PLR0913 - the knobs of a load
    dsn: str, count: int, *, fixture: str = "py-exception", groups: int = 50, pad_bytes: int = 0, packed: bool = False
) -> list[Request]:
    """`count` envelopes of a captured event, spread over `groups` bugs, padded to a size when asked to be."""
    parts = urllib.parse.urlsplit(dsn)
    path = f"{parts.path.rpartition('/')[0]}/api/{parts.path.rpartition('/')[2]}/envelope/"
    event = _event_of(FIXTURES / f"{fixture}.envelope")
    return [_request(parts, path, event, n % groups, pad_bytes, packed) for n in range(count)]


def _event_of(path: Path) -> dict[str, Any]:
    lines = path.read_bytes().split(b"\n")
    event: dict[str, Any] = json.loads(lines[2])
    return event


def _request(  # noqa: PLR0913 - see requests
    dsn: urllib.parse.SplitResult, path: str, event: dict[str, Any], group: int, pad_bytes: int, packed: bool
) -> Request:
    event_id = uuid.uuid4().hex
    payload = _varied(event, event_id, group, pad_bytes)
    head = json.dumps({"event_id": event_id}).encode()
    item = json.dumps({"type": "event", "length": len(payload)}).encode()
    body = b"\n".join([head, item, payload]) + b"\n"
    encoding = ""
    if packed:
        body, encoding = gzip.compress(body, 5), "Content-Encoding: gzip\r\n"
    headers = (
        f"POST {path} HTTP/1.1\r\nHost: {dsn.hostname}:{dsn.port}\r\n"
        f"X-Sentry-Auth: Sentry sentry_key={dsn.username}, sentry_version=7, sentry_client=sentry.python/2.75.0\r\n"
        f"Content-Type: application/x-sentry-envelope\r\n{encoding}Content-Length: {len(body)}\r\n\r\n"
    )
    return Request(event_id, headers.encode() + body)


def _varied(event: dict[str, Any], event_id: str, group: int, pad_bytes: int) -> bytes:
    """The event under a new id and time, as one of many bugs: another type and function."""
    mark = chr(97 + group // 26 % 26) + chr(97 + group % 26)
    exception = dict(event["exception"]["values"][-1])
    frames = [dict(frame) for frame in exception["stacktrace"]["frames"]]
    frames[-1]["function"] += f"_{mark}"
    exception |= {"type": f"{exception['type']}{mark}", "stacktrace": {"frames": frames}}
    changed = event | {
        "event_id": event_id,
        "timestamp": time.time(),
        "exception": {"values": [*event["exception"]["values"][:-1], exception]},
        "user": {"id": str(hash(event_id) % 500)},
    }
    if pad_bytes:
        changed["extra"] = {"pad": [f"{n}-{hash((event_id, n)):x} " for n in range(pad_bytes // 22)]}
    return json.dumps(changed, separators=(",", ":")).encode()


async def send(
    base: str,
    load: Sequence[Request],
    *,
    connections: int = 16,
    rate_per_s: float | None = None,
    into: Outcome | None = None,
) -> Outcome:
    """Send everything, as fast as `connections` allow or at a steady rate. A broken connection counts as `broken`."""
    parts = urllib.parse.urlsplit(base)
    outcome = into or Outcome()
    waiting = collections.deque(enumerate(load))
    started = time.perf_counter()

    async def lane() -> None:
        reader = writer = None
        while waiting:
            number, request = waiting.popleft()
            if rate_per_s and (early := started + number / rate_per_s - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
                begun = time.perf_counter()
                writer.write(request.wire)
                head = await _answer(reader)
            except (OSError, asyncio.IncompleteReadError):
                outcome.codes["broken"] += 1
                await _close(writer)
                writer = None
                continue
            outcome.latencies.append(time.perf_counter() - begun)
            code = head[9:12].decode()
            outcome.codes[code] += 1
            if b"connection: close" in head.lower():
                await _close(writer)
                writer = None
            if code != "200":
                outcome.refusals.append(head)
            else:
                outcome.acked.append(request.event_id)
                outcome.acked_at[request.event_id] = time.time()
        await _close(writer)

    await asyncio.gather(*(lane() for _ in range(connections)))
    outcome.seconds = time.perf_counter() - started
    return outcome


async def _close(writer: asyncio.StreamWriter | None) -> None:
    if writer is not None:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _answer(reader: Any) -> bytes:
    """The head of the answer; the body is read away so that the connection can go on."""
    head = await reader.readuntil(b"\r\n\r\n")
    lower = head.lower()
    at = lower.find(b"content-length:")
    if at >= 0:
        await reader.readexactly(int(lower[at + 15 : lower.index(b"\r\n", at)]))
    return bytes(head)
